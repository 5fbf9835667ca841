//! Columns of a batch as the values that Sigma's matchers ask for.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use af_model::UtcMillis;
use af_model::contract::ContractError;
use af_model::tables::identity_events::TABLE;
use arrow::array::{
    Array, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, ListArray, MapArray,
    RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use rsigma_eval::EventValue;

use crate::columns::codes::{Codes, flags_where};
use crate::columns::field::{Field, FieldEntry, Read};
use crate::columns::groups::Groups;
use crate::columns::memo::Memo;
use crate::columns::own_network::OwnNetworks;
use crate::columns::rows::Rows;
use crate::error::Error;

/// The column by which most rules choose their rows.
const EVENT_TYPE: &str = "metadata_event_code";

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
    /// The first column's text, where it has none the second's.
    Either(Box<[Column<'a>; 2]>),
}

impl<'a> Column<'a> {
    /// The row's value.
    pub(crate) fn value(&self, row: usize) -> Option<EventValue<'a>> {
        match self {
            Self::Dictionary(..) | Self::Text(_) | Self::Either(_) => {
                self.text(row).map(text_value)
            }
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
            Self::Debug(details, key) => details.find(row, key).map(text_value),
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
            Self::Either(columns) => columns.iter().find_map(|column| column.text(row)),
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

    /// The first value of a key in a row. Most keys differ in their lengths, which are at hand.
    pub(crate) fn find(self, row: usize, key: &str) -> Option<&'a str> {
        if self.map.is_null(row) {
            return None;
        }
        let range = entries(self.map.value_offsets(), row);
        let bounds = &self.keys.value_offsets()[range.start..=range.end];
        let text = self.keys.value_data();
        for (place, bound) in bounds.windows(2).enumerate() {
            let (from, to) = (offset(bound[0]), offset(bound[1]));
            let entry = range.start + place;
            if to - from == key.len()
                && &text[from..to] == key.as_bytes()
                && self.values.is_valid(entry)
            {
                return Some(self.values.value(entry));
            }
        }
        None
    }
}

pub(crate) fn text_value(text: &str) -> EventValue<'_> {
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

/// The words of risk levels, by the numbers that columns hold, less one.
pub(crate) const LEVEL_WORDS: [&str; 3] = ["low", "medium", "high"];

/// The place of a number's word.
pub(crate) fn level_place(number: i64) -> Option<usize> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    (place < LEVEL_WORDS.len()).then_some(place)
}

fn level_word(column: &Int64Array, row: usize) -> Option<&'static str> {
    let number = column.is_valid(row).then(|| column.value(row))?;
    level_place(number).map(|place| LEVEL_WORDS[place])
}

/// The positions of a row's entries in the flat child array.
fn entries(offsets: &[i32], row: usize) -> Range<usize> {
    offset(offsets[row])..offset(offsets[row + 1])
}

fn offset(offset: i32) -> usize {
    usize::try_from(offset).expect("Arrow offsets never sink")
}

/// A batch of events in scan schema, and what rules have asked about it.
pub(crate) struct Frame {
    batch: RecordBatch,
    memo: Memo,
    own_networks: OwnNetworks,
    /// Whether each row's address is in a network of its tenant's own; made when it is asked for.
    is_own_network: OnceLock<BooleanArray>,
}

impl Frame {
    /// Brings anybody's batch into the scan schema.
    pub(crate) fn new(events: &RecordBatch) -> Result<Self, Error> {
        Self::conformed(TABLE.conform_for_scan(events))
    }

    /// Brings some columns of anybody's batch into the scan schema; nobody may ask for others.
    pub(crate) fn of_columns(events: &RecordBatch, columns: &[&str]) -> Result<Self, Error> {
        Self::conformed(TABLE.conform_columns(events, columns, true))
    }

    fn conformed(batch: Result<RecordBatch, ContractError>) -> Result<Self, Error> {
        let batch = batch.map_err(|error| Error::broken_table(&error))?;
        Ok(Self {
            batch,
            memo: Memo::default(),
            own_networks: OwnNetworks::default(),
            is_own_network: OnceLock::new(),
        })
    }

    /// The same rows with the networks that are their tenants' own.
    pub(crate) fn with_own_networks(mut self, networks: OwnNetworks) -> Self {
        self.own_networks = networks;
        self.is_own_network = OnceLock::new();
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    pub(crate) fn memo(&self) -> &Memo {
        &self.memo
    }

    /// The distinct event types of the batch, by their place in the dictionary; some may have no row.
    pub(crate) fn event_types(&self) -> &StringArray {
        self.dictionary(EVENT_TYPE).1
    }

    /// The rows by the place of their event type in [`Frame::event_types`].
    pub(crate) fn rows_by_type(&self) -> Arc<Groups> {
        self.groups(EVENT_TYPE)
    }

    /// Rows whose event type is chosen; `chosen` goes by place in [`Frame::event_types`].
    pub(crate) fn rows_of_types(&self, chosen: &[bool]) -> Arc<Rows> {
        let (keys, values) = self.dictionary(EVENT_TYPE);
        self.rows_where(EVENT_TYPE, &Codes::Keys(keys, values), chosen, false)
    }

    /// The rows by the place of their value in the dictionary of a column that repeats.
    pub(crate) fn groups(&self, name: &'static str) -> Arc<Groups> {
        let (keys, values) = self.dictionary(name);
        self.groups_of(name, &Codes::Keys(keys, values))
    }

    /// The rows by the code of their value in the column of that name.
    pub(crate) fn groups_of(&self, name: &'static str, codes: &Codes<'_>) -> Arc<Groups> {
        self.memo.groups.get(name, || codes.groups())
    }

    /// The rows whose code in the column of that name is chosen, and, if `absent`, those without.
    pub(crate) fn rows_where(
        &self,
        name: &'static str,
        codes: &Codes<'_>,
        chosen: &[bool],
        absent: bool,
    ) -> Arc<Rows> {
        let key = (name, absent, chosen.to_vec());
        self.memo.chosen.get(key, || match codes {
            Codes::Flag(flags) => flags_where(flags, chosen, absent),
            _ => self.groups_of(name, codes).rows_where(chosen, absent),
        })
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
        match field {
            Field::Debug(key) => Column::Debug(self.details(), key),
            Field::Column(entry) => self.entry_column(entry),
        }
    }

    /// What a field of the table reads.
    pub(crate) fn entry_column(&self, entry: &FieldEntry) -> Column<'_> {
        let array = self.array(entry.column);
        match entry.read {
            Read::Text => self.text_column(entry.column),
            Read::Attempt => {
                let columns = [entry.column, "metadata_uid"];
                Column::Either(Box::new(columns.map(|name| self.text_column(name))))
            }
            Read::Flag => Column::Flag(array.as_boolean()),
            Read::OwnNetwork => Column::Flag(
                self.is_own_network
                    .get_or_init(|| self.own_networks.of_rows(self)),
            ),
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
