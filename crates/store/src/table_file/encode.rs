//! From batches to encoded row groups: rows are cut anew and columns encoded side by side. Nothing here
//! touches the disk, so it may run on any thread.

use std::collections::VecDeque;
use std::sync::Arc;

use af_model::contract::Table;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{cast, concat};
use arrow::datatypes::{FieldRef, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::errors::ParquetError;
use parquet::schema::types::SchemaDescriptor;
use rayon::prelude::*;

use super::{batch_rows, row_group_rows};

/// Rows from which on it pays to wake other threads.
const SIDE_BY_SIDE: usize = 1024;

/// One row group, encoded: its columns in file order.
pub(super) type EncodedGroup = Vec<ArrowColumnChunk>;

/// Encodes one table.
pub(super) struct Encoder {
    schema: SchemaRef,
    factory: ArrowRowGroupWriterFactory,
    /// How many of Parquet's leaf columns each column of the table is.
    leaves: Vec<usize>,
    /// What rows are cut into: page and dictionary borders depend on how rows are handed over.
    cut_rows: usize,
    group_rows: usize,
    pending: VecDeque<RecordBatch>,
    pending_rows: usize,
    /// The row group in the making, by column of the table; empty while it has no row.
    columns: Vec<Vec<ArrowColumnWriter>>,
    rows_in_group: usize,
    groups: usize,
    finished: Vec<EncodedGroup>,
    on_this_thread: bool,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder")
            .field("groups", &self.groups)
            .field("rows_in_group", &self.rows_in_group)
            .field("pending_rows", &self.pending_rows)
            .finish_non_exhaustive()
    }
}

/// A part of a pending batch.
#[derive(Clone, Copy)]
struct Part {
    batch: usize,
    from: usize,
    rows: usize,
}

impl Encoder {
    pub(super) fn new(
        table: &Table,
        schema: &SchemaDescriptor,
        factory: ArrowRowGroupWriterFactory,
    ) -> Self {
        let mut leaves = vec![0; table.columns.len()];
        for leaf in 0..schema.num_columns() {
            leaves[schema.get_column_root_idx(leaf)] += 1;
        }
        Self {
            schema: table.file_schema(),
            factory,
            leaves,
            cut_rows: batch_rows(table),
            group_rows: row_group_rows(table),
            pending: VecDeque::new(),
            pending_rows: 0,
            columns: Vec::new(),
            rows_in_group: 0,
            groups: 0,
            finished: Vec::new(),
            on_this_thread: false,
        }
    }

    /// Leaves all other threads alone.
    pub(super) fn stay_on_this_thread(&mut self) {
        self.on_this_thread = true;
    }

    /// Takes rows in and encodes as many as fill whole cuts. Texts may be dictionaries.
    pub(super) fn push(&mut self, batch: RecordBatch) -> Result<(), ParquetError> {
        if batch.num_rows() > 0 {
            self.pending_rows += batch.num_rows();
            self.pending.push_back(batch);
        }
        self.encode(self.pending_rows / self.cut_rows * self.cut_rows)
    }

    /// Encodes all that is left and completes the last row group.
    pub(super) fn finish(&mut self) -> Result<(), ParquetError> {
        self.encode(self.pending_rows)?;
        if self.rows_in_group > 0 {
            self.close_group()?;
        }
        Ok(())
    }

    /// The row groups completed since the last call.
    pub(super) fn take_finished(&mut self) -> Vec<EncodedGroup> {
        std::mem::take(&mut self.finished)
    }

    fn encode(&mut self, mut rows: usize) -> Result<(), ParquetError> {
        while rows > 0 {
            // A row group is a whole number of cuts, so its end cuts nothing in two.
            let now = rows.min(self.group_rows - self.rows_in_group);
            self.encode_in_group(now)?;
            rows -= now;
            if self.rows_in_group == self.group_rows {
                self.close_group()?;
            }
        }
        Ok(())
    }

    fn encode_in_group(&mut self, rows: usize) -> Result<(), ParquetError> {
        if self.columns.is_empty() {
            let mut writers = self.factory.create_column_writers(self.groups)?.into_iter();
            self.columns = self
                .leaves
                .iter()
                .map(|&leaves| writers.by_ref().take(leaves).collect())
                .collect();
        }
        let cuts = self.cuts(rows);
        let (pending, fields) = (&self.pending, self.schema.fields());
        let column = |(index, writers): (usize, &mut Vec<ArrowColumnWriter>)| {
            cuts.iter()
                .try_for_each(|cut| write_column(&fields[index], writers, pending, index, cut))
        };
        if rows >= SIDE_BY_SIDE && !self.on_this_thread {
            let columns = self.columns.par_iter_mut().with_max_len(1);
            columns.enumerate().try_for_each(column)?;
        } else {
            self.columns.iter_mut().enumerate().try_for_each(column)?;
        }
        self.rows_in_group += rows;
        self.drop_rows(rows);
        Ok(())
    }

    /// The next rows in cuts, each of parts of pending batches.
    fn cuts(&self, mut rows: usize) -> Vec<Vec<Part>> {
        let mut cuts = Vec::with_capacity(rows.div_ceil(self.cut_rows));
        let (mut batch, mut from) = (0, 0);
        while rows > 0 {
            let mut wanted = rows.min(self.cut_rows);
            rows -= wanted;
            let mut cut = Vec::new();
            while wanted > 0 {
                let part = wanted.min(self.pending[batch].num_rows() - from);
                cut.push(Part {
                    batch,
                    from,
                    rows: part,
                });
                wanted -= part;
                from += part;
                if from == self.pending[batch].num_rows() {
                    (batch, from) = (batch + 1, 0);
                }
            }
            cuts.push(cut);
        }
        cuts
    }

    fn drop_rows(&mut self, mut rows: usize) {
        self.pending_rows -= rows;
        while let Some(batch) = self.pending.pop_front() {
            if batch.num_rows() > rows {
                let rest = batch.slice(rows, batch.num_rows() - rows);
                self.pending.push_front(rest);
                return;
            }
            rows -= batch.num_rows();
        }
    }

    fn close_group(&mut self) -> Result<(), ParquetError> {
        let columns = std::mem::take(&mut self.columns);
        let close = |leaves: Vec<ArrowColumnWriter>| -> Result<EncodedGroup, ParquetError> {
            leaves.into_iter().map(ArrowColumnWriter::close).collect()
        };
        let group: Result<Vec<EncodedGroup>, ParquetError> = if self.on_this_thread {
            columns.into_iter().map(close).collect()
        } else {
            let columns = columns.into_par_iter().with_max_len(1);
            columns.map(close).collect()
        };
        self.finished.push(group?.into_iter().flatten().collect());
        self.groups += 1;
        self.rows_in_group = 0;
        Ok(())
    }
}

fn write_column(
    field: &FieldRef,
    writers: &mut [ArrowColumnWriter],
    pending: &VecDeque<RecordBatch>,
    index: usize,
    cut: &[Part],
) -> Result<(), ParquetError> {
    let array = gather(field, pending, index, cut)?;
    for (leaf, writer) in compute_leaves(field, &array)?.iter().zip(writers) {
        writer.write(leaf)?;
    }
    Ok(())
}

/// One cut of one column; copied only where it spans batches.
///
/// A dictionary is spelled out here, a cut at a time: the writer would take it as it is, but ends pages
/// elsewhere then, and equal rows are to give equal bytes.
fn gather(
    field: &FieldRef,
    pending: &VecDeque<RecordBatch>,
    index: usize,
    cut: &[Part],
) -> Result<ArrayRef, ParquetError> {
    let slice = |part: &Part| {
        let column = pending[part.batch].column(index);
        let slice = column.slice(part.from, part.rows);
        if slice.data_type() == field.data_type() {
            Ok(slice)
        } else {
            cast(&slice, field.data_type())
        }
    };
    if let [part] = cut {
        return Ok(slice(part)?);
    }
    let slices: Result<Vec<ArrayRef>, ArrowError> = cut.iter().map(slice).collect();
    let slices = slices?;
    let slices: Vec<&dyn Array> = slices.iter().map(Arc::as_ref).collect();
    Ok(concat(&slices)?)
}

#[cfg(test)]
mod tests {
    use af_model::tables::{signal_attribution, user_scores};
    use arrow::array::RecordBatch;

    use crate::table_file::samples::random_batch;
    use crate::table_file::{Metadata, TableWriter};

    /// The checksum of a file of these batches, written or only encoded at first.
    fn blake3(
        table: &'static af_model::contract::Table,
        batches: &[RecordBatch],
        at_once: bool,
    ) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let mut writer = TableWriter::create(&path, table, &Metadata::new()).unwrap();
        for batch in batches {
            if at_once {
                writer.append(batch).unwrap();
            } else {
                writer.encode(batch).unwrap();
            }
        }
        let entry = writer.finish().unwrap();
        assert_eq!(crate::checksum(&path).unwrap().blake3, entry.blake3);
        entry.blake3
    }

    #[test]
    fn equal_rows_give_equal_bytes_however_they_come_and_whoever_encodes_them() {
        for table in [&user_scores::TABLE, &signal_attribution::TABLE] {
            // More than two cuts, and no whole number of them.
            let rows = random_batch(table, 20_000, 9);
            let whole = blake3(table, std::slice::from_ref(&rows), true);
            let named = table.conform_for_scan(&rows).unwrap();
            assert_ne!(named.schema(), rows.schema());
            let cut = |batch: &RecordBatch, at: usize| {
                [batch.slice(0, at), batch.slice(at, batch.num_rows() - at)]
            };
            let mixed = [
                cut(&rows, 12_345)[0].clone(),
                cut(&named, 12_345)[1].clone(),
            ];
            let one_thread = rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .build()
                .unwrap();
            assert_eq!(whole, blake3(table, std::slice::from_ref(&named), true));
            assert_eq!(whole, blake3(table, &cut(&named, 8_191), false));
            assert_eq!(whole, blake3(table, &mixed, true));
            assert_eq!(whole, one_thread.install(|| blake3(table, &mixed, false)));
            assert_ne!(whole, blake3(table, &[rows.slice(0, 19_999)], true));
        }
    }

    #[test]
    fn rows_out_of_order_are_refused_also_as_names() {
        let table = &user_scores::TABLE;
        let rows = table
            .conform_for_scan(&random_batch(table, 300, 9))
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let mut writer = TableWriter::create(&path, table, &Metadata::new()).unwrap();
        writer.encode(&rows.slice(0, 100)).unwrap();
        writer.encode(&rows.slice(100, 200)).unwrap();
        let error = writer.encode(&rows.slice(7, 1)).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::NotSorted, "{error}");
        let turned = arrow::compute::concat_batches(
            &rows.schema(),
            [&rows.slice(150, 150), &rows.slice(0, 150)],
        );
        let mut writer =
            TableWriter::create(&folder.path().join("u.parquet"), table, &Metadata::new()).unwrap();
        let error = writer.encode(&turned.unwrap()).unwrap_err();
        assert!(error.to_string().contains("row 150 "), "{error}");
        drop(writer);
        assert!(!folder.path().join("u.parquet").exists());
    }
}
