//! Several day files and state documents that appear together or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use af_model::UtcDay;
use af_model::manifest::FileEntry;
use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::atomic::{Staged, remove, sync_folder, unique};
use crate::checksum::content_name;
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::layout::{Partitioned, Store, check_name};
use crate::lock::WriteLock;
use crate::partition::{check_day, check_instant, is_there};
use crate::table_file::{Metadata, TableWriter};

/// The state document that carries a commit over a crash.
const COMMITTING: &str = "committing";

/// What was promised: once this is on disk, the commit happened.
#[derive(Serialize, Deserialize)]
struct Promise {
    files: Vec<PromisedFile>,
    states: BTreeMap<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PromisedFile {
    /// Its name in `tmp/`.
    staged: String,
    kind: Partitioned,
    day: UtcDay,
    /// Its final name, without extension.
    name: String,
}

/// Day files and state documents that become part of the store by one [`Commit::commit`].
///
/// Whatever happens before that leaves the store as it was. A crash after it is no loss: the next
/// [`Store::lock`] completes what was promised. So an account can be written that never speaks of
/// rows that are not there, nor misses rows that are.
#[derive(Debug)]
pub struct Commit<'a> {
    store: &'a Store,
    lock: &'a WriteLock,
    files: Vec<(Staged, PromisedFile)>,
    states: BTreeMap<String, Value>,
}

/// A file of a day in the making, for [`Commit::add_staged`]. Rows are encoded on any thread; the disk
/// is touched by the thread that begins, appends and finishes. Dropped, it is removed.
#[derive(Debug)]
pub struct DayWriter {
    writer: TableWriter,
    path: PathBuf,
    kind: Partitioned,
    day: UtcDay,
}

/// A day file that is written and synced, and not yet part of anything; dropped, it is removed.
#[derive(Debug)]
pub struct StagedDay {
    staged: Staged,
    entry: FileEntry,
    kind: Partitioned,
    day: UtcDay,
}

impl DayWriter {
    /// Encodes all rows, which come bit by bit; they are written by [`DayWriter::finish`]. Memory: the
    /// rows, encoded.
    ///
    /// # Errors
    /// The first failure among `batches`, [`ErrorKind::NotSorted`], or [`ErrorKind::Contract`] for
    /// rows of another day.
    pub fn encode(
        &mut self,
        batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<(), Error> {
        self.each(batches, TableWriter::encode)?;
        self.writer.encode_rest()
    }

    /// Encodes and writes all rows, which come bit by bit. Memory: one row group, encoded.
    ///
    /// # Errors
    /// As [`DayWriter::encode`], or a failure to write.
    pub fn append(
        &mut self,
        batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<(), Error> {
        self.each(batches, TableWriter::append)
    }

    /// Hands rows of this day to the writer.
    fn each(
        &mut self,
        batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
        put: impl Fn(&mut TableWriter, &RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for batch in batches {
            let batch = batch?;
            check_day(self.kind, self.day, &batch)?;
            put(&mut self.writer, &batch)?;
        }
        Ok(())
    }

    /// Completes the file and forces it to disk. `None` for no row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<Option<StagedDay>, Error> {
        if self.writer.rows() == 0 {
            return Ok(None);
        }
        let entry = self.writer.finish()?;
        Ok(Some(StagedDay {
            staged: Staged::at(self.path),
            entry,
            kind: self.kind,
            day: self.day,
        }))
    }
}

impl StagedDay {
    /// Where it lies, for reading.
    pub fn path(&self) -> &Path {
        self.staged.path()
    }
}

impl Store {
    /// Begins a file of a day that becomes part of the store later.
    ///
    /// # Errors
    /// For a day that cannot name a folder, or when the file cannot be created.
    pub fn begin_day(
        &self,
        lock: &WriteLock,
        kind: Partitioned,
        day: UtcDay,
    ) -> Result<DayWriter, Error> {
        lock.guards(self);
        check_instant(day.start())?;
        let table = kind.table();
        let path = unique(&self.tmp_dir(), table.name);
        Ok(DayWriter {
            writer: TableWriter::create(&path, table, &Metadata::default())?,
            path,
            kind,
            day,
        })
    }

    /// Starts a commit.
    pub fn begin_commit<'a>(&'a self, lock: &'a WriteLock) -> Commit<'a> {
        lock.guards(self);
        Commit {
            store: self,
            lock,
            files: Vec::new(),
            states: BTreeMap::new(),
        }
    }

    /// Completes a commit that was promised. Every step may be repeated.
    pub(crate) fn finish_commit(&self, lock: &WriteLock) -> Result<(), Error> {
        let Some(promise) = self.read_state::<Promise>(COMMITTING)? else {
            return Ok(());
        };
        let mut is_whole = true;
        let mut folders = BTreeSet::new();
        for file in &promise.files {
            check_name(&file.staged)?;
            check_name(&file.name)?;
            let staged = self.tmp_dir().join(&file.staged);
            let path = self.day_file(file.kind, file.day, &file.name);
            if path.is_file() {
                remove(&staged)?;
            } else if staged.is_file() {
                let folder = self.day_dir(file.kind, file.day);
                self.create_folder(&folder)?;
                disk::rename(&staged, &path)
                    .map_err(|error| Error::io("move into place", &path, &error))?;
            } else {
                is_whole = false;
                continue;
            }
            folders.insert(self.day_dir(file.kind, file.day));
        }
        for folder in &folders {
            sync_folder(folder)?;
        }
        // Somebody emptied tmp/ by hand: rows are missing that the documents would speak of. Without
        // them, reading the input again heals the store.
        if is_whole {
            for (name, document) in &promise.states {
                self.write_state(lock, name, document)?;
            }
        }
        self.remove_state(lock, COMMITTING)
    }
}

impl Commit<'_> {
    /// Adds a file to a day from rows that come bit by bit; as [`Store::add_day_stream`], but not
    /// visible before [`Commit::commit`]. `None` for no row.
    ///
    /// # Errors
    /// As [`Store::add_day_stream`].
    pub fn add_day_stream(
        &mut self,
        kind: Partitioned,
        day: UtcDay,
        batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<Option<FileEntry>, Error> {
        let mut file = self.store.begin_day(self.lock, kind, day)?;
        file.append(batches)?;
        let staged = file.finish()?;
        staged.map(|staged| self.add_staged(staged)).transpose()
    }

    /// Adds a file that was written before ([`Store::begin_day`]).
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when another content has its name.
    pub fn add_staged(&mut self, staged: StagedDay) -> Result<FileEntry, Error> {
        let StagedDay {
            staged,
            mut entry,
            kind,
            day,
        } = staged;
        let name = content_name(&entry);
        let path = self.store.day_file(kind, day, &name);
        entry.path = self.store.relative(&path);
        let is_promised = self
            .files
            .iter()
            .any(|(_, file)| (file.kind, file.day) == (kind, day) && file.name == name);
        if !is_promised && !is_there(&path, &entry)? {
            let file = PromisedFile {
                staged: staged
                    .path()
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                kind,
                day,
                name,
            };
            self.files.push((staged, file));
        }
        Ok(entry)
    }

    /// Replaces a state document together with the files; of several under one name the last counts.
    ///
    /// # Errors
    /// For a name that must not become a path, or a document that is no JSON.
    pub fn write_state<T: Serialize>(&mut self, name: &str, document: &T) -> Result<(), Error> {
        check_name(name)?;
        let value = serde_json::to_value(document)
            .map_err(|error| Error::new(ErrorKind::Io, "write", name, error.to_string()))?;
        self.states.insert(name.to_owned(), value);
        Ok(())
    }

    /// Makes everything part of the store.
    ///
    /// # Errors
    /// When something cannot be written. The store is then as it was, or the next writer completes
    /// what this one could not.
    pub fn commit(self) -> Result<(), Error> {
        let Self {
            store,
            lock,
            files,
            states,
        } = self;
        // One that failed half-way must not be forgotten over this one.
        store.finish_commit(lock)?;
        if files.is_empty() && states.len() < 2 {
            // One document is replaced atomically as it is.
            return states
                .iter()
                .try_for_each(|(name, document)| store.write_state(lock, name, document));
        }
        let (staged, files): (Vec<Staged>, Vec<PromisedFile>) = files.into_iter().unzip();
        // The promise must not outlive what it speaks of.
        sync_folder(&store.tmp_dir())?;
        store.write_state(lock, COMMITTING, &Promise { files, states })?;
        staged.into_iter().for_each(Staged::keep);
        store.finish_commit(lock)
    }
}

#[cfg(test)]
mod tests {
    use af_model::tables::{attack_signals, identity_events};

    use super::*;
    use crate::table_file::samples::{DAY, random_batch};

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        (folder, store)
    }

    fn files(store: &Store) -> usize {
        [Partitioned::Events, Partitioned::Signals]
            .map(|kind| store.day_files(kind, DAY).unwrap().len())
            .iter()
            .sum()
    }

    fn fill(commit: &mut Commit<'_>, seed: u64) {
        for (kind, table) in [
            (Partitioned::Events, &identity_events::TABLE),
            (Partitioned::Signals, &attack_signals::TABLE),
        ] {
            let batch = random_batch(table, 5, seed);
            let entry = commit.add_day_stream(kind, DAY, [Ok(batch)]).unwrap();
            assert_eq!(entry.unwrap().rows, 5);
            assert_eq!(commit.add_day_stream(kind, DAY, []).unwrap(), None);
        }
        commit.write_state("account", &seed).unwrap();
    }

    #[test]
    fn nothing_is_there_before_and_everything_after() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let mut dropped = store.begin_commit(&lock);
        fill(&mut dropped, 1);
        drop(dropped);
        assert_eq!(fs_err::read_dir(store.tmp_dir()).unwrap().count(), 0);
        let mut commit = store.begin_commit(&lock);
        fill(&mut commit, 1);
        assert_eq!(files(&store), 0);
        assert_eq!(store.read_state::<u64>("account").unwrap(), None);
        commit.commit().unwrap();
        assert_eq!(files(&store), 2);
        assert_eq!(store.read_state("account").unwrap(), Some(1_u64));
        // The same again changes nothing; a commit of nothing neither.
        let mut again = store.begin_commit(&lock);
        fill(&mut again, 1);
        again.commit().unwrap();
        store.begin_commit(&lock).commit().unwrap();
        assert_eq!(files(&store), 2);
        assert_eq!(fs_err::read_dir(store.tmp_dir()).unwrap().count(), 0);
        assert!(
            !store
                .state_names()
                .unwrap()
                .contains(&COMMITTING.to_owned())
        );
    }

    #[test]
    fn files_that_somebody_removed_from_tmp_take_their_account_along() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let promise = Promise {
            files: vec![PromisedFile {
                staged: "gone.1-1".to_owned(),
                kind: Partitioned::Events,
                day: DAY,
                name: "b3-x".to_owned(),
            }],
            states: BTreeMap::from([("account".to_owned(), Value::from(7))]),
        };
        store.write_state(&lock, COMMITTING, &promise).unwrap();
        drop(lock);
        drop(store.lock().unwrap());
        assert_eq!(store.read_state::<u64>("account").unwrap(), None);
        assert!(
            !store
                .state_names()
                .unwrap()
                .contains(&COMMITTING.to_owned())
        );
    }
}
