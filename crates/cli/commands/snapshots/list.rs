//! `snapshots list`: every published snapshot.

use af_model::UtcMillis;
use af_model::manifest::Manifest;
use af_report::{Cell, Column};
use af_store::{Snapshot, SnapshotId, Store};
use clap::Args;

use crate::args::{FormatArgument, StoreArgument, parse_cut};
use crate::console;

/// `snapshots list`.
#[derive(Args, Debug)]
#[command(after_help = "\
standing: latest = what `top --store` shows; current = the latest of its as_of; past = another
revision of the same as_of is known later, or was published later for the same instant.

Examples:
  attack-factor snapshots list --store risk/
  attack-factor snapshots list --store risk/ --as-of 2026-11-20
  attack-factor snapshots list --store risk/ --format jsonl | tail -1
  attack-factor top --snapshot risk/snapshots/2026-11-20T235959.999Z/r1")]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// Only the revisions of this as_of: a date (its last millisecond) or an instant.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) as_of: Option<UtcMillis>,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &List) -> anyhow::Result<()> {
    let store = Store::open(&arguments.store.store)?;
    let latest = store.latest()?;
    let mut rows = Vec::new();
    let mut unreadable = Vec::new();
    for id in store.snapshots()? {
        if arguments.as_of.is_some_and(|as_of| as_of != id.as_of) {
            continue;
        }
        let standing = if latest == Some(id) {
            "latest"
        } else if store.latest_of(id.as_of)? == Some(id) {
            "current"
        } else {
            "past"
        };
        // One that is damaged must not hide the others.
        let manifest = match Snapshot::open(&store.snapshot_dir(id)) {
            Ok(snapshot) => Some(snapshot.manifest().clone()),
            Err(error) => {
                unreadable.push(format!("cannot read {id}: {error}"));
                None
            }
        };
        rows.push(row(id, standing, manifest.as_ref()));
    }
    let columns = [
        Column::new("snapshot"),
        Column::new("standing"),
        Column::new("as_of").titled("as of"),
        Column::new("revision").titled("rev").right(),
        Column::new("known_at").titled("known at"),
        Column::new("formula"),
        Column::new("config"),
        Column::new("rules"),
        Column::new("people").right(),
        Column::new("tenants").right(),
        Column::new("warnings").right(),
        Column::new("bytes").right(),
    ];
    console::print_rows(&columns, &rows, arguments.format.format)?;
    for text in &unreadable {
        console::say(text);
    }
    Ok(())
}

fn row(id: SnapshotId, standing: &str, manifest: Option<&Manifest>) -> Vec<Cell> {
    let known = |cell: &dyn Fn(&Manifest) -> Cell| manifest.map_or(Cell::Null, cell);
    vec![
        id.to_string().into(),
        standing.into(),
        id.as_of.into(),
        u64::from(id.revision).into(),
        known(&|manifest| manifest.known_at.into()),
        known(&|manifest| manifest.formula.clone().into()),
        known(&|manifest| short(&manifest.config_hash).into()),
        known(&|manifest| manifest.rules_hash.as_deref().map(short).into()),
        known(&|manifest| {
            let members = manifest
                .tenants
                .values()
                .flat_map(|of| of.population.values());
            members.sum::<u64>().into()
        }),
        known(&|manifest| (manifest.tenants.len() as u64).into()),
        known(&|manifest| {
            let at_cut = manifest.tenants.values().map(|of| of.warnings.len());
            let seen = manifest.run.tenants.values().map(|of| of.warnings.len());
            (at_cut.chain(seen).sum::<usize>() as u64).into()
        }),
        known(&|manifest| {
            let files = manifest.files.iter().map(|file| file.bytes);
            files.sum::<u64>().into()
        }),
    ]
}

/// Enough of a hash to tell configurations apart.
fn short(hash: &str) -> String {
    hash.chars().take(8).collect()
}
