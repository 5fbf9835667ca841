//! `retract`: take back a false positive.

use clap::Args;

use crate::args::{FormatArgument, StoreArgument};
use crate::exit::Refusal;

/// `retract`.
#[derive(Args, Debug)]
pub(crate) struct Retract {
    #[command(flatten)]
    pub(crate) store: StoreArgument,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Retract, _quiet: bool) -> anyhow::Result<()> {
    let _ = arguments;
    Err(Refusal::usage(
        "retract is not built yet",
        "see the other verbs with --help",
    )
    .into())
}
