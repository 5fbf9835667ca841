//! Rows of many batches in a table's order, copied together a window at a time.

use af_model::contract::Table;
use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute::interleave;
use arrow::error::ArrowError;
use rayon::prelude::*;

use crate::error::{Error, ErrorKind};
use crate::order::sorted_places;
use crate::table_file::batch_rows;

/// The rows of several batches in a table's order, as a stream of batches.
///
/// The rows stay where they are until their turn comes; memory is the batches and one window.
/// The columns of a window are copied on all threads.
#[derive(Debug)]
pub struct SortedBatches {
    table: &'static Table,
    sources: Vec<RecordBatch>,
    /// Batch and row, in order.
    places: Vec<(usize, usize)>,
    /// Rows of a window: as many as a file is encoded at once, which then copies nothing.
    window_rows: usize,
    next: usize,
}

/// Sorts the rows of batches of one schema by a table's order; as [`crate::sorted_batch`] of all of
/// them together, but without making one batch of them.
///
/// # Errors
/// [`ErrorKind::Contract`] when a sort column is absent.
pub fn sorted_batches(
    batches: Vec<RecordBatch>,
    table: &'static Table,
) -> Result<SortedBatches, Error> {
    Ok(SortedBatches {
        places: sorted_places(&batches, table)?,
        table,
        window_rows: batch_rows(table),
        sources: batches,
        next: 0,
    })
}

impl SortedBatches {
    fn window(&self, places: &[(usize, usize)]) -> Result<RecordBatch, ArrowError> {
        let schema = self.sources[0].schema();
        let columns: Vec<Result<ArrayRef, ArrowError>> = (0..schema.fields().len())
            .into_par_iter()
            .map(|column| {
                let sources: Vec<&dyn Array> = self
                    .sources
                    .iter()
                    .map(|batch| batch.column(column).as_ref())
                    .collect();
                // Most events lack what a third of the columns are for.
                if sources
                    .iter()
                    .all(|source| source.null_count() == source.len())
                {
                    return Ok(new_null_array(sources[0].data_type(), places.len()));
                }
                interleave(&sources, places)
            })
            .collect();
        RecordBatch::try_new(schema, columns.into_iter().collect::<Result<_, _>>()?)
    }
}

impl Iterator for SortedBatches {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut rows = self.window_rows.min(self.places.len() - self.next);
        if rows == 0 {
            return None;
        }
        loop {
            match self.window(&self.places[self.next..self.next + rows]) {
                // Texts of more than 2 GiB: rows are larger than rows should be.
                Err(ArrowError::OffsetOverflowError(_)) if rows > 1 => rows /= 2,
                outcome => {
                    self.next += rows;
                    return Some(outcome.map_err(|error| {
                        let kind = ErrorKind::Contract;
                        Error::new(kind, "sort", self.table.name, error.to_string())
                    }));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use af_model::tables::identity_events;
    use arrow::compute::concat_batches;

    use super::*;
    use crate::order::sorted_batch;
    use crate::table_file::samples::unsorted_batch;

    #[test]
    fn batches_sorted_apart_are_one_batch_sorted() {
        let table = &identity_events::TABLE;
        let all = unsorted_batch(table, batch_rows(table) + 300, 5);
        let cuts = [0, 1, 1, 700, 2_000, all.num_rows()];
        let parts: Vec<RecordBatch> = cuts
            .windows(2)
            .map(|cut| all.slice(cut[0], cut[1] - cut[0]))
            .collect();
        // The same rows twice: every key ties.
        for (copies, windows) in [(1, 2), (2, 3)] {
            let parts = vec![parts.clone(); copies].concat();
            let whole = concat_batches(all.schema_ref(), &parts).unwrap();
            let sorted: Result<Vec<RecordBatch>, Error> =
                sorted_batches(parts, table).unwrap().collect();
            let sorted = sorted.unwrap();
            assert_eq!(sorted.len(), windows);
            assert_eq!(
                concat_batches(all.schema_ref(), &sorted).unwrap(),
                sorted_batch(&whole, table).unwrap()
            );
        }
        assert_eq!(sorted_batches(Vec::new(), table).unwrap().count(), 0);
    }
}
