//! `run`: everything the configuration says, in one go.

mod fetch;

use std::path::PathBuf;

use af_engine::config::Config;
use af_engine::run::{self as engine, Plan, RunJob, RunOptions, RunReport, TenantResult};
use af_engine::tally::AskedCut;
use af_model::UtcMillis;
use af_model::accounting::{EventAccount, SignalAccount};
use af_model::name::Printable;
use af_model::view::one_decimal;
use af_report::{Cell, Column, Format};
use af_store::Store;
use clap::Args;
use fetch::{Fetch, FetchPlan, FetchView};
use serde::Serialize;

use crate::args::{CutArgument, FormatArgument, RulesArgument, parse_cut};
use crate::commands::top::LevelArgument;
use crate::commands::{rules, run_facts, score};
use crate::console::{self, Bars, Stopwatch};
use crate::exit::Refusal;
use crate::settings::Settings;
use crate::{clock, logging};

/// People named on standard error when a level is reached; the JSON summary names all.
const NAMED: usize = 10;

/// `run`.
#[expect(
    clippy::struct_field_names,
    reason = "--dry-run is what every verb calls it"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are independent of each other"
)]
#[derive(Args, Debug)]
#[command(after_help = "\
Fetches from every [[tenant.okta]] with a url, reads what is new of every [[tenant]] (a second run
without news changes nothing), imports people that changed, finds attacks, scores and publishes one
snapshot. A tenant that fails is left out and named in the manifest, the others are published, and the
exit code is 4. An org that cannot be asked is a warning and a gap in the manifest; what was fetched
before is taken in all the same. While `okta pull --follow` fetches, a run leaves that to it.

Examples:
  attack-factor config show --example > attack-factor.toml
  attack-factor run --dry-run                      what would be fetched, read and published
  attack-factor run
  attack-factor run --offline                      take in what was fetched, ask nobody
  attack-factor run --strict --fail-on very_high --log-format json --format json

Without --as-of and --known-at the snapshot is for today (the day of --ingested-at), so attacks grow
older also in a night without news; running again the same day changes nothing.

With --strict the limits of [gates] hold: refused events, signals of nobody, age of feeds. When
several things are wrong, the exit code is the first of: 1 to 3, 4 (left out), 10 (--fail-on).")]
pub(crate) struct Run {
    /// Folder of the store; made when it does not exist. Default: store of the configuration.
    #[arg(long, value_name = "DIR", env = "ATTACK_FACTOR_STORE")]
    pub(crate) store: Option<PathBuf>,

    /// Say what would happen, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Fetch nothing over the network; take in what was fetched before.
    #[arg(long)]
    pub(crate) offline: bool,

    /// Leave out tenants that do not pass the limits of the configuration's gates.
    #[arg(long)]
    pub(crate) strict: bool,

    /// Exit with 10 when somebody is at or above this level: very_low, low, medium, high or
    /// very_high.
    #[arg(long, value_name = "LEVEL", hide_possible_values = true)]
    pub(crate) fail_on: Option<LevelArgument>,

    #[command(flatten)]
    pub(crate) cut: CutArgument,

    /// When new input became known; for imports of old exports. Default: now.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) ingested_at: Option<UtcMillis>,

    /// Read every file again, also those that were read; what is known already adds nothing.
    #[arg(long)]
    pub(crate) reread: bool,

    #[command(flatten)]
    pub(crate) rules: RulesArgument,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Run, settings: &Settings, quiet: bool) -> anyhow::Result<()> {
    settings.file()?;
    let config = &settings.config;
    let root = store_root(arguments.store.as_ref(), config)?;
    let rules = rules::load(&arguments.rules)?;
    let run = run_facts();
    let options = RunOptions {
        asked: AskedCut {
            as_of: arguments.cut.as_of,
            known_at: arguments.cut.known_at,
        },
        ingested_at: arguments.ingested_at.unwrap_or(run.started_at),
        run,
        strict: arguments.strict,
        reread: arguments.reread,
        fail_on: arguments.fail_on.map(Into::into),
    };
    if arguments.dry_run {
        let plan = engine::plan(config, &root, &rules, &options)?;
        let fetch = if arguments.offline {
            Vec::new()
        } else {
            fetch::plan(config, &root)?
        };
        return show_plan(&plan, &fetch, arguments.format.format, quiet);
    }
    let store = Store::create_or_open(&root)?;
    let lock = store.lock()?;
    let random = clock::random_bytes()?;
    let key = store.hash_key(&lock, || random)?;
    let job = RunJob {
        config,
        store: &store,
        lock: &lock,
        key: &key,
        rules: &rules,
        options: &options,
    };
    let stopwatch = Stopwatch::new(Bars::new(quiet));
    let fetch = if arguments.offline {
        Fetch::default()
    } else {
        fetch::before_run(config, &store, &stopwatch, quiet)?
    };
    let report = engine::execute(&job, &stopwatch)?;
    show(&report, &fetch, arguments.format.format)?;
    if !quiet {
        tell(&report, &fetch, &stopwatch, config);
    }
    judge(&report)
}

/// The folder of the store: what was typed, else what is configured.
pub(super) fn store_root(typed: Option<&PathBuf>, config: &Config) -> Result<PathBuf, Refusal> {
    typed.or(config.store.as_ref()).cloned().ok_or_else(|| {
        Refusal::usage(
            "tell where the store is",
            "write store = \"risk\" into the configuration, or give --store DIR",
        )
    })
}

/// The exit code follows from what matters most.
fn judge(report: &RunReport) -> anyhow::Result<()> {
    if let Some(reason) = &report.refused {
        let all: Vec<String> = report
            .left_out
            .iter()
            .map(|(tenant, why)| format!("{tenant} is left out: {why}"))
            .collect();
        let message = if reason.contains(": every tenant") || all.is_empty() {
            reason.clone()
        } else {
            format!("{reason}\n{}", all.join("\n"))
        };
        let hint = "nothing was published, the snapshots before are untouched; what was read stays \
                    in the store";
        return Err(Refusal::gate(message).with_hint(hint).into());
    }
    score::left_out(&report.left_out)?;
    if let Some(threshold) = &report.threshold
        && !threshold.people.is_empty()
    {
        let message = format!(
            "{} at or above {}",
            people(threshold.people.len()),
            threshold.level
        );
        let hint = "the snapshot is published; attack-factor top shows them";
        return Err(Refusal::threshold(message).with_hint(hint).into());
    }
    Ok(())
}

fn people(n: usize) -> String {
    match n {
        1 => "1 person is".to_owned(),
        n => format!("{n} people are"),
    }
}

/// The report of the engine, and what was fetched before it worked.
#[derive(Serialize)]
struct WholeReport<'r> {
    #[serde(flatten)]
    report: &'r RunReport,
    fetched: &'r [FetchView],
}

/// The plan of the engine, and what would be fetched before it works.
#[derive(Serialize)]
struct WholePlan<'r> {
    #[serde(flatten)]
    plan: &'r Plan,
    fetch: &'r [FetchPlan],
}

/// The accounts of every tenant.
fn show(report: &RunReport, fetch: &Fetch, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        let whole = WholeReport {
            report,
            fetched: &fetch.views,
        };
        return console::print(&(serde_json::to_string_pretty(&whole)? + "\n"));
    }
    let events = events_columns();
    let signals = signals_columns(format);
    let rows = report.tenants.iter().map(|(name, tenant)| {
        let account = tenant.read;
        let people: u64 = tenant
            .entry
            .iter()
            .flat_map(|entry| entry.population.values())
            .sum();
        let mut events: Vec<Cell> = vec![
            name.clone().into(),
            tenant.result.as_str().into(),
            people.into(),
            account.events_read.into(),
        ];
        events.extend(account.parts().into_iter().map(|(_, n)| Cell::from(n)));
        let account = tenant.entry.as_ref().map(|entry| entry.signals);
        let account = account.unwrap_or_default();
        let mut signals: Vec<Cell> = vec![name.clone().into(), account.signals_read.into()];
        signals.extend(account.parts().into_iter().map(|(_, n)| Cell::from(n)));
        (events, signals)
    });
    let (event_rows, signal_rows): (Vec<_>, Vec<_>) = rows.unzip();
    if format == Format::Table {
        console::print_rows(&events, &event_rows, format)?;
        console::print("\n")?;
        return console::print_rows(&signals, &signal_rows, format);
    }
    let columns: Vec<Column> = events
        .into_iter()
        .chain(signals.into_iter().skip(1))
        .collect();
    let rows: Vec<Vec<Cell>> = event_rows
        .into_iter()
        .zip(signal_rows)
        .map(|(events, signals)| {
            events
                .into_iter()
                .chain(signals.into_iter().skip(1))
                .collect()
        })
        .collect();
    console::print_rows(&columns, &rows, format)
}

fn events_columns() -> Vec<Column> {
    let mut columns = vec![
        Column::new("tenant"),
        Column::new("result"),
        Column::new("people").right(),
        Column::new("events_read").right(),
    ];
    let parts = EventAccount::default().parts();
    columns.extend(parts.iter().map(|(name, _)| Column::new(*name).right()));
    columns
}

/// In a list of one row per tenant, the parts of both accounts stand side by side.
fn signals_columns(format: Format) -> Vec<Column> {
    let prefix = if format == Format::Table {
        ""
    } else {
        "signals_"
    };
    let mut columns = vec![Column::new("tenant"), Column::new("signals_read").right()];
    let parts = SignalAccount::default().parts();
    columns.extend(
        parts
            .iter()
            .map(|(name, _)| Column::new(format!("{prefix}{name}")).right()),
    );
    columns
}

fn tell(report: &RunReport, fetch: &Fetch, stopwatch: &Stopwatch, config: &Config) {
    if let Some(threshold) = &report.threshold {
        // Names of people belong on a terminal, not into logs.
        if !logging::is_json() {
            for person in threshold.people.iter().take(NAMED) {
                console::say(&format!(
                    "{} {} {} ({})",
                    one_decimal(person.score_micro),
                    person.level,
                    Printable(&person.email),
                    person.tenant_uid
                ));
            }
            if threshold.people.len() > NAMED {
                console::say(&format!("… and {} more", threshold.people.len() - NAMED));
            }
        }
    }
    let laps: Vec<String> = stopwatch
        .laps()
        .iter()
        .map(|(stage, took)| format!("{stage} {:.1} s", took.as_secs_f64()))
        .collect();
    if !laps.is_empty() {
        console::say(&laps.join(", "));
    }
    if let Some(summary) = fetch.summary() {
        console::say(&summary);
    }
    if report.is_without_news() {
        console::say("no news: nothing was read and nothing changed");
    } else {
        let published = report
            .tenants
            .values()
            .filter(|tenant| tenant.result == TenantResult::Published)
            .count();
        console::say(&format!(
            "{} files read, {} days detected, {published} of {} tenants published",
            report.files_read,
            report.days_detected,
            config.tenants.len().max(report.tenants.len()),
        ));
    }
    if let (Some(snapshot), Some(as_of), Some(known_at), Some(revision)) = (
        &report.snapshot,
        report.as_of,
        report.known_at,
        report.revision,
    ) {
        let verb = if report.published {
            "published"
        } else {
            "nothing changed since"
        };
        console::say(&format!(
            "{verb} {} (as of {as_of}, known at {known_at}, revision {revision})",
            snapshot.display()
        ));
    }
}

fn show_plan(plan: &Plan, fetch: &[FetchPlan], format: Format, quiet: bool) -> anyhow::Result<()> {
    if format == Format::Json {
        let whole = WholePlan { plan, fetch };
        console::print(&(serde_json::to_string_pretty(&whole)? + "\n"))?;
    } else {
        let columns = [
            Column::new("tenant"),
            Column::new("stage"),
            Column::new("source"),
            Column::new("file").shrinks(20),
            Column::new("news"),
            Column::new("read"),
            Column::new("bytes").right(),
        ];
        let rows: Vec<Vec<Cell>> = plan
            .tenants
            .iter()
            .flat_map(|tenant| tenant.files.iter().map(move |file| (tenant, file)))
            .map(|(tenant, file)| {
                vec![
                    tenant.tenant.clone().into(),
                    file.stage.into(),
                    file.source.clone().into(),
                    file.file.clone().into(),
                    file.news.as_str().into(),
                    file.read.into(),
                    file.bytes.into(),
                ]
            })
            .collect();
        console::print_rows(&columns, &rows, format)?;
    }
    if quiet {
        return Ok(());
    }
    for tenant in &plan.tenants {
        let name = &tenant.tenant;
        for warning in &tenant.warnings {
            console::say(&format!("warning: {name}: {warning}"));
        }
        if let Some(problem) = &tenant.problem {
            console::say(&format!("warning: {name} would be left out: {problem}"));
        }
    }
    for fetch in fetch {
        console::say(&fetch.line());
    }
    if plan.creates_store {
        console::say("the store would be made");
    }
    let reads = plan
        .tenants
        .iter()
        .flat_map(|tenant| &tenant.files)
        .any(|file| file.read && file.stage == "normalize");
    let days: Vec<String> = plan
        .days_to_detect
        .iter()
        .map(ToString::to_string)
        .collect();
    console::say(&match (days.as_slice(), reads) {
        ([], false) => "no day would be detected".to_owned(),
        ([], true) => "the days of the new events would be detected".to_owned(),
        (days, false) => format!("would be detected: {}", days.join(", ")),
        (days, true) => format!(
            "would be detected: {}, and the days of the new events",
            days.join(", ")
        ),
    });
    console::say(&match &plan.snapshot {
        Some(snapshot) => {
            format!("would publish {snapshot}, unless its rows equal those of the one before")
        }
        None => "nothing would be published: no event was ever read".to_owned(),
    });
    console::say("dry run: nothing was written");
    Ok(())
}
