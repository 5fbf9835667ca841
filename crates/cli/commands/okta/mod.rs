//! `okta`: fetch from Okta orgs, say how that fares, and play one.

mod check;
mod inventory;
mod outcome;
mod pull;
mod sim;
mod status;

use std::path::PathBuf;

use af_engine::config::Config;
use clap::{Args, Subcommand};

use crate::commands::run::store_root;
use crate::exit::Refusal;
use crate::okta::integrations::{Integration, select};
use crate::settings::Settings;

/// `okta`.
#[derive(Debug, Subcommand)]
pub(crate) enum Okta {
    /// Fetch what is new in the System Log, and its history the first time
    Pull(pull::Pull),
    /// Fetch users, groups, applications, factors, roles and devices
    Inventory(inventory::Inventory),
    /// Say what a credential can and cannot do; writes nothing
    Check(check::Check),
    /// Show how every integration fares; asks nobody
    Status(status::Status),
    /// Play an Okta org on this machine, for tests and demos
    Sim(sim::Sim),
}

impl Okta {
    /// Whether it works from the configuration.
    pub(crate) fn is_configured(&self) -> bool {
        !matches!(self, Self::Sim(_))
    }
}

/// Which integrations, and where they are fetched to.
#[derive(Args, Clone, Debug)]
pub(crate) struct WhichArgument {
    /// Integrations with a url, as TENANT or TENANT/INTEGRATION. Default: all.
    #[arg(value_name = "TENANT[/INTEGRATION]")]
    pub(crate) names: Vec<String>,
}

/// Where what is fetched lies.
#[derive(Args, Clone, Debug)]
pub(crate) struct FetchStoreArgument {
    /// Folder of the store; made when it does not exist and the verb writes. Default: store of the
    /// configuration.
    #[arg(long, value_name = "DIR", env = "ATTACK_FACTOR_STORE")]
    pub(crate) store: Option<PathBuf>,
}

impl WhichArgument {
    fn select<'c>(&self, settings: &'c Settings) -> anyhow::Result<Vec<Integration<'c>>> {
        settings.file()?;
        Ok(select(&settings.config, &self.names)?)
    }
}

impl FetchStoreArgument {
    fn root(&self, config: &Config) -> Result<PathBuf, Refusal> {
        store_root(self.store.as_ref(), config)
    }
}

pub(super) fn run(okta: &Okta, settings: &Settings, quiet: bool) -> anyhow::Result<()> {
    match okta {
        Okta::Pull(pull) => pull::run(pull, settings, quiet),
        Okta::Inventory(inventory) => inventory::run(inventory, settings, quiet),
        Okta::Check(check) => check::run(check, settings, quiet),
        Okta::Status(status) => status::run(status, settings),
        Okta::Sim(sim) => sim::run(sim, quiet),
    }
}
