//! Views as text: a table for people, JSON, JSON Lines and CSV for programs.
//!
//! [`render_top`] writes the most attacked people of a snapshot, [`render_explain`] why one person
//! has their score; [`render_rows`] writes any other list (rules, accounts, schemas) given as [`Column`]s and [`Cell`]s. All take a [`Format`] and
//! anything that can be written to; none looks at the terminal, the environment or the clock.
//!
//! ```
//! use af_report::{Cell, Column, Format, render_rows};
//!
//! let columns = [Column::new("rule_id").titled("rule"), Column::new("n").right()];
//! let rows = [vec![Cell::from("push_bombing"), Cell::Int(3)]];
//! let mut out = Vec::new();
//! render_rows(&columns, &rows, "table".parse().unwrap(), None, &mut out).unwrap();
//! assert_eq!(String::from_utf8(out).unwrap(), "rule          n\npush_bombing  3\n");
//!
//! let mut out = Vec::new();
//! render_rows(&columns, &rows, Format::Jsonl, None, &mut out).unwrap();
//! assert_eq!(out, b"{\"rule_id\":\"push_bombing\",\"n\":3}\n");
//! ```
//!
//! # Hostile text
//!
//! Names and identifiers come from outside. In tables every text goes through
//! [`Printable`](af_model::name::Printable), so that no control character reaches a terminal and
//! no direction mark swaps what stands beside it. In CSV a text that a spreadsheet would take for
//! a formula gets a leading apostrophe ([`Format::Csv`]). JSON carries text as it is.

mod cell;
mod csv_text;
mod explain;
mod format;
mod grid;
mod json;
mod jsonl;
mod table;

use std::io;

use af_model::view::{ExplainView, TopView};

pub use cell::{Cell, Column};
pub use format::{Format, UnknownFormat};

/// Writes the most attacked people.
///
/// `width` is the terminal's, in columns, and matters to [`Format::Table`] only: columns give way
/// until a line fits, and long cells end in `…`; nothing wraps. `None` shows everything.
///
/// # Errors
/// What `out` says; a closed pipe comes through as [`io::ErrorKind::BrokenPipe`].
pub fn render_top(
    view: &TopView,
    format: Format,
    width: Option<u16>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::top(view, width, out),
        Format::Json => json::top(view, out),
        Format::Jsonl => jsonl::top(view, out),
        Format::Csv => csv_text::top(view, out),
    }
}

/// How much of a page is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Long lists are cut, and say so.
    #[default]
    Usual,
    /// Everything.
    All,
}

impl Detail {
    /// How many items of a list are shown of which usually `usual` are.
    pub(crate) const fn limit(self, usual: usize) -> usize {
        match self {
            Self::Usual => usual,
            Self::All => usize::MAX,
        }
    }
}

/// Writes why one person has their score.
///
/// [`Format::Table`] is a page to read, wrapped at `width` (80 columns where that is `None`, at most
/// 100); `detail` matters to it only. [`Format::Json`] is the whole view; [`Format::Jsonl`] and
/// [`Format::Csv`] are one row for each block.
///
/// # Errors
/// As [`render_top`].
pub fn render_explain(
    view: &ExplainView,
    format: Format,
    detail: Detail,
    width: Option<u16>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Table => explain::table(view, detail, width, out),
        Format::Json => json::document(view, out),
        Format::Jsonl | Format::Csv => render_rows(
            &explain::columns(),
            &explain::rows(view),
            format,
            width,
            out,
        ),
    }
}

/// Writes a list of rows, each with one cell for every column.
///
/// `width` as for [`render_top`]; only columns that [may shrink](Column::shrinks) do.
///
/// # Errors
/// What `out` says; [`io::ErrorKind::InvalidInput`] when a row has more or fewer cells than there
/// are columns, before anything is written.
pub fn render_rows(
    columns: &[Column],
    rows: &[Vec<Cell>],
    format: Format,
    width: Option<u16>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    if let Some(row) = rows.iter().find(|row| row.len() != columns.len()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "a row has {} cells for {} columns",
                row.len(),
                columns.len()
            ),
        ));
    }
    match format {
        Format::Table => table::rows(columns, rows, width, out),
        Format::Json => json::rows(columns, rows, out),
        Format::Jsonl => jsonl::rows(columns, rows, out),
        Format::Csv => csv_text::rows(columns, rows, out),
    }
}
