//! One JSON object a line.

use std::io;

use af_model::UtcMillis;
use af_model::view::{TopPerson, TopView};
use serde::Serialize;

use crate::cell::{Cell, Column};
use crate::json::Object;

/// A person who stands alone: with the circumstances that the document says once.
#[derive(Serialize)]
struct Line<'a> {
    as_of: UtcMillis,
    known_at: UtcMillis,
    formula: &'a str,
    #[serde(flatten)]
    person: &'a TopPerson,
}

/// One person a line.
pub(crate) fn top(view: &TopView, out: &mut dyn io::Write) -> io::Result<()> {
    for person in &view.people {
        let value = Line {
            as_of: view.as_of,
            known_at: view.known_at,
            formula: &view.formula,
            person,
        };
        line(&value, out)?;
    }
    Ok(())
}

/// One row a line.
pub(crate) fn rows(
    columns: &[Column],
    rows: &[Vec<Cell>],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for row in rows {
        line(&Object { columns, row }, out)?;
    }
    Ok(())
}

fn line(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}
