//! What an erasure needs of a store beside rewritten files.

use serde::Serialize;

use crate::atomic::{Access, remove, sync_folder, write_atomically};
use crate::error::{Error, ErrorKind};
use crate::layout::Store;
use crate::lock::WriteLock;
use crate::state::to_sorted_json;

impl Store {
    /// As [`Store::write_state`], readable by the owner only: for what must not outlive its purpose.
    ///
    /// # Errors
    /// As [`Store::write_state`].
    pub fn write_private_state<T: Serialize>(
        &self,
        lock: &WriteLock,
        name: &str,
        document: &T,
    ) -> Result<(), Error> {
        lock.guards(self);
        let path = self.state_path(name)?;
        let text = to_sorted_json(document)
            .map_err(|error| Error::at(ErrorKind::Io, "write", &path, error.to_string()))?;
        write_atomically(&self.tmp_dir(), &path, text.as_bytes(), Access::Owner)
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
    fn a_private_document_is_its_owners_alone_and_the_cache_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        store.write_private_state(&lock, "plan", &["x"]).unwrap();
        let read: Option<Vec<String>> = store.read_state("plan").unwrap();
        assert_eq!(read, Some(vec!["x".to_owned()]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let path = store.state_dir().join("plan.json");
            let mode = fs_err::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let cached = store.counts_cache_file(af_model::UtcDay(20_000));
        fs_err::create_dir_all(cached.parent().unwrap()).unwrap();
        fs_err::write(&cached, "x").unwrap();
        store.remove_cache(&lock).unwrap();
        store.remove_cache(&lock).unwrap();
        assert!(!store.root().join("cache").exists());
    }
}
