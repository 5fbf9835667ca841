//! One file of all files of a day, the same however the rows were split.

use std::path::PathBuf;

use af_model::UtcDay;
use af_model::contract::Table;
use af_model::manifest::FileEntry;
use arrow::array::RecordBatch;

use crate::checksum::content_name;
use crate::error::{Error, ErrorKind};
use crate::layout::{Partitioned, Store};
use crate::lock::WriteLock;
use crate::merge::MergedBatches;
use crate::order::{key_columns, sorted_batch, to_rows};
use crate::partition::file_stems;
use crate::table_file::Scan;

impl Store {
    /// Makes one file of all files of a day, named by its content. The same rows give the same
    /// bytes however they were split into files; duplicates stay. `None` for a day without rows.
    ///
    /// # Errors
    /// When a file cannot be read or the new one not be written; the old files stay then.
    pub fn compact_day(
        &self,
        lock: &WriteLock,
        kind: Partitioned,
        day: UtcDay,
    ) -> Result<Option<FileEntry>, Error> {
        let all = file_stems(&self.day_files(kind, day)?);
        self.compact_files(lock, kind, day, &all)
    }

    /// As [`Store::compact_day`] for some files of a day, named without extension: files that a later
    /// stage replaces by name must not become part of others.
    ///
    /// # Errors
    /// As [`Store::compact_day`].
    pub fn compact_files(
        &self,
        lock: &WriteLock,
        kind: Partitioned,
        day: UtcDay,
        old: &[String],
    ) -> Result<Option<FileEntry>, Error> {
        lock.guards(self);
        let paths: Vec<PathBuf> = old
            .iter()
            .map(|name| self.day_file(kind, day, name))
            .collect();
        let merged = MergedBatches::open(kind.table(), &paths, None, Scan::File)?;
        let (staged, entry) =
            self.stage_day_file(kind, day, Canonical::new(kind.table(), merged))?;
        let name = content_name(&entry);
        self.replace_staged(lock, kind, day, old, &name, staged, entry)
    }
}

/// Brings rows that agree in all sort columns into the order of their other columns, across batches.
struct Canonical<I> {
    table: &'static Table,
    input: I,
    held: Option<RecordBatch>,
}

impl<I: Iterator<Item = Result<RecordBatch, Error>>> Canonical<I> {
    fn new(table: &'static Table, input: I) -> Self {
        Self {
            table,
            input,
            held: None,
        }
    }

    /// Sorts what was held and the next batch; holds back the last run of equal keys again, because
    /// the next batch may continue it.
    fn step(&mut self, next: &RecordBatch) -> Result<Option<RecordBatch>, Error> {
        let table = self.table;
        let failed = |problem: String| Error::new(ErrorKind::Contract, "sort", table.name, problem);
        let all = match self.held.take() {
            None => next.clone(),
            Some(held) => arrow::compute::concat_batches(&next.schema(), [&held, next])
                .map_err(|error| failed(error.to_string()))?,
        };
        let Some(last) = all.num_rows().checked_sub(1) else {
            return Ok(None);
        };
        let keys = key_columns(&all, table).map_err(failed)?;
        let keys = to_rows(&[keys], all.num_rows()).map_err(|error| failed(error.to_string()))?;
        let start = (0..last)
            .rev()
            .find(|&row| keys.row(row) != keys.row(last))
            .map_or(0, |row| row + 1);
        self.held = Some(all.slice(start, all.num_rows() - start));
        if start == 0 {
            return Ok(None);
        }
        sorted_batch(&all.slice(0, start), table).map(Some)
    }
}

impl<I: Iterator<Item = Result<RecordBatch, Error>>> Iterator for Canonical<I> {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.input.next() {
                Some(Ok(batch)) => match self.step(&batch) {
                    Ok(None) => {}
                    other => return other.transpose(),
                },
                Some(Err(error)) => return Some(Err(error)),
                None => {
                    let held = self.held.take()?;
                    return Some(sorted_batch(&held, self.table));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use af_model::tables::attack_signals;
    use arrow::compute::concat_batches;

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
    fn a_compacted_day_has_the_same_bytes_however_it_was_split() {
        // Every row twice, once with another rule version: equal keys with differing content.
        let once = random_batch(SIGNALS, 3_000, 5);
        let mut columns = once.columns().to_vec();
        let version = once.schema().index_of("rule_version").unwrap();
        columns[version] = arrow::array::new_null_array(columns[version].data_type(), 3_000);
        let twin = RecordBatch::try_new(once.schema(), columns).unwrap();
        let all = concat_batches(&once.schema(), [&once, &twin]).unwrap();
        let splits: [&dyn Fn(usize) -> usize; 4] =
            [&|_| 0, &|row| row % 3, &|row| row / 3_000, &|row| {
                1 - row / 3_000
            }];
        let mut compacted = Vec::new();
        for split in splits {
            let (_folder, store) = store();
            let lock = store.lock().unwrap();
            let kind = Partitioned::Signals;
            for part in 0..3 {
                let rows = (0..6_000).filter(|&row| split(row) == part);
                let rows = arrow::array::UInt64Array::from_iter_values(rows.map(|row| row as u64));
                let rows = arrow::compute::take_record_batch(&all, &rows).unwrap();
                if rows.num_rows() > 0 {
                    let rows = sorted_batch(&rows, SIGNALS).unwrap();
                    let name = format!("part{part}");
                    store.add_day_file(&lock, kind, DAY, &name, [rows]).unwrap();
                }
            }
            let entry = store.compact_day(&lock, kind, DAY).unwrap().unwrap();
            assert_eq!(signal_files(&store), [content_name(&entry)]);
            assert_eq!(store.compact_day(&lock, kind, DAY).unwrap().unwrap(), entry);
            assert_eq!(entry.rows, 6_000);
            compacted.push(entry.blake3);
        }
        compacted.dedup();
        assert_eq!(compacted.len(), 1);
    }
}
