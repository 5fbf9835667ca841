//! Files enter the store: day files, directory versions, retractions.

use std::path::{Path, PathBuf};

use af_model::contract::Table;
use af_model::manifest::FileEntry;
use af_model::{UtcDay, UtcMillis};
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::TimestampMillisecondType;

use crate::atomic::{Staged, move_into_place, remove, sync_folder, unique};
use crate::checksum::{check_claim, checksum, content_name};
use crate::error::{Error, ErrorKind};
use crate::layout::{Partitioned, Store, check_name};
use crate::lock::WriteLock;
use crate::table_file::{Metadata, TableWriter};

impl Store {
    /// Adds a file to a day. `name` (without extension) should be made of the content's hash, so
    /// that running again does not add the rows twice: the same name with the same content is
    /// left as it is. The rows are in the table's order (see [`crate::sorted_batch`]) and all of `day`.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when another content has the name, [`ErrorKind::NotSorted`],
    /// [`ErrorKind::Contract`] for rows of another day, or a failure to write.
    pub fn add_day_file(
        &self,
        lock: &WriteLock,
        kind: Partitioned,
        day: UtcDay,
        name: &str,
        batches: impl IntoIterator<Item = RecordBatch>,
    ) -> Result<FileEntry, Error> {
        lock.guards(self);
        check_name(name)?;
        let (staged, entry) = self.stage_day_file(kind, day, batches.into_iter().map(Ok))?;
        self.place_day_file(kind, day, name, staged, entry)
    }

    /// Adds a file to a day from rows that come bit by bit; it is named by its content, so the same
    /// rows again are left as they are. `None` for no row. A failure among `batches` leaves no file.
    ///
    /// # Errors
    /// The first failure among `batches`, and as [`Store::add_day_file`].
    pub fn add_day_stream(
        &self,
        lock: &WriteLock,
        kind: Partitioned,
        day: UtcDay,
        batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<Option<FileEntry>, Error> {
        lock.guards(self);
        let (staged, entry) = self.stage_day_file(kind, day, batches.into_iter())?;
        if entry.rows == 0 {
            return Ok(None);
        }
        let name = content_name(&entry);
        self.place_day_file(kind, day, &name, staged, entry)
            .map(Some)
    }

    /// Removes files of a day; names are without extension, absent ones are fine.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove_day_files(
        &self,
        lock: &WriteLock,
        kind: Partitioned,
        day: UtcDay,
        names: &[String],
    ) -> Result<(), Error> {
        lock.guards(self);
        let folder = self.day_dir(kind, day);
        for name in names {
            check_name(name)?;
            remove(&folder.join(format!("{name}.parquet")))?;
        }
        if folder.is_dir() {
            sync_folder(&folder)?;
        }
        Ok(())
    }

    /// Removes a whole day of a table; a day that is absent is fine.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_day(
        &self,
        lock: &WriteLock,
        kind: Partitioned,
        day: UtcDay,
    ) -> Result<(), Error> {
        lock.guards(self);
        let folder = self.day_dir(kind, day);
        if !folder.is_dir() {
            return Ok(());
        }
        // Out of sight at once, then deleted: a reader never sees half a day.
        let aside = unique(&self.tmp_dir(), "removed-day");
        move_into_place(&folder, &aside)?;
        sync_folder(&self.root().join(kind.folder()))?;
        remove(&aside)
    }

    /// Adds a version of the directory and returns it; its file is named
    /// `<imported_at>-<first 8 digits of its hash>.parquet`. Whether it differs from the version
    /// before is for the caller to find out ([`crate::content_hash`] without `imported_at`).
    ///
    /// # Errors
    /// [`ErrorKind::NotSorted`], [`ErrorKind::Contract`], or a failure to write.
    pub fn add_directory(
        &self,
        lock: &WriteLock,
        imported_at: UtcMillis,
        batches: impl IntoIterator<Item = RecordBatch>,
    ) -> Result<FileEntry, Error> {
        lock.guards(self);
        let imported = check_instant(imported_at)?.folder_name();
        let (staged, entry) = self.stage(
            &af_model::tables::directory::TABLE,
            batches.into_iter().map(Ok),
        )?;
        let path = self
            .directory_dir()
            .join(format!("{imported}-{}.parquet", &entry.blake3[..8]));
        self.place(&path, staged, entry)
    }

    /// Adds retractions; the file is named by its content, so adding the same twice adds it once.
    ///
    /// # Errors
    /// [`ErrorKind::NotSorted`], [`ErrorKind::Contract`], or a failure to write.
    pub fn add_retractions(
        &self,
        lock: &WriteLock,
        batches: impl IntoIterator<Item = RecordBatch>,
    ) -> Result<FileEntry, Error> {
        lock.guards(self);
        let (staged, entry) = self.stage(
            &af_model::tables::retractions::TABLE,
            batches.into_iter().map(Ok),
        )?;
        let path = self
            .retractions_dir()
            .join(format!("{}.parquet", &entry.blake3[..16]));
        self.place(&path, staged, entry)
    }

    /// Puts the statements that a stage derives from events in the place of those that it derived
    /// before; `owner` begins the names of its files. Statements of others stay. The same again
    /// writes nothing, and after a crash in between the next call clears up.
    ///
    /// # Errors
    /// As [`Store::add_retractions`], and for an `owner` that must not become a path.
    pub fn replace_retractions(
        &self,
        lock: &WriteLock,
        owner: &str,
        batches: impl IntoIterator<Item = RecordBatch>,
    ) -> Result<(), Error> {
        lock.guards(self);
        check_name(owner)?;
        let prefix = format!("{owner}-");
        let mut batches = batches
            .into_iter()
            .filter(|batch| batch.num_rows() > 0)
            .peekable();
        let mut name = None;
        if batches.peek().is_some() {
            let (staged, entry) =
                self.stage(&af_model::tables::retractions::TABLE, batches.map(Ok))?;
            let new = format!("{prefix}{}.parquet", &entry.blake3[..16]);
            self.place(&self.retractions_dir().join(&new), staged, entry)?;
            name = Some(new);
        }
        let mut removed = false;
        for path in self.retractions()? {
            let found = path.file_name().unwrap_or_default().to_string_lossy();
            if found.starts_with(&prefix) && name.as_deref() != Some(&*found) {
                remove(&path)?;
                removed = true;
            }
        }
        if removed {
            sync_folder(&self.retractions_dir())?;
        }
        Ok(())
    }

    pub(crate) fn day_file(&self, kind: Partitioned, day: UtcDay, name: &str) -> PathBuf {
        self.day_dir(kind, day).join(format!("{name}.parquet"))
    }

    /// Writes a file into `tmp/`, complete and synced.
    pub(crate) fn stage(
        &self,
        table: &'static Table,
        batches: impl Iterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<(Staged, FileEntry), Error> {
        let path = unique(&self.tmp_dir(), table.name);
        let mut writer = TableWriter::create(&path, table, &Metadata::default())?;
        let staged = Staged::at(path);
        for batch in batches {
            writer.append(&batch?)?;
        }
        Ok((staged, writer.finish()?))
    }

    pub(crate) fn stage_day_file(
        &self,
        kind: Partitioned,
        day: UtcDay,
        batches: impl Iterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<(Staged, FileEntry), Error> {
        check_instant(day.start())?;
        self.stage(
            kind.table(),
            batches.map(|batch| {
                let batch = batch?;
                check_day(kind, day, &batch)?;
                Ok(batch)
            }),
        )
    }

    /// Moves a staged file to its place, unless the same content is there.
    fn place(&self, path: &Path, staged: Staged, mut entry: FileEntry) -> Result<FileEntry, Error> {
        entry.path = self.relative(path);
        check_claim(path, &entry.blake3)?;
        if is_there(path, &entry)? {
            return Ok(entry);
        }
        self.create_folder(path.parent().expect("files of a store lie in a folder"))?;
        move_into_place(staged.path(), path)?;
        staged.keep();
        Ok(entry)
    }

    pub(crate) fn place_day_file(
        &self,
        kind: Partitioned,
        day: UtcDay,
        name: &str,
        staged: Staged,
        entry: FileEntry,
    ) -> Result<FileEntry, Error> {
        let path = self.day_file(kind, day, name);
        self.place(&path, staged, entry)
    }
}

/// Whether the file is there already; an error when another content has its place.
pub(crate) fn is_there(path: &Path, entry: &FileEntry) -> Result<bool, Error> {
    if !path.is_file() {
        return Ok(false);
    }
    if checksum(path)?.blake3 == entry.blake3 {
        return Ok(true);
    }
    let problem = "a file of this name and another content is there";
    Err(Error::at(ErrorKind::AlreadyExists, "add", path, problem))
}

/// The names of files without their extension, as this module's functions take them.
pub(crate) fn file_stems(paths: &[PathBuf]) -> Vec<String> {
    paths
        .iter()
        .filter_map(|path| path.file_stem())
        .map(|stem| stem.to_string_lossy().into_owned())
        .collect()
}

/// An instant that can name a file or folder.
pub(crate) fn check_instant(instant: UtcMillis) -> Result<UtcMillis, Error> {
    UtcMillis::checked(instant.0).map_err(|error| {
        let kind = ErrorKind::InvalidName;
        Error::new(
            kind,
            "use the instant",
            instant.to_string(),
            error.to_string(),
        )
    })
}

/// A row under the wrong day would be lost to every reader that opens days by name.
pub(crate) fn check_day(kind: Partitioned, day: UtcDay, batch: &RecordBatch) -> Result<(), Error> {
    let table = kind.table();
    let failed = |problem: String| Error::new(ErrorKind::Contract, "file", table.name, problem);
    let times = table
        .conform_columns(batch, &[kind.day_column()], false)
        .map_err(|error| failed(error.to_string()))?;
    let times = times.column(0).as_primitive::<TimestampMillisecondType>();
    for instant in [min(times), max(times)]
        .into_iter()
        .flatten()
        .map(UtcMillis)
    {
        if instant.day() != day {
            return Err(failed(format!(
                "a row of {instant} does not belong to day {day}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use af_model::tables::{attack_signals, directory, retractions};

    use super::*;
    use crate::table_file::samples::{DAY, random_batch};

    const SIGNALS: &Table = &attack_signals::TABLE;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        (folder, store)
    }

    fn signal_files(store: &Store) -> Vec<String> {
        file_stems(&store.day_files(Partitioned::Signals, DAY).unwrap())
    }

    #[test]
    fn adding_the_same_twice_adds_it_once() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let add = |name: &str, seed| {
            let batch = random_batch(SIGNALS, 30, seed);
            store.add_day_file(&lock, Partitioned::Signals, DAY, name, [batch])
        };
        let entry = add("a1", 1).unwrap();
        assert_eq!(entry.path, "signals/day=2026-11-20/a1.parquet");
        assert_eq!(add("a1", 1).unwrap(), entry);
        let error = add("a1", 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        add("b2", 2).unwrap();
        assert_eq!(signal_files(&store), ["a1", "b2"]);
        assert_eq!(add("../b2", 2).unwrap_err().kind(), ErrorKind::InvalidName);
        assert_eq!(store.days(Partitioned::Signals).unwrap(), [DAY]);
        assert_eq!(fs_err::read_dir(store.tmp_dir()).unwrap().count(), 0);
    }

    #[test]
    fn derived_statements_replace_their_own_and_no_others() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let batch = |seed| random_batch(&retractions::TABLE, 3, seed);
        let by_hand = store.add_retractions(&lock, [batch(1)]).unwrap();
        let names = || file_stems(&store.retractions().unwrap());
        let owned = || {
            names()
                .into_iter()
                .filter(|name| name.starts_with("stage-"))
        };
        store
            .replace_retractions(&lock, "stage", [batch(2)])
            .unwrap();
        let first: Vec<String> = owned().collect();
        store
            .replace_retractions(&lock, "stage", [batch(2)])
            .unwrap();
        assert_eq!(owned().collect::<Vec<_>>(), first);
        store
            .replace_retractions(&lock, "stage", [batch(3)])
            .unwrap();
        assert_eq!(owned().count(), 1);
        assert_ne!(owned().collect::<Vec<_>>(), first);
        store.replace_retractions(&lock, "stage", []).unwrap();
        assert_eq!(names().len(), 1);
        assert!(store.root().join(by_hand.path).is_file());
        assert_eq!(fs_err::read_dir(store.tmp_dir()).unwrap().count(), 0);
    }

    #[test]
    fn a_row_of_another_day_is_refused() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let tomorrow = UtcDay(DAY.0 + 1);
        let batch = random_batch(SIGNALS, 3, 1);
        let error = store
            .add_day_file(&lock, Partitioned::Signals, tomorrow, "a", [batch])
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract);
        assert!(error.to_string().contains("day 2026-11-21"), "{error}");
        assert_eq!(store.days(Partitioned::Signals).unwrap(), []);
    }

    #[test]
    fn directories_are_listed_by_import_and_retractions_once() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let at = |text| UtcMillis::parse(text).unwrap();
        let later = at("2026-11-21T00:00:00Z");
        let earlier = at("2026-11-20T08:30:00.5Z");
        for (instant, seed) in [(later, 1), (earlier, 2)] {
            let people = random_batch(&directory::TABLE, 4, seed);
            let entry = store.add_directory(&lock, instant, [people]).unwrap();
            let name = format!(
                "directory/{}-{}.parquet",
                instant.folder_name(),
                &entry.blake3[..8]
            );
            assert_eq!(entry.path, name);
        }
        let names = file_stems(&store.directories().unwrap());
        assert!(names[0].starts_with("2026-11-20T083000.500Z-"), "{names:?}");
        assert!(names[1].starts_with("2026-11-21T000000.000Z-"), "{names:?}");
        let outside = UtcMillis(i64::MAX);
        let error = store.add_directory(&lock, outside, []).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName);

        for _ in 0..2 {
            let rows = random_batch(&retractions::TABLE, 4, 3);
            store.add_retractions(&lock, [rows]).unwrap();
        }
        assert_eq!(store.retractions().unwrap().len(), 1);
    }
}
