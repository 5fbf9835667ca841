//! `demo --live`: the demo's events and people in a simulated Okta org, fetched from it over HTTP.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use af_engine::config::{self, Config};
use af_engine::run::{self as engine, RunJob, RunOptions, RunReport};
use af_engine::tally::AskedCut;
use af_model::UtcMillis;
use af_model::feed::{FeedStatus, Start};
use af_okta::Step;
use af_okta_client::inventory::{self, InventoryOptions};
use af_okta_client::log::{self, PullOptions, PullReport};
use af_okta_client::{Allow, Client, Credential, Origin};
use af_okta_sim::{Lateness, Sim, SimOptions};
use af_report::Format;
use af_store::Store;
use af_store::feed::{FeedName, STATUS};
use anyhow::{Context, anyhow};

use super::{DemoFacts, DemoStore, EVENTS, import_people, open, show, users};
use crate::args::RulesArgument;
use crate::clock;
use crate::commands::{rules, run_facts};
use crate::console::{self, Bars};
use crate::exit::Refusal;
use crate::okta::connect;
use crate::okta::fetch::{PAGE_SIZE, PARALLEL};
use crate::okta::network::Network;
use crate::okta::watch::{Board, rate};

/// What `okta status` and a run by hand need, beside the store.
const CONFIGURATION: &str = config::FILE_NAME;
const FORMER_NAMES: &str = "former-names.csv";

pub(super) fn run(
    facts: &DemoFacts,
    dir: &Path,
    format: Format,
    quiet: bool,
) -> anyhow::Result<()> {
    let as_of = UtcMillis::parse_cut(&facts.as_of).context("read the demo's facts")?;
    let people = import_people(facts, None)?.imported.people;
    let DemoStore { store, lock, key } = open(facts, dir)?;
    let text = configuration(facts);
    keep(&dir.join(CONFIGURATION), &text)?;
    keep(&dir.join(FORMER_NAMES), &users::former_names(&people))?;
    let config = read(&dir.join(CONFIGURATION), &text)?;

    // A simulated Okta org, with a token that nobody can guess.
    let network = Network::start()?;
    let token = hex(&clock::random_bytes()?);
    let name = FeedName {
        tenant: facts.tenant.clone(),
        integration: facts.integration.clone(),
    };
    let options = SimOptions {
        api_token: Some(token.clone()),
        lateness: Lateness::NONE,
        ..SimOptions::given(users::okta_users(&people), EVENTS, as_of.0)
    };
    // Links to what comes next lead to the port of the last time: where it is free, nothing has to be
    // fetched twice.
    let again = SimOptions {
        port: port_of_last_time(&store, &name)?,
        ..options.clone()
    };
    let simulator = network
        .block_on(async {
            match Sim::start(again).await {
                Ok(simulator) => Ok(simulator),
                Err(_) => Sim::start(options).await,
            }
        })
        .map_err(|error| Refusal::failed(format!("start the simulated Okta org: {error}")))?;

    // Okta → feed.
    let began = clock::moment();
    let client = client(&network, &name, simulator.url(), token, as_of, quiet)?;
    let pulled = network.block_on(fetch(&client, &store, &name, as_of))?;
    let took = began.elapsed();
    drop(simulator);
    if let Some(interrupted) = network.interruption("fetch the demo") {
        return Err(interrupted.into());
    }
    network.leave_signals();

    // Feed → identity events and people → signals → scores → snapshot.
    let rules = rules::load(&RulesArgument::default())?;
    let options = RunOptions {
        asked: AskedCut {
            as_of: Some(as_of),
            known_at: None,
        },
        ingested_at: facts.ingested_at,
        run: run_facts(),
        strict: false,
        reread: false,
        fail_on: None,
    };
    let job = RunJob {
        config: &config,
        store: &store,
        lock: &lock,
        key: &key,
        rules: &rules,
        options: &options,
    };
    let report = engine::execute(&job, &Bars::new(quiet))?;
    let Some(snapshot) = &report.snapshot else {
        let reasons: Vec<&str> = report.left_out.values().map(String::as_str).collect();
        return Err(anyhow!("score the demo: {}", reasons.join("; ")));
    };
    show(snapshot, format)?;
    if !quiet && format == Format::Table {
        console::say(&summary(facts, &report, &pulled, took, people.len()));
        if !report.published {
            console::say("nothing changed since the last demo");
        }
        next_steps(dir);
    }
    Ok(())
}

/// The port of the org that the store was fetched from; 0 = any, when that never happened.
fn port_of_last_time(store: &Store, name: &FeedName) -> anyhow::Result<u16> {
    let status: Option<FeedStatus> = store.feed_document(name, STATUS)?;
    let port = status.and_then(|status| status.origin.rsplit(':').next()?.parse().ok());
    Ok(port.unwrap_or(0))
}

/// A client of the simulated org. Time stands still there, and so it does for whoever asks: equal
/// bytes for everybody. Nobody else needs its limits.
fn client(
    network: &Network,
    name: &FeedName,
    url: &str,
    token: String,
    as_of: UtcMillis,
    quiet: bool,
) -> Result<Client, af_okta_client::Error> {
    let allow = Allow {
        loopback: true,
        ..Allow::default()
    };
    let watch = Board::new(quiet).watch(name);
    Client::new(connect::options(
        Origin::parse(url, allow)?,
        Credential::ApiToken(token.into()),
        100,
        Arc::new(move || as_of),
        watch,
        network.stop(),
    ))
}

/// Fetches the log and the users, as `okta pull` and `okta inventory` do.
async fn fetch(
    client: &Client,
    store: &Store,
    name: &FeedName,
    as_of: UtcMillis,
) -> Result<PullReport, af_okta_client::Error> {
    let feed = store.feed(name)?;
    let pull = PullOptions {
        start: Start::Backfill,
        parallel_days: PARALLEL,
        page_size: PAGE_SIZE,
        follow: None,
    };
    let take = InventoryOptions {
        at: as_of,
        steps: vec![Step::Users],
        parallel: PARALLEL,
    };
    let pulled = log::pull(client, &feed, &pull).await?;
    inventory::take(client, &feed, &take).await?;
    Ok(pulled)
}

/// The configuration that this demo is the run of. Its port is that of `okta sim`; the demo's own
/// simulator takes any free one.
fn configuration(facts: &DemoFacts) -> String {
    format!(
        "\
# Written by `attack-factor demo --live`.

store = \".\"

[[credential]]
name = \"simulator\"
auth = \"api_token\"
from_env = \"ATTACK_FACTOR_SIM_TOKEN\"

[[tenant]]
name = \"{}\"

[[tenant.people]]
source = \"former-names\"
files = [\"{FORMER_NAMES}\"]

[[tenant.okta]]
name = \"{}\"
url = \"http://127.0.0.1:8090\"
credential = \"simulator\"
inventory = [\"users\"]
people = true
",
        facts.tenant, facts.integration
    )
}

fn read(file: &Path, text: &str) -> anyhow::Result<Config> {
    let (config, problems) = config::read(file, text);
    match problems.iter().find(|problem| problem.is_error()) {
        Some(problem) => Err(anyhow!("the demo's configuration is broken: {problem}")),
        None => Ok(config),
    }
}

/// Writes a file that is the demo's own, unless it is there already.
fn keep(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs_err::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs_err::write(path, text)
        .map_err(|error| Refusal::failed(format!("write the demo's files: {error}")).into())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn summary(
    facts: &DemoFacts,
    report: &RunReport,
    pulled: &PullReport,
    took: Duration,
    people: usize,
) -> String {
    let tenant = report.tenants.get(&facts.tenant);
    let entry = tenant.and_then(|tenant| tenant.entry.as_ref());
    let signals = entry.map(|entry| entry.signals).unwrap_or_default();
    format!(
        "\n{} events fetched over HTTP in {:.1} s ({} a second), {people} people, {} signals: {} count, \
         {} were echoes of one incident, {} belong to nobody known",
        pulled.events,
        took.as_secs_f64(),
        rate(pulled.events, took),
        signals.signals_read,
        signals.scored,
        signals.collapsed,
        signals.unmatched,
    )
}

fn next_steps(dir: &Path) {
    let dir = dir.display();
    console::say(&format!(
        "
Try next:
  attack-factor okta status --config {dir}/{CONFIGURATION}
  attack-factor explain emre.gale@example.com --store {dir}
  attack-factor okta sim                          an org to fetch from yourself, with attacks in it
  attack-factor config show --example             how a real one is written down"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::demo::FACTS;

    #[test]
    fn the_configuration_beside_the_store_is_one_that_fetches_users() {
        let facts: DemoFacts = toml::from_str(FACTS).unwrap();
        let config = read(Path::new("demo/attack-factor.toml"), &configuration(&facts)).unwrap();
        let source = &config.tenants[0].okta[0];
        let api = source.api.as_ref().unwrap();
        assert_eq!(source.feed_name("demo").integration, facts.integration);
        assert_eq!(
            (api.inventory.as_slice(), api.people),
            (&[Step::Users][..], true)
        );
    }

    #[test]
    fn bytes_are_written_as_two_digits_each() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
