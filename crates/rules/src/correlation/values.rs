//! The values of fields as numbers: equal numbers exactly where the values are equal.

use std::borrow::Cow;
use std::hash::BuildHasher;

use arrow::array::{Array, Int32Array};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use rsigma_eval::EventValue;

use crate::columns::field::Field;
use crate::columns::frame::{Column, Frame};
use crate::columns::rows::{Rows, row_number};
use crate::detect::who::Who;

/// The number of what lacks a value.
pub(crate) const NONE: u32 = u32::MAX;

/// Texts and their numbers, which go by the order in which the texts came.
#[derive(Default)]
pub(super) struct Texts<'a> {
    /// By number.
    listed: Vec<Cow<'a, str>>,
    /// Hash and number of every text.
    known: HashTable<(u64, u32)>,
    hasher: DefaultHashBuilder,
}

impl<'a> Texts<'a> {
    /// The number of a text, a new one if it was not there.
    pub(super) fn number(&mut self, text: Cow<'a, str>) -> u32 {
        let hash = self.hasher.hash_one(text.as_ref());
        let listed = &self.listed;
        let is_it =
            |&(known, number): &(u64, u32)| known == hash && listed[number as usize] == text;
        if let Some(&(_, number)) = self.known.find(hash, is_it) {
            return number;
        }
        let number = row_number(self.listed.len());
        self.listed.push(text);
        self.known
            .insert_unique(hash, (hash, number), |(hash, _)| *hash);
        number
    }

    /// The text of a number.
    pub(super) fn text(&self, number: u32) -> &str {
        &self.listed[number as usize]
    }

    /// Numbers are below this.
    pub(super) fn count(&self) -> usize {
        self.listed.len()
    }
}

/// One number per row.
pub(super) enum OfRows<'a> {
    /// By place in a dictionary.
    Dictionary(&'a Int32Array, Vec<u32>),
    /// By row.
    Rows(Vec<u32>),
}

impl<'a> OfRows<'a> {
    /// The tenants of a batch. Foreign files may hide a null; it reads as empty.
    pub(super) fn tenants(frame: &'a Frame, texts: &mut Texts<'a>) -> Self {
        let (keys, values) = frame.dictionary("tenant_uid");
        let text = |text: Option<&'a str>| Cow::Borrowed(text.unwrap_or_default());
        let numbers: Vec<u32> = values
            .iter()
            .map(|value| texts.number(text(value)))
            .collect();
        if keys.null_count() == 0 {
            return Self::Dictionary(keys, numbers);
        }
        let empty = texts.number(Cow::Borrowed(""));
        let place = |key: Option<i32>| key.and_then(|key| usize::try_from(key).ok());
        let number = |key| place(key).map_or(empty, |place| numbers[place]);
        Self::Rows(keys.iter().map(number).collect())
    }

    /// Reads a field at some rows; also which of them have a person lent to them.
    pub(super) fn read(
        frame: &'a Frame,
        who: &Who<'a>,
        field: &'a Field,
        rows: &Rows,
        texts: &mut Texts<'a>,
    ) -> (Self, Vec<u32>) {
        let mut lent = Vec::new();
        if field.is_subject() {
            let mut runs = Runs::new(texts);
            let numbers = by_row(frame, rows, |row| {
                let (reference, since) = who.subject(row)?;
                if since.is_some() {
                    lent.push(row_number(row));
                }
                Some(runs.number(reference))
            });
            return (Self::Rows(numbers), lent);
        }
        let numbers = match frame.column(field) {
            Column::Dictionary(keys, values) => {
                let number = |text: Option<&'a str>| {
                    text.map_or(NONE, |text| texts.number(Cow::Borrowed(text)))
                };
                let numbers = values.iter().map(number).collect();
                return (Self::Dictionary(keys, numbers), lent);
            }
            Column::Int(column) => {
                let mut known: HashMap<i64, u32> = HashMap::new();
                by_row(frame, rows, |row| {
                    let value = column.is_valid(row).then(|| column.value(row))?;
                    let text = || texts.number(Cow::Owned(value.to_string()));
                    Some(*known.entry(value).or_insert_with(text))
                })
            }
            column => {
                let mut runs = Runs::new(texts);
                by_row(frame, rows, |row| match column.value(row)? {
                    EventValue::Str(text) => Some(runs.number(text)),
                    value => {
                        let mut text = String::new();
                        push_value(&value, &mut text)?;
                        Some(runs.number(Cow::Owned(text)))
                    }
                })
            }
        };
        (Self::Rows(numbers), lent)
    }

    /// The row's number; [`NONE`] when it lacks a value.
    pub(super) fn number(&self, row: usize) -> u32 {
        match self {
            Self::Dictionary(keys, numbers) => {
                if keys.is_null(row) {
                    return NONE;
                }
                usize::try_from(keys.value(row)).map_or(NONE, |place| numbers[place])
            }
            Self::Rows(numbers) => numbers[row],
        }
    }
}

fn by_row(frame: &Frame, rows: &Rows, mut number: impl FnMut(usize) -> Option<u32>) -> Vec<u32> {
    let mut numbers = vec![NONE; frame.len()];
    for row in rows.iter() {
        numbers[row] = number(row).unwrap_or(NONE);
    }
    numbers
}

/// Numbers for texts of rows that are sorted, so that equal ones come in runs.
struct Runs<'t, 'a> {
    texts: &'t mut Texts<'a>,
    last: Option<(&'a str, u32)>,
}

impl<'t, 'a> Runs<'t, 'a> {
    fn new(texts: &'t mut Texts<'a>) -> Self {
        Self { texts, last: None }
    }

    fn number(&mut self, text: Cow<'a, str>) -> u32 {
        if let Some((last, number)) = self.last
            && last == text
        {
            return number;
        }
        let borrowed = match &text {
            Cow::Borrowed(text) => Some(*text),
            Cow::Owned(_) => None,
        };
        let number = self.texts.number(text);
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
