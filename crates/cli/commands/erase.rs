//! `erase`: remove one person from every table and snapshot.

use af_engine::upkeep::erase::{self, EraseOptions, EraseReport, Erased};
use af_model::HashKey;
use af_model::name::check_tenant;
use af_report::{Cell, Column, Format};
use af_store::{Store, WriteLock};
use clap::Args;

use crate::args::{FormatArgument, StoreArgument};
use crate::clock;
use crate::console::{self, Bars};
use crate::exit::Refusal;

/// `erase`.
#[derive(Args, Debug)]
#[command(
    long_about = "\
Remove one person from every table and snapshot

The person's rows leave events, signals, retractions, every version of the directory and every
snapshot. In other people's rows their user id, logins, addresses and name are replaced by `erased`.
What stays are keyed hashes of their keys, so that the next import or export does not bring them
back: they are left out, and their events quarantined with the reason `erased`, until --lift.

Published figures of colleagues stay as they are and can still be verified; a later score of the same
day is computed without the person and makes a new revision. This cannot be undone: look at --dry-run
first, then add --yes. Backups and the exports that were read are yours to clean.",
    after_help = "\
Examples:
  attack-factor erase joe@example.com --tenant acme --store risk/ --dry-run
  attack-factor erase joe@example.com --tenant acme --store risk/ --reason DSR-2041 --yes
  attack-factor erase --resume --store risk/                 after a crash
  attack-factor erase joe@example.com --tenant acme --store risk/ --lift"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are independent of each other"
)]
pub(crate) struct Erase {
    /// User id, login, e-mail address or alias; exactly one person must have it.
    #[arg(value_name = "PERSON", required_unless_present = "resume")]
    pub(crate) person: Option<String>,

    /// The person's organization.
    #[arg(long, value_name = "T", required_unless_present = "resume")]
    pub(crate) tenant: Option<String>,

    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// Why, e.g. the number of the request; kept with the tombstone.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    /// Do it. Without, what would happen is shown and nothing is written.
    #[arg(long)]
    pub(crate) yes: bool,

    /// Complete an erasure that was interrupted.
    #[arg(long, conflicts_with_all = ["person", "lift", "dry_run"])]
    pub(crate) resume: bool,

    /// Take the person in again with the next import; what was erased stays erased.
    #[arg(long)]
    pub(crate) lift: bool,

    /// Say what would happen, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Erase, quiet: bool) -> anyhow::Result<()> {
    let store = Store::open(&arguments.store.store)?;
    let format = arguments.format.format;
    let (Some(person), Some(tenant)) = (&arguments.person, &arguments.tenant) else {
        return resume(&store, format, quiet);
    };
    check_tenant(tenant).map_err(|error| {
        Refusal::usage(
            format!("--tenant: {error}"),
            "use lower-case letters, digits, dots, dashes and underscores",
        )
    })?;
    let bars = Bars::new(quiet);
    if arguments.lift {
        return lift(&store, arguments.dry_run, tenant, person);
    }
    let options = EraseOptions {
        tenant,
        person,
        at: clock::now(),
        reason: arguments.reason.as_deref(),
    };
    if arguments.dry_run || !arguments.yes {
        // A store that never hashed anything holds no hash that could be the person's.
        let key = store.existing_hash_key()?;
        let key = key.unwrap_or(HashKey::new([0; 32]));
        let report = erase::plan(&store, &key, &options, &bars)?;
        show(&report, format)?;
        if report.erased_before.is_none() && !arguments.dry_run {
            return Err(Refusal::usage(
                "erase without --yes: what would leave the store is shown above",
                "add --yes to do it, or --dry-run to only look",
            )
            .into());
        }
        tell(&report, quiet);
        if !quiet && arguments.dry_run {
            console::say("dry run: nothing was written");
        }
        return Ok(());
    }
    let (lock, key) = open(&store)?;
    let report = erase::erase(&store, &lock, &key, &options, &bars)?;
    show(&report, format)?;
    tell(&report, quiet);
    if !quiet && report.erased_before.is_none() {
        console::say(
            "erased; scores published from now on are computed without the person, so run score again",
        );
    }
    Ok(())
}

fn open(store: &Store) -> anyhow::Result<(WriteLock, HashKey)> {
    let lock = store.lock()?;
    let random = clock::random_bytes()?;
    let key = store.hash_key(&lock, || random)?;
    Ok((lock, key))
}

fn resume(store: &Store, format: Format, quiet: bool) -> anyhow::Result<()> {
    let (lock, key) = open(store)?;
    match erase::resume(store, &lock, &key, &Bars::new(quiet))? {
        Some(report) => {
            show(&report, format)?;
            tell(&report, quiet);
        }
        None => console::say("nothing to do: no erasure was interrupted"),
    }
    Ok(())
}

fn lift(store: &Store, dry_run: bool, tenant: &str, person: &str) -> anyhow::Result<()> {
    let lock = (!dry_run).then(|| store.lock()).transpose()?;
    let lifted = match store.existing_hash_key()? {
        Some(key) => Erased::lift(store, lock.as_ref(), &key, tenant, person)?,
        None => None,
    };
    let Some(erased_at) = lifted else {
        return Err(Refusal::usage(
            "lift the tombstone: nobody of that name was erased from this store",
            "give a user id, login, e-mail address or alias that the person had",
        )
        .into());
    };
    console::say(&format!(
        "the person erased on {} is taken in again by the next import; what was erased stays erased",
        erased_at.day()
    ));
    Ok(())
}

fn show(report: &EraseReport, format: Format) -> anyhow::Result<()> {
    let columns = [
        Column::new("table"),
        Column::new("files").right(),
        Column::new("rows_removed").right(),
        Column::new("rows_changed").right(),
    ];
    let rows: Vec<Vec<Cell>> = report
        .tables
        .iter()
        .map(|table| {
            vec![
                Cell::from(table.table),
                Cell::from(table.files),
                Cell::from(table.removed),
                Cell::from(table.changed),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, format)
}

fn tell(report: &EraseReport, quiet: bool) {
    if quiet {
        return;
    }
    if report.resumed {
        console::say("an erasure that had been interrupted is complete");
    }
    if let Some(erased_at) = report.erased_before {
        console::say(&format!(
            "nothing to do: the person was erased on {}",
            erased_at.day()
        ));
    }
    if report.snapshots > 0 {
        console::say(&format!("snapshots concerned: {}", report.snapshots));
    }
    if report.shared_keys > 0 {
        console::say(&format!(
            "warning: {} keys of the person are also other people's and stay in their rows",
            report.shared_keys
        ));
    }
}
