//! A day of several files, read as one.

use std::path::PathBuf;

use af_model::UtcDay;
use af_model::contract::Table;
use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};

use crate::checksum::check_named;
use crate::error::{Error, ErrorKind};
use crate::layout::{Partitioned, Store};
use crate::order::{ASCENDING, OrderCheck, key_columns};
use crate::table_file::{Batches, Scan, TableFile, batch_rows};

/// The batches of several files of one table in the table's order.
///
/// Rows with equal keys come in the order of the files; duplicates stay. A file of another program
/// that is not in the table's order is noticed and ends the stream with
/// [`ErrorKind::NotSorted`]. Memory: a few batches per file.
#[derive(Debug)]
pub struct MergedBatches {
    source: Source,
    /// The leading columns that were asked for; the sort columns may follow.
    wanted: usize,
    failed: bool,
}

#[derive(Debug)]
enum Source {
    Nothing,
    /// A file that this program wrote was checked then, hence the `Option`.
    One(Box<Batches>, Option<OrderCheck>, PathBuf),
    Many(Box<Merge>),
}

impl Store {
    /// Reads all files of a day as one stream in the table's order.
    ///
    /// `columns` as in [`TableFile::read`]. Repeating texts are dictionaries
    /// ([`Scan::Dictionaries`]) when `columns` are given, and strings for whole rows.
    ///
    /// # Errors
    /// When a file cannot be opened; later, per batch, when it is damaged or not in order.
    pub fn read_day_merged(
        &self,
        kind: Partitioned,
        day: UtcDay,
        columns: Option<&[&str]>,
    ) -> Result<MergedBatches, Error> {
        let scan = match columns {
            Some(_) => Scan::Dictionaries,
            None => Scan::File,
        };
        MergedBatches::open(kind.table(), &self.day_files(kind, day)?, columns, scan)
    }
}

impl MergedBatches {
    /// Reads any files of one table as one stream in the table's order. Files that are read whole
    /// and are named by their content are compared with it first ([`crate::checked`]).
    ///
    /// # Errors
    /// As [`Store::read_day_merged`].
    pub fn open(
        table: &'static Table,
        files: &[PathBuf],
        columns: Option<&[&str]>,
        scan: Scan,
    ) -> Result<Self, Error> {
        if columns.is_none() {
            files.iter().try_for_each(|path| check_named(path))?;
        }
        // Merging needs the sort columns: they are read behind the wanted ones and cut off again.
        let with_keys: Option<Vec<&str>> = columns.map(|columns| {
            let missing = table.sorted_by.iter().filter(|key| !columns.contains(key));
            columns.iter().chain(missing).copied().collect()
        });
        let source = match files {
            [] => Source::Nothing,
            [path] => {
                let file = TableFile::open(path, table)?;
                if file.is_ours() {
                    Source::One(Box::new(file.read(columns, scan)?), None, path.clone())
                } else {
                    let batches = file.read(with_keys.as_deref(), scan)?;
                    let check = OrderCheck::new(table);
                    Source::One(Box::new(batches), Some(check), path.clone())
                }
            }
            many => {
                let mut inputs = Vec::with_capacity(many.len());
                for path in many {
                    let file = TableFile::open(path, table)?;
                    inputs.push((path.clone(), file.read(with_keys.as_deref(), scan)?));
                }
                Source::Many(Box::new(Merge::start(table, inputs)?))
            }
        };
        Ok(Self {
            source,
            wanted: columns.map_or(table.columns.len(), <[&str]>::len),
            failed: false,
        })
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        let batch = match &mut self.source {
            Source::Nothing => None,
            Source::One(batches, check, path) => {
                let batch = batches.next().transpose()?;
                if let (Some(batch), Some(check)) = (&batch, check) {
                    check.check(batch).map_err(|problem| {
                        Error::at(ErrorKind::NotSorted, "read", path, problem)
                    })?;
                }
                batch
            }
            Source::Many(merge) => merge.next_batch()?,
        };
        let Some(batch) = batch else {
            return Ok(None);
        };
        if batch.num_columns() == self.wanted {
            return Ok(Some(batch));
        }
        let leading: Vec<usize> = (0..self.wanted).collect();
        let batch = batch
            .project(&leading)
            .expect("the wanted columns come first in every batch");
        Ok(Some(batch))
    }
}

impl Iterator for MergedBatches {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = self.next_batch().transpose();
        self.failed = matches!(item, Some(Err(_)));
        item
    }
}

/// One file's place in the merge.
#[derive(Debug)]
struct Cursor {
    path: PathBuf,
    batches: Batches,
    /// Sort keys of the current batch, and the row that is next.
    keys: Option<Rows>,
    row: usize,
    /// Index of the current batch in [`Merge::sources`].
    source: usize,
}

#[derive(Debug)]
struct Merge {
    table: &'static Table,
    converter: RowConverter,
    cursors: Vec<Cursor>,
    /// Cursors that have rows, the one with the smallest row first; equal rows by cursor.
    queue: Vec<usize>,
    /// Batches that the pending rows point into.
    sources: Vec<RecordBatch>,
    pending: Vec<(usize, usize)>,
}

impl Merge {
    fn start(table: &'static Table, inputs: Vec<(PathBuf, Batches)>) -> Result<Self, Error> {
        let schema = inputs[0].1.schema();
        let fields = table.sorted_by.iter().map(|name| {
            let field = schema
                .field_with_name(name)
                .expect("the sort columns are among the columns read");
            SortField::new_with_options(field.data_type().clone(), ASCENDING)
        });
        let converter = RowConverter::new(fields.collect()).map_err(|e| failed(table, &e))?;
        let mut merge = Self {
            table,
            converter,
            cursors: Vec::with_capacity(inputs.len()),
            queue: Vec::with_capacity(inputs.len()),
            sources: Vec::new(),
            pending: Vec::new(),
        };
        for (path, batches) in inputs {
            merge.cursors.push(Cursor {
                path,
                batches,
                keys: None,
                row: 0,
                source: 0,
            });
            let index = merge.cursors.len() - 1;
            if merge.load(index)? {
                merge.enqueue(index);
            }
        }
        Ok(merge)
    }

    /// Loads a cursor's next batch that has rows; false at the end of its file.
    fn load(&mut self, index: usize) -> Result<bool, Error> {
        let cursor = &mut self.cursors[index];
        loop {
            let Some(batch) = cursor.batches.next().transpose()? else {
                cursor.keys = None;
                return Ok(false);
            };
            if batch.num_rows() == 0 {
                continue;
            }
            let keys = key_columns(&batch, self.table)
                .expect("the sort columns are among the columns read");
            let keys = self
                .converter
                .convert_columns(&keys)
                .map_err(|error| failed(self.table, &error))?;
            if let Some(before) = &cursor.keys {
                check_order(
                    before.row(before.num_rows() - 1) <= keys.row(0),
                    cursor,
                    self.table,
                )?;
            }
            cursor.keys = Some(keys);
            cursor.row = 0;
            cursor.source = self.sources.len();
            self.sources.push(batch);
            return Ok(true);
        }
    }

    /// Whether cursor `a` comes before cursor `b`; both have rows.
    fn is_before(&self, a: usize, b: usize) -> bool {
        let key = |index: usize| {
            let cursor = &self.cursors[index];
            let keys = cursor.keys.as_ref();
            (
                keys.expect("a queued cursor has rows").row(cursor.row),
                index,
            )
        };
        key(a) < key(b)
    }

    fn enqueue(&mut self, index: usize) {
        let place = self
            .queue
            .partition_point(|&other| self.is_before(other, index));
        self.queue.insert(place, index);
    }

    /// Steps the first cursor; true while it has rows.
    fn advance(&mut self, index: usize) -> Result<bool, Error> {
        let cursor = &mut self.cursors[index];
        let keys = cursor.keys.as_ref().expect("a queued cursor has rows");
        if cursor.row + 1 < keys.num_rows() {
            let in_order = keys.row(cursor.row) <= keys.row(cursor.row + 1);
            check_order(in_order, cursor, self.table)?;
            cursor.row += 1;
            return Ok(true);
        }
        self.load(index)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        let full = batch_rows(self.table);
        while self.pending.len() < full
            && let Some(&first) = self.queue.first()
        {
            let cursor = &self.cursors[first];
            self.pending.push((cursor.source, cursor.row));
            if !self.advance(first)? {
                self.queue.remove(0);
            } else if let Some(&second) = self.queue.get(1)
                && !self.is_before(first, second)
            {
                self.queue.remove(0);
                self.enqueue(first);
            }
        }
        if self.pending.is_empty() {
            return Ok(None);
        }
        let sources: Vec<&RecordBatch> = self.sources.iter().collect();
        let merged = interleave_record_batch(&sources, &self.pending)
            .map_err(|error| failed(self.table, &error))?;
        self.pending.clear();
        self.forget_read_batches();
        Ok(Some(merged))
    }

    /// Keeps only the batches that a cursor still stands in.
    fn forget_read_batches(&mut self) {
        let mut kept = Vec::with_capacity(self.cursors.len());
        for cursor in self
            .cursors
            .iter_mut()
            .filter(|cursor| cursor.keys.is_some())
        {
            kept.push(self.sources[cursor.source].clone());
            cursor.source = kept.len() - 1;
        }
        self.sources = kept;
    }
}

fn check_order(in_order: bool, cursor: &Cursor, table: &Table) -> Result<(), Error> {
    if in_order {
        return Ok(());
    }
    let problem = format!(
        "rows of {} are not in the order {}",
        table.name,
        table.sorted_by.join(", ")
    );
    Err(Error::at(
        ErrorKind::NotSorted,
        "read",
        &cursor.path,
        problem,
    ))
}

fn failed(table: &Table, error: &ArrowError) -> Error {
    Error::new(ErrorKind::Contract, "merge", table.name, error.to_string())
}

#[cfg(test)]
mod tests {
    use af_model::tables::attack_signals;
    use arrow::compute::concat_batches;
    use proptest::prelude::*;

    use super::*;
    use crate::table_file::samples::{DAY, random_batch};
    use crate::table_file::{Metadata, write};

    const TABLE: &Table = &attack_signals::TABLE;

    fn parts(folder: &std::path::Path, parts: &[RecordBatch]) -> Vec<PathBuf> {
        let write_part = |(index, part): (usize, &RecordBatch)| {
            let path = folder.join(format!("{index:03}.parquet"));
            write(&path, TABLE, [part.clone()], &Metadata::new()).unwrap();
            path
        };
        parts.iter().enumerate().map(write_part).collect()
    }

    fn whole(batches: MergedBatches) -> RecordBatch {
        let batches: Vec<RecordBatch> = batches.map(Result::unwrap).collect();
        concat_batches(&batches[0].schema(), &batches).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn files_merged_are_the_rows_sorted(
            seed in any::<u64>(),
            sizes in prop::collection::vec(0_usize..6_000, 2..7),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let batches: Vec<RecordBatch> = (0..)
                .zip(&sizes)
                .map(|(index, &rows)| random_batch(TABLE, rows, seed ^ index))
                .collect();
            prop_assume!(sizes.iter().sum::<usize>() > 0);
            let files = parts(folder.path(), &batches);
            let merged = whole(MergedBatches::open(TABLE, &files, None, Scan::File).unwrap());
            let all = concat_batches(&TABLE.file_schema(), &batches).unwrap();
            // Ids and instants are random, so hardly any keys tie and the order is one.
            prop_assert_eq!(
                crate::order::sorted_batch(&merged, TABLE).unwrap(),
                crate::order::sorted_batch(&all, TABLE).unwrap()
            );
            let mut check = OrderCheck::new(TABLE);
            prop_assert_eq!(check.check(&merged), Ok(()));
            let asked = ["level", "time"];
            let some = MergedBatches::open(TABLE, &files, Some(&asked), Scan::Dictionaries).unwrap();
            let some = TABLE.conform_columns(&whole(some), &asked, false).unwrap();
            prop_assert_eq!(some, TABLE.conform_columns(&merged, &asked, false).unwrap());
        }
    }

    #[test]
    fn equal_keys_come_in_the_order_of_the_files_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let batch = random_batch(TABLE, 10, 1);
        let files = parts(
            folder.path(),
            &[batch.clone(), batch.clone(), batch.clone()],
        );
        let merged = whole(MergedBatches::open(TABLE, &files, None, Scan::File).unwrap());
        assert_eq!(merged.num_rows(), 30);
        for row in 0..10 {
            for copy in 0..3 {
                assert_eq!(merged.slice(3 * row + copy, 1), batch.slice(row, 1));
            }
        }
    }

    #[test]
    fn one_file_passes_and_none_gives_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let read = |columns| {
            store
                .read_day_merged(Partitioned::Signals, DAY, columns)
                .unwrap()
        };
        assert_eq!(read(None).count(), 0);
        let lock = store.lock().unwrap();
        let batch = random_batch(TABLE, 20_000, 2);
        store
            .add_day_file(&lock, Partitioned::Signals, DAY, "a", [batch.clone()])
            .unwrap();
        assert_eq!(whole(read(None)), batch);
        let levels = whole(read(Some(&["level"])));
        assert_eq!((levels.num_columns(), levels.num_rows()), (1, 20_000));
    }

    #[test]
    fn a_file_of_another_program_out_of_order_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let sorted = random_batch(TABLE, 100, 3);
        let turned = [sorted.slice(60, 40), sorted.slice(0, 60)];
        let turned = concat_batches(&sorted.schema(), &turned).unwrap();
        let foreign = folder.path().join("foreign.parquet");
        let file = fs_err::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&foreign)
            .unwrap()
            .into_file();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, turned.schema(), None).unwrap();
        writer.write(&turned).unwrap();
        writer.close().unwrap();
        let ours = parts(folder.path(), &[sorted]);
        for files in [vec![foreign.clone()], vec![ours[0].clone(), foreign]] {
            for columns in [None, Some(["level"].as_slice())] {
                let mut merged = MergedBatches::open(TABLE, &files, columns, Scan::File).unwrap();
                let error = merged.find_map(Result::err).unwrap();
                assert_eq!(error.kind(), ErrorKind::NotSorted);
                assert!(error.to_string().contains("foreign.parquet"), "{error}");
                assert!(merged.next().is_none());
            }
        }
    }
}
