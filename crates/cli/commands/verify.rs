//! `verify`: recompute a snapshot from its own tables.

use std::path::{Path, PathBuf};

use af_engine::verify;
use af_model::name::Printable;
use af_model::view::VerifyView;
use af_report::{Cell, Column, Format};
use af_store::Store;
use clap::Args;

use crate::args::FormatArgument;
use crate::console;
use crate::exit::Refusal;

/// `verify`.
#[derive(Args, Debug)]
#[command(after_help = "\
Files are compared with the checksums of the manifest, accounts with what they must add up to, and
every figure with what the snapshot's own counts, people and parameters make it. What is wrong is
named by table, row and column. Exit code 4 when anything is.

Examples:
  attack-factor verify risk/                                   the latest snapshot of a store
  attack-factor verify risk/snapshots/2026-11-20T235959.999Z/r1
  attack-factor verify scores/                                 what score --signals --out wrote
  attack-factor verify risk/ --all --format jsonl              every snapshot, one line each")]
pub(crate) struct Verify {
    /// Folder of a snapshot, of a store (its latest snapshot), or the --out folder of score.
    #[arg(value_name = "SNAPSHOT")]
    pub(crate) snapshot: PathBuf,

    /// Every snapshot of the store.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Verify, quiet: bool) -> anyhow::Result<()> {
    let views = if arguments.all {
        every(&arguments.snapshot)?
    } else {
        vec![verify::verify(&arguments.snapshot)?]
    };
    show(&views, arguments, quiet)?;
    let failed = views.iter().filter(|view| !view.passed).count();
    if failed == 0 {
        return Ok(());
    }
    let wrong = match views.iter().map(wrong_places).sum::<u64>() {
        1 => "1 place is not what it must be".to_owned(),
        places => format!("{places} places are not what they must be"),
    };
    let message = if arguments.all {
        format!("verify {failed} of {} snapshots: {wrong}", views.len())
    } else {
        format!("verify {}: {wrong}", arguments.snapshot.display())
    };
    Err(Refusal::gate(message).into())
}

fn every(root: &Path) -> anyhow::Result<Vec<VerifyView>> {
    let store = Store::open(root)?;
    let ids = store.snapshots()?;
    if ids.is_empty() {
        // The same refusal as without --all.
        return Ok(vec![verify::verify(root)?]);
    }
    let views: Result<Vec<VerifyView>, af_engine::Error> = ids
        .into_iter()
        .map(|id| verify::verify(&store.snapshot_dir(id)))
        .collect();
    Ok(views?)
}

fn wrong_places(view: &VerifyView) -> u64 {
    view.findings.len() as u64 + view.more_findings
}

fn show(views: &[VerifyView], arguments: &Verify, quiet: bool) -> anyhow::Result<()> {
    match arguments.format.format {
        Format::Json => console::print_with(|out| {
            match views {
                [view] if !arguments.all => serde_json::to_writer_pretty(&mut *out, view)?,
                views => serde_json::to_writer_pretty(&mut *out, views)?,
            }
            writeln!(out)
        }),
        Format::Jsonl => console::print_with(|out| {
            for view in views {
                serde_json::to_writer(&mut *out, view)?;
                writeln!(out)?;
            }
            Ok(())
        }),
        Format::Csv => console::print_rows(&columns(), &places(views), Format::Csv),
        Format::Table => {
            console::print_rows(&summary_columns(), &summary(views), Format::Table)?;
            let places = places(views);
            if !places.is_empty() {
                console::print("\n")?;
                console::print_rows(&columns(), &places, Format::Table)?;
            }
            if !quiet {
                notes(views);
            }
            Ok(())
        }
    }
}

fn summary_columns() -> Vec<Column> {
    let mut columns = vec![Column::new("snapshot"), Column::new("result")];
    let figures = ["files", "rows", "cells", "people", "erased", "wrong"];
    columns.extend(figures.map(|name| Column::new(name).right()));
    columns
}

fn summary(views: &[VerifyView]) -> Vec<Vec<Cell>> {
    views
        .iter()
        .map(|view| {
            vec![
                Cell::from(view.snapshot.as_str()),
                Cell::from(if view.passed { "ok" } else { "WRONG" }),
                Cell::from(view.files),
                Cell::from(view.rows),
                Cell::from(view.cells),
                Cell::from(view.people),
                Cell::from(view.erased),
                Cell::from(wrong_places(view)),
            ]
        })
        .collect()
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("snapshot"),
        Column::new("table"),
        Column::new("row").shrinks(20),
        Column::new("column"),
        Column::new("found").shrinks(12),
        Column::new("expected").shrinks(12),
    ]
}

fn places(views: &[VerifyView]) -> Vec<Vec<Cell>> {
    views
        .iter()
        .flat_map(|view| {
            view.findings.iter().map(|finding| {
                vec![
                    Cell::from(view.snapshot.as_str()),
                    Cell::from(finding.table.as_str()),
                    Cell::from(finding.row.clone()),
                    Cell::from(finding.column.clone()),
                    Cell::from(finding.found.clone()),
                    Cell::from(finding.expected.as_str()),
                ]
            })
        })
        .collect()
}

fn notes(views: &[VerifyView]) {
    for view in views {
        let name = Printable(&view.snapshot);
        if view.more_findings > 0 {
            let more = view.more_findings;
            console::say(&format!("{name}: {more} more places are wrong"));
        }
        for tenant in &view.not_recomputed {
            console::say(&format!(
                "{name}: {} was not scored again, as what its scores follow from is broken",
                Printable(tenant)
            ));
        }
        if view.passed {
            console::say(&format!(
                "{name}: {} files match their checksums, {} rows are in order, the accounts close, \
                 and {} cells of {} people are what their own counts make them",
                view.files, view.rows, view.cells, view.people
            ));
        }
    }
}
