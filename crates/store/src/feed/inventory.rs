//! One inventory: the files of its steps, which become visible together.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use af_model::UtcMillis;
use serde::Serialize;
use zstd::stream::write::Encoder;

use crate::atomic::{Access, Staged, move_into_place, remove, sync_folder, unique, write_synced};
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::layout::{Store, check_name, entries};
use crate::state::to_sorted_json;

use super::folder::{FeedName, Folder, create_private, protect};
use super::lines::{LONGEST_LINE, step_file};
use super::open::Feed;
use super::pages::packer;

/// An inventory that is being written. Dropped unfinished, it leaves nothing.
#[derive(Debug)]
pub struct Inventory<'f> {
    feed: &'f Feed,
    name: String,
    staged: Staged,
    /// Every step that is still open holds one.
    open: Arc<()>,
}

/// The file of one step. Dropped without being closed, it leaves nothing.
#[derive(Debug)]
pub struct InventoryStep {
    // Fields are dropped in this order: the file is removed once nothing writes to it.
    encoder: Packed,
    staged: Staged,
    _open: Arc<()>,
}

struct Packed(Encoder<'static, disk::File>);

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Packed").field(self.0.get_ref()).finish()
    }
}

impl Store {
    /// The folders of whole inventories, oldest first.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn inventories(&self, feed: &FeedName) -> Result<Vec<PathBuf>, Error> {
        let folder = Folder::of(self, feed)?.inventory();
        Ok(entries(&folder)?
            .iter()
            .filter(|name| is_instant(name))
            .map(|name| folder.join(name))
            .filter(|path| path.is_dir())
            .collect())
    }
}

/// Whether a folder is named by an instant, in the one spelling that we write.
fn is_instant(name: &str) -> bool {
    // 2026-11-20T235959.999Z
    let Some((date_and_hours, rest)) = name.split_at_checked(13) else {
        return false;
    };
    let Some((minutes, seconds)) = rest.split_at_checked(2) else {
        return false;
    };
    UtcMillis::parse(&format!("{date_and_hours}:{minutes}:{seconds}"))
        .is_ok_and(|instant| instant.folder_name() == name)
}

impl Feed {
    /// Starts an inventory, invisible until [`Inventory::finish`].
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn begin_inventory(&self, at: UtcMillis) -> Result<Inventory<'_>, Error> {
        let name = at.folder_name();
        check_name(&name)?;
        let staged = Staged::folder(unique(&self.folder.tmp(), "inventory"))?;
        protect(staged.path())?;
        Ok(Inventory {
            feed: self,
            name,
            staged,
            open: Arc::new(()),
        })
    }
}

impl Inventory<'_> {
    /// Starts the file of a step. Steps may be written side by side.
    ///
    /// # Errors
    /// When it cannot be made, when there is one of this name, or the name must not become a path.
    pub fn step(&self, name: &str) -> Result<InventoryStep, Error> {
        let path = self.staged.path().join(step_file(name)?);
        let failed = |error: std::io::Error| Error::io("create", &path, &error);
        let file = disk::File::create_new(&path, Access::Owner).map_err(failed)?;
        let staged = Staged::at(path.clone());
        Ok(InventoryStep {
            encoder: Packed(packer(file).map_err(failed)?),
            staged,
            _open: Arc::clone(&self.open),
        })
    }

    /// Removes the file of a step that broke off.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn discard(&self, step: InventoryStep) -> Result<(), Error> {
        let InventoryStep {
            encoder, staged, ..
        } = step;
        drop(encoder);
        remove(staged.path())?;
        staged.keep();
        Ok(())
    }

    /// Makes the inventory part of the store, with a document `summary.json` beside its steps;
    /// returns its folder. An earlier one of the same instant is replaced.
    ///
    /// # Errors
    /// When it cannot be moved into place.
    ///
    /// # Panics
    /// When a step is still open: its file would become visible in part.
    pub fn finish<T: Serialize>(self, summary: &T) -> Result<PathBuf, Error> {
        let Self {
            feed,
            name,
            staged,
            open,
        } = self;
        assert_eq!(
            Arc::strong_count(&open),
            1,
            "an inventory was finished while a step of it was open"
        );
        let document = staged.path().join("summary.json");
        let text = to_sorted_json(summary)
            .map_err(|error| Error::at(ErrorKind::Io, "write", &document, error.to_string()))?;
        write_synced(&document, text.as_bytes(), Access::Owner)?;
        sync_folder(staged.path())?;
        let inventories = feed.folder.inventory();
        create_private(&feed.store, &inventories)?;
        let path = inventories.join(name);
        if path.is_dir() {
            replace(staged, &path)?;
        } else {
            move_into_place(staged.path(), &path)?;
            staged.keep();
        }
        Ok(path)
    }
}

/// Puts a folder in the place of another.
fn replace(staged: Staged, path: &Path) -> Result<(), Error> {
    match disk::exchange(staged.path(), path) {
        Ok(()) => {
            if let Some(parent) = path.parent() {
                sync_folder(parent)?;
            }
            // What is aside now is the earlier one.
            remove(staged.path())?;
        }
        // For a moment nothing is there: as good as an inventory that was never taken.
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
            remove(path)?;
            move_into_place(staged.path(), path)?;
        }
        Err(error) => return Err(Error::io("replace", path, &error)),
    }
    staged.keep();
    Ok(())
}

impl InventoryStep {
    /// Adds one object, compact JSON without line breaks.
    ///
    /// # Errors
    /// [`ErrorKind::Contract`] for a text with a line break, or longer than what is read again (16
    /// MiB); or when it cannot be written.
    pub fn push(&mut self, object: &[u8]) -> Result<(), Error> {
        let problem = if object.len() > LONGEST_LINE {
            "the object is longer than 16 MiB"
        } else if object.contains(&b'\n') {
            "the object has a line break"
        } else {
            let encoder = &mut self.encoder.0;
            return encoder
                .write_all(object)
                .and_then(|()| encoder.write_all(b"\n"))
                .map_err(|error| Error::io("write", self.staged.path(), &error));
        };
        let path = self.staged.path();
        Err(Error::at(ErrorKind::Contract, "write", path, problem))
    }

    /// Closes and syncs the file.
    ///
    /// # Errors
    /// When it cannot be synced.
    pub fn close(self) -> Result<(), Error> {
        let Self {
            encoder, staged, ..
        } = self;
        encoder
            .0
            .finish()
            .and_then(|file| file.sync_all())
            .map_err(|error| Error::io("write", staged.path(), &error))?;
        staged.keep();
        Ok(())
    }
}
