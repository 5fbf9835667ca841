//! `schema`: the contract of every table.

use af_model::tables;

use crate::args::Schema;

use crate::console;
use crate::exit::Refusal;

pub(super) fn run(arguments: &Schema) -> anyhow::Result<()> {
    let wanted: Vec<_> = tables::ALL
        .into_iter()
        .filter(|table| arguments.table.as_deref().is_none_or(|name| name == table.name))
        .collect();
    if wanted.is_empty() {
        let names: Vec<&str> = tables::ALL.iter().map(|table| table.name).collect();
        return Err(Refusal::usage(
            "no such table",
            format!("the tables are {}", names.join(", ")),
        )
        .into());
    }
    if arguments.format.format == af_report::Format::Table {
        return console::print(&af_report::schema_text(&wanted));
    }
    let columns = ["table", "version", "column", "type", "nullable", "unit", "meaning"];
    let rows = wanted
        .iter()
        .flat_map(|table| {
            table.columns.iter().map(|column| {
                vec![
                    table.name.into(),
                    table.version.into(),
                    column.name.into(),
                    column.kind.name().into(),
                    column.nullable.into(),
                    column.unit.into(),
                    column.doc.trim().into(),
                ]
            })
        })
        .collect();
    console::print_rows(&columns, rows, arguments.format.format)
}
