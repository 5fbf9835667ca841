//! From attack signals to bucket counts: deduplicate, collapse, join, count.
