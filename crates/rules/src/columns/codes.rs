//! Columns of few distinct values, each value with a code.

use arrow::array::{Array, BooleanArray, Int32Array, Int64Array, StringArray};
use arrow::buffer::NullBuffer;
use hashbrown::HashMap;
use rsigma_eval::EventValue;

use crate::columns::field::FieldEntry;
use crate::columns::frame::{Column, LEVEL_WORDS, level_place, text_value};
use crate::columns::groups::Groups;
use crate::columns::rows::Rows;

/// A column whose rows repeat few values: a question about a value is answered once for all rows
/// that have it.
pub(crate) enum Codes<'a> {
    /// A dictionary; the code is the key.
    Keys(&'a Int32Array, &'a StringArray),
    /// Codes 0 and 1 are false and true.
    Flag(&'a BooleanArray),
    /// Codes 0, 1, 2 are low, medium, high.
    Level(&'a Int64Array),
}

impl<'a> Codes<'a> {
    /// The codes of a column, if it has such.
    pub(crate) fn of(column: &Column<'a>) -> Option<Self> {
        match column {
            Column::Dictionary(keys, values) => Some(Self::Keys(keys, values)),
            Column::Flag(flags) => Some(Self::Flag(flags)),
            Column::Level(levels) => Some(Self::Level(levels)),
            _ => None,
        }
    }

    /// By which name row sets of these codes are remembered: a flag may be made of a column that has
    /// codes of its own.
    pub(crate) fn name(&self, entry: &FieldEntry) -> &'static str {
        match self {
            Self::Flag(_) => entry.path,
            _ => entry.column,
        }
    }

    /// How many codes there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Keys(_, values) => values.len(),
            Self::Flag(_) => 2,
            Self::Level(_) => LEVEL_WORDS.len(),
        }
    }

    /// The row's code; none when it has no value.
    pub(crate) fn of_row(&self, row: usize) -> Option<usize> {
        match self {
            Self::Keys(keys, _) => keys.is_valid(row).then(|| key_code(keys.value(row))),
            Self::Flag(flags) => flags.is_valid(row).then(|| usize::from(flags.value(row))),
            Self::Level(levels) => levels
                .is_valid(row)
                .then(|| level_place(levels.value(row)))
                .flatten(),
        }
    }

    /// What the code stands for. Dictionaries may hide a null behind a key; the field is absent then.
    pub(crate) fn value(&self, code: usize) -> Option<EventValue<'a>> {
        match self {
            Self::Keys(_, values) => values
                .is_valid(code)
                .then(|| text_value(values.value(code))),
            Self::Flag(_) => Some(EventValue::Bool(code == 1)),
            Self::Level(_) => Some(text_value(LEVEL_WORDS[code])),
        }
    }

    /// The rows by code. A value that stands several times in a dictionary, as after putting batches
    /// together, has all its rows under its first place.
    pub(crate) fn groups(&self) -> Groups {
        match self {
            Self::Keys(keys, values) => {
                let (of, count) = (keys.len(), values.len());
                let keys_of_rows = keys.values();
                match (keys.nulls(), first_places(values)) {
                    // The common case, kept free of questions.
                    (None, None) => Groups::new(of, count, || {
                        keys_of_rows.iter().map(|&key| key_code(key)).enumerate()
                    }),
                    (nulls, same) => {
                        let same = same.unwrap_or_else(|| (0..count).collect());
                        grouped(of, count, nulls, |row| {
                            Some(same[key_code(keys_of_rows[row])])
                        })
                    }
                }
            }
            Self::Flag(flags) => grouped(flags.len(), 2, flags.nulls(), |row| {
                Some(usize::from(flags.value(row)))
            }),
            Self::Level(levels) => {
                let values = levels.values();
                grouped(levels.len(), LEVEL_WORDS.len(), levels.nulls(), |row| {
                    level_place(values[row])
                })
            }
        }
    }
}

/// The rows whose flag is chosen (false, true), and, if `absent`, those without one.
pub(crate) fn flags_where(flags: &BooleanArray, chosen: &[bool], absent: bool) -> Rows {
    let mask = |wanted: bool| if wanted { u64::MAX } else { 0 };
    let (off, on, none) = (mask(chosen[0]), mask(chosen[1]), mask(absent));
    let word =
        |value: u64, valid: u64| (value & valid & on) | (!value & valid & off) | (!valid & none);
    let values = flags.values().bit_chunks();
    let mut words: Vec<u64> = match flags.nulls() {
        None => values
            .iter_padded()
            .map(|value| word(value, u64::MAX))
            .collect(),
        Some(nulls) => {
            let valid = nulls.inner().bit_chunks();
            let both = values.iter_padded().zip(valid.iter_padded());
            both.map(|(value, valid)| word(value, valid)).collect()
        }
    };
    // The padding may be a whole word more than the rows need.
    words.truncate(flags.len().div_ceil(64));
    Rows::from_words(flags.len(), words)
}

fn grouped(
    of: usize,
    count: usize,
    nulls: Option<&NullBuffer>,
    code: impl Fn(usize) -> Option<usize> + Copy,
) -> Groups {
    let coded = move |row: usize| Some((row, code(row)?));
    match nulls {
        None => Groups::new(of, count, || (0..of).filter_map(coded)),
        Some(nulls) => Groups::new(of, count, || nulls.valid_indices().filter_map(coded)),
    }
}

/// For every place of a dictionary the first place with the same value; none when all differ.
fn first_places(values: &StringArray) -> Option<Vec<usize>> {
    let mut first: HashMap<&str, usize> = HashMap::with_capacity(values.len());
    let same: Vec<usize> = (0..values.len())
        .map(|place| {
            if values.is_null(place) {
                return place;
            }
            *first.entry(values.value(place)).or_insert(place)
        })
        .collect();
    let all_differ = same
        .iter()
        .enumerate()
        .all(|(place, &first)| place == first);
    (!all_differ).then_some(same)
}

fn key_code(key: i32) -> usize {
    usize::try_from(key).expect("dictionary keys never sink")
}
