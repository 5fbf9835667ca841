//! One day file in the place of others, without losing any on the way.

use af_model::UtcDay;
use af_model::manifest::FileEntry;
use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::atomic::Staged;
use crate::checksum::content_name;
use crate::error::Error;
use crate::layout::{Partitioned, Store, check_name};
use crate::lock::WriteLock;
use crate::partition::is_there;

/// The state document that outlives a crash between "the new file is there" and "the old are gone".
const REPLACING: &str = "replacing";

#[derive(Serialize, Deserialize)]
struct Replacing {
    kind: Partitioned,
    day: UtcDay,
    new: Option<String>,
    old: Vec<String>,
}

impl Store {
    /// Puts one file in the place of others of the same day, for signals that were detected again.
    /// Names are without extension. Without any row no file is added and `None` returned.
    ///
    /// A reader in between may see the old and the new rows together, as duplicates; a crash in
    /// between is mended by the next [`Store::lock`].
    ///
    /// # Errors
    /// As [`Store::add_day_file`].
    pub fn replace_day_files(
        &self,
        lock: &WriteLock,
        kind: Partitioned,
        day: UtcDay,
        old: &[String],
        name: &str,
        batches: impl IntoIterator<Item = RecordBatch>,
    ) -> Result<Option<FileEntry>, Error> {
        lock.guards(self);
        let (staged, entry) = self.stage_day_file(kind, day, batches.into_iter().map(Ok))?;
        self.replace_staged(lock, kind, day, old, name, staged, entry)
    }

    /// As [`Store::replace_day_files`]; the new file is named by `prefix` and its content, so that
    /// whoever reads it whole can tell whether it is damaged.
    ///
    /// # Errors
    /// As [`Store::replace_day_files`].
    pub fn replace_day_stream(
        &self,
        lock: &WriteLock,
        kind: Partitioned,
        day: UtcDay,
        old: &[String],
        prefix: &str,
        batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<Option<FileEntry>, Error> {
        lock.guards(self);
        let (staged, entry) = self.stage_day_file(kind, day, batches.into_iter())?;
        let name = format!("{prefix}{}", content_name(&entry));
        self.replace_staged(lock, kind, day, old, &name, staged, entry)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a place of three parts and a file of three"
    )]
    pub(crate) fn replace_staged(
        &self,
        lock: &WriteLock,
        kind: Partitioned,
        day: UtcDay,
        old: &[String],
        name: &str,
        staged: Staged,
        entry: FileEntry,
    ) -> Result<Option<FileEntry>, Error> {
        check_name(name)?;
        let is_empty = entry.rows == 0;
        let intent = Replacing {
            kind,
            day,
            new: (!is_empty).then(|| name.to_owned()),
            old: old
                .iter()
                .filter(|&old| is_empty || old != name)
                .cloned()
                .collect(),
        };
        intent.old.iter().try_for_each(|old| check_name(old))?;
        if !is_empty {
            // Before anything is noted: a name that is taken must not cost the old files.
            is_there(&self.day_file(kind, day, name), &entry)?;
        }
        // One that failed half-way must not be forgotten over this one.
        self.finish_replacement(lock)?;
        self.write_state(lock, REPLACING, &intent)?;
        let placed = if is_empty {
            None
        } else {
            Some(self.place_day_file(kind, day, name, staged, entry)?)
        };
        self.finish_replacement(lock)?;
        Ok(placed)
    }

    /// Completes a replacement whose new file is in place, and forgets one whose is not.
    pub(crate) fn finish_replacement(&self, lock: &WriteLock) -> Result<(), Error> {
        let Some(intent) = self.read_state::<Replacing>(REPLACING)? else {
            return Ok(());
        };
        let folder = self.day_dir(intent.kind, intent.day);
        let is_in_place = intent
            .new
            .is_none_or(|new| folder.join(format!("{new}.parquet")).is_file());
        if is_in_place {
            self.remove_day_files(lock, intent.kind, intent.day, &intent.old)?;
        }
        self.remove_state(lock, REPLACING)
    }
}

#[cfg(test)]
mod tests {
    use af_model::contract::Table;
    use af_model::tables::attack_signals;

    use super::*;
    use crate::error::ErrorKind;
    use crate::partition::file_stems;
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
    fn replacing_leaves_the_new_file_and_those_not_named() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let kind = Partitioned::Signals;
        for (name, seed) in [("old1", 1), ("old2", 2), ("other", 3)] {
            let batch = random_batch(SIGNALS, 5, seed);
            store.add_day_file(&lock, kind, DAY, name, [batch]).unwrap();
        }
        let old = ["old1".to_owned(), "old2".to_owned()];
        let batch = random_batch(SIGNALS, 5, 4);
        let entry = store
            .replace_day_files(&lock, kind, DAY, &old, "new", [batch])
            .unwrap();
        assert_eq!(entry.unwrap().rows, 5);
        assert_eq!(signal_files(&store), ["new", "other"]);
        let nothing = store
            .replace_day_files(&lock, kind, DAY, &["new".to_owned()], "newer", [])
            .unwrap();
        assert_eq!(nothing, None);
        assert_eq!(signal_files(&store), ["other"]);
        store.remove_day(&lock, kind, DAY).unwrap();
        assert_eq!(store.days(kind).unwrap(), []);
    }

    #[test]
    fn replacing_by_a_taken_name_loses_nothing() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let kind = Partitioned::Signals;
        for (name, seed) in [("old", 1), ("taken", 2)] {
            let batch = random_batch(SIGNALS, 5, seed);
            store.add_day_file(&lock, kind, DAY, name, [batch]).unwrap();
        }
        let old = ["old".to_owned(), "taken".to_owned()];
        let batch = random_batch(SIGNALS, 5, 3);
        let error = store
            .replace_day_files(&lock, kind, DAY, &old, "taken", [batch])
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        drop(lock);
        drop(store.lock().unwrap());
        assert_eq!(signal_files(&store), ["old", "taken"]);
    }

    #[test]
    fn a_crash_while_replacing_is_mended_by_the_next_writer() {
        let (_folder, store) = store();
        let kind = Partitioned::Signals;
        let crash_with_new_in_place = |is_in_place: bool| {
            let lock = store.lock().unwrap();
            store.remove_day(&lock, kind, DAY).unwrap();
            let names: &[(&str, u64)] = &[("old", 1), ("new", 2)];
            for (name, seed) in &names[..if is_in_place { 2 } else { 1 }] {
                let batch = random_batch(SIGNALS, 5, *seed);
                store.add_day_file(&lock, kind, DAY, name, [batch]).unwrap();
            }
            let intent = Replacing {
                kind,
                day: DAY,
                new: Some("new".to_owned()),
                old: vec!["old".to_owned()],
            };
            store.write_state(&lock, REPLACING, &intent).unwrap();
        };
        crash_with_new_in_place(true);
        store.lock().unwrap();
        assert_eq!(signal_files(&store), ["new"]);
        crash_with_new_in_place(false);
        store.lock().unwrap();
        assert_eq!(signal_files(&store), ["old"]);
        assert!(!store.state_names().unwrap().contains(&REPLACING.to_owned()));
    }
}
