//! What is derived from a store's tables and kept to save time (`cache/`): named pieces of bytes that may
//! be gone at any time.

use crate::aside::Aside;
use crate::atomic::{Access, remove, sync_folder, write_atomically};
use crate::error::Error;
use crate::layout::{Store, check_name, entries};
use crate::lock::WriteLock;

impl Store {
    /// Reads what was counted before under a name; `None` when it is not there.
    ///
    /// # Errors
    /// When it cannot be read, or for a name that must not become a path.
    pub fn read_counts(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        check_name(name)?;
        let path = self.counts_cache_dir().join(name);
        match fs_err::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path, &error)),
        }
    }

    /// Opens what was kept under a name; `None` when it is not there. What is opened stays readable when
    /// something else is kept under the name.
    ///
    /// # Errors
    /// When it cannot be opened, or for a name that must not become a path.
    pub fn open_counts(&self, name: &str) -> Result<Option<Aside>, Error> {
        check_name(name)?;
        let path = self.counts_cache_dir().join(name);
        match fs_err::File::open(&path) {
            Ok(file) => Ok(Some(Aside::of_file(file.into_file()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("open", &path, &error)),
        }
    }

    /// Keeps bytes under a name, whole or not at all.
    ///
    /// # Errors
    /// When they cannot be written, or for a name that must not become a path.
    pub fn keep_counts(&self, lock: &WriteLock, name: &str, bytes: &[u8]) -> Result<(), Error> {
        lock.guards(self);
        check_name(name)?;
        let folder = self.counts_cache_dir();
        self.create_folder(&folder)?;
        write_atomically(&self.tmp_dir(), &folder.join(name), bytes, Access::Owner)
    }

    /// Removes all kept counts but the named ones.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn keep_only_counts(
        &self,
        lock: &WriteLock,
        names: impl Fn(&str) -> bool,
    ) -> Result<(), Error> {
        lock.guards(self);
        let folder = self.counts_cache_dir();
        if !folder.is_dir() {
            return Ok(());
        }
        for name in entries(&folder)? {
            if !names(&name) {
                remove(&folder.join(name))?;
            }
        }
        Ok(())
    }

    /// Removes everything derived that can be made again (`cache/`).
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_cache(&self, lock: &WriteLock) -> Result<(), Error> {
        lock.guards(self);
        remove(&self.root().join("cache"))?;
        sync_folder(self.root())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_until_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        assert_eq!(store.read_counts("2026-11-20.arrow").unwrap(), None);
        store.keep_only_counts(&lock, |_| true).unwrap();
        assert!(store.open_counts("2026-11-20.arrow").unwrap().is_none());
        store
            .keep_counts(&lock, "2026-11-20.arrow", b"one")
            .unwrap();
        let one = store.open_counts("2026-11-20.arrow").unwrap().unwrap();
        store
            .keep_counts(&lock, "2026-11-20.arrow", b"two")
            .unwrap();
        store.keep_counts(&lock, "index.json", b"{}").unwrap();
        let read = store.read_counts("2026-11-20.arrow").unwrap();
        assert_eq!(read.as_deref(), Some(&b"two"[..]));
        let still = std::io::read_to_string(one.read(0..10)).unwrap();
        assert_eq!(still, "one", "what was opened before stays");
        store
            .keep_only_counts(&lock, |name| name == "index.json")
            .unwrap();
        assert_eq!(store.read_counts("2026-11-20.arrow").unwrap(), None);
        assert!(store.read_counts("index.json").unwrap().is_some());
        assert!(store.keep_counts(&lock, "../x", b"").is_err());
        store.remove_cache(&lock).unwrap();
        store.remove_cache(&lock).unwrap();
        assert!(!store.root().join("cache").exists());
    }
}
