//! Parquet tables on disk: layout, lock, manifest, atomic publish.
