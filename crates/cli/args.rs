//! What a user may type.
#![expect(clippy::doc_markdown, reason = "these comments are the text of --help")]

use std::ffi::OsString;
use std::path::PathBuf;

use af_directory::ImportOptions;
use af_engine::config::{Config, RuleSettings};
use af_model::UtcMillis;
use af_report::Format;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    compact, config, count, demo, detect, erase, explain, normalize, okta, purge, retract, rules,
    run, schema, score, snapshots, top, users, verify,
};
use crate::logging::LogFormat;
use crate::settings::{CONFIG_VARIABLE, FoundBy, Settings};

/// Where `--help` lists what every verb takes, apart from a verb's own.
const GLOBAL: &str = "Global options";

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
  attack-factor demo --live                                   the same, fetched from a simulated Okta
  attack-factor normalize okta export.ndjson --tenant acme --store risk/
  attack-factor users import people.csv --tenant acme --store risk/
  attack-factor score --store risk/
  attack-factor top --store risk/

Every night:
  attack-factor config show --example > attack-factor.toml    what to read and how to score
  attack-factor okta check                                    may we fetch from Okta, and what
  attack-factor run                                           all of the above, new input only

Exit codes:
   0  done
   1  internal or I/O failure; nothing was published
   2  usage, configuration or rules
   3  no input file
   4  a data gate failed: a tenant is left out and named (the others are published), or nothing
      may be published
  10  somebody is at or above the level of --fail-on
 130, 143  Ctrl-C or SIGTERM ended it before it was done"
)]
pub(crate) struct Arguments {
    /// Worker threads; all cores by default. Results do not depend on it.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "N", env = "RAYON_NUM_THREADS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,

    /// Configuration file. Default: attack-factor.toml in this folder or the nearest one above.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", env = CONFIG_VARIABLE)]
    pub(crate) config: Option<PathBuf>,

    /// How standard error is written: text, or one JSON object per line.
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "FORMAT",
        value_enum,
        default_value = "text",
        hide_possible_values = true
    )]
    pub(crate) log_format: LogFormat,

    /// Say more on standard error; twice for more still.
    #[arg(long, short, global = true, help_heading = GLOBAL, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// No progress and no summary on standard error; errors still show.
    #[arg(long, short, global = true, help_heading = GLOBAL)]
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
    /// Fetch events and people from Okta, see how that fares, play an Okta org
    #[command(subcommand)]
    Okta(okta::Okta),
    /// Turn a source's raw events into identity events in a store
    #[command(subcommand)]
    Normalize(normalize::Source),
    /// Import the people of an organization
    #[command(subcommand)]
    Users(users::Users),
    /// Find attack signals in the store's events (score does it by itself)
    Detect(detect::Detect),
    /// Count signals from anywhere into buckets, one file a day
    Count(count::Count),
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
    #[command(subcommand)]
    Retract(retract::Retract),
    /// List, show, check, test, try and lock the detection rules
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
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RulesArgument {
    /// Folder of your own Sigma rules (*.yml), loaded beside the shipped ones; may be repeated.
    #[arg(long = "rules", value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,

    /// What the configuration says about rules.
    #[arg(skip)]
    pub(crate) configured: RuleSettings,
}

impl RulesArgument {
    /// The rules that hold: folders of the flag win, the rest is the configuration's.
    pub(crate) fn settings(&self) -> RuleSettings {
        let mut settings = self.configured.clone();
        if !self.folders.is_empty() {
            settings.folders.clone_from(&self.folders);
        }
        settings
    }
}

/// Point in time of the figures.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CutArgument {
    /// Signals up to here count: a date (its last millisecond) or an instant. Default: --known-at
    /// if it is given, else the latest ingested_at of events and signals.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) as_of: Option<UtcMillis>,

    /// What was known by then counts. Default: when the latest event, signal, retraction or
    /// directory became known.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) known_at: Option<UtcMillis>,
}

/// Reads what was typed. A verb that misses its `--store` gets the configured one.
///
/// # Errors
/// The configuration is needed and cannot be used. Wrong arguments end the program with clap's
/// message, help and version with success.
pub(crate) fn parse(typed: &[OsString], settings: &mut Settings) -> anyhow::Result<Arguments> {
    let command = Arguments::command();
    let matches = match command.clone().try_get_matches_from(typed) {
        Err(error) if misses_store(&error) => {
            if let Some(failure) = settings.take_failure() {
                return Err(failure.into());
            }
            match &settings.config.store {
                Some(store) => command.get_matches_from(with_store(typed, store)),
                None => error.exit(),
            }
        }
        other => other.unwrap_or_else(|error| error.exit()),
    };
    settings.note_overrides(&matches);
    Ok(Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

fn misses_store(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::MissingRequiredArgument
        && match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(missing)) => {
                missing.iter().any(|name| name.starts_with("--store"))
            }
            Some(ContextValue::String(missing)) => missing.starts_with("--store"),
            _ => false,
        }
}

fn with_store(typed: &[OsString], store: &std::path::Path) -> Vec<OsString> {
    let end = typed
        .iter()
        .position(|argument| argument == "--")
        .unwrap_or(typed.len());
    let mut all = typed.to_vec();
    all.splice(
        end..end,
        [OsString::from("--store"), store.as_os_str().to_owned()],
    );
    all
}

/// Hands the configuration to the arguments that leave something open.
///
/// # Errors
/// The verb depends on the configuration, or it was named, and it cannot be used.
pub(crate) fn complete(arguments: &mut Arguments, settings: &mut Settings) -> anyhow::Result<()> {
    let depends = match &arguments.verb {
        Verb::Run(_) | Verb::Score(_) | Verb::Detect(_) | Verb::Rules(_) => true,
        Verb::Okta(okta) => okta.is_configured(),
        _ => false,
    };
    let named = settings.found_by == FoundBy::Name && !matches!(arguments.verb, Verb::Config(_));
    if (depends || named)
        && let Some(failure) = settings.take_failure()
    {
        return Err(failure.into());
    }
    let config: &Config = &settings.config;
    if let Some(file) = &config.file {
        let file = file.display().to_string();
        tracing::info!(file, "using the configuration {file}");
    }
    arguments.threads = arguments
        .threads
        .or((config.threads > 0).then_some(config.threads));
    let rules = match &mut arguments.verb {
        Verb::Run(run) => &mut run.rules,
        Verb::Score(score) => &mut score.rules,
        Verb::Detect(detect) => &mut detect.rules,
        Verb::Rules(rules) => rules.argument(),
        _ => return Ok(()),
    };
    rules.configured = config.rules.clone();
    Ok(())
}

/// How a file of people is read that no configuration names.
pub(crate) fn people_options(
    tenant: Option<&String>,
    mapping: &[(String, String)],
) -> ImportOptions {
    ImportOptions {
        tenant: tenant.cloned(),
        source: "directory".to_owned(),
        imported_at: None,
        map: mapping.to_vec(),
    }
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
