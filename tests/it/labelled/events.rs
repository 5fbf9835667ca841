//! Labelled third-party events made into inputs: every labelled case is a tenant of its own in one
//! store, so that no case sees another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Outcome, program, rows};

/// The names of the rules that found something, by tenant.
pub(super) type Found = BTreeMap<String, BTreeSet<String>>;

/// One labelled event of Panther, with what its rule remembers made into events.
pub(super) struct Pair {
    /// `current` or `historic`.
    pub(super) file: &'static str,
    /// From 1.
    pub(super) line: usize,
    pub(super) rule: String,
    pub(super) test: String,
    pub(super) expected: bool,
    pub(super) events: Vec<Value>,
}

impl Pair {
    pub(super) fn tenant(&self) -> String {
        format!("{}-{}", self.file, self.line)
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// jacobdcook's scenarios in the order of the file: name, whether an alert is expected, events.
pub(super) fn scenarios(root: &Path) -> Vec<(String, bool, Vec<Value>)> {
    let mut scenarios: Vec<(String, bool, Vec<Value>)> = Vec::new();
    for line in lines(&root.join("jacobdcook/events.jsonl")) {
        let name = line["scenario"].as_str().unwrap();
        let alert = line["expected_alert"].as_bool().unwrap();
        let event = line["event"].clone();
        match scenarios.last_mut().filter(|(last, ..)| last == name) {
            Some((_, expected, events)) => {
                assert_eq!(*expected, alert, "{name}");
                events.push(event);
            }
            None => scenarios.push((name.to_owned(), alert, vec![event])),
        }
    }
    scenarios
}

/// Panther's pairs of event and label.
pub(super) fn pairs(root: &Path) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for file in ["current", "historic"] {
        let path = root.join(format!("panther/tests_{file}.jsonl"));
        for (index, line) in lines(&path).iter().enumerate() {
            let mut pair = Pair {
                file,
                line: index + 1,
                rule: line["rule_id"].as_str().unwrap().to_owned(),
                test: line["test_name"].as_str().unwrap().to_owned(),
                expected: line["expected"].as_bool().unwrap(),
                events: Vec::new(),
            };
            pair.events = with_what_the_rule_remembers(line, &pair.tenant());
            pairs.push(pair);
        }
    }
    pairs
}

/// The event of a pair, and the events that its label takes for granted.
///
/// * An event gets an id of its own (some have none, redacted ones share one), and a time if it has none.
/// * A rule with a threshold of n alerts at the nth event: there are n, half a minute apart.
/// * Panther's look-up of the address becomes the place of the client.
/// * The sign-in before, which their rule finds in a cache, becomes an event.
fn with_what_the_rule_remembers(line: &Value, tenant: &str) -> Vec<Value> {
    let mut event = line["event"].clone();
    let place = &line["event"]["p_enrichment"]["ipinfo_location"]["client.ipAddress"];
    if place.is_object() {
        event["client"]["geographicalContext"] = geography(place);
    }
    let mut events = Vec::new();
    for mock in line["mocks"].as_array().into_iter().flatten() {
        let memory = mock["returnValue"].as_str().unwrap_or_default();
        if mock["objectName"] != "get_string_set" || memory.is_empty() {
            continue;
        }
        let memory: Vec<Value> = serde_json::from_str(memory).unwrap();
        for place in memory {
            let mut before = event.clone();
            before["published"] = place["p_event_time"].clone();
            before["client"]["ipAddress"] = json!("198.51.100.1");
            before["client"]["geographicalContext"] = geography(&place);
            events.push(before);
        }
    }
    let times = line["rule_threshold"].as_u64().unwrap();
    assert!(times == 1 || event["published"].is_null(), "{tenant}");
    for n in 0..times {
        if line["event"]["published"].is_null() {
            let (minute, second) = (n / 2, n % 2 * 30);
            event["published"] = json!(format!("2021-06-04T10:{minute:02}:{second:02}.000Z"));
        }
        events.push(event.clone());
    }
    for (n, event) in events.iter_mut().enumerate() {
        event["uuid"] = json!(format!("{tenant}-{n}"));
    }
    events
}

/// A place as Panther writes it, in Okta's words.
fn geography(place: &Value) -> Value {
    let degrees = |name: &str| -> f64 { place[name].as_str().unwrap().parse().unwrap() };
    json!({
        "city": place["city"],
        "state": place["region"],
        "country": place["country"],
        "geolocation": {"lat": degrees("lat"), "lon": degrees("lng")},
    })
}

/// Takes the events of one case in; every one of them must be readable.
pub(super) fn take_in(folder: &Path, tenant: &str, events: &[Value]) {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let outcome = program([
        "normalize",
        "okta",
        "-",
        "--tenant",
        tenant,
        "--store",
        "store",
        "--format",
        "json",
        "--ingested-at",
        "2026-11-21T00:00:00Z",
    ])
    .inside(folder)
    .input(lines.join("\n"))
    .succeed();
    let (_, normalized, ..) = crate::normalize::account(&outcome);
    assert_eq!(normalized, events.len() as u64, "{tenant}: {outcome:?}");
}

/// Runs the rules over everything taken in: what they found, and the account of events.
pub(super) fn detect(folder: &Path) -> (Found, Value) {
    let run = |arguments: &[&str]| -> Outcome { program(arguments).inside(folder).succeed() };
    let account = run(&["detect", "--store", "store", "--format", "json"]);
    let account: Value = serde_json::from_str(&account.stdout).unwrap();
    let names = run(&["rules", "lock", "--format", "json"]);
    let names: Vec<Value> = serde_json::from_str(&names.stdout).unwrap();
    let names: BTreeMap<&str, &str> = names
        .iter()
        .map(|rule| (rule["id"].as_str().unwrap(), rule["name"].as_str().unwrap()))
        .collect();
    let mut found = Found::new();
    for signal in rows(&folder.join("store/signals")) {
        let name = names[signal["rule_id"].as_str().unwrap()];
        found
            .entry(signal["tenant_uid"].as_str().unwrap().to_owned())
            .or_default()
            .insert(name.to_owned());
    }
    (found, account[0].clone())
}
