//! `snapshots list`: every published snapshot.

use clap::Args;

use crate::args::{FormatArgument, StoreArgument};
use crate::exit::Refusal;

/// `snapshots list`.
#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) store: StoreArgument,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &List) -> anyhow::Result<()> {
    let _ = arguments;
    Err(Refusal::usage(
        "snapshots list is not built yet",
        "see the other verbs with --help",
    )
    .into())
}
