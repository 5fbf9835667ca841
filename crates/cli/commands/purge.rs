//! `purge`: remove what is older than a day.

use af_engine::upkeep::purge::{self, PurgeOptions};
use af_model::UtcDay;
use af_report::{Cell, Column};
use af_store::Store;
use clap::Args;

use crate::args::{FormatArgument, StoreArgument};
use crate::console::{self, Bars};

/// `purge`.
#[derive(Args, Debug)]
#[command(
    long_about = "\
Remove what is older than a day

Whole UTC days of events, signals and quarantine before the date leave the store; so do retractions
made before it whose targets are gone, and directory versions that neither a snapshot nor a later
score would choose. Snapshots stay unless --snapshots is given.

What was purged does not come back: events before the date are quarantined from then on, with the
reason `purged`, until --lift. A date within the 90 days that the latest snapshot counts is refused.",
    after_help = "\
Examples:
  attack-factor purge --before 2026-01-01 --store risk/ --dry-run
  attack-factor purge --before 2026-01-01 --snapshots --keep 12 --store risk/
  attack-factor purge --lift --store risk/                  take old exports in again"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are independent of each other"
)]
pub(crate) struct Purge {
    /// Days before this one go, e.g. 2026-01-01.
    #[arg(long, value_name = "DATE", value_parser = parse_day, required_unless_present = "lift")]
    pub(crate) before: Option<UtcDay>,

    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// Remove snapshots of these days, too; never the latest.
    #[arg(long)]
    pub(crate) snapshots: bool,

    /// Keep the N newest snapshots, however old they are.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "snapshots")]
    pub(crate) keep: usize,

    /// Also cut into the days that the latest snapshot counts.
    #[arg(long)]
    pub(crate) force: bool,

    /// Take events older than the last purge in again; removes nothing.
    #[arg(long, conflicts_with_all = ["before", "snapshots", "force"])]
    pub(crate) lift: bool,

    /// Say what would happen, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Purge, quiet: bool) -> anyhow::Result<()> {
    let store = Store::open(&arguments.store.store)?;
    let lock = (!arguments.dry_run).then(|| store.lock()).transpose()?;
    let Some(before) = arguments.before else {
        match purge::lift(&store, lock.as_ref())? {
            Some(before) => console::say(&format!("events before {before} are taken in again")),
            None => console::say("nothing to do: no purge bars any event"),
        }
        return Ok(());
    };
    let options = PurgeOptions {
        before,
        snapshots: arguments.snapshots,
        keep: arguments.keep,
        force: arguments.force,
    };
    let report = purge::purge(&store, lock.as_ref(), &options, &Bars::new(quiet))?;
    let columns = [
        Column::new("part"),
        Column::new("items").right(),
        Column::new("rows").right(),
        Column::new("bytes").right(),
    ];
    let rows: Vec<Vec<Cell>> = report
        .parts
        .iter()
        .map(|part| {
            vec![
                Cell::from(part.part),
                Cell::from(part.items),
                Cell::from(part.rows),
                Cell::from(part.bytes),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, arguments.format.format)?;
    if quiet {
        return Ok(());
    }
    if report.is_nothing() {
        console::say(&format!("nothing to do: nothing is older than {before}"));
    }
    if arguments.dry_run {
        console::say("dry run: nothing was written");
    } else {
        console::say(&format!(
            "events before {before} are quarantined from now on (reason purged); lift with purge --lift"
        ));
    }
    Ok(())
}

fn parse_day(text: &str) -> Result<UtcDay, String> {
    UtcDay::parse(text).map_err(|error| error.to_string())
}
