//! Aligned columns that fit a terminal.

use std::io;

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, Width};

/// Blanks between two columns.
const GAP: u16 = 2;

/// One column of a grid; its cells are printable already.
#[derive(Clone, Debug)]
pub(crate) struct GridColumn {
    pub(crate) title: String,
    pub(crate) right: bool,
    /// The width to which the column may be cut; `None` = never cut.
    pub(crate) floor: Option<u16>,
    pub(crate) cells: Vec<String>,
}

/// The grid's width when nothing is cut.
pub(crate) fn natural_width(columns: &[GridColumn]) -> u32 {
    let gaps = u32::from(GAP) * u32::try_from(columns.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let content = table(columns).column_max_content_widths();
    content.into_iter().map(u32::from).sum::<u32>() + gaps
}

/// Writes the grid under its titles. Where it is wider than `width`, columns that may be cut are,
/// the widest first, down to their floors; a terminal narrower than that sees long lines rather
/// than wrong cells.
pub(crate) fn write(
    columns: &[GridColumn],
    width: Option<u16>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut table = table(columns);
    let natural = table.column_max_content_widths();
    let mut widths = natural.clone();
    if let Some(width) = width {
        let mut surplus = natural_width(columns).saturating_sub(u32::from(width));
        while surplus > 0 {
            let widest = columns
                .iter()
                .enumerate()
                .filter(|(index, column)| column.floor.is_some_and(|floor| widths[*index] > floor))
                .max_by_key(|(index, _)| (widths[*index], usize::MAX - index));
            let Some((index, _)) = widest else { break };
            widths[index] -= 1;
            surplus -= 1;
        }
    }
    let last = columns.len().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        let gap = if index == last { 0 } else { GAP };
        column.set_padding((0, gap));
        if widths[index] < natural[index] {
            let with_gap = Width::Fixed(widths[index].saturating_add(gap));
            column.set_constraint(ColumnConstraint::Absolute(with_gap));
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn table(columns: &[GridColumn]) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .force_no_tty()
        .set_content_arrangement(ContentArrangement::Disabled);
    let row = |text: &dyn Fn(&GridColumn) -> String| {
        let mut row = Row::new();
        for column in columns {
            let alignment = if column.right {
                CellAlignment::Right
            } else {
                CellAlignment::Left
            };
            row.add_cell(Cell::new_owned(text(column)).set_alignment(alignment));
        }
        row.max_height(1);
        row
    };
    table.set_header(row(&|column| column.title.clone()));
    let height = columns.first().map_or(0, |column| column.cells.len());
    for index in 0..height {
        table.add_row(row(&|column| column.cells[index].clone()));
    }
    table
}
