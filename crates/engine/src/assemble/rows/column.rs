//! Columns of a part of a table. Texts that repeat are a dictionary: a number a row.

use std::sync::Arc;

use af_model::contract::Table;
use af_model::{UtcDay, UtcMillis};
use arrow::array::{
    ArrayRef, Date32Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{Field, Schema};

/// Texts that a dictionary's keys are places in.
pub(super) type Names = Arc<StringArray>;

pub(super) fn names<'a>(texts: impl IntoIterator<Item = &'a str>) -> Names {
    Arc::new(StringArray::from_iter_values(texts))
}

/// A column of names by their places; `None` is null.
pub(super) fn named(keys: impl Into<Int32Array>, names: &Names) -> ArrayRef {
    let names: ArrayRef = Arc::clone(names) as ArrayRef;
    Arc::new(DictionaryArray::new(keys.into(), names))
}

/// One text in every row.
pub(super) fn repeated(text: &str, rows: usize) -> ArrayRef {
    named(vec![0; rows], &names([text]))
}

/// One text, or null, in every row.
pub(super) fn repeated_option(text: Option<&str>, rows: usize) -> ArrayRef {
    let key = text.map(|_| 0);
    named(vec![key; rows], &names([text.unwrap_or_default()]))
}

/// A place as a dictionary's key.
pub(super) fn key(place: usize) -> i32 {
    i32::try_from(place).expect("a part of a table has fewer than 2^31 rows")
}

pub(super) fn integers(values: Vec<i64>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

pub(super) fn instants(values: impl IntoIterator<Item = UtcMillis>) -> ArrayRef {
    let values = values.into_iter().map(|instant| instant.0);
    Arc::new(TimestampMillisecondArray::from_iter_values(values).with_timezone("UTC"))
}

pub(super) fn optional_instants(values: impl IntoIterator<Item = Option<UtcMillis>>) -> ArrayRef {
    let values = values.into_iter().map(|instant| instant.map(|at| at.0));
    let column: TimestampMillisecondArray = values.collect();
    Arc::new(column.with_timezone("UTC"))
}

pub(super) fn days(values: impl IntoIterator<Item = Option<UtcDay>>) -> ArrayRef {
    let values = values.into_iter().map(|day| day.map(|day| day.0));
    Arc::new(values.collect::<Date32Array>())
}

/// The columns of a table as a batch.
///
/// # Panics
/// When they are not those of the contract, in its order.
pub(super) fn batch<const N: usize>(
    table: &'static Table,
    columns: [(&'static str, ArrayRef); N],
) -> RecordBatch {
    assert!(
        columns
            .iter()
            .map(|(name, _)| *name)
            .eq(table.columns.iter().map(|column| column.name)),
        "the columns of {} are those of its contract",
        table.name
    );
    let fields = table
        .columns
        .iter()
        .zip(&columns)
        .map(|(column, (_, array))| {
            Field::new(column.name, array.data_type().clone(), column.nullable)
        });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(schema, arrays).expect("a part's columns have one length and their types")
}
