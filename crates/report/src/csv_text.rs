//! CSV for spreadsheets and programs.

use std::borrow::Cow;
use std::io;

use af_model::UtcMillis;
use af_model::view::{Driver, TopView, one_decimal};
use csv::Writer;

use crate::cell::{Cell, Column};

/// One person a row, each with the circumstances, so that a row means something alone. Drivers are
/// `component/family=share` in millionths of the score, joined by semicolons.
pub(crate) fn top(view: &TopView, out: &mut dyn io::Write) -> io::Result<()> {
    let mut writer = Writer::from_writer(out);
    writer.write_record([
        "as_of",
        "known_at",
        "formula",
        "rank",
        "tenant_uid",
        "user_uid",
        "email",
        "display_name",
        "department",
        "population",
        "population_n",
        "level",
        "score",
        "score_micro",
        "percentile",
        "signal_count",
        "last_attack",
        "drivers",
    ])?;
    for person in &view.people {
        let drivers: Vec<String> = person.drivers.iter().map(driver).collect();
        writer.write_record([
            view.as_of.to_string().as_str(),
            &view.known_at.to_string(),
            &text(&view.formula),
            &figure(person.rank),
            &text(&person.tenant_uid),
            &text(&person.user_uid),
            &text(&person.email),
            &text(person.display_name.as_deref().unwrap_or_default()),
            &text(person.department.as_deref().unwrap_or_default()),
            &text(&person.population),
            &person.population_n.to_string(),
            &text(&person.level),
            &one_decimal(person.score_micro),
            &person.score_micro.to_string(),
            &figure(person.percentile),
            &person.signal_count.to_string(),
            &person
                .last_attack
                .as_ref()
                .map_or_else(String::new, UtcMillis::to_string),
            &text(&drivers.join(";")),
        ])?;
    }
    writer.flush()
}

fn driver(driver: &Driver) -> String {
    let kind = match (&driver.component, &driver.family) {
        (Some(component), Some(family)) => format!("{component}/{family}"),
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => "rest".to_owned(),
    };
    format!("{kind}={}", driver.score_share_micro)
}

/// Any list under its columns' names.
pub(crate) fn rows(
    columns: &[Column],
    rows: &[Vec<Cell>],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut writer = Writer::from_writer(out);
    writer.write_record(columns.iter().map(|column| text(&column.name).into_owned()))?;
    for row in rows {
        writer.write_record(row.iter().map(cell))?;
    }
    writer.flush()
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(content) => text(content).into_owned(),
        Cell::Int(value) | Cell::Micro(value) => value.to_string(),
        Cell::Count(value) => value.to_string(),
        Cell::Percent(value) => value.to_string(),
        Cell::Flag(value) => value.to_string(),
        Cell::Instant(value) => value.to_string(),
        Cell::List(texts) => text(&texts.join(";")).into_owned(),
    }
}

fn figure(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// Text that no spreadsheet runs.
fn text(content: &str) -> Cow<'_, str> {
    if content.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{content}"))
    } else {
        Cow::Borrowed(content)
    }
}
