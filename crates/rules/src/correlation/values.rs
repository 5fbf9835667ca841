//! The values of one field as numbers: equal numbers exactly where the values are equal.

use std::borrow::Cow;

use arrow::array::{Array, Int32Array, StringArray};
use hashbrown::{HashMap, HashSet};
use rsigma_eval::EventValue;

use crate::columns::field::Field;
use crate::columns::frame::{Column, Frame};
use crate::columns::rows::{Rows, row_number};
use crate::detect::who::Who;

/// The number of a row that lacks a value.
pub(super) const NONE: u32 = u32::MAX;

/// The places of a dictionary, equal values under one of them.
pub(super) struct Places<'a> {
    keys: &'a Int32Array,
    numbers: Vec<u32>,
}

impl<'a> Places<'a> {
    /// `null` stands for a null among the values, if it is a value at all.
    fn of(keys: &'a Int32Array, values: &'a StringArray, null: Option<&'a str>) -> Self {
        let mut first: HashMap<&str, u32> = HashMap::with_capacity(values.len());
        let mut number = |place: usize| {
            let text = if values.is_valid(place) {
                Some(values.value(place))
            } else {
                null
            };
            text.map_or(NONE, |text| *first.entry(text).or_insert(row_number(place)))
        };
        let numbers = (0..values.len()).map(&mut number).collect();
        Self { keys, numbers }
    }

    fn number(&self, row: usize) -> u32 {
        if self.keys.is_null(row) {
            return NONE;
        }
        usize::try_from(self.keys.value(row)).map_or(NONE, |place| self.numbers[place])
    }
}

/// The tenants of a batch. Foreign files may hide a null; it reads as empty.
pub(super) struct Tenants<'a> {
    places: Places<'a>,
    empty: u32,
    /// Numbers are below this.
    pub(super) count: usize,
}

impl<'a> Tenants<'a> {
    pub(super) fn of(frame: &'a Frame) -> Self {
        let (keys, values) = frame.dictionary("tenant_uid");
        let places = Places::of(keys, values, Some(""));
        let is_empty = |place: &usize| values.is_null(*place) || values.value(*place).is_empty();
        let empty = (0..values.len()).find(is_empty).unwrap_or(values.len());
        Self {
            places,
            empty: row_number(empty),
            count: values.len() + 1,
        }
    }

    pub(super) fn number(&self, row: usize) -> u32 {
        match self.places.number(row) {
            NONE => self.empty,
            number => number,
        }
    }
}

/// One number per value of a field.
pub(super) enum OfField<'a> {
    Dictionary(Places<'a>),
    /// By row.
    Rows(Vec<u32>),
}

impl<'a> OfField<'a> {
    /// Reads a field at some rows, and which of them have a person lent to them.
    pub(super) fn read(
        frame: &'a Frame,
        who: &Who<'_>,
        field: &'a Field,
        rows: &Rows,
    ) -> (Self, HashSet<u32>) {
        let mut lent = HashSet::new();
        let mut numbers = vec![NONE; frame.len()];
        if field.is_subject() {
            let mut values = Values::default();
            for row in rows.iter() {
                if let Some((reference, since)) = who.subject(row) {
                    numbers[row] = values.number(reference);
                    if since.is_some() {
                        lent.insert(row_number(row));
                    }
                }
            }
            return (Self::Rows(numbers), lent);
        }
        match frame.column(field) {
            Column::Dictionary(keys, values) => {
                return (Self::Dictionary(Places::of(keys, values, None)), lent);
            }
            Column::Int(column) => {
                let mut known: HashMap<i64, u32> = HashMap::new();
                for row in rows.iter().filter(|&row| column.is_valid(row)) {
                    let next = row_number(known.len());
                    numbers[row] = *known.entry(column.value(row)).or_insert(next);
                }
            }
            column => {
                let mut values = Values::default();
                for row in rows.iter() {
                    numbers[row] = match column.value(row) {
                        Some(EventValue::Str(text)) => values.number(text),
                        Some(value) => {
                            let mut text = String::new();
                            let written = push_value(&value, &mut text);
                            written.map_or(NONE, |()| values.number(Cow::Owned(text)))
                        }
                        None => NONE,
                    };
                }
            }
        }
        (Self::Rows(numbers), lent)
    }

    pub(super) fn number(&self, row: usize) -> u32 {
        match self {
            Self::Dictionary(places) => places.number(row),
            Self::Rows(numbers) => numbers[row],
        }
    }
}

/// Numbers for texts, in the order in which they come.
#[derive(Default)]
struct Values<'t> {
    known: HashMap<Cow<'t, str>, u32>,
    /// Sorted rows come in runs.
    last: Option<(&'t str, u32)>,
}

impl<'t> Values<'t> {
    fn number(&mut self, text: Cow<'t, str>) -> u32 {
        if let Some((last, number)) = self.last
            && last == text
        {
            return number;
        }
        let next = row_number(self.known.len());
        let borrowed = match &text {
            Cow::Borrowed(text) => Some(*text),
            Cow::Owned(_) => None,
        };
        let known = self.known.get(text.as_ref()).copied();
        let number = known.unwrap_or_else(|| {
            self.known.insert(text, next);
            next
        });
        self.last = borrowed.map(|text| (text, number));
        number
    }
}

/// A value as text; none for what is no one value.
pub(super) fn push_value(value: &EventValue<'_>, text: &mut String) -> Option<()> {
    use std::fmt::Write;
    match value {
        EventValue::Str(value) => text.push_str(value),
        EventValue::Int(value) => write!(text, "{value}").ok()?,
        EventValue::Float(value) => write!(text, "{value}").ok()?,
        EventValue::Bool(value) => write!(text, "{value}").ok()?,
        _ => return None,
    }
    Some(())
}
