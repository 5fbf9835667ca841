//! Parquet tables on disk: layout, lock, manifest, atomic publish.
//!
//! A [`Store`] is a folder that holds everything the engine keeps: events and signals by UTC day,
//! directory versions, retractions, small state documents, the key of all keyed hashes, and the
//! published snapshots. One process writes at a time and proves it with a [`WriteLock`]; readers
//! need no lock, because every file and every snapshot appears whole, by a rename, or not at all.
//!
//! * [`table_file`] writes and reads one table as one Parquet file. Written files have equal bytes
//!   for equal rows; read files may be anybody's.
//! * [`Store`] puts such files into their places ([`Store::add_day_file`], [`Store::add_directory`],
//!   [`Store::add_retractions`]) and reads a day of several files as one ([`Store::read_day_merged`]).
//! * [`Commit`] makes day files and state documents part of the store together or not at all.
//! * [`Publication`] collects the tables of a snapshot and publishes them at once, into the store
//!   ([`Store::begin_snapshot`]) or into any folder ([`begin_output`]); [`Snapshot`] reads them.
//!
//! ```
//! use af_model::tables::retractions;
//! use af_model::UtcMillis;
//! use af_store::Store;
//!
//! let folder = tempfile::tempdir().unwrap();
//! let store = Store::create_or_open(&folder.path().join("store")).unwrap();
//! let lock = store.lock().unwrap();
//! let row = retractions::Row {
//!     tenant_uid: "acme".into(),
//!     target_kind: "signal".into(),
//!     target_uid: "s1".into(),
//!     action: "retract".into(),
//!     ingested_at: UtcMillis::parse("2026-11-20T08:00:00Z").unwrap(),
//!     reason: Some("a test of the security team".into()),
//!     by: None,
//! };
//! let entry = store.add_retractions(&lock, [retractions::batch([&row])]).unwrap();
//! assert_eq!(entry.rows, 1);
//! assert_eq!(store.retractions().unwrap().len(), 1);
//! ```
//!
//! What it does not do: it knows no formula, reads no clock, decides nothing about duplicates, and
//! holds no data in memory beyond a few batches.

mod aside;
mod atomic;
mod cache;
mod checksum;
mod commit;
mod compact;
pub mod disk;
mod error;
pub mod feed;
mod layout;
mod lock;
mod merge;
mod order;
mod partition;
mod quiet;
mod replace;
mod rewrite;
mod secret;
pub mod snapshot;
mod sorted;
mod state;
pub mod table_file;

pub use aside::{Aside, AsideReader, Shelf};
pub use atomic::Scratch;
pub use checksum::{
    Checksum, checked, checksum, content_hash, content_name, is_named_by_content, same_tables,
};
pub use commit::{Commit, DayWriter, StagedDay};
pub use error::{Error, ErrorKind};
pub use layout::{Partitioned, Store};
pub use lock::WriteLock;
pub use merge::MergedBatches;
pub use order::sorted_batch;
pub use secret::read_hash_key;
pub use snapshot::{
    MANIFEST_VERSION, OpenTables, Publication, Published, Snapshot, SnapshotId, SnapshotRewrite,
    begin_output, begin_output_unchecked, mend_output,
};
pub use sorted::{SortedBatches, sorted_batches};
pub use table_file::{Batches, Key, Metadata, Scan, TableFile, TableWriter};
