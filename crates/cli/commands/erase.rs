//! `erase`: remove one person from every table and snapshot.

use clap::Args;

use crate::args::{FormatArgument, StoreArgument};
use crate::exit::Refusal;

/// `erase`.
#[derive(Args, Debug)]
pub(crate) struct Erase {
    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// Say what would happen, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Erase, _quiet: bool) -> anyhow::Result<()> {
    let _ = arguments;
    Err(Refusal::usage("erase is not built yet", "see the other verbs with --help").into())
}
