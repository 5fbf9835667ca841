//! Files of a store written anew: the same place, fewer rows or other cells.

use std::path::{Path, PathBuf};

use af_model::contract::Table;
use af_model::manifest::FileEntry;
use af_model::tables::{directory, retractions};
use arrow::array::RecordBatch;

use crate::atomic::{move_into_place, remove, sync_folder};
use crate::error::Error;
use crate::layout::{Store, check_name};
use crate::lock::WriteLock;

/// What a file's name makes of the entry of its new content.
type NameOf<'a> = &'a dyn Fn(&FileEntry) -> String;

impl Store {
    /// Puts new rows in the place of a directory version. The version keeps its name, by which
    /// manifests know it, also when nobody is left in it.
    ///
    /// # Errors
    /// The first failure among `batches`, rows out of order, or a failure to write.
    pub fn rewrite_directory(
        &self,
        lock: &WriteLock,
        name: &str,
        batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<FileEntry, Error> {
        lock.guards(self);
        check_name(name)?;
        let name_of = |_: &FileEntry| name.to_owned();
        let folder = self.directory_dir();
        let (_, entry) = self.overwrite(&directory::TABLE, &folder, &name_of, batches)?;
        Ok(entry)
    }

    /// Puts new rows in the place of a file of retractions, which is named by its content. Without
    /// any row the file is removed.
    ///
    /// # Errors
    /// As [`Store::rewrite_directory`].
    pub fn rewrite_retractions(
        &self,
        lock: &WriteLock,
        name: &str,
        batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<Option<FileEntry>, Error> {
        lock.guards(self);
        check_name(name)?;
        let folder = self.retractions_dir();
        let old = folder.join(name);
        // What stands before the content in a name says who replaces the file as a whole.
        let prefix = name.rfind('-').map_or("", |end| &name[..=end]);
        let name_of = |entry: &FileEntry| format!("{prefix}{}.parquet", &entry.blake3[..16]);
        // The new file first: statements that stand twice say no more than once.
        let (new, entry) = self.overwrite(&retractions::TABLE, &folder, &name_of, batches)?;
        if new != old {
            remove_file(&old)?;
        }
        if entry.rows == 0 {
            remove_file(&new)?;
            return Ok(None);
        }
        Ok(Some(entry))
    }

    /// Removes a version of the directory; an absent one is fine.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_directory(&self, lock: &WriteLock, name: &str) -> Result<(), Error> {
        lock.guards(self);
        check_name(name)?;
        remove_file(&self.directory_dir().join(name))
    }

    /// Writes a file of one table over whatever has its name, whole or not at all.
    fn overwrite(
        &self,
        table: &'static Table,
        folder: &Path,
        name_of: NameOf<'_>,
        batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<(PathBuf, FileEntry), Error> {
        let (staged, mut entry) = self.stage(table, batches.into_iter())?;
        let path = folder.join(name_of(&entry));
        move_into_place(staged.path(), &path)?;
        staged.keep();
        entry.path = self.relative(&path);
        Ok((path, entry))
    }
}

fn remove_file(path: &Path) -> Result<(), Error> {
    remove(path)?;
    match path.parent() {
        Some(folder) if folder.is_dir() => sync_folder(folder),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use af_model::UtcMillis;

    use super::*;
    use crate::table_file::samples::random_batch;
    use crate::{ErrorKind, Scan, table_file};

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        (folder, store)
    }

    fn rows(path: &Path, table: &'static Table) -> usize {
        let batches = table_file::read(path, table, None, Scan::File).unwrap();
        batches.map(|batch| batch.unwrap().num_rows()).sum()
    }

    #[test]
    fn a_version_keeps_its_name_even_without_people() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let people = random_batch(&directory::TABLE, 9, 1);
        let at = UtcMillis::parse("2026-11-20T08:00:00Z").unwrap();
        store.add_directory(&lock, at, [people.clone()]).unwrap();
        let path = store.directories().unwrap().remove(0);
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        for left in [4, 0] {
            store
                .rewrite_directory(&lock, &name, [Ok(people.slice(0, left))])
                .unwrap();
            assert_eq!(
                &store.directories().unwrap()[..],
                std::slice::from_ref(&path)
            );
            assert_eq!(rows(&path, &directory::TABLE), left);
        }
        store.remove_directory(&lock, &name).unwrap();
        store.remove_directory(&lock, &name).unwrap();
        assert!(store.directories().unwrap().is_empty());
        let error = store.remove_directory(&lock, "../lock").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName);
    }

    #[test]
    fn retractions_are_named_by_what_is_left_of_them() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let all = random_batch(&retractions::TABLE, 6, 2);
        store.add_retractions(&lock, [all.clone()]).unwrap();
        let name = |store: &Store| {
            let path = store.retractions().unwrap().remove(0);
            path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        let before = name(&store);
        // The same rows keep their file.
        store
            .rewrite_retractions(&lock, &before, [Ok(all.clone())])
            .unwrap();
        assert_eq!(name(&store), before);
        let entry = store
            .rewrite_retractions(&lock, &before, [Ok(all.slice(0, 2))])
            .unwrap()
            .unwrap();
        assert_eq!(store.retractions().unwrap().len(), 1);
        assert!(entry.path.ends_with(&name(&store)));
        let gone = store.rewrite_retractions(&lock, &name(&store), []).unwrap();
        assert!(gone.is_none());
        assert!(store.retractions().unwrap().is_empty());
    }

    #[test]
    fn a_file_that_a_stage_replaces_as_a_whole_stays_that_stages_file() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let all = random_batch(&retractions::TABLE, 6, 2);
        store
            .replace_retractions(&lock, "stage", [all.clone()])
            .unwrap();
        let before = store.retractions().unwrap().remove(0);
        let before = before.file_name().unwrap().to_str().unwrap();
        let fewer = store
            .rewrite_retractions(&lock, before, [Ok(all.slice(0, 2))])
            .unwrap();
        assert!(fewer.is_some());
        store.replace_retractions(&lock, "stage", []).unwrap();
        assert!(store.retractions().unwrap().is_empty());
    }
}
