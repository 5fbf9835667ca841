//! Small documents of a feed: its cursor, its status.

use std::path::Path;
use std::sync::PoisonError;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atomic::{Access, write_atomically};
use crate::error::{Error, ErrorKind};
use crate::layout::Store;
use crate::state::to_sorted_json;

use super::folder::{FeedName, Folder};
use super::open::Feed;

impl Store {
    /// Reads a document of a feed without any lock; `None` when there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when it is no such document, or when it cannot be read.
    pub fn feed_document<T: DeserializeOwned>(
        &self,
        feed: &FeedName,
        name: &str,
    ) -> Result<Option<T>, Error> {
        read(&Folder::of(self, feed)?.document(name)?)
    }
}

impl Feed {
    /// Reads a document of this feed; `None` when there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when it is no such document, or when it cannot be read.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        read(&self.folder.document(name)?)
    }

    /// Replaces a document atomically and lastingly.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write<T: Serialize>(&self, name: &str, document: &T) -> Result<(), Error> {
        let path = self.folder.document(name)?;
        let text = to_sorted_json(document)
            .map_err(|error| Error::at(ErrorKind::Io, "write", &path, error.to_string()))?;
        write_atomically(&self.folder.tmp(), &path, text.as_bytes(), Access::Owner)
    }

    /// Reads a document, changes it and replaces it, with nobody else who calls this in between; one
    /// that is not there begins as its default.
    ///
    /// # Errors
    /// As [`Feed::read`] and [`Feed::write`].
    pub fn update<T: Serialize + DeserializeOwned + Default>(
        &self,
        name: &str,
        change: impl FnOnce(&mut T),
    ) -> Result<(), Error> {
        let _held = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut document = self.read(name)?.unwrap_or_default();
        change(&mut document);
        self.write(name, &document)
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs_err::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path, &error)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        // The parser's own text may show what it found, and that may be a link.
        let problem = format!(
            "not the document it should be (line {}, column {})",
            error.line(),
            error.column()
        );
        Error::at(ErrorKind::Corrupt, "read", path, problem).with_hint(
            "restore it from a backup, or remove it: what it held is begun anew, and events that \
             come twice count once",
        )
    })
}
