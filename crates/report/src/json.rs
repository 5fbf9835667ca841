//! One JSON document.

use std::io;

use af_model::view::TopView;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::cell::{Cell, Column};

/// The view as it is.
pub(crate) fn top(view: &TopView, out: &mut dyn io::Write) -> io::Result<()> {
    document(view, out)
}

/// An array of objects.
pub(crate) fn rows(
    columns: &[Column],
    rows: &[Vec<Cell>],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let objects: Vec<Object<'_>> = rows.iter().map(|row| Object { columns, row }).collect();
    document(&objects, out)
}

pub(crate) fn document(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// One row keyed by column name, in column order.
pub(crate) struct Object<'a> {
    pub(crate) columns: &'a [Column],
    pub(crate) row: &'a [Cell],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, cell) in self.columns.iter().zip(self.row) {
            map.serialize_entry(&column.name, cell)?;
        }
        map.end()
    }
}
