//! What was fetched from an integration and waits to be taken in.
//!
//! ```text
//! feeds/<tenant>/<integration>/          everything in here is readable by its owner only
//!   lock                                 one process fetches at a time; it needs no WriteLock
//!   cursor.json  status.json  …          documents, replaced atomically
//!   log/<stream>-<number>.json.zst       pages as received; a run takes them in and removes them
//!   raw/<day>/<stream>-<number>.json.zst the same afterwards, where raw pages are kept
//!   inventory/<instant>/<step>.ndjson.zst  one inventory, visible as a whole or not at all
//! ```
//!
//! A page lands, synced, before the cursor behind it does. Killed between the two, the page is
//! fetched and landed again under the same name.

use std::path::{Path, PathBuf};

use af_model::{UtcDay, UtcMillis};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::layout::Store;
use crate::lock::WriteLock;

/// The document that holds [`af_model::feed::FeedStatus`].
pub const STATUS: &str = "status";

/// Whose feed it is: a tenant and one of its integrations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedName {
    /// The tenant.
    pub tenant: String,
    /// The integration; `okta` where it has no name.
    pub integration: String,
}

/// The right to fetch for one integration, held until dropped or the process ends.
#[derive(Debug)]
pub struct Feed {}

/// A page that waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaitingPage {
    /// The stream it belongs to, e.g. `live-1` or `day-2026-11-20`.
    pub stream: String,
    /// Its number in the stream, from 1.
    pub number: u64,
    /// The file.
    pub path: PathBuf,
    /// Its size as it lies there.
    pub bytes: u64,
}

impl Store {
    /// Takes the right to fetch for an integration; makes its folder and clears up what a killed
    /// process left.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Locked`] when another process fetches; the names must not become a path.
    pub fn feed(&self, _name: &FeedName) -> Result<Feed, Error> {
        todo!()
    }

    /// The integrations that something was ever fetched for, sorted.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn feeds(&self) -> Result<Vec<FeedName>, Error> {
        todo!()
    }

    /// Reads a document of a feed without any lock; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read or is no such document.
    pub fn feed_document<T: DeserializeOwned>(
        &self,
        _feed: &FeedName,
        _name: &str,
    ) -> Result<Option<T>, Error> {
        todo!()
    }

    /// The pages that wait, sorted by stream and number. Pages landed meanwhile may be missing.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn waiting_pages(&self, _feed: &FeedName) -> Result<Vec<WaitingPage>, Error> {
        todo!()
    }

    /// Removes pages that were taken in, or moves them to `raw/<day>/`.
    ///
    /// # Errors
    /// When a file cannot be removed or moved. One that is gone already is fine.
    pub fn settle_pages(
        &self,
        _lock: &WriteLock,
        _feed: &FeedName,
        _pages: &[WaitingPage],
        _keep_raw: Option<UtcDay>,
    ) -> Result<(), Error> {
        todo!()
    }

    /// The folders of whole inventories, oldest first.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn inventories(&self, _feed: &FeedName) -> Result<Vec<PathBuf>, Error> {
        todo!()
    }
}

impl Feed {
    /// Whose it is.
    pub fn name(&self) -> &FeedName {
        todo!()
    }

    /// Lands one page, compressed and synced; one of the same stream and number is replaced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn land(&self, _stream: &str, _number: u64, _body: &[u8]) -> Result<(), Error> {
        todo!()
    }

    /// Reads a document of this feed.
    ///
    /// # Errors
    /// When it cannot be read or is no such document.
    pub fn read<T: DeserializeOwned>(&self, _name: &str) -> Result<Option<T>, Error> {
        todo!()
    }

    /// Replaces a document atomically and lastingly.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write<T: Serialize>(&self, _name: &str, _document: &T) -> Result<(), Error> {
        todo!()
    }

    /// The greatest number of a page of this stream that still waits; none if none does.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn last_waiting(&self, _stream: &str) -> Result<Option<u64>, Error> {
        todo!()
    }

    /// Starts an inventory, invisible until [`Inventory::finish`].
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn begin_inventory(&self, _at: UtcMillis) -> Result<Inventory<'_>, Error> {
        todo!()
    }
}

/// An inventory that is being written. Dropped unfinished, it leaves nothing.
#[derive(Debug)]
pub struct Inventory<'f> {
    _feed: &'f Feed,
}

impl Inventory<'_> {
    /// Starts the file of a step. Steps may be written side by side.
    ///
    /// # Errors
    /// When it cannot be made, or the name must not become a path.
    pub fn step(&self, _name: &str) -> Result<InventoryStep, Error> {
        todo!()
    }

    /// Removes the file of a step that broke off.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn discard(&self, _step: InventoryStep) -> Result<(), Error> {
        todo!()
    }

    /// Makes the inventory part of the store, with a document `summary.json` beside its steps;
    /// returns its folder. An earlier one of the same instant is replaced.
    ///
    /// # Errors
    /// When it cannot be moved into place.
    pub fn finish<T: Serialize>(self, _summary: &T) -> Result<PathBuf, Error> {
        todo!()
    }
}

/// The file of one step.
#[derive(Debug)]
pub struct InventoryStep {}

impl InventoryStep {
    /// Adds one object, compact JSON without line breaks.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, _object: &[u8]) -> Result<(), Error> {
        todo!()
    }

    /// Closes and syncs the file.
    ///
    /// # Errors
    /// When it cannot be synced.
    pub fn close(self) -> Result<(), Error> {
        todo!()
    }
}

/// Streams the objects of a step of a whole inventory, one JSON text each; nothing when the folder
/// has no such step.
///
/// # Errors
/// When the file cannot be read.
pub fn inventory_lines(
    _folder: &Path,
    _step: &str,
) -> Result<Box<dyn Iterator<Item = Result<String, Error>>>, Error> {
    todo!()
}
