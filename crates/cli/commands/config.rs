//! `config`: show or check the configuration.

use clap::Subcommand;

use crate::args::FormatArgument;
use crate::exit::Refusal;

/// `config`.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show the configuration as it is used, defaults included
    Show {
        #[command(flatten)]
        format: FormatArgument,
    },
    /// Check the configuration without doing anything
    Check {
        #[command(flatten)]
        format: FormatArgument,
    },
}

pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let _ = config;
    Err(Refusal::usage("config is not built yet", "see the other verbs with --help").into())
}
