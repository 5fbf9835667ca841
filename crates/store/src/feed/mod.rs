//! What was fetched from an integration and waits to be taken in.
//!
//! ```text
//! feeds/<tenant>/<integration>/          everything in here is readable by its owner only
//!   lock                                 one process fetches at a time; it needs no WriteLock
//!   pages.lock                           held for the moment in which a page is landed or settled
//!   cursor.json  status.json  …          documents, replaced atomically
//!   log/<stream>-<number>.json.zst       pages as received; a run takes them in and removes them
//!   raw/<day>/<stream>-<number>.json.zst the same afterwards, where raw pages are kept
//!   inventory/<instant>/<step>.ndjson.zst  one inventory, visible as a whole or not at all
//!   inventory/<instant>/summary.json     what it consists of
//!   tmp/                                 unfinished; emptied by the next process that fetches
//! ```
//!
//! A page lands, synced, before the cursor behind it does. Killed between the two, the page is
//! fetched and landed again under the same name. Whoever takes pages in needs no right to fetch: a
//! page that was landed again after it was listed is another page, and stays.
//!
//! ```
//! use af_store::Store;
//! use af_store::feed::FeedName;
//!
//! let folder = tempfile::tempdir().unwrap();
//! let store = Store::create_or_open(&folder.path().join("store")).unwrap();
//! let name = FeedName { tenant: "acme".into(), integration: "prod".into() };
//!
//! let feed = store.feed(&name).unwrap();
//! feed.land("live-1", 1, b"[]").unwrap();
//! feed.write("cursor", &1).unwrap();
//! assert_eq!(feed.last_waiting("live-1").unwrap(), Some(1));
//!
//! // A run, possibly in another process at the same time.
//! let lock = store.lock().unwrap();
//! let pages = store.waiting_pages(&name).unwrap();
//! assert_eq!(pages.len(), 1);
//! store.settle_pages(&lock, &name, &pages, None).unwrap();
//! assert!(store.waiting_pages(&name).unwrap().is_empty());
//! ```

mod documents;
mod folder;
mod holder;
mod inventory;
mod lines;
mod open;
mod pages;
mod rewrite;
mod settle;
#[cfg(test)]
mod tests;

pub use folder::FeedName;
pub use inventory::{Inventory, InventoryStep};
pub use lines::inventory_lines;
pub use open::Feed;
pub use pages::WaitingPage;
pub use rewrite::inventory_steps;

/// The document that holds [`af_model::feed::FeedStatus`].
pub const STATUS: &str = "status";
