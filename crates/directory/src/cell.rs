//! One row of a foreign file on its way to becoming a person.

use af_model::UtcMillis;
use af_model::cell::Alias;

use crate::field::Field;

/// A value as its format gave it. Absent values have no cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Texts(Vec<String>),
    Flag(bool),
    Instant(UtcMillis),
    Aliases(Vec<Alias>),
    /// A value of a type that no field has, such as an object.
    Foreign,
    /// Bytes that are no UTF-8.
    NotUtf8,
}

impl Cell {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::NotUtf8,
        }
    }
}

/// The cells of one row by field.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    single: [Option<Cell>; Field::ALL.len()],
    /// Aliases may come from several columns.
    pub(crate) aliases: Vec<Cell>,
}

impl Fields {
    /// Sets a field. Blank text is absence.
    pub(crate) fn set(&mut self, field: Field, cell: Cell) {
        if matches!(&cell, Cell::Text(text) if text.trim().is_empty()) {
            return;
        }
        match field {
            Field::Aliases => self.aliases.push(cell),
            field => self.single[field as usize] = Some(cell),
        }
    }

    pub(crate) fn take(&mut self, field: Field) -> Option<Cell> {
        self.single[field as usize].take()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.aliases.is_empty() && self.single.iter().all(Option::is_none)
    }
}
