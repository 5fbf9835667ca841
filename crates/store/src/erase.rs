//! What an erasure needs of a store beside rewritten files.

use crate::atomic::{remove, sync_folder};
use crate::error::Error;
use crate::layout::Store;
use crate::lock::WriteLock;

impl Store {
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
