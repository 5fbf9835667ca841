//! `snapshots`: what a store has published, and what changed.

mod diff;
mod list;
use clap::Subcommand;

/// `snapshots`.
#[derive(Debug, Subcommand)]
pub(crate) enum Snapshots {
    /// List every published snapshot
    List(list::List),
    /// Say who moved between two snapshots, and why
    Diff(diff::Diff),
}

pub(super) fn run(snapshots: &Snapshots, quiet: bool) -> anyhow::Result<()> {
    match snapshots {
        Snapshots::List(list) => list::run(list),
        Snapshots::Diff(diff) => diff::run(diff, quiet),
    }
}
