//! `rules backtest`: a rule tried on the demo's own events.

use std::path::Path;

use serde_json::Value;

use super::support::{Outcome, fingerprints, program};

const RULE: &str = "okta_push_refused";

fn demo(folder: &Path) -> std::path::PathBuf {
    let store = folder.join("demo");
    program(["demo", "--dir", store.to_str().unwrap()]).succeed();
    store
}

fn backtest(store: &Path, arguments: &[&str]) -> Outcome {
    let fixed = ["rules", "backtest", "--store", store.to_str().unwrap()];
    program(fixed.iter().chain(arguments)).run()
}

fn json(store: &Path, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments
        .iter()
        .copied()
        .chain(["--format", "json"])
        .collect();
    let outcome = backtest(store, &arguments);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no count"))
}

#[test]
fn a_rule_of_the_demo_is_weighed_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = demo(folder.path());
    let before = fingerprints(&store);
    let view = json(&store, &[RULE, "-n", "1000"]);
    assert_eq!(fingerprints(&store), before);

    // Every part adds up.
    let by_day = view["by_day"].as_array().unwrap();
    let findings: u64 = by_day.iter().map(|day| number(&day["findings"])).sum();
    assert!(findings > 0);
    assert_eq!(number(&view["findings"]), findings);
    let went = view["went"].as_object().unwrap();
    assert_eq!(went.values().map(number).sum::<u64>(), findings);
    let hit = view["hit"].as_array().unwrap();
    assert_eq!(number(&view["people_hit"]), hit.len() as u64);
    let incidents: u64 = hit.iter().map(|person| number(&person["incidents"])).sum();
    assert_eq!(incidents, number(&went["scored"]));
    let moved = view["moved"].as_array().unwrap();
    assert!(!moved.is_empty());
    for person in moved {
        assert_ne!(person["score_without_micro"], person["score_with_micro"]);
    }
    let levels = view["levels"].as_array().unwrap();
    let people = |side: &str| levels.iter().map(|level| number(&level[side])).sum::<u64>();
    assert_eq!(people("without"), people("with"));

    // With the rule, scores are what a run publishes.
    let store = store.to_str().unwrap();
    program(["score", "--store", store]).succeed();
    let top = ["top", "--store", store, "-n", "100", "--format", "jsonl"];
    let top = program(top).succeed().stdout;
    let published: Vec<Value> = top
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for person in moved.iter().filter(|person| person["rank_with"].is_u64()) {
        let row = published
            .iter()
            .find(|row| row["user_uid"] == person["user_uid"])
            .unwrap();
        assert_eq!(row["score_micro"], person["score_with_micro"]);
        assert_eq!(row["rank"], person["rank_with"]);
    }
}

#[test]
fn a_disabled_rule_is_tried_and_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = demo(folder.path());
    let enabled = json(&store, &[RULE]);
    let config = folder.path().join("attack-factor.toml");
    std::fs::write(&config, format!("[rules]\ndisable = [\"{RULE}\"]\n")).unwrap();
    let disabled = json(&store, &[RULE, "--config", config.to_str().unwrap()]);
    assert_eq!(disabled, enabled);
}

#[test]
fn fewer_days_find_no_more_and_say_which_days_these_are() {
    let folder = tempfile::tempdir().unwrap();
    let store = demo(folder.path());
    let all = json(&store, &[RULE]);
    let few = json(&store, &[RULE, "--days", "3"]);
    assert_eq!(number(&few["days_with_events"]), 3);
    assert_eq!(few["last_day"], all["last_day"]);
    assert!(number(&few["events"]) < number(&all["events"]));
    assert!(number(&few["findings"]) <= number(&all["findings"]));
}

#[test]
fn a_context_rule_finds_nothing_and_is_weighed_by_what_it_silences() {
    let folder = tempfile::tempdir().unwrap();
    let store = demo(folder.path());
    let own = folder.path().join("rules");
    std::fs::create_dir(&own).unwrap();
    let text = "title: our scanner\nid: 6f1e4a52-7d0c-4f5e-9a3b-2c1d0e9f8a7b\ndate: 2026-11-22\n\
        logsource: {product: okta, service: okta}\ndetection:\n  selection: {derived.threat_suspected: true}\n  \
        condition: selection\nattack_factor: {class: context}\n";
    std::fs::write(own.join("our_scanner.yml"), text).unwrap();
    let view = json(&store, &["our_scanner", "--rules", own.to_str().unwrap()]);
    assert_eq!(number(&view["findings"]), 0);
    assert!(number(&view["instead_of"]) > 0);
    let moved = view["moved"].as_array().unwrap();
    assert!(!moved.is_empty());
    let page = backtest(&store, &["our_scanner", "--rules", own.to_str().unwrap()]);
    assert_eq!(page.code, 0);
    assert!(
        page.stdout
            .contains("signals of other rules are not there with it")
    );
}

#[test]
fn the_table_shows_every_part_and_csv_the_people_who_move() {
    let folder = tempfile::tempdir().unwrap();
    let store = demo(folder.path());
    let page = backtest(&store, &[RULE]);
    for part in [
        "findings on",
        "people are hit",
        "person hit",
        "without",
        "people move",
    ] {
        assert!(page.stdout.contains(part), "{part}\n{}", page.stdout);
    }
    let csv = backtest(&store, &[RULE, "--format", "csv", "-n", "1000"]);
    let moved = json(&store, &[RULE, "-n", "1000"])["moved"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(csv.stdout.lines().count(), moved + 1);
}

#[test]
fn an_unknown_rule_and_an_empty_store_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    let people = folder.path().join("people.csv");
    std::fs::write(&people, "user_uid,email\n1,a@example.com\n").unwrap();
    let import = [
        "users",
        "import",
        people.to_str().unwrap(),
        "--tenant",
        "acme",
        "--store",
        empty.to_str().unwrap(),
    ];
    program(import).succeed();
    let outcome = backtest(&empty, &[RULE]);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("a store without events"));
    let outcome = backtest(&empty, &["okta_push_refusd"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains("did you mean okta_push_refused"),
        "{}",
        outcome.stderr
    );
}
