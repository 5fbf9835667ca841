//! `verify`: recompute a snapshot from its own tables.

use clap::Args;
use std::path::PathBuf;

use crate::args::FormatArgument;
use crate::exit::Refusal;

/// `verify`.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// Folder of a snapshot, of a store (its latest snapshot), or the --out folder of score.
    #[arg(value_name = "SNAPSHOT")]
    pub(crate) snapshot: PathBuf,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Verify, _quiet: bool) -> anyhow::Result<()> {
    let _ = arguments;
    Err(Refusal::usage("verify is not built yet", "see the other verbs with --help").into())
}
