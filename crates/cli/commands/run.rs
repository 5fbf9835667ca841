//! `run`: everything the configuration says, in one go.

use clap::Args;

use crate::args::FormatArgument;
use crate::exit::Refusal;

/// `run`.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Say what would happen, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Run, _quiet: bool) -> anyhow::Result<()> {
    let _ = arguments;
    Err(Refusal::usage("run is not built yet", "see the other verbs with --help").into())
}
