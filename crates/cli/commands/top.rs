//! `top`: the most attacked people of a snapshot.

use std::path::PathBuf;

use af_model::Population;
use af_model::name::Printable;
use af_query::TopQuery;
use af_report::Format;
use af_store::{Snapshot, Store};
use clap::{Args, ValueEnum};

use crate::args::FormatArgument;
use crate::console;
use crate::exit::Refusal;

/// `top`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  attack-factor top --store risk/ --min-level medium
  attack-factor top --store risk/ --as-of 2026-11-01 --department Finance
  attack-factor top --snapshot scores/ --limit 1000 --format csv

attack-factor explain USER says why somebody has their score.")]
pub(crate) struct Top {
    /// Folder of the store; its latest snapshot is shown.
    #[arg(
        long,
        value_name = "DIR",
        env = "ATTACK_FACTOR_STORE",
        required_unless_present = "snapshot"
    )]
    pub(crate) store: Option<PathBuf>,

    /// Folder of one snapshot, or the --out folder of score; it goes before --store.
    #[arg(long, value_name = "DIR")]
    pub(crate) snapshot: Option<PathBuf>,

    /// The store's snapshot of this date or instant, if wanted with its revision: 2026-11-20/r2.
    #[arg(long, value_name = "DATE", conflicts_with = "snapshot")]
    pub(crate) as_of: Option<String>,

    /// Only this organization.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: Option<String>,

    /// How many people.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,

    /// People or service accounts.
    #[arg(long, value_name = "WHO", default_value = "human")]
    pub(crate) population: PopulationArgument,

    /// Only this level and above: very_low, low, medium, high or very_high.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) min_level: Option<LevelArgument>,

    /// Only this department.
    #[arg(long, value_name = "NAME")]
    pub(crate) department: Option<String>,

    /// Only this location.
    #[arg(long, value_name = "NAME")]
    pub(crate) location: Option<String>,

    /// Also people who left, are suspended or not yet active.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

/// Who is compared with whom.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PopulationArgument {
    /// People.
    Human,
    /// Service accounts, bots and the like.
    Service,
}

impl From<PopulationArgument> for Population {
    fn from(argument: PopulationArgument) -> Self {
        match argument {
            PopulationArgument::Human => Self::Human,
            PopulationArgument::Service => Self::Service,
        }
    }
}

/// A level to start from.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum LevelArgument {
    /// Above zero.
    VeryLow,
    /// From 2.
    Low,
    /// From 4.
    Medium,
    /// From 6.
    High,
    /// From 8.
    VeryHigh,
}

impl From<LevelArgument> for af_model::ScoreLevel {
    fn from(argument: LevelArgument) -> Self {
        match argument {
            LevelArgument::VeryLow => Self::VeryLow,
            LevelArgument::Low => Self::Low,
            LevelArgument::Medium => Self::Medium,
            LevelArgument::High => Self::High,
            LevelArgument::VeryHigh => Self::VeryHigh,
        }
    }
}

pub(super) fn run(arguments: &Top, quiet: bool) -> anyhow::Result<()> {
    let snapshot = match (&arguments.snapshot, &arguments.store, &arguments.as_of) {
        (Some(folder), ..) | (None, Some(folder), None) => Snapshot::open(folder)?,
        (None, Some(store), Some(as_of)) => Snapshot::open_in(&Store::open(store)?, as_of)?,
        (None, None, _) => {
            return Err(
                Refusal::usage("tell where to look", "give --store DIR or --snapshot DIR").into(),
            );
        }
    };
    let tenants = &snapshot.manifest().tenants;
    if let Some(tenant) = &arguments.tenant
        && !tenants.contains_key(tenant)
    {
        let known: Vec<&str> = tenants.keys().map(String::as_str).collect();
        return Err(Refusal::usage(
            format!("find tenant {} in the snapshot", Printable(tenant)),
            format!("it has {}", known.join(", ")),
        )
        .into());
    }
    let query = TopQuery {
        tenant: arguments.tenant.clone(),
        population: arguments.population.into(),
        limit: arguments.limit as usize,
        min_level: arguments.min_level.map(Into::into),
        department: arguments.department.clone(),
        location: arguments.location.clone(),
        include_outside: arguments.all,
    };
    let view = af_query::top(snapshot.path(), &query)?;
    console::print_with(|out| {
        af_report::render_top(&view, arguments.format.format, console::width(), out)
    })?;
    if !quiet && arguments.format.format == Format::Table && !view.people.is_empty() {
        console::say("\nwhy? attack-factor explain USER, with the same --store or --snapshot");
    }
    Ok(())
}
