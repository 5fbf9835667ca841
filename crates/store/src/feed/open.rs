//! The right to fetch for one integration.

use std::sync::Mutex;

use crate::atomic::Access;
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::layout::Store;
use crate::lock::{clear, hold, release};

use super::folder::{FeedName, Folder, create_private};
use super::pages::PagesLock;

/// The right to fetch for one integration, held until dropped or the process ends.
#[derive(Debug)]
pub struct Feed {
    pub(super) store: Store,
    pub(super) folder: Folder,
    pub(super) pages: PagesLock,
    /// Held while a document is read, changed and written.
    pub(super) documents: Mutex<()>,
    name: FeedName,
    held: disk::File,
}

impl Store {
    /// Takes the right to fetch for an integration; makes its folder and clears up what a killed
    /// process left.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] when another process fetches, whose id the text names; the names must
    /// not become a path. Never waits.
    pub fn feed(&self, name: &FeedName) -> Result<Feed, Error> {
        let folder = Folder::of(self, name)?;
        create_private(self, folder.path())?;
        let doing = "fetching for this integration";
        let held = hold(&folder.lock(), Access::Owner, doing).map_err(|error| {
            if error.kind() == ErrorKind::Locked {
                error.with_hint(
                    "let it do the work, or stop it first; the lock ends with the process",
                )
            } else {
                error
            }
        })?;
        let feed = Feed {
            store: self.clone(),
            pages: PagesLock::open(&folder)?,
            documents: Mutex::new(()),
            name: name.clone(),
            folder,
            held,
        };
        for part in [feed.folder.tmp(), feed.folder.log()] {
            create_private(self, &part)?;
        }
        clear(&feed.folder.tmp(), "")?;
        Ok(feed)
    }
}

impl Feed {
    /// Whose it is.
    pub fn name(&self) -> &FeedName {
        &self.name
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        release(&mut self.held);
    }
}
