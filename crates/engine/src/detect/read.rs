//! A day of events in memory: the columns that rules read, as one batch.

use std::ops::Range;
use std::sync::Arc;

use af_model::UtcDay;
use af_model::tables::identity_events::TABLE;
use af_rules::Reads;
use af_store::{MergedBatches, Partitioned, Scan, Store, TableFile, checked};
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use rayon::prelude::*;

use super::details::one_map;
use super::dictionary::one_dictionary;
use crate::error::{Error, ErrorKind};
use crate::timeline;

/// The columns of one task of a thread: enough tasks that none waits for the other.
const COLUMNS_AT_ONCE: usize = 4;

/// All events of a day, of each what rules read and what the timeline does.
///
/// Files of this program are checked against their names and decoded by all threads, a few columns at a
/// time; files of others are merged in the table's order.
pub(crate) fn events_of(store: &Store, day: UtcDay, reads: &Reads) -> Result<RecordBatch, Error> {
    let paths = store.day_files(Partitioned::Events, day)?;
    let files = paths
        .par_iter()
        .map(|path| {
            checked(path)?;
            TableFile::open(path, &TABLE)
        })
        .collect::<Result<Vec<TableFile>, af_store::Error>>()?;
    let wanted = reads.columns();
    let names: Vec<&'static str> = TABLE
        .columns
        .iter()
        .map(|column| column.name)
        .filter(|name| wanted.contains(name) || timeline::COLUMNS.contains(name))
        .collect();
    let (rows, columns) = if files.iter().all(TableFile::is_ours) {
        let rows = files.iter().map(TableFile::rows).sum();
        (rows, decoded(&files, &names, reads)?)
    } else {
        let batches = MergedBatches::open(&TABLE, &paths, Some(&names), Scan::Dictionaries)?
            .map(|batch| batch.map(|batch| reads.narrowed(batch)))
            .collect::<Result<Vec<RecordBatch>, af_store::Error>>()?;
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        (rows, by_column(names.len(), batches))
    };
    joined(&names, rows, columns).map_err(|error| {
        let problem = format!("collect the events of {day}: {error}");
        Error::new(ErrorKind::Io, problem)
    })
}

/// How the columns of a task are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The details of events, the largest column by far: narrowed bit by bit.
    Narrowed,
    /// Columns that repeat: a row group at once, which is what has a dictionary in common.
    ByRowGroup,
    /// Others: a file at once, so that nothing is left to put together.
    ByFile,
}

/// Some columns of some row groups of a file.
struct Task<'t> {
    way: Way,
    names: &'t [&'static str],
    file: &'t TableFile,
    groups: Range<usize>,
}

impl Task<'_> {
    /// The parts of each column.
    fn run(&self, reads: &Reads) -> Result<Vec<Vec<ArrayRef>>, af_store::Error> {
        let mut names = self.names.to_vec();
        names.retain(|name| self.file.is_worth_decoding(name));
        let mut read = by_column(names.len(), self.batches(&names, reads)?).into_iter();
        let parts = self.names.iter().map(|name| {
            if names.contains(name) {
                read.next().unwrap_or_default()
            } else if self.groups.start == 0 {
                // To decode a dictionary of nothing takes longer than one of something.
                vec![nulls(name, self.file.rows())]
            } else {
                Vec::new()
            }
        });
        Ok(parts.collect())
    }

    fn batches(&self, names: &[&str], reads: &Reads) -> Result<Vec<RecordBatch>, af_store::Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let (file, groups) = (self.file, self.groups.clone());
        let (names, scan) = (Some(names), Scan::Dictionaries);
        if self.way == Way::Narrowed {
            let batches = file.read_row_groups(groups, names, scan)?;
            return batches
                .map(|batch| batch.map(|batch| reads.narrowed(batch)))
                .collect();
        }
        let at_once: Result<_, _> = file.read_at_once(groups.clone(), names, scan)?.collect();
        match at_once {
            // More text than one column can hold is told as damage; in parts it is none.
            Err(error) if error.kind() == af_store::ErrorKind::Corrupt => {
                file.read_row_groups(groups, names, scan)?.collect()
            }
            done => done,
        }
    }
}

/// A column of which a file says that it holds nothing.
fn nulls(name: &str, rows: u64) -> ArrayRef {
    let schema = TABLE.scan_schema();
    let field = schema.field_with_name(name).expect("a column of the table");
    let rows = usize::try_from(rows).expect("a day that fits into memory");
    new_null_array(field.data_type(), rows)
}

/// The parts of each column, in the order of the files.
fn decoded(
    files: &[TableFile],
    names: &[&'static str],
    reads: &Reads,
) -> Result<Vec<Vec<ArrayRef>>, af_store::Error> {
    let way = |name: &&&'static str| match TABLE.column(name) {
        _ if **name == Reads::DETAILS => Way::Narrowed,
        Some(column) if column.repeats => Way::ByRowGroup,
        _ => Way::ByFile,
    };
    let of = |wanted: Way| -> Vec<&'static str> {
        let names = names.iter().filter(|name| way(name) == wanted);
        names.copied().collect()
    };
    let ways = [Way::Narrowed, Way::ByFile, Way::ByRowGroup].map(|way| (way, of(way)));
    let mut tasks: Vec<Task<'_>> = Vec::new();
    for (way, names) in &ways {
        for names in names.chunks(COLUMNS_AT_ONCE) {
            for file in files {
                let (way, all) = (*way, file.row_groups());
                let groups_at_once = if way == Way::ByFile { all.max(1) } else { 1 };
                let starts = (0..all).step_by(groups_at_once);
                tasks.extend(starts.map(|start| Task {
                    way,
                    names,
                    file,
                    groups: start..start + groups_at_once,
                }));
            }
        }
    }
    let found = tasks
        .par_iter()
        .map(|task| task.run(reads))
        .collect::<Result<Vec<Vec<Vec<ArrayRef>>>, af_store::Error>>()?;
    let mut columns: Vec<Vec<ArrayRef>> = names.iter().map(|_| Vec::new()).collect();
    for (task, found) in tasks.into_iter().zip(found) {
        for (name, parts) in task.names.iter().zip(found) {
            let place = names.iter().position(|known| known == name);
            columns[place.expect("tasks are made of the names")].extend(parts);
        }
    }
    Ok(columns)
}

/// The columns of batches, each as its parts.
fn by_column(count: usize, batches: Vec<RecordBatch>) -> Vec<Vec<ArrayRef>> {
    let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); count];
    for batch in batches {
        let (_, columns, _) = batch.into_parts();
        for (part, column) in parts.iter_mut().zip(columns) {
            part.push(column);
        }
    }
    parts
}

/// One batch of the parts of its columns, column by column, so that no more than a few columns are in memory
/// twice.
fn joined(
    names: &[&str],
    rows: u64,
    columns: Vec<Vec<ArrayRef>>,
) -> Result<RecordBatch, ArrowError> {
    let schema = TABLE.scan_schema();
    let fields: Vec<_> = names
        .iter()
        .map(|name| schema.field_with_name(name).cloned())
        .collect::<Result<_, ArrowError>>()?;
    let columns: Vec<ArrayRef> = fields
        .par_iter()
        .zip(columns)
        .map(
            |(field, parts)| match (field.data_type(), parts.as_slice()) {
                (data_type, []) => Ok(arrow::array::new_empty_array(data_type)),
                (DataType::Dictionary(..), parts) => one_dictionary(parts),
                (_, [only]) => Ok(Arc::clone(only)),
                (DataType::Map(..), parts) => one_map(parts),
                (_, parts) => {
                    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
                    concat(&parts)
                }
            },
        )
        .collect::<Result<_, ArrowError>>()?;
    let rows =
        usize::try_from(rows).map_err(|error| ArrowError::from_external_error(error.into()))?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}
