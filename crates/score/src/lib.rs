//! The attack factor formula af-1 over bucket counts, in integers.
