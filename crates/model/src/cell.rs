//! Typed cells: how a Rust value enters a column and comes out again.
//!
//! A table's row struct (declared by the `table!` macro of [`crate::contract`]) has one field per column, and each field's
//! type decides the column's kind and nullability through [`Cell`]. So a struct, its schema, its
//! writer and its reader cannot drift apart.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder,
    ListBuilder, MapBuilder, MapFieldNames, StringBuilder, StructBuilder,
    TimestampMillisecondBuilder,
};
use arrow::datatypes::{
    DataType, Date32Type, Field, Fields, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType,
};
use serde::{Deserialize, Serialize};

use crate::time::{UtcDay, UtcMillis};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A 64-bit signed integer.
    Int,
    /// A 64-bit float: shares and coordinates only, never a figure of the formula.
    Real,
    /// True or false.
    Flag,
    /// An instant, milliseconds, UTC.
    Instant,
    /// A UTC day.
    Day,
    /// A list of texts.
    Texts,
    /// Text by text key, in key order.
    TextMap,
    /// The targets of an event.
    Targets,
    /// Further keys of a person, with validity.
    Aliases,
}

impl Kind {
    /// The Arrow type in files.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Flag => DataType::Boolean,
            Self::Instant => instant_type(),
            Self::Day => DataType::Date32,
            Self::Texts => list_of(DataType::Utf8),
            Self::TextMap => DataType::Map(
                Arc::new(Field::new(
                    "key_value",
                    DataType::Struct(Fields::from(vec![
                        Field::new("key", DataType::Utf8, false),
                        Field::new("value", DataType::Utf8, true),
                    ])),
                    false,
                )),
                false,
            ),
            Self::Targets => list_of(DataType::Struct(target_fields())),
            Self::Aliases => list_of(DataType::Struct(alias_fields())),
        }
    }

    /// The type's name in the printed contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "int64",
            Self::Real => "float64",
            Self::Flag => "boolean",
            Self::Instant => "timestamp(ms, UTC)",
            Self::Day => "date",
            Self::Texts => "list<string>",
            Self::TextMap => "map<string, string>",
            Self::Targets => "list<struct<uid, type, name, display_name>>",
            Self::Aliases => "list<struct<key, valid_from, valid_to>>",
        }
    }
}

fn instant_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("element", item, true)))
}

fn target_fields() -> Fields {
    ["uid", "type", "name", "display_name"]
        .into_iter()
        .map(|name| Field::new(name, DataType::Utf8, true))
        .collect()
}

fn alias_fields() -> Fields {
    Fields::from(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("valid_from", instant_type(), true),
        Field::new("valid_to", instant_type(), true),
    ])
}

/// One object an event was about (`target[]` of an Okta event).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target<'a> {
    /// The source's id.
    pub uid: Option<Cow<'a, str>>,
    /// The source's own type name: `User`, `AppInstance`, ….
    #[serde(rename = "type")]
    pub kind: Option<Cow<'a, str>>,
    /// The source's alternate id: for a user, the login.
    pub name: Option<Cow<'a, str>>,
    /// The name shown to people.
    pub display_name: Option<Cow<'a, str>>,
}

/// A further key of a person, valid in the half-open span `[valid_from, valid_to)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Alias {
    /// A former or additional login or e-mail address.
    pub key: String,
    /// The first instant at which the key means this person; null = always did.
    pub valid_from: Option<UtcMillis>,
    /// The first instant at which it no longer does; null = still does.
    pub valid_to: Option<UtcMillis>,
}

/// The growing column of one [`Kind`].
#[derive(Debug)]
pub enum ColumnBuilder {
    /// Grows [`Kind::Text`].
    Text(StringBuilder),
    /// Grows [`Kind::Int`].
    Int(Int64Builder),
    /// Grows [`Kind::Real`].
    Real(Float64Builder),
    /// Grows [`Kind::Flag`].
    Flag(BooleanBuilder),
    /// Grows [`Kind::Instant`].
    Instant(TimestampMillisecondBuilder),
    /// Grows [`Kind::Day`].
    Day(Date32Builder),
    /// Grows [`Kind::Texts`].
    Texts(ListBuilder<StringBuilder>),
    /// Grows [`Kind::TextMap`].
    TextMap(Box<MapBuilder<StringBuilder, StringBuilder>>),
    /// Grows [`Kind::Targets`] and [`Kind::Aliases`].
    Structs(ListBuilder<StructBuilder>),
}

impl ColumnBuilder {
    /// An empty column.
    pub fn new(kind: Kind) -> Self {
        Self::with_capacity(kind, 1024)
    }

    /// An empty column with room for so many rows of short cells. What many small batches do not use
    /// of their room adds up.
    pub fn with_capacity(kind: Kind, rows: usize) -> Self {
        let text = || StringBuilder::with_capacity(rows, 16 * rows);
        let structs = |fields: Fields| {
            let item = Field::new("element", DataType::Struct(fields.clone()), true);
            let items = StructBuilder::from_fields(fields, 0);
            Self::Structs(ListBuilder::with_capacity(items, rows).with_field(item))
        };
        match kind {
            Kind::Text => Self::Text(text()),
            Kind::Int => Self::Int(Int64Builder::with_capacity(rows)),
            Kind::Real => Self::Real(Float64Builder::with_capacity(rows)),
            Kind::Flag => Self::Flag(BooleanBuilder::with_capacity(rows)),
            Kind::Instant => Self::Instant(
                TimestampMillisecondBuilder::with_capacity(rows).with_data_type(instant_type()),
            ),
            Kind::Day => Self::Day(Date32Builder::with_capacity(rows)),
            Kind::Texts => {
                let item = Field::new("element", DataType::Utf8, true);
                Self::Texts(ListBuilder::with_capacity(text(), rows).with_field(item))
            }
            Kind::TextMap => {
                let names = MapFieldNames {
                    entry: "key_value".to_owned(),
                    key: "key".to_owned(),
                    value: "value".to_owned(),
                };
                let map = MapBuilder::with_capacity(Some(names), text(), text(), rows);
                Self::TextMap(Box::new(map))
            }
            Kind::Targets => structs(target_fields()),
            Kind::Aliases => structs(alias_fields()),
        }
    }

    /// Appends a null.
    #[expect(
        clippy::missing_panics_doc,
        reason = "keys and values of a map grow together"
    )]
    pub fn append_null(&mut self) {
        match self {
            Self::Text(column) => column.append_null(),
            Self::Int(column) => column.append_null(),
            Self::Real(column) => column.append_null(),
            Self::Flag(column) => column.append_null(),
            Self::Instant(column) => column.append_null(),
            Self::Day(column) => column.append_null(),
            Self::Texts(column) => column.append(false),
            Self::TextMap(column) => {
                column
                    .append(false)
                    .expect("a map builder's keys and values grow together");
            }
            Self::Structs(column) => column.append(false),
        }
    }

    /// The column so far; the builder is empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Int(column) => Arc::new(column.finish()),
            Self::Real(column) => Arc::new(column.finish()),
            Self::Flag(column) => Arc::new(column.finish()),
            Self::Instant(column) => Arc::new(column.finish()),
            Self::Day(column) => Arc::new(column.finish()),
            Self::Texts(column) => Arc::new(column.finish()),
            Self::TextMap(column) => Arc::new(column.finish()),
            Self::Structs(column) => Arc::new(column.finish()),
        }
    }

    fn mismatch(&self) -> ! {
        panic!("a cell met a column builder of another kind: {self:?}")
    }
}

/// A Rust type that is one cell of a column.
pub trait Cell<'a>: Sized {
    /// What the column holds.
    const KIND: Kind;
    /// Whether the column may hold nulls.
    const NULLABLE: bool = false;

    /// Appends this cell.
    fn append(&self, column: &mut ColumnBuilder);

    /// Reads the cell at `row`. The column has the contract's type ([`crate::contract::Table::conform`])
    /// and the row is not null unless the type is an `Option`.
    fn read(column: &'a ArrayRef, row: usize) -> Self;
}

impl<'a, T: Cell<'a>> Cell<'a> for Option<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;

    fn append(&self, column: &mut ColumnBuilder) {
        match self {
            Some(cell) => cell.append(column),
            None => column.append_null(),
        }
    }

    fn read(column: &'a ArrayRef, row: usize) -> Self {
        column.is_valid(row).then(|| T::read(column, row))
    }
}

macro_rules! cell {
    ($type:ty, $kind:ident, $cell:ident, $column:ident => $append:expr, $array:ident, $row:ident => $read:expr) => {
        impl<'a> Cell<'a> for $type {
            const KIND: Kind = Kind::$kind;

            fn append(&self, builder: &mut ColumnBuilder) {
                let $cell = self;
                match builder {
                    ColumnBuilder::$kind($column) => $append,
                    other => other.mismatch(),
                }
            }

            fn read($array: &'a ArrayRef, $row: usize) -> Self {
                $read
            }
        }
    };
}

cell!(Cow<'a, str>, Text, cell, column => column.append_value(cell),
    array, row => Cow::Borrowed(array.as_string::<i32>().value(row)));
cell!(String, Text, cell, column => column.append_value(cell),
    array, row => array.as_string::<i32>().value(row).to_owned());
cell!(i64, Int, cell, column => column.append_value(*cell),
    array, row => array.as_primitive::<Int64Type>().value(row));
cell!(f64, Real, cell, column => column.append_value(*cell),
    array, row => array.as_primitive::<Float64Type>().value(row));
cell!(bool, Flag, cell, column => column.append_value(*cell),
    array, row => array.as_boolean().value(row));
cell!(UtcMillis, Instant, cell, column => column.append_value(cell.0),
    array, row => UtcMillis(array.as_primitive::<TimestampMillisecondType>().value(row)));
cell!(UtcDay, Day, cell, column => column.append_value(cell.0),
    array, row => UtcDay(array.as_primitive::<Date32Type>().value(row)));
cell!(Vec<Cow<'a, str>>, Texts, cell, column => {
        for text in cell {
            column.values().append_value(text);
        }
        column.append(true);
    },
    array, row => texts(array, row).map(Cow::Borrowed).collect());
cell!(Vec<String>, Texts, cell, column => {
        for text in cell {
            column.values().append_value(text);
        }
        column.append(true);
    },
    array, row => texts(array, row).map(str::to_owned).collect());
cell!(Vec<(Cow<'a, str>, Cow<'a, str>)>, TextMap, cell, column => {
    for (key, value) in cell {
        column.keys().append_value(key);
        column.values().append_value(value);
    }
    column.append(true).expect("a map builder's keys and values grow together");
},
array, row => {
    let map = array.as_map();
    let (keys, values) = (map.keys().as_string::<i32>(), map.values().as_string::<i32>());
    entries(map.value_offsets(), row)
        .filter(|&entry| values.is_valid(entry))
        .map(|entry| (Cow::Borrowed(keys.value(entry)), Cow::Borrowed(values.value(entry))))
        .collect()
});

impl<'a> Cell<'a> for Vec<Target<'a>> {
    const KIND: Kind = Kind::Targets;

    fn append(&self, column: &mut ColumnBuilder) {
        let ColumnBuilder::Structs(column) = column else {
            column.mismatch()
        };
        for target in self {
            let item = column.values();
            for (index, text) in [
                &target.uid,
                &target.kind,
                &target.name,
                &target.display_name,
            ]
            .into_iter()
            .enumerate()
            {
                item.field_builder::<StringBuilder>(index)
                    .expect("targets are built of four texts")
                    .append_option(text.as_deref());
            }
            item.append(true);
        }
        column.append(true);
    }

    fn read(column: &'a ArrayRef, row: usize) -> Self {
        let list = column.as_list::<i32>();
        let items = list.values().as_struct();
        let text = |field: usize, entry: usize| {
            let column = items.column(field).as_string::<i32>();
            column
                .is_valid(entry)
                .then(|| Cow::Borrowed(column.value(entry)))
        };
        entries(list.value_offsets(), row)
            .map(|entry| Target {
                uid: text(0, entry),
                kind: text(1, entry),
                name: text(2, entry),
                display_name: text(3, entry),
            })
            .collect()
    }
}

impl<'a> Cell<'a> for Vec<Alias> {
    const KIND: Kind = Kind::Aliases;

    fn append(&self, column: &mut ColumnBuilder) {
        let ColumnBuilder::Structs(column) = column else {
            column.mismatch()
        };
        for alias in self {
            let item = column.values();
            item.field_builder::<StringBuilder>(0)
                .expect("an alias starts with its key")
                .append_value(&alias.key);
            for (index, instant) in [(1, alias.valid_from), (2, alias.valid_to)] {
                item.field_builder::<TimestampMillisecondBuilder>(index)
                    .expect("an alias ends with two instants")
                    .append_option(instant.map(|instant| instant.0));
            }
            item.append(true);
        }
        column.append(true);
    }

    fn read(column: &'a ArrayRef, row: usize) -> Self {
        let list = column.as_list::<i32>();
        let items = list.values().as_struct();
        let instant = |field: usize, entry: usize| {
            let column = items
                .column(field)
                .as_primitive::<TimestampMillisecondType>();
            column
                .is_valid(entry)
                .then(|| UtcMillis(column.value(entry)))
        };
        entries(list.value_offsets(), row)
            .filter(|&entry| items.column(0).is_valid(entry))
            .map(|entry| Alias {
                key: items.column(0).as_string::<i32>().value(entry).to_owned(),
                valid_from: instant(1, entry),
                valid_to: instant(2, entry),
            })
            .collect()
    }
}

fn texts(array: &ArrayRef, row: usize) -> impl Iterator<Item = &str> {
    let list = array.as_list::<i32>();
    let values = list.values().as_string::<i32>();
    entries(list.value_offsets(), row)
        .filter(|&entry| values.is_valid(entry))
        .map(|entry| values.value(entry))
}

/// The positions of a row's entries in the flat child array.
fn entries(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| usize::try_from(offsets[index]).expect("Arrow offsets never sink");
    at(row)..at(row + 1)
}
