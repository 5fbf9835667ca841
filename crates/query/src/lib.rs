//! The read side over published snapshots.
