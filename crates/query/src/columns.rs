//! Typed columns of a batch. The store hands out batches in the types of the table's contract, so a
//! column that is not there or is something else is a fault of the caller.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMillisecondType};

/// A column by name.
fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    batch
        .column_by_name(name)
        .unwrap_or_else(|| panic!("{name} was asked for when the batch was read"))
}

/// A column of text that is no dictionary.
pub(crate) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> &'a StringArray {
    column(batch, name).as_string::<i32>()
}

/// A column of integers.
pub(crate) fn ints<'a>(batch: &'a RecordBatch, name: &str) -> &'a Int64Array {
    column(batch, name).as_primitive::<Int64Type>()
}

/// A column of floats.
pub(crate) fn reals<'a>(batch: &'a RecordBatch, name: &str) -> &'a Float64Array {
    column(batch, name).as_primitive::<Float64Type>()
}

/// A column of instants.
pub(crate) fn instants<'a>(batch: &'a RecordBatch, name: &str) -> &'a TimestampMillisecondArray {
    column(batch, name).as_primitive::<TimestampMillisecondType>()
}

/// A column of flags.
pub(crate) fn flags<'a>(batch: &'a RecordBatch, name: &str) -> &'a BooleanArray {
    column(batch, name).as_boolean()
}

/// A cell of text; null is none.
pub(crate) fn text(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

/// The texts of one cell of a column of lists; a null list is an empty one.
pub(crate) fn list(batch: &RecordBatch, name: &str, row: usize) -> Vec<String> {
    let lists = column(batch, name).as_list::<i32>();
    if lists.is_null(row) {
        return Vec::new();
    }
    let cell = lists.value(row);
    let texts = cell.as_string::<i32>();
    texts.iter().flatten().map(str::to_owned).collect()
}

/// A column of text that repeats, as a dictionary. What is asked of a text is asked once per value.
pub(crate) struct Repeated<'a> {
    keys: &'a [i32],
    column: &'a dyn Array,
    values: &'a StringArray,
}

impl<'a> Repeated<'a> {
    pub(crate) fn of(batch: &'a RecordBatch, name: &str) -> Self {
        let column = column(batch, name).as_dictionary::<Int32Type>();
        Self {
            keys: column.keys().values(),
            column,
            values: column.values().as_string::<i32>(),
        }
    }

    /// A cell; null is none.
    pub(crate) fn text(&self, row: usize) -> Option<&'a str> {
        self.place(row).map(|place| self.values.value(place))
    }

    /// For every row whether its text is as wanted; null never is.
    pub(crate) fn are(self, is_wanted: impl Fn(&str) -> bool) -> impl Fn(usize) -> bool {
        let wanted: Vec<bool> = (0..self.values.len())
            .map(|place| self.values.is_valid(place) && is_wanted(self.values.value(place)))
            .collect();
        move |row| self.place(row).is_some_and(|place| wanted[place])
    }

    fn place(&self, row: usize) -> Option<usize> {
        let place = usize::try_from(self.keys[row]).ok();
        place.filter(|&place| self.column.is_valid(row) && self.values.is_valid(place))
    }
}
