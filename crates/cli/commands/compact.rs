//! `compact`: one file for every day that has several.

use af_engine::upkeep::compact;
use af_report::{Cell, Column};
use af_store::Store;
use clap::Args;

use crate::args::{FormatArgument, StoreArgument};
use crate::console::{self, Bars};

/// `compact`.
#[derive(Args, Debug)]
#[command(
    long_about = "\
Make one file of every day that has several

Late events add a file to their day; reading such a day merges them each time. Compacting makes one
file of them, with the same rows, so no score changes. Signals that detection found stay apart from
those of other programs. Directory versions and snapshots are not touched. Killed at any instant, the
old files or the new one are there; run again to go on.",
    after_help = "\
Examples:
  attack-factor compact --store risk/ --dry-run
  attack-factor compact --store risk/"
)]
pub(crate) struct Compact {
    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// Say what would happen, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Compact, quiet: bool) -> anyhow::Result<()> {
    let store = Store::open(&arguments.store.store)?;
    let lock = (!arguments.dry_run).then(|| store.lock()).transpose()?;
    let report = compact::compact(&store, lock.as_ref(), &Bars::new(quiet))?;
    let columns = [
        Column::new("table"),
        Column::new("days").right(),
        Column::new("compacted").right(),
        Column::new("files_before").right(),
        Column::new("files_after").right(),
        Column::new("bytes_before").right(),
        Column::new("bytes_after").right(),
    ];
    let rows: Vec<Vec<Cell>> = report
        .tables
        .iter()
        .map(|table| {
            vec![
                Cell::from(table.table),
                Cell::from(table.days),
                Cell::from(table.compacted),
                Cell::from(table.files_before),
                Cell::from(table.files_after),
                Cell::from(table.bytes_before),
                Cell::from(table.bytes_after),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, arguments.format.format)?;
    for skipped in &report.skipped {
        console::say(&format!("warning: left as it is: {skipped}"));
    }
    if quiet {
        return Ok(());
    }
    if report.is_nothing() {
        console::say("nothing to do: every day is one file");
    } else if arguments.dry_run {
        console::say("dry run: nothing was written");
    }
    Ok(())
}
