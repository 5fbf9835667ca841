//! `compact`: one file for every day that has several.

use clap::Args;

use crate::args::{FormatArgument, StoreArgument};
use crate::exit::Refusal;

/// `compact`.
#[derive(Args, Debug)]
pub(crate) struct Compact {
    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// Say what would happen, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Compact, _quiet: bool) -> anyhow::Result<()> {
    let _ = arguments;
    Err(Refusal::usage(
        "compact is not built yet",
        "see the other verbs with --help",
    )
    .into())
}
