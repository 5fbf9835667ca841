//! `demo`: the main job on bundled data, from raw events to the table of the most attacked.

mod live;
mod users;

use std::path::{Path, PathBuf};

use af_directory::ImportOptions;
use af_engine::input::Input;
use af_engine::normalize::{self, NormalizeOptions};
use af_engine::people::{self, ImportReport};
use af_engine::pipeline::{self, StoreJob};
use af_engine::tally::AskedCut;
use af_model::name::Printable;
use af_model::{HashKey, Params, UtcMillis};
use af_query::TopQuery;
use af_report::Format;
use af_store::{Store, WriteLock};
use anyhow::{Context, anyhow};
use clap::Args;
use serde::Deserialize;

use crate::args::{FormatArgument, RulesArgument};
use crate::commands::{rules, run_facts};
use crate::console::{self, Bars};
use crate::exit::Refusal;

/// `demo`.
#[derive(Args, Debug)]
#[command(after_help = "\
With --live the same events and people lie in a simulated Okta org that runs inside this program; they
are fetched from it over HTTP, with a token, as from a real one. The table is the same.

Examples:
  attack-factor demo
  attack-factor demo --live
  attack-factor demo --dir /tmp/demo --format json")]
pub(crate) struct Demo {
    /// Folder of the demo's store. Default: attack-factor-demo, with --live attack-factor-demo-live.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Fetch everything from a simulated Okta org first; needs no account and no network.
    #[arg(long)]
    pub(crate) live: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

static EVENTS: &[u8] = include_bytes!("../../../data/samples/demo/events.ndjson.gz");
static PEOPLE: &[u8] = include_bytes!("../../../data/samples/demo/users.csv");
static FACTS: &str = include_str!("../../../data/samples/demo/demo.toml");

/// What is fixed, so that everybody's demo has the same bytes.
#[derive(Debug, Deserialize)]
struct DemoFacts {
    tenant: String,
    integration: String,
    as_of: String,
    ingested_at: UtcMillis,
    hash_key: String,
}

/// A store of the demo's own, and the right to write to it.
struct DemoStore {
    store: Store,
    lock: WriteLock,
    key: HashKey,
}

pub(super) fn run(arguments: &Demo, quiet: bool) -> anyhow::Result<()> {
    let facts: DemoFacts = toml::from_str(FACTS).context("read the demo's facts")?;
    let given = arguments.dir.as_deref();
    if arguments.live {
        let dir = given.unwrap_or(Path::new("attack-factor-demo-live"));
        return live::run(&facts, dir, arguments.format.format, quiet);
    }
    let dir = given.unwrap_or(Path::new("attack-factor-demo"));
    let bars = Bars::new(quiet);
    let DemoStore { store, lock, key } = open(&facts, dir)?;

    // Raw events → identity events.
    let events = [Input::Embedded("demo/events.ndjson.gz", EVENTS)];
    let options = NormalizeOptions {
        tenant: facts.tenant.clone(),
        integration: Some(facts.integration.clone()),
        ingested_at: facts.ingested_at,
        buffer_bytes: 512 << 20,
    };
    let normalized = normalize::okta(Some((&store, &lock)), &key, &events, &options, &bars)?;

    // People → directory.
    let imported = import_people(&facts, Some((&store, &lock)))?;

    // Events → signals → counts → scores → snapshot.
    let rules = rules::load(&RulesArgument::default())?;
    let as_of = UtcMillis::parse_cut(&facts.as_of).context("read the demo's facts")?;
    let asked = AskedCut {
        as_of: Some(as_of),
        known_at: None,
    };
    let job = StoreJob {
        store: &store,
        lock: &lock,
        key: &key,
        rules: &rules,
    };
    let report = pipeline::score_store(&job, &Params::default(), asked, &run_facts(), &bars)?;

    show(&report.snapshot, arguments.format.format)?;
    if !quiet && arguments.format.format == Format::Table {
        let signals = report
            .manifest
            .tenants
            .get(&facts.tenant)
            .map(|entry| entry.signals);
        let signals = signals.unwrap_or_default();
        console::say(&format!(
            "\n{} events, {} people, {} signals: {} count, {} were echoes of one incident, {} belong \
             to nobody known",
            normalized.account.events_read - normalized.account.quarantined,
            imported.imported.people.len(),
            signals.signals_read,
            signals.scored,
            signals.collapsed,
            signals.unmatched,
        ));
        if !report.published {
            console::say("nothing changed since the last demo");
        }
        next_steps(dir, &report.snapshot);
    }
    Ok(())
}

/// Opens the demo's store, or makes it; every other store has a key of its own and is left alone.
fn open(facts: &DemoFacts, dir: &Path) -> anyhow::Result<DemoStore> {
    let store = Store::create_or_open(dir)?;
    let lock = store.lock()?;
    let known = parse_key(&facts.hash_key).ok_or_else(|| anyhow!("the demo's key is broken"))?;
    let key = store.hash_key(&lock, || *known.as_bytes())?;
    if key.as_bytes() != known.as_bytes() {
        let place = Printable(&dir.display().to_string()).to_string();
        return Err(Refusal::usage(
            format!("show the demo in {place}: another store is there"),
            "give an empty folder: attack-factor demo --dir FOLDER",
        )
        .into());
    }
    Ok(DemoStore { store, lock, key })
}

/// Reads the demo's people, into a store if one is given.
fn import_people(
    facts: &DemoFacts,
    store: Option<(&Store, &WriteLock)>,
) -> anyhow::Result<ImportReport> {
    let folder = tempfile::tempdir().context("unpack the demo's people")?;
    let file = folder.path().join("users.csv");
    fs_err::write(&file, PEOPLE)?;
    let options = ImportOptions {
        tenant: Some(facts.tenant.clone()),
        source: "directory".to_owned(),
        imported_at: Some(facts.ingested_at),
        map: Vec::new(),
    };
    Ok(people::import(store, &file, &options)?)
}

/// The most attacked people.
fn show(snapshot: &Path, format: Format) -> anyhow::Result<()> {
    let query = TopQuery {
        limit: 10,
        ..TopQuery::default()
    };
    let view = af_query::top(snapshot, &query)?;
    console::print_with(|out| af_report::render_top(&view, format, console::width(), out))
}

fn next_steps(store: &Path, snapshot: &Path) {
    let store = store.display();
    console::say(&format!(
        "
Try next:
  attack-factor explain emre.gale@example.com --store {store}
  attack-factor top --store {store} --limit 20 --format csv
  attack-factor rules list
  attack-factor schema user_scores
  duckdb -c \"FROM '{}/component_scores.parquet' ORDER BY odds_nano DESC LIMIT 10\"",
        snapshot.display()
    ));
}

/// A key written as 64 hex digits.
fn parse_key(text: &str) -> Option<HashKey> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(HashKey::new(bytes))
}
