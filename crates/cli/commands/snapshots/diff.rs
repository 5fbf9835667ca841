//! `snapshots diff`: who moved between two snapshots, and why.

use std::path::{Path, PathBuf};

use af_engine::diff::{self, DiffQuery};
use af_model::name::Printable;
use af_model::view::{DiffFigures, DiffPerson, DiffView, one_decimal, signed_decimal};
use af_report::{Cell, Column, Format};
use af_store::{Snapshot, Store};
use clap::Args;

use crate::args::FormatArgument;
use crate::console;

/// `snapshots diff`.
#[derive(Args, Debug)]
#[command(after_help = "\
The parts of a change add up to it exactly, in millionths of a point (json, jsonl and csv show them):
  settings      other parameters
  decay         time passed over the person's own attacks
  retracted     own attacks that were known before and are no more
  directory     own attacks that moved between people, or from or to nobody
  rules         own attacks on days before, while the rules differ
  late          own attacks on days before that were not known then
  new_signals   own attacks since
  colleagues    what those carry who are colleagues in both snapshots
  population    colleagues who came or left, or the person's own move
  joined, left  people whom only one of the snapshots has

Examples:
  attack-factor snapshots diff 2026-11-19 2026-11-20 --store risk/
  attack-factor snapshots diff 2026-11-20/r1 2026-11-20/r2 --store risk/
  attack-factor snapshots diff 2026-11-13 latest --store risk/ --user ana@example.com
  attack-factor snapshots diff old-scores/ new-scores/ --min-change 0 -n 1000 --format csv")]
pub(crate) struct Diff {
    /// The earlier snapshot: its folder, or with --store its name (2026-11-20, 2026-11-20/r2).
    #[arg(value_name = "A")]
    pub(crate) before: PathBuf,

    /// The later snapshot, named alike; with --store also latest.
    #[arg(value_name = "B")]
    pub(crate) after: PathBuf,

    /// Folder of the store that has both; without it A and B are folders.
    #[arg(long, value_name = "DIR", env = "ATTACK_FACTOR_STORE")]
    pub(crate) store: Option<PathBuf>,

    /// Only this organization.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: Option<String>,

    /// Only this person, however small the change: a user id or an e-mail address.
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,

    /// How many people.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,

    /// Only people whose score changed by at least this many points.
    #[arg(long, value_name = "POINTS", default_value = "0.1", value_parser = parse_points)]
    pub(crate) min_change: i64,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

/// Points with up to six decimals, as millionths: no float may decide who is shown.
fn parse_points(text: &str) -> Result<i64, String> {
    let expected = || "expected points from 0 to 10 with at most six decimals, e.g. 0.1".to_owned();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 2
        || decimals.len() > 6
        || !are_digits(whole)
        || !are_digits(decimals)
    {
        return Err(expected());
    }
    let micro: i64 = format!("{whole}{decimals:0<6}")
        .parse()
        .map_err(|_| expected())?;
    if micro > 10_000_000 {
        return Err(expected());
    }
    Ok(micro)
}

pub(super) fn run(arguments: &Diff, quiet: bool) -> anyhow::Result<()> {
    let store = arguments.store.as_deref().map(Store::open).transpose()?;
    let before = open(store.as_ref(), &arguments.before)?;
    let after = open(store.as_ref(), &arguments.after)?;
    let query = DiffQuery {
        tenant: arguments.tenant.clone(),
        user: arguments.user.clone(),
        limit: arguments.limit as usize,
        min_change_micro: arguments.min_change,
    };
    let view = diff::diff(&before, &after, &query)?;
    match arguments.format.format {
        Format::Json => console::print_with(|out| {
            serde_json::to_writer_pretty(&mut *out, &view)?;
            writeln!(out)
        })?,
        Format::Jsonl => console::print_with(|out| {
            for person in &view.people {
                serde_json::to_writer(&mut *out, person)?;
                writeln!(out)?;
            }
            Ok(())
        })?,
        Format::Csv => {
            let rows: Vec<Vec<Cell>> = view.people.iter().map(csv_row).collect();
            console::print_rows(&csv_columns(), &rows, Format::Csv)?;
        }
        Format::Table => tables(&view)?,
    }
    if !quiet {
        for note in &view.notes {
            console::say(&format!("note: {}", Printable(note)));
        }
        if view.more_people > 0 {
            let more = view.more_people;
            console::say(&format!("{more} more people moved: ask for more with -n"));
        }
    }
    Ok(())
}

fn open(store: Option<&Store>, name: &Path) -> anyhow::Result<Snapshot> {
    Ok(match store {
        Some(store) => Snapshot::open_in(store, &name.to_string_lossy())?,
        None => Snapshot::open(name)?,
    })
}

fn tables(view: &DiffView) -> anyhow::Result<()> {
    let (before, after) = (&view.before, &view.after);
    console::print(&format!(
        "{} (known at {}) to {} (known at {}), formula {}\n\n",
        Printable(&before.snapshot),
        before.known_at,
        Printable(&after.snapshot),
        after.known_at,
        Printable(&view.formula)
    ))?;
    let columns = [
        Column::new("tenant"),
        Column::new("population"),
        Column::new("people").right(),
        Column::new("mean").right(),
        Column::new("medium").right(),
        Column::new("high").right(),
        Column::new("very high").right(),
        Column::new("moved by").shrinks(16),
    ];
    let rows: Vec<Vec<Cell>> = view
        .organizations
        .iter()
        .map(|organization| {
            let shown = |figure: &dyn Fn(&DiffFigures) -> String| {
                let side = |side: &Option<DiffFigures>| {
                    side.as_ref().map_or_else(|| "-".to_owned(), figure)
                };
                Cell::from(arrow(
                    &side(&organization.before),
                    &side(&organization.after),
                ))
            };
            let causes = organization.moved_by_cause.iter();
            let causes: Vec<String> = causes.map(|(cause, n)| format!("{cause} {n}")).collect();
            vec![
                Cell::from(organization.tenant_uid.as_str()),
                Cell::from(organization.population.as_str()),
                shown(&|figures| figures.population_n.to_string()),
                shown(&|figures| one_decimal(figures.mean_score_micro)),
                shown(&|figures| figures.levels[3].to_string()),
                shown(&|figures| figures.levels[4].to_string()),
                shown(&|figures| figures.levels[5].to_string()),
                Cell::from((!causes.is_empty()).then(|| causes.join(", "))),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, Format::Table)?;
    if view.people.is_empty() {
        return console::print("\nNobody moved that far.\n");
    }
    console::print("\n")?;
    let several = view
        .organizations
        .iter()
        .any(|organization| organization.tenant_uid != view.organizations[0].tenant_uid);
    let mut columns = Vec::new();
    if several {
        columns.push(Column::new("tenant").shrinks(8));
    }
    columns.extend([
        Column::new("person").shrinks(14),
        Column::new("level"),
        Column::new("score").right(),
        Column::new("change").right(),
        Column::new("because").shrinks(20),
    ]);
    let rows: Vec<Vec<Cell>> = view
        .people
        .iter()
        .map(|person| {
            let mut row = Vec::new();
            if several {
                row.push(Cell::from(person.tenant_uid.as_str()));
            }
            row.extend(shown_person(person));
            row
        })
        .collect();
    console::print_rows(&columns, &rows, Format::Table)
}

/// The smallest part, in micro, that one decimal shows.
const LEAST_SHOWN: u64 = 100_000;

fn shown_person(person: &DiffPerson) -> [Cell; 5] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let name = match &person.display_name {
        Some(name) => format!("{name} <{}>", person.email),
        None => person.email.clone(),
    };
    // What shows as 0.0 explains nothing to a reader, unless nothing else does.
    let parts = person.parts.weightiest().into_iter().enumerate();
    let parts: Vec<String> = parts
        .filter(|(place, (_, part))| *place == 0 || part.unsigned_abs() >= LEAST_SHOWN)
        .map(|(_, (cause, part))| format!("{cause} {}", signed_decimal(part)))
        .collect();
    [
        Cell::from(name),
        Cell::from(arrow(
            &or_dash(person.level_before.clone()),
            &or_dash(person.level_after.clone()),
        )),
        Cell::from(arrow(
            &or_dash(person.score_before_micro.map(one_decimal)),
            &or_dash(person.score_after_micro.map(one_decimal)),
        )),
        Cell::from(signed_decimal(person.change_micro)),
        Cell::from(parts.join(", ")),
    ]
}

/// A value that changed, or one that did not.
fn arrow(before: &str, after: &str) -> String {
    if before == after {
        after.to_owned()
    } else {
        format!("{before} > {after}")
    }
}

const TEXTS: [&str; 8] = [
    "tenant_uid",
    "user_uid",
    "email",
    "display_name",
    "department",
    "population",
    "level_before",
    "level_after",
];

fn csv_columns() -> Vec<Column> {
    let figures = ["score_before_micro", "score_after_micro", "change_micro"];
    let parts = af_model::view::DiffParts::default().named();
    let names = TEXTS.into_iter().chain(figures).map(str::to_owned);
    names
        .chain(parts.map(|(name, _)| format!("{name}_micro")))
        .map(Column::new)
        .collect()
}

fn csv_row(person: &DiffPerson) -> Vec<Cell> {
    let mut row = vec![
        Cell::from(person.tenant_uid.as_str()),
        Cell::from(person.user_uid.as_str()),
        Cell::from(person.email.as_str()),
        Cell::from(person.display_name.clone()),
        Cell::from(person.department.clone()),
        Cell::from(person.population.as_str()),
        Cell::from(person.level_before.clone()),
        Cell::from(person.level_after.clone()),
        Cell::from(person.score_before_micro),
        Cell::from(person.score_after_micro),
        Cell::from(person.change_micro),
    ];
    row.extend(person.parts.named().map(|(_, part)| Cell::from(part)));
    row
}

#[cfg(test)]
mod tests {
    use super::parse_points;

    #[test]
    fn points_become_millionths_without_a_float() {
        assert_eq!(parse_points("0.1"), Ok(100_000));
        assert_eq!(parse_points("10"), Ok(10_000_000));
        assert_eq!(parse_points("0.000001"), Ok(1));
        for wrong in ["", ".5", "-1", "0.0000001", "11", "1e1", "ten"] {
            assert!(parse_points(wrong).is_err(), "{wrong}");
        }
    }
}
