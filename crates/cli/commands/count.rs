//! `count`: signals from anywhere, counted day by day.

use std::path::PathBuf;

use af_engine::files::{self, Input};
use af_engine::tally::AskedCut;
use af_model::accounting::SignalAccount;
use clap::Args;

use crate::args::{CutArgument, FormatArgument, parse_mapping, people_options};
use crate::console::{self, Bars, Stopwatch};

/// `count`.
#[derive(Args, Debug)]
#[command(after_help = "\
Writes the table bucket_counts (attack-factor schema bucket_counts), one file for every UTC day, and
last counts.json with the account. Duplicates were dropped and incidents collapsed inside their day,
so counts of whole days add: days may be counted on several machines, each signal on the machine of
its day. Files that hold one sorted day each, as a store's do, are counted side by side in the memory
of a few days; files that hold many days mixed are cut by day first, in files without a name in
--out where memory does not do.

Example:
  attack-factor count --signals day=*/*.parquet --users people.parquet --out counts/ --as-of 2026-11-20")]
pub(crate) struct Count {
    /// Files of attack signals from anywhere (Parquet).
    #[arg(long, value_name = "FILES", num_args = 1.., required = true)]
    pub(crate) signals: Vec<PathBuf>,

    /// File of people: CSV, NDJSON, Parquet or Okta users.
    #[arg(long, value_name = "FILE")]
    pub(crate) users: PathBuf,

    /// The organization of --users, when the file has no column tenant_uid.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: Option<String>,

    /// Take our column from theirs in --users; may be repeated.
    #[arg(long = "map", value_name = "OURS=THEIRS", value_parser = parse_mapping)]
    pub(crate) mapping: Vec<(String, String)>,

    /// New or empty folder that receives a file for every day.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// File with 64 hex digits: the key of hashed names, for signals that name people by hash.
    #[arg(long, value_name = "FILE")]
    pub(crate) hash_key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) cut: CutArgument,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Count, quiet: bool) -> anyhow::Result<()> {
    let options = people_options(arguments.tenant.as_ref(), &arguments.mapping);
    let key = arguments.hash_key.as_deref();
    let key = key.map(af_store::read_hash_key).transpose()?;
    let input = Input {
        signals: &arguments.signals,
        users: &arguments.users,
        options: &options,
        key: key.as_ref(),
    };
    let asked = AskedCut {
        as_of: arguments.cut.as_of,
        known_at: arguments.cut.known_at,
    };
    let stopwatch = Stopwatch::new(Bars::new(quiet));
    let report = files::count(input, &arguments.out, asked, &stopwatch)?;
    let mut all = SignalAccount::default();
    for account in report.tenants.values() {
        all += *account;
    }
    let format = arguments.format.format;
    console::print_account(("signals_read", all.signals_read), &all.parts(), format)?;
    if !quiet {
        let rows: u64 = report.files.iter().map(|file| file.rows).sum();
        console::say(&format!(
            "wrote {rows} buckets of {} days to {} (as of {}, known at {})",
            report.files.len(),
            arguments.out.display(),
            report.as_of,
            report.known_at
        ));
    }
    Ok(())
}
