//! `snapshots diff`: who moved between two snapshots, and why.

use clap::Args;
use std::path::PathBuf;

use crate::args::FormatArgument;
use crate::exit::Refusal;

/// `snapshots diff`.
#[derive(Args, Debug)]
pub(crate) struct Diff {
    /// The earlier snapshot: its folder, or its name with --store.
    #[arg(value_name = "A")]
    pub(crate) before: PathBuf,

    /// The later snapshot.
    #[arg(value_name = "B")]
    pub(crate) after: PathBuf,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Diff, _quiet: bool) -> anyhow::Result<()> {
    let _ = arguments;
    Err(Refusal::usage(
        "snapshots diff is not built yet",
        "see the other verbs with --help",
    )
    .into())
}
