//! What a user may type.
#![expect(clippy::doc_markdown, reason = "these comments are the text of --help")]

use std::path::PathBuf;

use af_model::{Population, UtcMillis};
use af_report::Format;
use clap::{Args, Parser, Subcommand, ValueEnum};

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
    Demo(Demo),
    /// Turn a source's raw events into identity events in a store
    #[command(subcommand)]
    Normalize(Source),
    /// Import the people of an organization
    #[command(subcommand)]
    Users(Users),
    /// Find attack signals in the store's events (score does it by itself)
    Detect(Detect),
    /// Compute everybody's attack factor and publish a snapshot
    Score(Score),
    /// Show the most attacked people of a snapshot
    Top(Top),
    /// List, show, check and test the detection rules
    #[command(subcommand)]
    Rules(Rules),
    /// Print the contract of every table: columns, types, units, meaning
    Schema(Schema),
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

/// `demo`.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Folder of the demo's store.
    #[arg(long, value_name = "DIR", default_value = "attack-factor-demo")]
    pub(crate) dir: PathBuf,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

/// `normalize`.
#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Okta System Log: NDJSON, JSON array or API page; plain, .gz or .zst; - for standard input
    ///
    /// Every event ends as normalized, duplicate or quarantined; quarantined ones keep their
    /// reason, file and line, never their content. Reading the same file again adds nothing.
    #[command(after_help = "\
Examples:
  attack-factor normalize okta 2026-11-*.ndjson.gz --tenant acme --store risk/
  zstdcat log.zst | attack-factor normalize okta - --tenant acme --store risk/")]
    Okta(NormalizeOkta),
}

/// `normalize okta`.
#[derive(Args, Debug)]
pub(crate) struct NormalizeOkta {
    /// Files to read; - is standard input.
    #[arg(required = true, value_name = "FILES")]
    pub(crate) files: Vec<PathBuf>,

    /// The organization the events belong to.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: String,

    /// Name of the Okta org, when a tenant has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: Option<String>,

    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// When the events became known; for imports of old exports. Default: now.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) ingested_at: Option<UtcMillis>,

    /// Memory for events that wait to be written, in MiB; beyond it sorted runs go to disk.
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) buffer: u32,

    /// Read and judge everything, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

/// `users`.
#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// Import people from CSV, NDJSON, JSON, Parquet or Okta's /api/v1/users answers
    ///
    /// Columns are recognized by name ("E-mail", "mail", "userPrincipalName", …); --map settles
    /// doubts. An import replaces the people of the same --source; older versions are kept.
    #[command(after_help = "\
Examples:
  attack-factor users import people.csv --tenant acme --store risk/
  attack-factor users import hr.parquet --tenant acme --store risk/ --source hr --map email=work_mail")]
    Import(UsersImport),
}

/// `users import`.
#[derive(Args, Debug)]
pub(crate) struct UsersImport {
    /// The file of people.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// The organization; not needed when the file has a column tenant_uid.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: Option<String>,

    /// Name of the source: an import replaces the people of the same source.
    #[arg(long, value_name = "NAME", default_value = "directory")]
    pub(crate) source: String,

    /// Take our column from theirs, e.g. --map email=work_mail; may be repeated.
    #[arg(long = "map", value_name = "OURS=THEIRS", value_parser = parse_mapping)]
    pub(crate) mapping: Vec<(String, String)>,

    /// When this version became known. Default: now.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) imported_at: Option<UtcMillis>,

    /// Read and judge everything, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

/// `detect`.
#[derive(Args, Debug)]
pub(crate) struct Detect {
    #[command(flatten)]
    pub(crate) store: StoreArgument,

    #[command(flatten)]
    pub(crate) rules: RulesArgument,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

/// `score`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  attack-factor score --store risk/
  attack-factor score --store risk/ --as-of 2026-11-20
  attack-factor score --signals signals.parquet --users people.parquet --out scores/ --as-of 2026-11-20")]
pub(crate) struct Score {
    /// Folder of the store; new events are detected first.
    #[arg(
        long,
        value_name = "DIR",
        env = "ATTACK_FACTOR_STORE",
        required_unless_present = "signals",
        conflicts_with = "signals"
    )]
    pub(crate) store: Option<PathBuf>,

    /// Files of attack signals from anywhere (Parquet), instead of a store.
    #[arg(long, value_name = "FILES", num_args = 1.., requires = "users", requires = "out")]
    pub(crate) signals: Vec<PathBuf>,

    /// File of people for --signals: CSV, NDJSON, Parquet or Okta users.
    #[arg(long, value_name = "FILE", requires = "signals")]
    pub(crate) users: Option<PathBuf>,

    /// Folder that receives the tables of --signals.
    #[arg(long, value_name = "DIR", requires = "signals")]
    pub(crate) out: Option<PathBuf>,

    /// The organization of --users, when the file has no column tenant_uid.
    #[arg(long, value_name = "T", requires = "users")]
    pub(crate) tenant: Option<String>,

    /// Take our column from theirs in --users; may be repeated.
    #[arg(long = "map", value_name = "OURS=THEIRS", value_parser = parse_mapping, requires = "users")]
    pub(crate) mapping: Vec<(String, String)>,

    #[command(flatten)]
    pub(crate) cut: CutArgument,

    #[command(flatten)]
    pub(crate) rules: RulesArgument,

    /// File with 64 hex digits: the key of hashed names, for --signals. Without it unmatched
    /// identifiers are left out rather than hashed.
    #[arg(long, value_name = "FILE", requires = "signals")]
    pub(crate) hash_key: Option<PathBuf>,

    /// Replace what is in --out.
    #[arg(long, requires = "out")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

/// `top`.
#[derive(Args, Debug)]
pub(crate) struct Top {
    /// Folder of the store; its latest snapshot is shown.
    #[arg(
        long,
        value_name = "DIR",
        env = "ATTACK_FACTOR_STORE",
        required_unless_present = "snapshot",
        conflicts_with = "snapshot"
    )]
    pub(crate) store: Option<PathBuf>,

    /// Folder of one snapshot, or the --out folder of score.
    #[arg(long, value_name = "DIR")]
    pub(crate) snapshot: Option<PathBuf>,

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

/// `rules`.
#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// One line per rule
    List {
        #[command(flatten)]
        rules: RulesArgument,
        #[command(flatten)]
        format: FormatArgument,
    },
    /// One rule in full: what it means, what it misses, why its level
    Show {
        /// Name or id of the rule.
        rule: String,
        #[command(flatten)]
        rules: RulesArgument,
    },
    /// Find unknown fields and event types, missing samples, duplicate ids
    Check {
        #[command(flatten)]
        rules: RulesArgument,
        #[command(flatten)]
        format: FormatArgument,
    },
    /// Run every rule on its own samples
    Test {
        #[command(flatten)]
        rules: RulesArgument,
        #[command(flatten)]
        format: FormatArgument,
    },
}

/// `schema`.
#[derive(Args, Debug)]
pub(crate) struct Schema {
    /// Only this table.
    #[arg(value_name = "TABLE")]
    pub(crate) table: Option<String>,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

fn parse_cut(text: &str) -> Result<UtcMillis, String> {
    UtcMillis::parse_cut(text).map_err(|error| error.to_string())
}

fn parse_format(text: &str) -> Result<Format, String> {
    text.parse::<Format>().map_err(|error| error.to_string())
}

fn parse_mapping(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((ours, theirs)) if !ours.is_empty() && !theirs.is_empty() => {
            Ok((ours.to_owned(), theirs.to_owned()))
        }
        _ => Err("expected OURS=THEIRS, e.g. email=work_mail".to_owned()),
    }
}
