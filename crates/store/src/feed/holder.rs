//! Who fetches for an integration right now, asked from outside.

use std::fs::TryLockError;
use std::io::{ErrorKind as IoKind, Read};

use crate::error::Error;
use crate::layout::Store;

use super::folder::{FeedName, Folder};

impl Store {
    /// The process that fetches for an integration; none when nobody does. Changes nothing, and takes
    /// no lock from anybody.
    ///
    /// # Errors
    /// When the lock's file cannot be read.
    pub fn feed_holder(&self, feed: &FeedName) -> Result<Option<u32>, Error> {
        let path = Folder::of(self, feed)?.lock();
        let failed = |error: std::io::Error| Error::io("read", &path, &error);
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut text = String::new();
        Read::by_ref(&mut &file)
            .take(20)
            .read_to_string(&mut text)
            .map_err(failed)?;
        // Whoever ends takes the number out again.
        let Ok(process) = text.trim().parse() else {
            return Ok(None);
        };
        // One that was killed leaves its number, but no lock.
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Ok(Some(process)),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_fetches_is_seen_and_whoever_ended_or_was_killed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("store")).unwrap();
        let name = FeedName {
            tenant: "acme".to_owned(),
            integration: "prod".to_owned(),
        };
        assert_eq!(store.feed_holder(&name).unwrap(), None);
        assert!(!store.root().join("feeds").exists(), "asking makes nothing");
        let feed = store.feed(&name).unwrap();
        assert_eq!(store.feed_holder(&name).unwrap(), Some(std::process::id()));
        drop(feed);
        assert_eq!(store.feed_holder(&name).unwrap(), None);
        let lock = store.root().join("feeds/acme/prod/lock");
        fs_err::write(lock, "12345\n").unwrap();
        assert_eq!(store.feed_holder(&name).unwrap(), None);
        // Asking took nothing from anybody.
        assert!(store.feed(&name).is_ok());
    }
}
