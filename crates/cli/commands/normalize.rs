//! `normalize`: raw events into the store.

use std::path::PathBuf;

use af_engine::input::Input;
use af_engine::known;
use af_engine::normalize::{self as stage, NormalizeOptions, NormalizeReport};
use af_model::name::{Printable, check_tenant};
use af_model::{HashKey, UtcMillis};
use af_report::Format;
use af_store::Store;
use clap::{Args, Subcommand};

use crate::args::{FormatArgument, StoreArgument, parse_cut};
use crate::clock;
use crate::console::{self, Bars};
use crate::exit::Refusal;

/// `normalize`.
#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Okta System Log, also as collectors wrap it; plain, .gz or .zst; - for standard input
    ///
    /// NDJSON, JSON arrays, API pages and printed objects; event hooks, EventBridge, Splunk, Elastic,
    /// Cribl, Sekoia: recognized by shape, see docs/inputs.md. Every event ends as normalized,
    /// duplicate or quarantined; quarantined ones keep their reason, file, line and byte, never their
    /// content. Reading the same file again adds nothing.
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

    /// Memory for events that wait to be written, in MiB; beyond it days are written early.
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) buffer: u32,

    /// Read and judge everything, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(source: &Source, quiet: bool) -> anyhow::Result<()> {
    match source {
        Source::Okta(okta) => run_okta(okta, quiet),
    }
}

fn run_okta(arguments: &NormalizeOkta, quiet: bool) -> anyhow::Result<()> {
    for (what, name) in [
        ("tenant", Some(&arguments.tenant)),
        ("integration", arguments.integration.as_ref()),
    ] {
        if let Some(name) = name {
            check_tenant(name).map_err(|error| {
                Refusal::usage(
                    format!("--{what} {}: {error}", Printable(name)),
                    "use lower-case letters, digits, dots, dashes and underscores",
                )
            })?;
        }
    }
    let mut options = NormalizeOptions {
        tenant: arguments.tenant.clone(),
        integration: arguments.integration.clone(),
        ingested_at: arguments.ingested_at.unwrap_or_else(clock::now),
        buffer_bytes: (arguments.buffer as usize) << 20,
    };
    let inputs: Vec<Input> = arguments
        .files
        .iter()
        .cloned()
        .map(Input::from_argument)
        .collect();
    let bars = Bars::new(quiet);
    let report = if arguments.dry_run {
        stage::okta(None, &HashKey::new([0; 32]), &inputs, &options, &bars)?
    } else {
        let store = Store::create_or_open(&arguments.store.store)?;
        let lock = store.lock()?;
        if arguments.ingested_at.is_none() {
            let instant = known::not_before(&store, options.ingested_at)?;
            options.ingested_at = instant.at;
            console::say_if_clock_is_behind(&instant, "--ingested-at");
        }
        let random = clock::random_bytes()?;
        let key = store.hash_key(&lock, || random)?;
        stage::okta(Some((&store, &lock)), &key, &inputs, &options, &bars)?
    };
    show(&report, arguments.format.format, quiet, arguments.dry_run)
}

fn show(
    report: &NormalizeReport,
    format: Format,
    quiet: bool,
    dry_run: bool,
) -> anyhow::Result<()> {
    let account = report.account;
    console::print_account(
        ("events_read", account.events_read),
        &account.parts(),
        format,
    )?;
    if quiet {
        return Ok(());
    }
    for input in report.inputs.iter().filter(|input| input.error.is_some()) {
        let error = input.error.as_deref().unwrap_or_default();
        console::say(&format!(
            "warning: skipped {}: {error}",
            Printable(&input.name)
        ));
    }
    for input in &report.inputs {
        if let Some(cut) = &input.broke_off {
            console::say(&format!(
                "warning: {} breaks off at line {}, byte {}: {}; what stands before was read",
                Printable(&input.name),
                cut.line,
                cut.byte_offset,
                Printable(&cut.problem)
            ));
        }
    }
    for row in &report.examples {
        let field = row
            .field
            .as_ref()
            .map(|field| format!(" ({field})"))
            .unwrap_or_default();
        console::say(&format!(
            "quarantined: {}:{}: {}{field}, byte {}",
            Printable(&row.file),
            row.line,
            row.reason,
            row.byte_offset
        ));
    }
    let shown = report.examples.len() as u64;
    if account.quarantined > shown {
        console::say(&format!(
            "… and {} more; see the quarantine table",
            account.quarantined - shown
        ));
    }
    if let Some((first, last)) = report.span {
        console::say(&format!(
            "{} new events from {first} to {last}",
            account.normalized
        ));
    }
    if account.events_read == 0 {
        console::say("the input held no events");
    }
    if dry_run {
        console::say("dry run: nothing was written");
    }
    Ok(())
}
