//! `snapshots diff` over a store, as a nightly job would leave it behind.

use std::borrow::Cow;
use std::path::Path;

use af_model::UtcMillis;
use af_model::tables::{attack_signals, retractions};
use af_store::{Partitioned, Store};
use serde_json::Value;

use super::support::program;

/// One attack on somebody of acme, known when it happened.
struct Attack {
    id: &'static str,
    email: &'static str,
    level: &'static str,
    time: &'static str,
    known: &'static str,
}

/// Adds attack signals to the store, as any producer may.
fn add(store: &Path, name: &str, attack: &Attack) {
    let store = Store::open(store).unwrap();
    let lock = store.lock().unwrap();
    let text = Cow::Borrowed::<str>;
    let time = UtcMillis::parse(attack.time).unwrap();
    let row = attack_signals::Row {
        tenant_uid: text("acme"),
        signal_uid: text(attack.id),
        time,
        ingested_at: Some(UtcMillis::parse(attack.known).unwrap()),
        subject_ref: None,
        subject_uid: None,
        subject_login: None,
        subject_email: Some(text(attack.email)),
        component: text("email"),
        family: text("phishing"),
        level: text(attack.level),
        rule_id: text("gateway_verdict"),
        rule_version: None,
        incident_uid: None,
        event_uids: None,
        source: text("gateway"),
        integration: None,
        attack_techniques: None,
    };
    let batch = attack_signals::batch([&row]);
    store
        .add_day_file(&lock, Partitioned::Signals, time.day(), name, [batch])
        .unwrap();
}

fn score(folder: &Path, as_of: &str, known_at: &str) {
    program([
        "score",
        "--store",
        "store",
        "--as-of",
        as_of,
        "--known-at",
        known_at,
    ])
    .inside(folder)
    .succeed();
}

fn people(folder: &Path) {
    let csv = "user_uid,email,display_name\n\
               u1,ana@example.com,Ana\nu2,bob@example.com,Bob\nu3,cho@example.com,Cho\n";
    std::fs::write(folder.join("people.csv"), csv).unwrap();
    program([
        "users",
        "import",
        "people.csv",
        "--tenant",
        "acme",
        "--store",
        "store",
        "--imported-at",
        "2026-11-01T00:00:00Z",
    ])
    .inside(folder)
    .succeed();
}

fn diff(folder: &Path, before: &str, after: &str) -> Value {
    let arguments = [
        "snapshots",
        "diff",
        before,
        after,
        "--store",
        "store",
        "--min-change",
        "0",
        "--format",
        "json",
    ];
    let outcome = program(arguments).inside(folder).succeed();
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// The parts of one person's change that are not zero.
fn parts(view: &Value, user: &str) -> Vec<(String, i64)> {
    let people = view["people"].as_array().unwrap();
    let person = people.iter().find(|person| person["user_uid"] == user);
    let person = person.unwrap_or_else(|| panic!("{user} did not move: {view}"));
    let parts = person["parts"].as_object().unwrap();
    let mut parts: Vec<(String, i64)> = parts
        .iter()
        .map(|(cause, part)| (cause.clone(), part.as_i64().unwrap()))
        .filter(|(_, part)| *part != 0)
        .collect();
    parts.sort();
    let sum: i64 = parts.iter().map(|(_, part)| part).sum();
    assert_eq!(Some(sum), person["change_micro"].as_i64());
    parts
}

fn causes(view: &Value, user: &str) -> Vec<String> {
    let parts = parts(view, user);
    parts.into_iter().map(|(cause, _)| cause).collect()
}

#[test]
fn a_store_is_scored_attacked_corrected_and_scored_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = folder.join("store");
    people(folder);
    // Ana is hit on the 18th; what hit Bob on the 17th is heard of on the 20th only.
    let first = Attack {
        id: "s1",
        email: "ana@example.com",
        level: "high",
        time: "2026-11-18T08:00:00Z",
        known: "2026-11-18T08:01:00Z",
    };
    add(&store, "one", &first);
    score(folder, "2026-11-18", "2026-11-18");
    let late = Attack {
        id: "s2",
        email: "bob@example.com",
        level: "critical",
        time: "2026-11-17T08:00:00Z",
        known: "2026-11-20T09:00:00Z",
    };
    add(&store, "two", &late);
    let fresh = Attack {
        id: "s3",
        email: "cho@example.com",
        level: "medium",
        time: "2026-11-20T07:00:00Z",
        known: "2026-11-20T07:01:00Z",
    };
    add(&store, "three", &fresh);
    score(folder, "2026-11-20", "2026-11-20");

    let view = diff(folder, "2026-11-18", "2026-11-20");
    assert_eq!(causes(&view, "u1"), ["colleagues", "decay"]);
    assert_eq!(causes(&view, "u2"), ["colleagues", "late"]);
    assert_eq!(causes(&view, "u3"), ["colleagues", "new_signals"]);
    assert_eq!(view["notes"], Value::Array(Vec::new()));

    // The attack on Bob was a test of the security team: the same instant, known better.
    {
        let opened = Store::open(&store).unwrap();
        let lock = opened.lock().unwrap();
        let row = retractions::Row {
            tenant_uid: "acme".to_owned(),
            target_kind: "signal".to_owned(),
            target_uid: "s2".to_owned(),
            action: "retract".to_owned(),
            ingested_at: UtcMillis::parse("2026-11-21T08:00:00Z").unwrap(),
            reason: Some("a test".to_owned()),
            by: None,
        };
        opened
            .add_retractions(&lock, [retractions::batch([&row])])
            .unwrap();
    }
    score(folder, "2026-11-20", "2026-11-21");
    let view = diff(folder, "2026-11-20/r1", "2026-11-20/r2");
    assert_eq!(causes(&view, "u2"), ["retracted"]);
    assert_eq!(causes(&view, "u1"), ["colleagues"]);
    assert_eq!(view["organizations"][0]["moved_by_cause"]["colleagues"], 2);

    // Everything that was published along the way is still what its own tables say.
    program(["verify", "store", "--all"])
        .inside(folder)
        .succeed();

    let shown = program([
        "snapshots",
        "diff",
        "2026-11-18",
        "latest",
        "--store",
        "store",
    ])
    .inside(folder)
    .succeed();
    assert!(
        shown.stdout.contains("Cho <cho@example.com>"),
        "{}",
        shown.stdout
    );
    assert!(
        shown.stdout.contains("new_signals +1.8"),
        "{}",
        shown.stdout
    );
    let csv = program([
        "snapshots",
        "diff",
        "2026-11-18",
        "latest",
        "--store",
        "store",
        "--user",
        "ana@example.com",
        "--format",
        "csv",
    ])
    .inside(folder)
    .succeed();
    assert_eq!(csv.stdout.lines().count(), 2, "{}", csv.stdout);

    let refused = program([
        "snapshots",
        "diff",
        "latest",
        "2026-11-18",
        "--store",
        "store",
    ])
    .inside(folder)
    .run();
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .contains("hint: give the earlier snapshot first"),
        "{}",
        refused.stderr
    );
    let absent = program([
        "snapshots",
        "diff",
        "2020-01-01",
        "latest",
        "--store",
        "store",
    ])
    .inside(folder)
    .run();
    assert_eq!(absent.code, 3, "{}", absent.stderr);
}
