//! `explain`: why one person has their score.

use clap::Args;
use std::path::PathBuf;

use crate::args::FormatArgument;
use crate::exit::Refusal;

/// `explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// Who: a user id, login or e-mail address.
    #[arg(value_name = "USER")]
    pub(crate) user: String,

    /// Folder of the store; its latest snapshot is explained.
    #[arg(
        long,
        value_name = "DIR",
        env = "ATTACK_FACTOR_STORE",
        required_unless_present = "snapshot"
    )]
    pub(crate) store: Option<PathBuf>,

    /// Folder of one snapshot, or the --out folder of score.
    #[arg(long, value_name = "DIR")]
    pub(crate) snapshot: Option<PathBuf>,

    /// Only this organization.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: Option<String>,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Explain) -> anyhow::Result<()> {
    let _ = arguments;
    Err(Refusal::usage(
        "explain is not built yet",
        "see the other verbs with --help",
    )
    .into())
}
