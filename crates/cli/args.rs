//! What a user may type.
#![expect(clippy::doc_markdown, reason = "these comments are the text of --help")]

use std::path::PathBuf;

use af_model::UtcMillis;
use af_report::Format;
use clap::{Args, Parser, Subcommand};

use crate::commands::{
    compact, config, demo, detect, erase, explain, normalize, purge, retract, rules, run, schema,
    score, snapshots, top, users, verify,
};

/// How much is each person of an organization attacked, compared with their colleagues, and why.
///
/// Reads identity events (Okta first), turns them into attack signals by Sigma rules, joins them to
/// people by e-mail, computes the attack factor with an open integer formula and publishes Parquet
/// snapshots. What somebody does never changes how much they are attacked.
#[derive(Debug, Parser)]
#[command(
    name = "attack-factor",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "\
Start here:
  attack-factor demo                                          bundled data, no account needed
  attack-factor normalize okta export.ndjson --tenant acme --store risk/
  attack-factor users import people.csv --tenant acme --store risk/
  attack-factor score --store risk/
  attack-factor top --store risk/

Exit codes: 0 done; 1 internal or I/O failure; 2 usage, configuration or rules; 3 no input file;
4 a data gate failed (an account does not close)."
)]
pub(crate) struct Arguments {
    /// Worker threads; all cores by default. Results do not depend on it.
    #[arg(long, global = true, value_name = "N", env = "RAYON_NUM_THREADS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,

    /// Say more on standard error; twice for more still.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// No progress and no summary on standard error; errors still show.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Score bundled sample data and show the most attacked people
    Demo(demo::Demo),
    /// Do everything the configuration says: new input, people, signals, scores, snapshot
    Run(run::Run),
    /// Turn a source's raw events into identity events in a store
    #[command(subcommand)]
    Normalize(normalize::Source),
    /// Import the people of an organization
    #[command(subcommand)]
    Users(users::Users),
    /// Find attack signals in the store's events (score does it by itself)
    Detect(detect::Detect),
    /// Compute everybody's attack factor and publish a snapshot
    Score(score::Score),
    /// Show the most attacked people of a snapshot
    Top(top::Top),
    /// Show why one person has their score, down to single events
    Explain(explain::Explain),
    /// List the snapshots of a store, or say what changed between two
    #[command(subcommand)]
    Snapshots(snapshots::Snapshots),
    /// Recompute every figure of a snapshot from its own tables
    Verify(verify::Verify),
    /// Take back a false positive: an event, a signal or an incident
    Retract(retract::Retract),
    /// List, show, check and test the detection rules
    #[command(subcommand)]
    Rules(rules::Rules),
    /// Make one file of every day that has several
    Compact(compact::Compact),
    /// Remove what is older than a day
    Purge(purge::Purge),
    /// Remove one person from every table and snapshot
    Erase(erase::Erase),
    /// Show or check the configuration
    #[command(subcommand)]
    Config(config::Config),
    /// Print the contract of every table: columns, types, units, meaning
    Schema(schema::Schema),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete for.
        shell: clap_complete::Shell,
    },
}

/// Where the store is.
#[derive(Args, Clone, Debug)]
pub(crate) struct StoreArgument {
    /// Folder of the store; created when it does not exist and the verb writes.
    #[arg(long, value_name = "DIR", env = "ATTACK_FACTOR_STORE")]
    pub(crate) store: PathBuf,
}

/// How rows are printed.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FormatArgument {
    /// How to print: table, json, jsonl or csv.
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = parse_format)]
    pub(crate) format: Format,
}

/// A user's own rules.
#[derive(Args, Clone, Debug)]
pub(crate) struct RulesArgument {
    /// Folder of your own Sigma rules (*.yml), loaded beside the shipped ones; may be repeated.
    #[arg(long = "rules", value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
}

/// Point in time of the figures.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CutArgument {
    /// Signals up to here count: a date (its last millisecond) or an instant. Default: --known-at.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) as_of: Option<UtcMillis>,

    /// What was known by then counts. Default: the latest ingested_at of the signals.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) known_at: Option<UtcMillis>,
}

pub(crate) fn parse_cut(text: &str) -> Result<UtcMillis, String> {
    UtcMillis::parse_cut(text).map_err(|error| error.to_string())
}

pub(crate) fn parse_format(text: &str) -> Result<Format, String> {
    text.parse::<Format>().map_err(|error| error.to_string())
}

pub(crate) fn parse_mapping(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((ours, theirs)) if !ours.is_empty() && !theirs.is_empty() => {
            Ok((ours.to_owned(), theirs.to_owned()))
        }
        _ => Err("expected OURS=THEIRS, e.g. email=work_mail".to_owned()),
    }
}
