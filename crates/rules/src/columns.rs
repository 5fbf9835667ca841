//! Columns of a batch as the values that Sigma's matchers ask for.

use std::borrow::Cow;
use std::ops::Range;

use af_model::UtcMillis;
use af_model::tables::identity_events::TABLE;
use arrow::array::{
    Array, AsArray, BooleanArray, BooleanBufferBuilder, Float64Array, Int32Array, Int64Array,
    ListArray, MapArray, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use rsigma_eval::EventValue;

use crate::error::Error;
use crate::field::{Field, Read};

/// One column, ready to be asked for a row's value. `None` is a null, an empty list, or a key that
/// the map of details does not have: for a rule, the field is absent.
pub(crate) enum Column<'a> {
    Dictionary(&'a Int32Array, &'a StringArray),
    Text(&'a StringArray),
    Flag(&'a BooleanArray),
    Int(&'a Int64Array),
    Real(&'a Float64Array),
    Level(&'a Int64Array),
    Instant(&'a TimestampMillisecondArray),
    Texts(&'a ListArray, &'a StringArray),
    Target(&'a ListArray, &'a StringArray),
    Keys(&'a MapArray, &'a StringArray),
    Debug(Details<'a>, &'a str),
}

impl<'a> Column<'a> {
    /// The row's value.
    pub(crate) fn value(&self, row: usize) -> Option<EventValue<'a>> {
        match self {
            Self::Dictionary(..) | Self::Text(_) => self.text(row).map(text_value),
            Self::Flag(column) => column
                .is_valid(row)
                .then(|| EventValue::Bool(column.value(row))),
            Self::Int(column) => column
                .is_valid(row)
                .then(|| EventValue::Int(column.value(row))),
            // JSON, the yardstick of our evaluation, knows no infinity.
            Self::Real(column) => (column.is_valid(row) && column.value(row).is_finite())
                .then(|| EventValue::Float(column.value(row))),
            Self::Level(column) => level_word(column, row).map(text_value),
            Self::Instant(column) => column
                .is_valid(row)
                .then(|| EventValue::Str(Cow::Owned(UtcMillis(column.value(row)).to_string()))),
            Self::Texts(list, items) => listed(texts(list, items, row)),
            Self::Target(list, items) => {
                let structs = list.values();
                listed(
                    entries(list.value_offsets(), row)
                        .filter(|_| list.is_valid(row))
                        .filter(|&entry| structs.is_valid(entry) && items.is_valid(entry))
                        .map(|entry| items.value(entry)),
                )
            }
            Self::Keys(map, keys) => listed(
                entries(map.value_offsets(), row)
                    .filter(|_| map.is_valid(row))
                    .map(|entry| keys.value(entry)),
            ),
            Self::Debug(details, key) => details
                .of_row(row)
                .find(|(found, _)| found == key)
                .map(|(_, value)| text_value(value)),
        }
    }

    /// The row's text; `None` for nulls and for columns of another kind.
    pub(crate) fn text(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Dictionary(keys, values) => {
                if keys.is_null(row) {
                    return None;
                }
                let place = usize::try_from(keys.value(row)).ok()?;
                values.is_valid(place).then(|| values.value(place))
            }
            Self::Text(column) => column.is_valid(row).then(|| column.value(row)),
            Self::Level(column) => level_word(column, row),
            _ => None,
        }
    }
}

/// The map of details, for one key or for all.
#[derive(Clone, Copy)]
pub(crate) struct Details<'a> {
    map: &'a MapArray,
    keys: &'a StringArray,
    values: &'a StringArray,
}

impl<'a> Details<'a> {
    /// Keys and values of a row in the map's order, null values left out.
    pub(crate) fn of_row(self, row: usize) -> impl Iterator<Item = (&'a str, &'a str)> {
        entries(self.map.value_offsets(), row)
            .filter(move |&entry| self.map.is_valid(row) && self.values.is_valid(entry))
            .map(move |entry| (self.keys.value(entry), self.values.value(entry)))
    }
}

fn text_value(text: &str) -> EventValue<'_> {
    EventValue::Str(Cow::Borrowed(text))
}

fn listed<'a>(texts: impl Iterator<Item = &'a str>) -> Option<EventValue<'a>> {
    let values: Vec<EventValue<'a>> = texts.map(text_value).collect();
    (!values.is_empty()).then_some(EventValue::Array(values))
}

fn texts<'a>(
    list: &'a ListArray,
    items: &'a StringArray,
    row: usize,
) -> impl Iterator<Item = &'a str> {
    entries(list.value_offsets(), row)
        .filter(move |&entry| list.is_valid(row) && items.is_valid(entry))
        .map(move |entry| items.value(entry))
}

fn level_word(column: &Int64Array, row: usize) -> Option<&'static str> {
    if column.is_null(row) {
        return None;
    }
    match column.value(row) {
        1 => Some("low"),
        2 => Some("medium"),
        3 => Some("high"),
        _ => None,
    }
}

/// The positions of a row's entries in the flat child array.
fn entries(offsets: &[i32], row: usize) -> Range<usize> {
    let at = |index: usize| usize::try_from(offsets[index]).expect("Arrow offsets never sink");
    at(row)..at(row + 1)
}

/// A batch of events in scan schema, and its rows grouped by event type.
pub(crate) struct Frame {
    batch: RecordBatch,
    /// Rows sorted by the place of their event type in the dictionary.
    rows_by_type: Vec<u32>,
    /// Where each event type's rows begin in `rows_by_type`; one more than there are types.
    starts: Vec<usize>,
}

impl Frame {
    /// Brings anybody's batch into the scan schema and groups its rows by event type.
    pub(crate) fn new(events: &RecordBatch) -> Result<Self, Error> {
        let batch = TABLE
            .conform_for_scan(events)
            .map_err(|error| Error::broken_table(&error))?;
        let mut frame = Self {
            batch,
            rows_by_type: Vec::new(),
            starts: Vec::new(),
        };
        let (keys, values) = frame.dictionary("metadata_event_code");
        let place = |row: usize| usize::try_from(keys.value(row)).unwrap_or(0);
        let mut starts = vec![0_usize; values.len() + 1];
        for row in 0..keys.len() {
            starts[place(row) + 1] += 1;
        }
        for next in 1..starts.len() {
            starts[next] += starts[next - 1];
        }
        let mut free = starts.clone();
        let mut rows = vec![0_u32; keys.len()];
        for row in 0..keys.len() {
            let slot = &mut free[place(row)];
            rows[*slot] = u32::try_from(row).expect("a batch has fewer rows than 2^32");
            *slot += 1;
        }
        frame.rows_by_type = rows;
        frame.starts = starts;
        Ok(frame)
    }

    pub(crate) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// The distinct event types of the batch, by their place in the dictionary; some may have no row.
    pub(crate) fn event_types(&self) -> &StringArray {
        self.dictionary("metadata_event_code").1
    }

    /// Rows whose event type is chosen; `chosen` goes by place in [`Frame::event_types`].
    pub(crate) fn rows_of_types(&self, chosen: &[bool]) -> BooleanBuffer {
        let mut rows = BooleanBufferBuilder::new(self.len());
        rows.append_n(self.len(), false);
        for (place, _) in chosen.iter().enumerate().filter(|(_, chosen)| **chosen) {
            for &row in &self.rows_by_type[self.starts[place]..self.starts[place + 1]] {
                rows.set_bit(row as usize, true);
            }
        }
        rows.finish()
    }

    /// The rows of one event type, ascending.
    pub(crate) fn rows_of_type(&self, place: usize) -> &[u32] {
        &self.rows_by_type[self.starts[place]..self.starts[place + 1]]
    }

    /// Keys and values of a column that repeats.
    pub(crate) fn dictionary(&self, name: &str) -> (&Int32Array, &StringArray) {
        let column = self.array(name).as_dictionary::<Int32Type>();
        (column.keys(), column.values().as_string::<i32>())
    }

    fn array(&self, name: &str) -> &dyn Array {
        self.batch
            .column_by_name(name)
            .expect("a conformed batch has every column of its table")
    }

    /// A column of texts by its name in the table.
    pub(crate) fn text_column(&self, name: &str) -> Column<'_> {
        let array = self.array(name);
        match array.data_type() {
            DataType::Dictionary(..) => {
                let (keys, values) = self.dictionary(name);
                Column::Dictionary(keys, values)
            }
            _ => Column::Text(array.as_string::<i32>()),
        }
    }

    /// A column of whole numbers by its name in the table.
    pub(crate) fn int_column(&self, name: &str) -> &Int64Array {
        self.array(name).as_primitive::<Int64Type>()
    }

    /// A column of instants by its name in the table.
    pub(crate) fn instant_column(&self, name: &str) -> &TimestampMillisecondArray {
        self.array(name).as_primitive::<TimestampMillisecondType>()
    }

    /// The map of details.
    pub(crate) fn details(&self) -> Details<'_> {
        let map = self.array("debug_data").as_map();
        Details {
            map,
            keys: map.keys().as_string::<i32>(),
            values: map.values().as_string::<i32>(),
        }
    }

    /// What a field of a rule reads.
    pub(crate) fn column<'a>(&'a self, field: &'a Field) -> Column<'a> {
        let entry = match field {
            Field::Debug(key) => return Column::Debug(self.details(), key),
            Field::Column(entry) => entry,
        };
        let array = self.array(entry.column);
        match entry.read {
            Read::Text => self.text_column(entry.column),
            Read::Flag => Column::Flag(array.as_boolean()),
            Read::Int => Column::Int(array.as_primitive()),
            Read::Real => Column::Real(array.as_primitive::<Float64Type>()),
            Read::Level => Column::Level(array.as_primitive()),
            Read::Instant => Column::Instant(array.as_primitive()),
            Read::Texts | Read::Chain => {
                let list = array.as_list::<i32>();
                Column::Texts(list, list.values().as_string::<i32>())
            }
            Read::Keys => {
                let map = array.as_map();
                Column::Keys(map, map.keys().as_string::<i32>())
            }
            Read::Target(place) => {
                let list = array.as_list::<i32>();
                let items = list.values().as_struct().column(place);
                Column::Target(list, items.as_string::<i32>())
            }
        }
    }
}

impl Frame {
    /// Id, type, name and shown name of each target of a row.
    pub(crate) fn targets_of_row(&self, row: usize) -> impl Iterator<Item = [Option<&str>; 4]> {
        let list = self.array("targets").as_list::<i32>();
        let structs = list.values().as_struct();
        let range = if list.is_valid(row) {
            entries(list.value_offsets(), row)
        } else {
            0..0
        };
        range.filter(|&entry| structs.is_valid(entry)).map(|entry| {
            [0, 1, 2, 3].map(|place| {
                let texts = structs.column(place).as_string::<i32>();
                texts.is_valid(entry).then(|| texts.value(entry))
            })
        })
    }
}
