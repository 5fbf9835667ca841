//! A published snapshot written anew in its own place, because somebody was erased from it.
//!
//! The one exception to "nothing published is ever rewritten". The new folder is made aside and
//! changes places with the old one at once, so a reader sees the old snapshot or the new one.

use std::path::{Path, PathBuf};

use af_model::contract::Table;
use af_model::manifest::{FileEntry, Manifest};
use arrow::array::RecordBatch;

use super::publish::{table_of, write_manifest};
use super::{Snapshot, SnapshotId, parse_folder, parse_revision};
use crate::atomic::{
    Access, Staged, create_folder, move_into_place, remove, sync_folder, unique, write_synced,
};
use crate::disk;
use crate::error::Error;
use crate::layout::{Store, check_name, entries};
use crate::lock::WriteLock;
use crate::table_file::{Metadata, TableWriter};

/// Where the old snapshot stands while the new one takes its place, on systems that cannot
/// exchange two folders at once.
const OLD: &str = ".old";

/// A snapshot that is written anew. Dropped before [`SnapshotRewrite::replace`], it changes nothing.
#[derive(Debug)]
pub struct SnapshotRewrite<'a> {
    store: &'a Store,
    lock: &'a WriteLock,
    snapshot: Snapshot,
    staged: Staged,
    files: Vec<FileEntry>,
}

impl Store {
    /// Starts to write a snapshot anew. Every file that shall be there afterwards is handed over
    /// with [`SnapshotRewrite::write`] or [`SnapshotRewrite::keep`].
    ///
    /// # Errors
    /// When there is no such snapshot or no folder can be made in `tmp/`.
    pub fn begin_rewrite<'a>(
        &'a self,
        lock: &'a WriteLock,
        id: SnapshotId,
    ) -> Result<SnapshotRewrite<'a>, Error> {
        lock.guards(self);
        let snapshot = Snapshot::open(&self.snapshot_dir(id))?;
        let staged = Staged::folder(unique(&self.tmp_dir(), "snapshot"))?;
        Ok(SnapshotRewrite {
            store: self,
            lock,
            snapshot,
            staged,
            files: Vec::new(),
        })
    }

    /// Completes the exchange of snapshots that a crash interrupted between its two renames: one
    /// whose place is empty goes back to it, one whose place is taken goes away.
    pub(crate) fn finish_rewrites(&self, lock: &WriteLock) -> Result<(), Error> {
        lock.guards(self);
        let snapshots = self.snapshots_dir();
        for as_of in entries(&snapshots)? {
            if parse_folder(&as_of).is_none() {
                continue;
            }
            let folder = snapshots.join(&as_of);
            for name in entries(&folder)? {
                let Some(revision) = name.strip_suffix(OLD) else {
                    continue;
                };
                if parse_revision(revision).is_none() {
                    continue;
                }
                let (old, place) = (folder.join(&name), folder.join(revision));
                if place.is_dir() {
                    remove(&old)?;
                    sync_folder(&folder)?;
                } else {
                    move_into_place(&old, &place)?;
                }
            }
        }
        Ok(())
    }
}

impl SnapshotRewrite<'_> {
    /// The snapshot as it stands.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Takes a file over as it is, byte for byte.
    ///
    /// # Errors
    /// When it cannot be read or written, or when its name leads elsewhere.
    pub fn keep(&mut self, file: &FileEntry) -> Result<(), Error> {
        check_name(&file.path)?;
        let from = self.snapshot.path().join(&file.path);
        let content = fs_err::read(&from).map_err(|error| Error::io("read", &from, &error))?;
        let to = self.staged.path().join(&file.path);
        write_synced(&to, &content, Access::Usual)?;
        self.files.push(file.clone());
        Ok(())
    }

    /// Writes one table, in its order.
    ///
    /// # Errors
    /// The first failure among `batches`, or as [`crate::table_file::write`].
    pub fn write(
        &mut self,
        table: &'static Table,
        batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<(), Error> {
        let path = self.staged.path().join(format!("{}.parquet", table.name));
        let metadata = Metadata::new().with_formula(&self.snapshot.manifest().formula);
        let mut writer = TableWriter::create(&path, table, &metadata)?;
        for batch in batches {
            writer.append(&batch?)?;
        }
        self.files.push(writer.finish()?);
        Ok(())
    }

    /// Puts the new snapshot in the place of the old one and removes that. Of `manifest`, `files`
    /// and `tables` are filled in here.
    ///
    /// # Errors
    /// When something cannot be written; the old snapshot stands then, or the next
    /// [`Store::lock`] puts it back.
    pub fn replace(self, mut manifest: Manifest) -> Result<(), Error> {
        let Self {
            store,
            lock,
            snapshot,
            staged,
            mut files,
        } = self;
        lock.guards(store);
        files.sort_unstable();
        manifest.tables = files
            .iter()
            .filter_map(table_of)
            .map(|table| (table.name.to_owned(), table.version))
            .collect();
        manifest.files = files;
        write_manifest(staged.path(), &manifest)?;
        let place = snapshot.path();
        if exchange(staged.path(), place)? {
            // What is staged now is the old snapshot; it goes when `staged` is dropped, or sooner.
            remove(staged.path())
        } else {
            exchange_in_two_steps(staged, place)
        }
    }
}

/// Lets two folders change places in one step; false where the system cannot.
fn exchange(staged: &Path, place: &Path) -> Result<bool, Error> {
    match disk::exchange(staged, place) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => return Ok(false),
        Err(error) => return Err(Error::io("exchange", place, &error)),
    }
    for path in [staged, place] {
        if let Some(folder) = path.parent() {
            sync_folder(folder)?;
        }
    }
    Ok(true)
}

/// Moves the old snapshot aside, the new one in, and the old one away. A crash in between is mended
/// by [`Store::finish_rewrites`].
fn exchange_in_two_steps(staged: Staged, place: &Path) -> Result<(), Error> {
    let old = old_place(place);
    create_folder(place.parent().expect("a snapshot lies in a folder"))?;
    move_into_place(place, &old)?;
    if let Err(error) = move_into_place(staged.path(), place) {
        // Best effort; the next writer tries again. The first error is the one to tell.
        let _ = move_into_place(&old, place);
        return Err(error);
    }
    staged.keep();
    remove(&old)
}

fn old_place(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!("{name}{OLD}"))
}

#[cfg(test)]
mod tests {
    use af_model::UtcMillis;
    use af_model::tables::{org_summary, user_scores};

    use super::*;
    use crate::table_file::samples::random_batch;

    fn published() -> (tempfile::TempDir, Store, SnapshotId) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        let as_of = UtcMillis::parse_cut("2026-11-20").unwrap();
        let mut publication = store.begin_snapshot(&lock, as_of).unwrap();
        for table in [&user_scores::TABLE, &org_summary::TABLE] {
            let rows = random_batch(table, 8, 5);
            publication.write(table, [rows], &Metadata::new()).unwrap();
        }
        let published = publication
            .publish(super::super::tests::manifest())
            .unwrap();
        let id = published.id.unwrap();
        drop(lock);
        (folder, store, id)
    }

    fn shrink(store: &Store, lock: &WriteLock, id: SnapshotId) -> Manifest {
        let mut rewrite = store.begin_rewrite(lock, id).unwrap();
        let before = rewrite.snapshot().clone();
        let keep = before.manifest().files[0].clone();
        assert_eq!(keep.path, "org_summary.parquet");
        rewrite.keep(&keep).unwrap();
        let rows = before.table(&user_scores::TABLE).unwrap();
        let rows = rows.map(|batch| batch.map(|batch| batch.slice(0, 3)));
        rewrite.write(&user_scores::TABLE, rows).unwrap();
        rewrite.replace(before.manifest().clone()).unwrap();
        before.manifest().clone()
    }

    #[test]
    fn a_rewritten_snapshot_has_its_place_and_checksums() {
        let (_folder, store, id) = published();
        let lock = store.lock().unwrap();
        let before = shrink(&store, &lock, id);
        let after = Snapshot::open_in(&store, "latest").unwrap();
        assert_eq!(after.path(), store.snapshot_dir(id));
        assert!(
            after.verify_files().is_empty(),
            "{:?}",
            after.verify_files()
        );
        assert_eq!(after.manifest().files[0], before.files[0]);
        assert_eq!(after.manifest().files[1].rows, 3);
        assert_eq!(entries(&store.tmp_dir()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn an_exchange_that_broke_off_is_mended_by_the_next_writer() {
        let (_folder, store, id) = published();
        let place = store.snapshot_dir(id);
        let old = old_place(&place);
        // Killed between the renames: only the old one is there.
        fs_err::rename(&place, &old).unwrap();
        assert!(Snapshot::open_in(&store, "latest").is_err());
        drop(store.lock().unwrap());
        assert!(Snapshot::open_in(&store, "latest").is_ok());
        assert!(!old.exists());
        // Killed after them: the new one stands, the old one goes.
        fs_err::create_dir(&old).unwrap();
        fs_err::write(old.join("user_scores.parquet"), "x").unwrap();
        drop(store.lock().unwrap());
        assert!(!old.exists());
        assert!(
            Snapshot::open_in(&store, "latest")
                .unwrap()
                .verify_files()
                .is_empty()
        );
    }

    #[test]
    fn systems_that_cannot_exchange_take_two_steps() {
        let (_folder, store, id) = published();
        let lock = store.lock().unwrap();
        let staged = Staged::folder(unique(&store.tmp_dir(), "snapshot")).unwrap();
        fs_err::write(staged.path().join("new"), "x").unwrap();
        exchange_in_two_steps(staged, &store.snapshot_dir(id)).unwrap();
        let names = entries(&store.snapshot_dir(id)).unwrap();
        assert_eq!(names, ["new"]);
        assert!(!old_place(&store.snapshot_dir(id)).exists());
        drop(lock);
    }

    #[test]
    fn a_rewrite_that_is_given_up_changes_nothing() {
        let (_folder, store, id) = published();
        let lock = store.lock().unwrap();
        drop(store.begin_rewrite(&lock, id).unwrap());
        assert!(
            Snapshot::open_in(&store, "latest")
                .unwrap()
                .verify_files()
                .is_empty()
        );
        assert!(entries(&store.tmp_dir()).unwrap().is_empty());
    }
}
