//! Tables as streams of batches: written row by row, and read where rows are asked for.

use std::io::BufReader;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    AsArray, Int32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray, UInt32Array,
    UInt64Array,
};
use arrow::datatypes::{
    ArrowPrimitiveType, Int32Type, Int64Type, Schema, SchemaRef, UInt32Type, UInt64Type,
};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::Piece;
use super::checked::{Checked, CheckedReader};
use super::numbers::Numbers;
use super::tables::Columns;

/// Rows of a batch: as many of every day are held while tenants are scored.
const BATCH_ROWS: usize = 2048;

/// Rows on their way into bytes.
pub(super) struct Written<C> {
    schema: SchemaRef,
    writer: StreamWriter<Vec<u8>>,
    columns: C,
    rows: u64,
    waiting: usize,
}

impl<C: Columns> Written<C> {
    /// A stream after other bytes.
    pub(super) fn after(before: Vec<u8>) -> Self {
        let schema = Arc::new(Schema::new(C::fields()));
        let writer = StreamWriter::try_new(before, &schema);
        Self {
            writer: writer.expect("a schema goes into memory"),
            schema,
            columns: C::default(),
            rows: 0,
            waiting: 0,
        }
    }

    pub(super) fn push(&mut self, row: C::Row<'_>, numbers: &mut Numbers) {
        self.columns.push(row, numbers);
        self.rows += 1;
        self.waiting += 1;
        if self.waiting == BATCH_ROWS {
            self.write();
        }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    fn write(&mut self) {
        self.waiting = 0;
        let written = RecordBatch::try_new(Arc::clone(&self.schema), self.columns.take())
            .and_then(|batch| self.writer.write(&batch));
        written.expect("rows that fill every column go into memory");
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.waiting > 0 {
            self.write();
        }
        let bytes = self.writer.into_inner();
        bytes.expect("the end of a stream goes into memory")
    }
}

/// Rows of a piece, in ascending order.
pub(super) struct Rows {
    reader: StreamReader<BufReader<CheckedReader>>,
    /// What was read last, and the number of its first row.
    batch: Option<(RecordBatch, u64)>,
    /// The number of the next batch's first row.
    next: u64,
}

impl Rows {
    pub(super) fn open(pieces: &Checked, piece: Piece) -> Option<Self> {
        Some(Self {
            reader: StreamReader::try_new_buffered(pieces.read(piece), None).ok()?,
            batch: None,
            next: 0,
        })
    }

    /// The batch that holds a row, and where in it; no earlier row can be asked for afterwards. `None`
    /// when the bytes are not what was written.
    pub(super) fn batch_of(&mut self, row: u64) -> Option<(&RecordBatch, usize)> {
        while row >= self.next {
            let batch = self.reader.next()?.ok()?;
            let first = self.next;
            self.next += batch.num_rows() as u64;
            self.batch = Some((batch, first));
        }
        let (batch, first) = self.batch.as_ref()?;
        Some((batch, usize::try_from(row.checked_sub(*first)?).ok()?))
    }

    /// Hands on rows, batch by batch.
    pub(super) fn each(
        &mut self,
        mut rows: Range<u64>,
        mut take: impl FnMut(&RecordBatch, Range<usize>) -> Option<()>,
    ) -> Option<()> {
        while rows.start < rows.end {
            let (batch, from) = self.batch_of(rows.start)?;
            let left = usize::try_from(rows.end - rows.start).unwrap_or(usize::MAX);
            let to = batch.num_rows().min(from.saturating_add(left));
            take(batch, from..to)?;
            rows.start += (to - from) as u64;
        }
        Some(())
    }
}

/// All batches of a piece.
pub(super) fn all(pieces: &Checked, piece: Piece) -> Option<Vec<RecordBatch>> {
    let reader = StreamReader::try_new_buffered(pieces.read(piece), None).ok()?;
    reader.collect::<Result<_, _>>().ok()
}

fn numbers<'b, T: ArrowPrimitiveType>(
    batch: &'b RecordBatch,
    column: &str,
) -> Option<&'b PrimitiveArray<T>> {
    batch.column_by_name(column)?.as_primitive_opt::<T>()
}

pub(super) fn u32s<'b>(batch: &'b RecordBatch, column: &str) -> Option<&'b UInt32Array> {
    numbers::<UInt32Type>(batch, column)
}

pub(super) fn u64s<'b>(batch: &'b RecordBatch, column: &str) -> Option<&'b UInt64Array> {
    numbers::<UInt64Type>(batch, column)
}

pub(super) fn i32s<'b>(batch: &'b RecordBatch, column: &str) -> Option<&'b Int32Array> {
    numbers::<Int32Type>(batch, column)
}

pub(super) fn i64s<'b>(batch: &'b RecordBatch, column: &str) -> Option<&'b Int64Array> {
    numbers::<Int64Type>(batch, column)
}

pub(super) fn texts<'b>(batch: &'b RecordBatch, column: &str) -> Option<&'b StringArray> {
    batch.column_by_name(column)?.as_string_opt::<i32>()
}
