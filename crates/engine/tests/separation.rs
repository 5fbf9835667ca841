//! What people do, and what follows from attacks, changes no table: whole files, from raw events to
//! the snapshot, with the shipped rules' own samples as events. Left out are events that windows look
//! at: a failed sign-in is context by itself, and with others evidence of an attack.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use af_engine::input::Input;
use af_engine::normalize::{self, NormalizeOptions};
use af_engine::pipeline::{RunFacts, StoreJob, score_store};
use af_engine::tally::AskedCut;
use af_engine::{Silent, rule_samples};
use af_model::tables::directory;
use af_model::{HashKey, Params, Person, UtcMillis};
use af_rules::{Class, RuleSet};
use af_store::Store;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};

static RULES: LazyLock<RuleSet> =
    LazyLock::new(|| RuleSet::load(af_rules::shipped().into_iter()).unwrap());

/// The sample events that fire a rule of one of the classes.
fn samples(wanted: impl Fn(Class) -> bool) -> impl Iterator<Item = &'static String> {
    let rules = RULES.rules().iter().filter(move |rule| wanted(rule.class));
    rules
        .flat_map(|rule| rule.samples.iter().filter(|sample| sample.fires))
        .map(|sample| &sample.events[0])
}

fn attacks() -> Vec<Value> {
    let events = samples(|class| class == Class::Attack);
    events
        .map(|event| serde_json::from_str(event).unwrap())
        .collect()
}

/// Context and behavior that no window looks at. A few samples are so only in a network of the
/// organization's own, of which this one has none.
fn noise() -> Vec<Value> {
    let is_noise = |event: &str| {
        let event = rule_samples::event(event.as_bytes()).unwrap();
        let found = RULES.classify(&event, &|_| true).unwrap();
        found.signals.num_rows() == 0 && RULES.looked_at(&event).unwrap() == [false]
    };
    samples(|class| matches!(class, Class::Context | Class::Behavior))
        .filter(|event| is_noise(event))
        .map(|event| serde_json::from_str(event).unwrap())
        .collect()
}

/// The samples as events of one fortnight, each of its own transaction: an event of a shared one may
/// lend its session to another, and so name its incident.
fn dated(events: &[Value], prefix: &str) -> Vec<Value> {
    let mut dated = events.to_vec();
    for (n, event) in dated.iter_mut().enumerate() {
        event["uuid"] = json!(format!("{prefix}{n}"));
        event["published"] = json!(format!("2026-11-{:02}T08:00:00.000Z", 1 + n % 14));
        event["transaction"] = json!({"id": format!("tx-{prefix}{n}"), "type": "WEB"});
    }
    dated
}

/// Everybody whom the events name by id.
fn people(events: &[Value]) -> Vec<Person> {
    let mut ids = BTreeSet::new();
    for event in events {
        let targets = event["target"].as_array().cloned().unwrap_or_default();
        for principal in targets.iter().chain([&event["actor"]]) {
            if let Some(id) = principal["id"].as_str().filter(|id| id.starts_with("00u")) {
                ids.insert(id.to_owned());
            }
        }
    }
    let person =
        |id: &String| Person::new("acme", id, &format!("{}@example.com", id.to_lowercase()));
    ids.iter().map(person).collect()
}

fn tables(rules: &RuleSet, people: &[Person], events: &[Value]) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.ndjson");
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    fs_err::write(&file, lines.join("\n")).unwrap();
    let store = Store::create_or_open(&folder.path().join("store")).unwrap();
    let lock = store.lock().unwrap();
    let key = HashKey::new([7; 32]);
    let at = UtcMillis::parse("2026-11-15T00:00:00Z").unwrap();
    store
        .add_directory(&lock, at, [directory::batch(people)])
        .unwrap();
    let options = NormalizeOptions {
        tenant: "acme".to_owned(),
        integration: None,
        ingested_at: at,
        buffer_bytes: 1 << 20,
    };
    let report = normalize::okta(
        Some((&store, &lock)),
        &key,
        &[Input::File(file)],
        &options,
        &Silent,
    )
    .unwrap();
    assert_eq!(report.account.normalized, events.len() as u64);
    let job = StoreJob {
        store: &store,
        lock: &lock,
        key: &key,
        rules,
    };
    let run = RunFacts {
        program: "test".to_owned(),
        started_at: UtcMillis(0),
    };
    let asked = AskedCut {
        as_of: Some(at),
        known_at: Some(at),
    };
    let scored = score_store(&job, &Params::default(), asked, &run, &Silent).unwrap();
    fs_err::read_dir(&scored.snapshot)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "parquet")
        })
        .map(|path| (path.display().to_string(), fs_err::read(&path).unwrap()))
        .map(|(path, bytes)| (path.rsplit('/').next().unwrap().to_owned(), bytes))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn behavior_and_context_events_change_no_table(
        (attacks, noise) in {
            let (attacks, noise) = (attacks(), noise());
            assert!(noise.len() >= 20, "{} kinds of noise are too few", noise.len());
            let (a, n) = (attacks.len(), noise.len());
            (subsequence(attacks, 1..=a), subsequence(noise, 0..=n))
        },
    ) {
        let rules = &*RULES;
        let (attacks, noise) = (dated(&attacks, "a"), dated(&noise, "n"));
        let everything: Vec<Value> = noise.iter().chain(&attacks).cloned().collect();
        let people = people(&everything);
        let alone = tables(rules, &people, &attacks);
        prop_assert_eq!(alone.len(), 7);
        prop_assert!(alone == tables(rules, &people, &everything), "tables differ");
    }
}
