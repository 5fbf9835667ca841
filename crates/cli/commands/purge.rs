//! `purge`: remove what is older than a day.

use clap::Args;

use crate::args::{FormatArgument, StoreArgument};
use crate::exit::Refusal;

/// `purge`.
#[derive(Args, Debug)]
pub(crate) struct Purge {
    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// Say what would happen, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Purge, _quiet: bool) -> anyhow::Result<()> {
    let _ = arguments;
    Err(Refusal::usage("purge is not built yet", "see the other verbs with --help").into())
}
