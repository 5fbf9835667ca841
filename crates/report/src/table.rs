//! Tables for people.

use std::io;

use af_model::name::Printable;
use af_model::view::{Driver, TopPerson, TopView, one_decimal};

use crate::cell::{Cell, Column, percent_shown};
use crate::grid::{self, GridColumn};

/// What a table of people leaves out to fit, from nothing to most.
#[derive(Clone, Copy)]
struct Layout {
    department: bool,
    name: bool,
    last: bool,
    drivers: usize,
}

const LAYOUTS: [Layout; 5] = [
    Layout {
        department: true,
        name: true,
        last: true,
        drivers: 3,
    },
    Layout {
        department: false,
        name: true,
        last: true,
        drivers: 3,
    },
    Layout {
        department: false,
        name: false,
        last: true,
        drivers: 3,
    },
    Layout {
        department: false,
        name: false,
        last: true,
        drivers: 1,
    },
    Layout {
        department: false,
        name: false,
        last: false,
        drivers: 1,
    },
];

/// A line of circumstances, then rank, person, level, score, percentile, drivers with their parts
/// of the score, attacks, and the day of the last one. A tenant column appears when there are
/// several tenants.
pub(crate) fn top(view: &TopView, width: Option<u16>, out: &mut dyn io::Write) -> io::Result<()> {
    write!(
        out,
        "snapshot {}, as of {}",
        Printable(&view.snapshot),
        view.as_of
    )?;
    if view.known_at != view.as_of {
        write!(out, ", known at {}", view.known_at)?;
    }
    writeln!(out, ", formula {}\n", Printable(&view.formula))?;
    if view.people.is_empty() {
        return writeln!(out, "Nobody matches.");
    }
    let fits = |columns: &[GridColumn]| {
        width.is_none_or(|width| grid::natural_width(columns) <= u32::from(width))
    };
    let mut columns = Vec::new();
    for layout in LAYOUTS {
        columns = top_columns(&view.people, layout);
        if fits(&columns) {
            break;
        }
    }
    grid::write(&columns, width, out)
}

fn top_columns(people: &[TopPerson], layout: Layout) -> Vec<GridColumn> {
    let column = |title: &str, floor, text: &dyn Fn(&TopPerson) -> String| GridColumn {
        title: title.to_owned(),
        right: false,
        floor,
        cells: people.iter().map(text).collect(),
    };
    let figure = |title: &str, text: &dyn Fn(&TopPerson) -> String| GridColumn {
        right: true,
        ..column(title, None, text)
    };
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let several_tenants = people.iter().any(|p| p.tenant_uid != people[0].tenant_uid);
    let any_department = people.iter().any(|p| p.department.is_some());

    let mut columns = vec![figure("#", &|p| {
        or_dash(p.rank.map(|rank| rank.to_string()))
    })];
    if several_tenants {
        columns.push(column("tenant", Some(8), &|p| {
            Printable(&p.tenant_uid).to_string()
        }));
    }
    columns.push(column("person", Some(14), &|p| person(p, layout.name)));
    if layout.department && any_department {
        columns.push(column("department", Some(10), &|p| {
            or_dash(p.department.as_deref().map(|d| Printable(d).to_string()))
        }));
    }
    columns.push(column("level", None, &|p| Printable(&p.level).to_string()));
    columns.push(figure("score", &|p| one_decimal(p.score_micro)));
    columns.push(figure("pct", &|p| or_dash(p.percentile.map(percent_shown))));
    columns.push(column("drivers", Some(10), &|p| drivers(p, layout.drivers)));
    columns.push(figure("attacks", &|p| p.signal_count.to_string()));
    if layout.last {
        columns.push(column("last", None, &|p| {
            or_dash(p.last_attack.map(|last| last.day().to_string()))
        }));
    }
    columns
}

fn person(person: &TopPerson, with_name: bool) -> String {
    let email = Printable(&person.email);
    match &person.display_name {
        Some(name) if with_name => format!("{} <{email}>", Printable(name)),
        _ => email.to_string(),
    }
}

fn drivers(person: &TopPerson, shown: usize) -> String {
    if person.drivers.is_empty() {
        return "-".to_owned();
    }
    let parts: Vec<String> = person.drivers.iter().take(shown).map(driver).collect();
    parts.join(", ")
}

fn driver(driver: &Driver) -> String {
    // A kind of attack that stands for itself, or the sum of what is too small to.
    let name = driver
        .family
        .as_deref()
        .or(driver.component.as_deref())
        .unwrap_or("rest");
    format!(
        "{} {}",
        Printable(name),
        one_decimal(driver.score_share_micro)
    )
}

/// Any list, titles first.
pub(crate) fn rows(
    columns: &[Column],
    rows: &[Vec<Cell>],
    width: Option<u16>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let columns: Vec<GridColumn> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| GridColumn {
            title: Printable(&column.title).to_string(),
            right: column.right,
            floor: column.floor,
            cells: rows.iter().map(|row| row[index].shown()).collect(),
        })
        .collect();
    grid::write(&columns, width, out)
}
