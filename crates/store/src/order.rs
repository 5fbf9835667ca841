//! The order of a table's rows: bringing rows into it, and proving that they are.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use af_model::contract::Table;
use arrow::array::{
    Array, ArrayRef, AsArray, DynComparator, Int32Array, RecordBatch, StringArray, UInt64Array,
    make_comparator,
};
use arrow::compute::{SortOptions, cast, interleave, take_record_batch};
use arrow::datatypes::{DataType, Int32Type};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use rayon::prelude::*;

use crate::error::{Error, ErrorKind};

/// Ascending, nulls first: the order of every table.
pub(crate) const ASCENDING: SortOptions = SortOptions {
    descending: false,
    nulls_first: true,
};

/// Sorts rows by the table's order. Rows that agree in all sort columns are put in the order of
/// their other columns, so that the same rows give the same batch whatever order they came in.
///
/// # Errors
/// [`ErrorKind::Contract`] when a sort column is absent.
pub fn sorted_batch(batch: &RecordBatch, table: &'static Table) -> Result<RecordBatch, Error> {
    let places = sorted_places(std::slice::from_ref(batch), table)?;
    let order = places.into_iter().map(|(_, row)| row as u64);
    take_record_batch(batch, &UInt64Array::from_iter_values(order))
        .map_err(|error| unsortable(table, error.to_string()))
}

/// The rows of several batches of one schema in the table's order, each as its batch and its row in
/// it. Rows that agree in all sort columns are in the order of their other columns.
pub(crate) fn sorted_places(
    batches: &[RecordBatch],
    table: &'static Table,
) -> Result<Vec<(usize, usize)>, Error> {
    let failed = |problem: String| unsortable(table, problem);
    let arrow_failed = |error: ArrowError| failed(error.to_string());
    let (Some(first), count) = (
        batches.first(),
        batches.iter().map(RecordBatch::num_rows).sum(),
    ) else {
        return Ok(Vec::new());
    };
    let rest: Vec<usize> = (0..first.num_columns())
        .filter(|&index| {
            !table
                .sorted_by
                .contains(&first.schema_ref().field(index).name().as_str())
        })
        .collect();
    let keys: Result<Vec<Vec<ArrayRef>>, String> = batches
        .iter()
        .map(|batch| key_columns(batch, table))
        .collect();
    let keys = to_rows(&keys.map_err(failed)?, count).map_err(arrow_failed)?;
    let order = order_of(&keys);

    let mut place_of = Vec::with_capacity(count);
    for (batch, rows) in batches.iter().map(RecordBatch::num_rows).enumerate() {
        place_of.extend((0..rows).map(|row| (batch, row)));
    }
    let mut places: Vec<(usize, usize)> = order.iter().map(|&row| place_of[row]).collect();

    // Only rows of runs of equal keys are compared in full: there are few.
    let runs = equal_runs(&order, &keys);
    if !runs.is_empty() && !rest.is_empty() {
        let tied: Vec<(usize, usize)> = runs
            .iter()
            .flat_map(|run| places[run.clone()].iter().copied())
            .collect();
        let rest: Result<Vec<ArrayRef>, ArrowError> = rest
            .iter()
            .map(|&column| {
                let columns = batches.iter().map(|batch| batch.column(column).as_ref());
                interleave(&columns.collect::<Vec<&dyn Array>>(), &tied)
            })
            .collect();
        let rest = to_rows(&[rest.map_err(arrow_failed)?], tied.len()).map_err(arrow_failed)?;
        let mut first = 0;
        for run in runs {
            let mut sorted: Vec<usize> = (first..first + run.len()).collect();
            sorted.sort_by(|&a, &b| rest.row(a).cmp(&rest.row(b)));
            first += run.len();
            for (slot, row) in places[run].iter_mut().zip(sorted) {
                *slot = tied[row];
            }
        }
    }
    Ok(places)
}

fn unsortable(table: &Table, problem: String) -> Error {
    Error::new(ErrorKind::Contract, "sort", table.name, problem)
}

/// The rows by their keys; equal ones as they came.
fn order_of(keys: &Rows) -> Vec<usize> {
    // All rows of a table often begin alike: one tenant, one kind of reference. Behind that, a few
    // bytes tell almost any two rows apart, and are compared at once.
    let alike = keys
        .iter()
        .map(|row| common_length(keys.row(0).data(), row.data()))
        .min();
    let alike = alike.unwrap_or(0);
    let mut order: Vec<(u128, usize)> = keys
        .iter()
        .enumerate()
        .map(|(row, key)| (leading(&key.data()[alike..]), row))
        .collect();
    order.par_sort_unstable_by(|a, b| {
        let in_full = || keys.row(a.1).cmp(&keys.row(b.1));
        a.0.cmp(&b.0).then_with(in_full).then(a.1.cmp(&b.1))
    });
    order.into_iter().map(|(_, row)| row).collect()
}

fn common_length(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The first bytes as a number: of two numbers the smaller is of the smaller bytes.
fn leading(bytes: &[u8]) -> u128 {
    let mut leading = [0; 16];
    let length = bytes.len().min(16);
    leading[..length].copy_from_slice(&bytes[..length]);
    u128::from_be_bytes(leading)
}

/// Spans of `order` longer than one in which all keys are equal.
fn equal_runs(order: &[usize], keys: &Rows) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for index in 1..=order.len() {
        let ends = index == order.len() || keys.row(order[index]) != keys.row(order[start]);
        if ends {
            if index - start > 1 {
                runs.push(start..index);
            }
            start = index;
        }
    }
    runs
}

/// The table's sort columns of a batch, or which is absent.
pub(crate) fn key_columns(batch: &RecordBatch, table: &Table) -> Result<Vec<ArrayRef>, String> {
    table
        .sorted_by
        .iter()
        .map(|name| {
            batch
                .column_by_name(name)
                .cloned()
                .ok_or_else(|| format!("sort column {name} is absent"))
        })
        .collect()
}

/// Rows whose bytes compare like the values of the columns, ascending, nulls first; `parts` of a
/// table follow each other.
pub(crate) fn to_rows(parts: &[Vec<ArrayRef>], count: usize) -> Result<Rows, ArrowError> {
    let columns = parts.first().map_or(&[][..], Vec::as_slice);
    let fields = columns
        .iter()
        .map(|column| SortField::new_with_options(column.data_type().clone(), ASCENDING));
    let converter = RowConverter::new(fields.collect())?;
    let mut rows = converter.empty_rows(count, 64 * count);
    for part in parts {
        converter.append(&mut rows, part)?;
    }
    Ok(rows)
}

/// Watches batches pass and finds the first row that is smaller than the one before it.
#[derive(Debug)]
pub(crate) struct OrderCheck {
    table: &'static Table,
    last: Option<Vec<ArrayRef>>,
    rows: u64,
}

impl OrderCheck {
    pub(crate) fn new(table: &'static Table) -> Self {
        Self {
            table,
            last: None,
            rows: 0,
        }
    }

    /// Looks at the next batch; the problem names the row, counted from 0 over all batches.
    pub(crate) fn check(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let count = batch.num_rows();
        if count == 0 {
            return Ok(());
        }
        let keys = key_columns(batch, self.table)?;
        let edge = |row: usize| -> Result<Vec<ArrayRef>, ArrowError> {
            keys.iter().map(|key| plain(&key.slice(row, 1))).collect()
        };
        let failed = |error: ArrowError| error.to_string();
        if let Some(last) = &self.last
            && across(last, &edge(0).map_err(failed)?).map_err(failed)? == Ordering::Greater
        {
            return Err(self.problem(0));
        }
        let columns: Result<Vec<Neighbours<'_>>, ArrowError> =
            keys.iter().map(Neighbours::of).collect();
        let columns = columns.map_err(failed)?;
        for row in 1..count {
            let order = columns
                .iter()
                .map(|column| column.compare(row))
                .find(|order| order.is_ne());
            if order == Some(Ordering::Greater) {
                return Err(self.problem(row as u64));
            }
        }
        self.rows += count as u64;
        self.last = Some(edge(count - 1).map_err(failed)?);
        Ok(())
    }

    fn problem(&self, row: u64) -> String {
        format!(
            "row {} of {} is not in the order {}",
            self.rows + row,
            self.table.name,
            self.table.sorted_by.join(", ")
        )
    }
}

/// One sort column, compared row by row with the row before. Neighbours are mostly equal in all but the
/// last columns, and equal places of a dictionary are told without looking at the text.
enum Neighbours<'a> {
    Named(&'a Int32Array, &'a StringArray),
    Other(DynComparator),
}

impl<'a> Neighbours<'a> {
    fn of(column: &'a ArrayRef) -> Result<Self, ArrowError> {
        if let Some(names) = column.as_dictionary_opt::<Int32Type>()
            && let Some(values) = names.values().as_string_opt::<i32>()
            && names.logical_null_count() == names.keys().null_count()
        {
            return Ok(Self::Named(names.keys(), values));
        }
        Ok(Self::Other(make_comparator(column, column, ASCENDING)?))
    }

    fn compare(&self, row: usize) -> Ordering {
        match self {
            Self::Named(keys, values) => {
                let text = |row: usize| {
                    let key = keys.is_valid(row).then(|| keys.value(row));
                    key.map(|key| values.value(usize::try_from(key).unwrap_or(usize::MAX)))
                };
                let is_same = keys.value(row - 1) == keys.value(row) && keys.null_count() == 0;
                if is_same {
                    return Ordering::Equal;
                }
                text(row - 1).cmp(&text(row))
            }
            Self::Other(compare) => compare(row - 1, row),
        }
    }
}

/// A dictionary spelled out, so that batches can be compared whatever they came as.
fn plain(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Dictionary(_, values) => cast(column, values),
        _ => Ok(Arc::clone(column)),
    }
}

/// Compares the only row of `last` with the only row of `next`.
fn across(last: &[ArrayRef], next: &[ArrayRef]) -> Result<Ordering, ArrowError> {
    for (left, right) in last.iter().zip(next) {
        let order = make_comparator(left, right, ASCENDING)?(0, 0);
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use af_model::tables::{attack_signals, directory};
    use arrow::array::UInt32Array;
    use arrow::compute::concat_batches;
    use proptest::prelude::*;

    use super::*;
    use crate::table_file::samples::{random_batch, unsorted_batch};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn sorting_forgets_the_order_the_rows_came_in(seed in any::<u64>(), cut in 0_usize..60) {
            // Rows that agree in all sort columns and differ elsewhere: one key, two signals.
            let table = &attack_signals::TABLE;
            let batch = unsorted_batch(table, 60, seed);
            let mut columns = batch.columns().to_vec();
            for name in table.sorted_by {
                let index = batch.schema().index_of(name).unwrap();
                let same = UInt32Array::from_iter_values((0..60).map(|row| row % 2));
                columns[index] = arrow::compute::take(&columns[index], &same, None).unwrap();
            }
            let batch = RecordBatch::try_new(batch.schema(), columns).unwrap();
            let turned = [batch.slice(cut, 60 - cut), batch.slice(0, cut)];
            let turned = concat_batches(&batch.schema(), &turned).unwrap();
            prop_assert_ne!(&turned.slice(0, 60), &sorted_batch(&batch, table).unwrap());
            prop_assert_eq!(sorted_batch(&turned, table).unwrap(), sorted_batch(&batch, table).unwrap());
        }
    }

    #[test]
    fn nulls_come_first_and_the_problem_names_the_row() {
        let table = &attack_signals::TABLE;
        let sorted = random_batch(table, 200, 3);
        let mut check = OrderCheck::new(table);
        check.check(&sorted.slice(0, 150)).unwrap();
        check.check(&sorted.slice(150, 50)).unwrap();
        let subjects = sorted.column_by_name("subject_ref").unwrap();
        assert!(
            subjects.is_null(0),
            "the smallest tenant has a row without a subject"
        );
        let problem = check.check(&sorted.slice(7, 1)).unwrap_err();
        assert!(
            problem.starts_with("row 200 of attack_signals"),
            "{problem}"
        );
    }

    #[test]
    fn a_batch_without_a_sort_column_is_refused() {
        let table = &directory::TABLE;
        let mut batch = random_batch(table, 3, 3);
        batch.remove_column(0);
        let error = sorted_batch(&batch, table).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract);
        assert!(error.to_string().contains("tenant_uid"), "{error}");
    }
}
