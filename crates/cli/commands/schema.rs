//! `schema`: the contract of every table.

use std::fmt::Write;

use af_model::contract::Table;
use af_model::tables;
use af_report::{Cell, Column, Format};
use clap::Args;

use crate::args::FormatArgument;
use crate::console;
use crate::exit::Refusal;

/// `schema`.
#[derive(Args, Debug)]
pub(crate) struct Schema {
    /// Only this table.
    #[arg(value_name = "TABLE")]
    pub(crate) table: Option<String>,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Schema) -> anyhow::Result<()> {
    let wanted: Vec<&Table> = tables::ALL
        .into_iter()
        .filter(|table| {
            arguments
                .table
                .as_deref()
                .is_none_or(|name| name == table.name)
        })
        .collect();
    if wanted.is_empty() {
        let names: Vec<&str> = tables::ALL.iter().map(|table| table.name).collect();
        let hint = format!("the tables are {}", names.join(", "));
        return Err(Refusal::usage("no such table", hint).into());
    }
    match arguments.format.format {
        Format::Table => console::print(&text(&wanted)),
        format => {
            let columns = [
                "table", "version", "column", "type", "nullable", "unit", "meaning",
            ];
            console::print_rows(&columns.map(Column::new), &rows(&wanted), format)
        }
    }
}

fn rows(tables: &[&Table]) -> Vec<Vec<Cell>> {
    let of_table = |table: &&Table| {
        let (name, version) = (table.name, u64::from(table.version));
        table.columns.iter().map(move |column| {
            vec![
                name.into(),
                version.into(),
                column.name.into(),
                column.kind.name().into(),
                column.nullable.into(),
                Some(column.unit).filter(|unit| !unit.is_empty()).into(),
                column.doc.trim().into(),
            ]
        })
    };
    tables.iter().flat_map(of_table).collect()
}

/// The contracts as a page to read: what a row is, its order, and one line per column.
fn text(tables: &[&Table]) -> String {
    let mut text = String::new();
    for (index, table) in tables.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let lines = table
            .doc
            .lines()
            .map(str::trim)
            .collect::<Vec<_>>()
            .join("\n  ");
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} (version {})\n  {}",
            table.name,
            table.version,
            lines.trim()
        );
        let _ = writeln!(text, "  sorted by {}\n", table.sorted_by.join(", "));
        for column in table.columns {
            let kind = format!(
                "{}{}",
                column.kind.name(),
                if column.nullable { "?" } else { "" }
            );
            let unit = if column.unit.is_empty() {
                String::new()
            } else {
                format!(" [{}]", column.unit)
            };
            let _ = writeln!(
                text,
                "  {:<38} {kind:<20} {}{unit}",
                column.name,
                column.doc.trim()
            );
        }
    }
    text
}
