//! The life of a small store as a row of commands, each run as a process of its own would run it.

use std::fs;
use std::path::{Path, PathBuf};

use af_directory::ImportOptions;
use af_engine::files;
use af_engine::input::Input;
use af_engine::normalize::{self, NormalizeOptions};
use af_engine::pipeline::{self, RunFacts, StoreJob};
use af_engine::run::{self, RunJob, RunOptions};
use af_engine::tally::AskedCut;
use af_engine::upkeep::erase::{self, EraseOptions};
use af_engine::upkeep::purge::{self, PurgeOptions};
use af_engine::{Error, Silent, config, people};
use af_model::accounting::{EventAccount, PerTenant};
use af_model::feed::FeedStatus;
use af_model::tables::retractions;
use af_model::{Params, UtcMillis};
use af_rules::{Class, RuleFile, RuleSet};
use af_store::feed::{FeedName, STATUS};
use af_store::{Partitioned, Scan, Store, WriteLock, table_file};
use arrow::array::AsArray;
use serde_json::{Value, json};

/// Two rules that make days look back on the days before: whoever has two events in three days.
const ANY_EVENT: &str = "
title: any event
id: 00000000-0000-4000-8000-000000000001
date: 2026-11-22
logsource: {product: okta, service: okta}
detection:
  selection: {uuid|exists: true}
  condition: selection
attack_factor: {class: base}
";
const TWO_EVENTS: &str = "
title: two events
id: 00000000-0000-4000-8000-000000000002
date: 2026-11-22
tags: [attack.t1110]
correlation:
  type: event_count
  rules: [any_event]
  timespan: 3d
  condition: {gte: 2}
level: low
attack_factor: {class: attack, component: identity, family: other, subject: all_in_group}
";

/// What every command of the scenario reads; nothing of it is ever written by one.
pub(crate) struct Inputs {
    folder: PathBuf,
    rules: RuleSet,
    /// The id of somebody who is attacked.
    person: String,
}

/// One command.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    run: fn(&Inputs, &Path) -> Result<(), Error>,
    /// Whether it takes snapshots away on purpose.
    pub(crate) removes: bool,
}

impl Stage {
    const fn new(name: &'static str, run: fn(&Inputs, &Path) -> Result<(), Error>) -> Self {
        Self {
            name,
            run,
            removes: false,
        }
    }

    const fn removing(name: &'static str, run: fn(&Inputs, &Path) -> Result<(), Error>) -> Self {
        Self {
            name,
            run,
            removes: true,
        }
    }

    /// Runs the command on the folder `base`, which holds the store and the output.
    pub(crate) fn run(&self, inputs: &Inputs, base: &Path) -> Result<(), Error> {
        (self.run)(inputs, base)
    }
}

/// The commands in their order.
pub(crate) fn stages() -> Vec<Stage> {
    vec![
        Stage::new("normalize", |inputs, base| {
            normalize(inputs, base, "first.ndjson", "2026-11-04T00:00:00Z")
        }),
        Stage::new("import people", |inputs, base| {
            import(inputs, base, "people.csv", "2026-11-04T00:10:00Z")
        }),
        Stage::new("score", |inputs, base| score(inputs, base, "2026-11-04")),
        Stage::new("normalize late events", |inputs, base| {
            normalize(inputs, base, "late.ndjson", "2026-11-05T00:00:00Z")
        }),
        Stage::new("retract", retract),
        Stage::new("score again", |inputs, base| {
            score(inputs, base, "2026-11-04")
        }),
        Stage::new("import changed people", |inputs, base| {
            import(inputs, base, "changed.csv", "2026-11-05T00:10:00Z")
        }),
        Stage::new("compact", compact),
        Stage::new("score the next day", |inputs, base| {
            score(inputs, base, "2026-11-05")
        }),
        Stage::new("score files", |inputs, base| {
            score_files(inputs, base, "2026-11-04")
        }),
        Stage::new("score files over them", |inputs, base| {
            score_files(inputs, base, "2026-11-05")
        }),
        Stage::new("land pages", land),
        Stage::new("take an inventory", take_inventory),
        Stage::new("run on what was fetched", run),
        Stage::new("land one more page", |inputs, base| {
            land_page(inputs, base, 2, "late.ndjson")
        }),
        Stage::removing("erase", erase),
        // Days whose events were thinned out are made anew, and so are those that look back on them.
        Stage::new("score what is left", |inputs, base| {
            score(inputs, base, "2026-11-06")
        }),
        Stage::removing("purge", purge),
        Stage::removing("remove", remove),
    ]
}

impl Inputs {
    /// Writes the inputs into `folder`: events that fire the shipped rules, on three days and late,
    /// with lines that are no events; two versions of the people they name.
    pub(crate) fn write(folder: &Path) -> Self {
        let own =
            [("any_event", ANY_EVENT), ("two_events", TWO_EVENTS)].map(|(name, text)| RuleFile {
                path: format!("rules/{name}.yml"),
                text: text.to_owned(),
                samples: None,
            });
        // Every trial detects anew: the rules about one event do, with a correlation of our own.
        let plain = af_rules::shipped().into_iter().filter(|file| {
            !file.text.contains("\ncorrelation:") && !file.path.contains("okta_base_")
        });
        let rules = RuleSet::load(plain.chain(own)).unwrap();
        let samples: Vec<Value> = rules
            .rules()
            .iter()
            .filter(|rule| rule.class == Class::Attack)
            .flat_map(|rule| rule.samples.iter().filter(|sample| sample.fires).take(1))
            .map(|sample| serde_json::from_str(&sample.events[0]).unwrap())
            .take(12)
            .collect();
        assert_eq!(samples.len(), 12);
        let event = |number: usize, day: usize| {
            let mut event = samples[number % samples.len()].clone();
            event["uuid"] = json!(format!("event-{number}"));
            event["published"] = json!(format!("2026-11-{day:02}T08:00:00.000Z"));
            event["transaction"] = json!({"id": format!("tx-{number}"), "type": "WEB"});
            event.to_string()
        };
        let mut first: Vec<String> = (0..12)
            .map(|number| event(number, 1 + number % 3))
            .collect();
        first.insert(3, "no event".to_owned());
        first.push("{\"uuid\": 1}".to_owned());
        let mut late: Vec<String> = (12..18)
            .map(|number| event(number, 2 + number % 3))
            .collect();
        late.extend((0..4).map(|number| event(number, 1 + number % 3)));
        late.push("no event either".to_owned());
        fs::write(folder.join("first.ndjson"), first.join("\n")).unwrap();
        fs::write(folder.join("late.ndjson"), late.join("\n")).unwrap();

        let mut ids: Vec<&str> = Vec::new();
        for event in &samples {
            let targets = event["target"].as_array().map_or(&[][..], Vec::as_slice);
            let principals = targets.iter().chain([&event["actor"]]);
            let found = principals.filter_map(|principal| principal["id"].as_str());
            ids.extend(found.filter(|id| id.starts_with("00u")));
        }
        ids.sort_unstable();
        ids.dedup();
        let rows: String = ids
            .iter()
            .map(|id| [id, ",", &id.to_lowercase(), "@example.com\n"].concat())
            .collect();
        let mut people = "user_uid,email\n".to_owned() + &rows;
        fs::write(folder.join("people.csv"), &people).unwrap();
        people += "00unewcomer,newcomer@example.com\n";
        fs::write(folder.join("changed.csv"), &people).unwrap();
        Self {
            folder: folder.to_owned(),
            person: ids[0].to_owned(),
            rules,
        }
    }
}

pub(crate) fn store_of(base: &Path) -> PathBuf {
    base.join("store")
}

pub(crate) fn output_of(base: &Path) -> PathBuf {
    base.join("out")
}

fn at(text: &str) -> UtcMillis {
    UtcMillis::parse_cut(text).unwrap()
}

fn open(base: &Path) -> Result<Store, Error> {
    Ok(Store::create_or_open(&store_of(base))?)
}

fn key(store: &Store, lock: &WriteLock) -> Result<af_model::HashKey, Error> {
    Ok(store.hash_key(lock, || [7; 32])?)
}

fn normalize(inputs: &Inputs, base: &Path, file: &str, known: &str) -> Result<(), Error> {
    let store = open(base)?;
    let lock = store.lock()?;
    let key = key(&store, &lock)?;
    let options = NormalizeOptions {
        tenant: "acme".to_owned(),
        integration: None,
        ingested_at: at(known),
        // So little that everything goes through runs on disk.
        buffer_bytes: 1,
    };
    let input = Input::File(inputs.folder.join(file));
    normalize::okta(Some((&store, &lock)), &key, &[input], &options, &Silent)?;
    Ok(())
}

/// The second command as it would be run an hour later.
pub(crate) fn normalize_later(inputs: &Inputs, base: &Path) -> Result<(), Error> {
    normalize(inputs, base, "late.ndjson", "2026-11-05T01:00:00Z")
}

/// The ids of all events of the store, sorted, and the account of what was read.
pub(crate) fn known_events(base: &Path) -> (Vec<String>, EventAccount) {
    let store = Store::open(&store_of(base)).unwrap();
    let mut ids = Vec::new();
    for day in store.days(Partitioned::Events).unwrap() {
        for path in store.day_files(Partitioned::Events, day).unwrap() {
            let columns = Some(&["metadata_uid"][..]);
            let table = Partitioned::Events.table();
            for batch in table_file::read(&path, table, columns, Scan::File).unwrap() {
                let batch = batch.unwrap();
                let found = batch.column(0).as_string::<i32>().iter();
                ids.extend(found.map(|id| id.unwrap().to_owned()));
            }
        }
    }
    ids.sort();
    let accounts: PerTenant<EventAccount> = store
        .read_state(pipeline::EVENTS_STATE)
        .unwrap()
        .unwrap_or_default();
    assert!(accounts["acme"].closes());
    (ids, accounts["acme"])
}

fn import_options(known: &str) -> ImportOptions {
    ImportOptions {
        tenant: Some("acme".to_owned()),
        source: "hr".to_owned(),
        imported_at: Some(at(known)),
        map: Vec::new(),
    }
}

fn import(inputs: &Inputs, base: &Path, file: &str, known: &str) -> Result<(), Error> {
    let store = open(base)?;
    let lock = store.lock()?;
    let file = inputs.folder.join(file);
    people::import(Some((&store, &lock)), &file, &import_options(known))?;
    Ok(())
}

fn run_facts() -> RunFacts {
    RunFacts {
        program: "test".to_owned(),
        started_at: UtcMillis(0),
    }
}

fn score(inputs: &Inputs, base: &Path, as_of: &str) -> Result<(), Error> {
    let store = open(base)?;
    let lock = store.lock()?;
    let key = key(&store, &lock)?;
    let job = StoreJob {
        store: &store,
        lock: &lock,
        key: &key,
        rules: &inputs.rules,
    };
    let asked = AskedCut {
        as_of: Some(at(as_of)),
        known_at: None,
    };
    pipeline::score_store(&job, &Params::default(), asked, &run_facts(), &Silent)?;
    Ok(())
}

fn retract(_: &Inputs, base: &Path) -> Result<(), Error> {
    let store = open(base)?;
    let lock = store.lock()?;
    let row = retractions::Row {
        tenant_uid: "acme".to_owned(),
        target_kind: "event".to_owned(),
        target_uid: "event-0".to_owned(),
        action: "retract".to_owned(),
        ingested_at: at("2026-11-05T00:00:00Z"),
        reason: Some("a test of the security team".to_owned()),
        by: None,
    };
    store.add_retractions(&lock, [retractions::batch([&row])])?;
    Ok(())
}

fn compact(_: &Inputs, base: &Path) -> Result<(), Error> {
    let store = open(base)?;
    let lock = store.lock()?;
    for kind in [Partitioned::Events, Partitioned::Quarantine] {
        for day in store.days(kind)? {
            store.compact_day(&lock, kind, day)?;
        }
    }
    Ok(())
}

fn score_files(inputs: &Inputs, base: &Path, as_of: &str) -> Result<(), Error> {
    let store = open(base)?;
    let mut signals = Vec::new();
    for day in store.days(Partitioned::Signals)? {
        signals.extend(store.day_files(Partitioned::Signals, day)?);
    }
    let input = files::Input {
        signals: &signals,
        users: &inputs.folder.join("people.csv"),
        options: &import_options("2026-11-04"),
        key: None,
    };
    let asked = AskedCut {
        as_of: Some(at(as_of)),
        known_at: None,
    };
    let (out, params) = (output_of(base), Params::default());
    files::score(input, &out, true, &params, asked, &run_facts(), &Silent)?;
    Ok(())
}

fn erase(inputs: &Inputs, base: &Path) -> Result<(), Error> {
    let store = open(base)?;
    let lock = store.lock()?;
    let key = key(&store, &lock)?;
    let options = EraseOptions {
        tenant: "acme",
        person: &inputs.person,
        at: at("2026-11-06T00:00:00Z"),
        reason: None,
    };
    erase::erase(&store, &lock, &key, &options, &Silent)?;
    Ok(())
}

fn purge(_: &Inputs, base: &Path) -> Result<(), Error> {
    let store = open(base)?;
    let lock = store.lock()?;
    let options = PurgeOptions {
        before: at("2026-11-03").day(),
        snapshots: false,
        keep: 0,
        force: true,
    };
    purge::purge(&store, Some(&lock), &options, &Silent)?;
    Ok(())
}

/// A page of the events in a file of lines, as an org would answer.
fn land_page(inputs: &Inputs, base: &Path, number: u64, file: &str) -> Result<(), Error> {
    let lines = fs::read_to_string(inputs.folder.join(file)).unwrap();
    let events: Vec<Value> = lines
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .map(|mut event: Value| {
            // Two events are new to the store.
            if event["uuid"] == json!("event-1") || event["uuid"] == json!("event-13") {
                event["uuid"] = json!(format!("fetched-{number}"));
            }
            event
        })
        .collect();
    let feed = open(base)?.feed(&feed_name())?;
    feed.land("live-1", number, &serde_json::to_vec(&events).unwrap())?;
    feed.write("cursor", &number)?;
    Ok(())
}

fn feed_name() -> FeedName {
    FeedName {
        tenant: "acme".to_owned(),
        integration: "prod".to_owned(),
    }
}

fn land(inputs: &Inputs, base: &Path) -> Result<(), Error> {
    land_page(inputs, base, 1, "first.ndjson")
}

fn take_inventory(inputs: &Inputs, base: &Path) -> Result<(), Error> {
    let feed = open(base)?.feed(&feed_name())?;
    let people = fs::read_to_string(inputs.folder.join("people.csv")).unwrap();
    for taken in ["2026-11-01T00:00:00Z", "2026-11-05T00:00:00Z"] {
        let inventory = feed.begin_inventory(at(taken))?;
        let mut step = inventory.step("users")?;
        for line in people.lines().skip(1) {
            let (id, email) = line.split_once(',').unwrap();
            let user = json!({"id": id, "profile": {"login": email, "email": email}});
            step.push(user.to_string().as_bytes())?;
        }
        step.close()?;
        inventory.finish(&json!({"steps": ["users"]}))?;
    }
    let mut status = FeedStatus::default();
    status.log.caught_up_at = Some(at("2026-11-05T00:00:00Z"));
    feed.write(STATUS, &status)?;
    feed.write("user_counts", &json!({"2026-11-01": 1, "2026-11-05": 1}))?;
    Ok(())
}

/// The run of a configuration: the inventory becomes people, pages become events and leave the feed.
fn run(inputs: &Inputs, base: &Path) -> Result<(), Error> {
    let text = "[[credential]]\nname = \"key\"\nfrom_env = \"KEY\"\n[[tenant]]\nname = \"acme\"\n\
        [[tenant.okta]]\nname = \"prod\"\nurl = \"http://127.0.0.1:9\"\ncredential = \"key\"\n\
        keep_raw = true\n";
    let (config, problems) = config::read(&inputs.folder.join("x.toml"), text);
    assert_eq!(problems, []);
    let store = open(base)?;
    let lock = store.lock()?;
    let key = key(&store, &lock)?;
    let options = RunOptions {
        asked: AskedCut {
            as_of: Some(at("2026-11-05")),
            known_at: None,
        },
        // Pages of this day are old enough to be purged.
        ingested_at: at("2026-11-02T23:00:00Z"),
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
        rules: &inputs.rules,
        options: &options,
    };
    let report = run::execute(&job, &Silent)?;
    assert_eq!(report.left_out.len(), 0, "{:?}", report.left_out);
    Ok(())
}

fn remove(_: &Inputs, base: &Path) -> Result<(), Error> {
    let store = open(base)?;
    let lock = store.lock()?;
    for day in store.days(Partitioned::Quarantine)? {
        store.remove_day(&lock, Partitioned::Quarantine, day)?;
    }
    for id in store.snapshots()? {
        if id.as_of == at("2026-11-04") {
            store.remove_snapshot(&lock, id)?;
        }
    }
    Ok(())
}
