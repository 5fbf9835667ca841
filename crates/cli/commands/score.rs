//! `score`: everybody's attack factor, published.

use std::path::PathBuf;

use af_engine::files::{self, Input};
use af_engine::pipeline::{self, LeftOut, ScoreReport, StoreJob};
use af_engine::tally::AskedCut;
use af_model::Params;
use af_model::accounting::SignalAccount;
use af_report::Format;
use af_store::Store;
use clap::Args;

use crate::args::{CutArgument, FormatArgument, RulesArgument, parse_mapping, people_options};
use crate::clock;
use crate::commands::rules::load;
use crate::commands::run_facts;
use crate::console::{self, Bars, Stopwatch};
use crate::exit::Refusal;

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

pub(super) fn run(arguments: &Score, params: &Params, quiet: bool) -> anyhow::Result<()> {
    let asked = AskedCut {
        as_of: arguments.cut.as_of,
        known_at: arguments.cut.known_at,
    };
    let stopwatch = Stopwatch::new(Bars::new(quiet));
    let report = match (&arguments.store, &arguments.users, &arguments.out) {
        (Some(store), ..) if arguments.signals.is_empty() => {
            let rules = load(&arguments.rules)?;
            let store = Store::open(store)?;
            let lock = store.lock()?;
            let random = clock::random_bytes()?;
            let key = store.hash_key(&lock, || random)?;
            let job = StoreJob {
                store: &store,
                lock: &lock,
                key: &key,
                rules: &rules,
            };
            pipeline::score_store(&job, params, asked, &run_facts(), &stopwatch)?
        }
        (_, Some(users), Some(out)) => {
            let options = people_options(arguments.tenant.as_ref(), &arguments.mapping);
            let key = arguments.hash_key.as_deref();
            let key = key.map(af_store::read_hash_key).transpose()?;
            let input = Input {
                signals: &arguments.signals,
                users,
                options: &options,
                key: key.as_ref(),
            };
            let force = arguments.force;
            files::score(input, out, force, params, asked, &run_facts(), &stopwatch)?
        }
        _ => {
            return Err(Refusal::usage(
                "tell what to score",
                "give --store DIR, or --signals FILES… --users FILE --out DIR",
            )
            .into());
        }
    };
    show(&report, arguments.format.format, quiet)
}

/// Prints the accounts and says where the snapshot is.
pub(super) fn show(report: &ScoreReport, format: Format, quiet: bool) -> anyhow::Result<()> {
    let mut all = SignalAccount::default();
    for seen in report.seen.values() {
        all += seen.signals;
    }
    console::print_account(("signals_read", all.signals_read), &all.parts(), format)?;
    if !quiet {
        tell(report);
    }
    left_out(&report.left_out)
}

/// Tenants that are left out are named, and the run does not end as a success.
pub(super) fn left_out(left_out: &LeftOut) -> anyhow::Result<()> {
    if left_out.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = left_out
        .iter()
        .map(|(tenant, reason)| format!("{tenant} is left out: {reason}"))
        .collect();
    let hint = "the other tenants are published; the earlier snapshots of this one are untouched";
    Err(Refusal::gate(reasons.join("\n")).with_hint(hint).into())
}

fn tell(report: &ScoreReport) {
    let at_cut = report.tenants.iter();
    let at_cut = at_cut.map(|(tenant, entry)| (tenant, &entry.warnings));
    let seen = report.seen.iter();
    let seen = seen.map(|(tenant, run)| (tenant, &run.warnings));
    for (tenant, warnings) in at_cut.chain(seen) {
        for warning in warnings {
            console::say(&format!("warning: {tenant}: {warning}"));
        }
    }
    let verb = if report.published {
        "published"
    } else {
        "nothing changed since"
    };
    let manifest = &report.manifest;
    console::say(&format!(
        "{verb} {} (as of {}, known at {}, revision {})",
        report.snapshot.display(),
        manifest.as_of,
        manifest.known_at,
        manifest.revision
    ));
}
