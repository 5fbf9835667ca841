//! Time as a user meets it: retractions, revisions, the list of snapshots.

use std::path::Path;

use serde_json::{Value, json};

use super::normalize::sign_in;
use super::support::{Outcome, fingerprints, latest_snapshot, program};

fn run(folder: &Path, arguments: &[&str]) -> Outcome {
    program(arguments).inside(folder).run()
}

fn succeed(folder: &Path, arguments: &[&str]) -> Outcome {
    program(arguments).inside(folder).succeed()
}

/// The leaked credential of one person, as an event.
fn leak(uuid: &str, published: &str, login: &str) -> Value {
    let mut event = sign_in(uuid, published, login);
    event["eventType"] = json!("security.breached_credential.detected");
    event
}

fn normalize(folder: &Path, events: &[Value], ingested_at: &str) {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    std::fs::write(folder.join("events.ndjson"), lines.join("\n")).unwrap();
    let arguments = ["normalize", "okta", "events.ndjson", "--tenant", "acme"];
    let mut arguments = arguments.to_vec();
    arguments.extend(["--store", "s", "--ingested-at", ingested_at]);
    succeed(folder, &arguments);
}

/// A store with two leaks, of Ana on the 3rd and of Bob on the 4th, scored as of the 4th.
fn store() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let people =
        "id,login,email\nx1,ana@example.com,ana@example.com\nx2,bob@example.com,bob@example.com\n";
    std::fs::write(folder.path().join("people.csv"), people).unwrap();
    let arguments = ["users", "import", "people.csv", "--tenant", "acme"];
    let mut arguments = arguments.to_vec();
    arguments.extend(["--store", "s", "--imported-at", "2026-11-01"]);
    succeed(folder.path(), &arguments);
    let events = [
        leak("leak-of-ana", "2026-11-03T09:00:00.000Z", "ana@example.com"),
        leak("leak-of-bob", "2026-11-04T09:00:00.000Z", "bob@example.com"),
    ];
    normalize(folder.path(), &events, "2026-11-04T10:00:00Z");
    score(folder.path());
    folder
}

fn score(folder: &Path) -> Outcome {
    succeed(folder, &["score", "--store", "s", "--as-of", "2026-11-04"])
}

fn attacked(folder: &Path) -> Vec<String> {
    let top = [
        "top",
        "--store",
        "s",
        "--min-level",
        "very_low",
        "--format",
        "jsonl",
    ];
    let outcome = succeed(folder, &top);
    let email = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        row["email"].as_str().unwrap().to_owned()
    };
    let mut people: Vec<String> = outcome.stdout.lines().map(email).collect();
    people.sort();
    people
}

fn retract<'a>(folder: &Path, what: &[&'a str], more: &[&'a str]) -> Outcome {
    let mut arguments = vec!["retract"];
    arguments.extend(what);
    arguments.extend(["--tenant", "acme", "--store", "s", "--reason", "a test"]);
    arguments.extend(more);
    run(folder, &arguments)
}

#[test]
fn an_event_is_taken_back_and_restored_and_nothing_published_changes() {
    let folder = store();
    let path = folder.path();
    assert_eq!(attacked(path), ["ana@example.com", "bob@example.com"]);
    let first = latest_snapshot(&path.join("s"));
    let before = fingerprints(&first);

    let event = ["event", "leak-of-ana"];
    let at = |day: &'static str| ["--at", day];
    let dry = retract(path, &event, &["--dry-run", "--format", "json"]);
    assert_eq!(dry.code, 0, "{}", dry.stderr);
    let hits: Value = serde_json::from_str(&dry.stdout).unwrap();
    assert_eq!(hits[0]["person"], "ana@example.com", "{hits}");
    assert_eq!(
        (&hits[0]["was_retracted"], &hits[0]["is_retracted"]),
        (&json!(false), &json!(true))
    );
    assert!(dry.stderr.contains("would be retracted"), "{}", dry.stderr);
    assert!(!path.join("s/retractions").exists());

    let said = retract(path, &event, &at("2026-11-05"));
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stderr
            .contains("1 of 1 signals that name it fall away, of 1 people"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("score --store s` shows it"),
        "{}",
        said.stderr
    );
    let twice = retract(path, &event, &at("2026-11-06"));
    assert!(
        twice
            .stderr
            .contains("retracted already, since 2026-11-05T23:59:59.999Z"),
        "{}",
        twice.stderr
    );
    assert_eq!(twice.code, 0);

    score(path);
    assert_eq!(attacked(path), ["bob@example.com"]);
    let listed = succeed(
        path,
        &["retract", "list", "--store", "s", "--format", "jsonl"],
    );
    let row: Value = serde_json::from_str(listed.stdout.trim()).unwrap();
    assert_eq!(
        (&row["target_uid"], &row["reason"]),
        (&json!("leak-of-ana"), &json!("a test"))
    );

    let restored = retract(path, &event, &["--restore", "--at", "2026-11-07"]);
    assert!(
        restored.stderr.contains("count again"),
        "{}",
        restored.stderr
    );
    score(path);
    assert_eq!(attacked(path), ["ana@example.com", "bob@example.com"]);
    let again = retract(path, &event, &["--restore", "--at", "2026-11-08"]);
    assert!(
        again.stderr.contains("restored already"),
        "{}",
        again.stderr
    );
    let never = retract(
        path,
        &["event", "leak-of-bob"],
        &["--restore", "--at", "2026-11-08"],
    );
    assert!(
        never.stderr.contains("is not retracted"),
        "{}",
        never.stderr
    );
    let none = succeed(path, &["retract", "list", "--store", "s"]);
    assert!(
        none.stderr.contains("nothing is retracted"),
        "{}",
        none.stderr
    );
    assert_eq!(fingerprints(&first), before);
}

#[test]
fn an_unknown_target_is_refused_with_what_may_have_been_meant() {
    let folder = store();
    let path = folder.path();
    let wrong_kind = retract(path, &["signal", "leak-of-ana"], &[]);
    assert_eq!(wrong_kind.code, 2);
    assert!(
        wrong_kind
            .stderr
            .contains("retract event leak-of-ana --tenant acme"),
        "{}",
        wrong_kind.stderr
    );
    let misspelt = retract(path, &["event", "leak-of-anna"], &[]);
    assert_eq!(misspelt.code, 2);
    assert!(
        misspelt.stderr.contains("leak-of-ana "),
        "{}",
        misspelt.stderr
    );
    assert!(misspelt.stderr.contains("--force"), "{}", misspelt.stderr);
    let unknown = retract(path, &["incident", "\u{1b}[31mred"], &[]);
    assert_eq!(unknown.code, 2);
    assert!(!unknown.stderr.contains('\u{1b}'), "{:?}", unknown.stderr);
    let forced = retract(path, &["event", "still-to-come"], &["--force"]);
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert!(
        forced.stderr.contains("no signal names it so far"),
        "{}",
        forced.stderr
    );
}

#[test]
fn an_event_without_a_signal_may_be_taken_back() {
    let folder = store();
    let path = folder.path();
    let event = sign_in("quiet", "2026-11-04T08:00:00.000Z", "ana@example.com");
    normalize(path, &[event], "2026-11-04T11:00:00Z");
    let said = retract(path, &["event", "quiet"], &[]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stderr.contains("no signal names it"),
        "{}",
        said.stderr
    );
}

#[test]
fn snapshots_are_listed_and_the_past_is_not_the_latest() {
    let folder = store();
    let path = folder.path();
    let late = leak("late", "2026-11-02T09:00:00.000Z", "ana@example.com");
    normalize(path, &[late], "2026-11-06T10:00:00Z");
    score(path);
    let list = |more: &[&str]| -> Vec<Value> {
        let mut arguments = vec!["snapshots", "list", "--store", "s", "--format", "jsonl"];
        arguments.extend(more);
        let outcome = succeed(path, &arguments);
        let row = |line: &str| serde_json::from_str(line).unwrap();
        outcome.stdout.lines().map(row).collect()
    };
    let standings = |rows: &[Value]| -> Vec<String> {
        let standing = |row: &Value| row["standing"].as_str().unwrap().to_owned();
        rows.iter().map(standing).collect()
    };
    assert_eq!(standings(&list(&[])), ["past", "latest"]);
    let past = [
        "score",
        "--store",
        "s",
        "--as-of",
        "2026-11-04",
        "--known-at",
        "2026-11-04T09:30:00Z",
    ];
    let outcome = succeed(path, &past);
    assert!(outcome.stderr.contains("revision 3"), "{}", outcome.stderr);
    succeed(path, &["score", "--store", "s", "--as-of", "2026-11-03"]);
    let rows = list(&[]);
    assert_eq!(standings(&rows), ["current", "past", "latest", "past"]);
    assert_eq!(list(&["--as-of", "2026-11-03"]).len(), 1);
    assert_eq!(rows[2]["snapshot"], "2026-11-04T235959.999Z/r2");
    assert_eq!(rows[2]["known_at"], "2026-11-06T10:00:00.000Z");
    assert_eq!(
        (&rows[2]["people"], &rows[2]["tenants"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(rows[2]["config"].as_str().unwrap().len(), 8);
    assert!(rows[2]["bytes"].as_u64().unwrap() > 1000);
    // A damaged one does not hide the others.
    let manifest = path.join("s/snapshots/2026-11-04T235959.999Z/r1/manifest.json");
    std::fs::write(manifest, "{").unwrap();
    let outcome = succeed(
        path,
        &["snapshots", "list", "--store", "s", "--format", "csv"],
    );
    assert_eq!(outcome.stdout.lines().count(), 5);
    assert!(outcome.stderr.contains("r1: "), "{}", outcome.stderr);
}

#[test]
fn the_demos_false_alarm_is_taken_back_by_its_label() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), &["demo"]);
    let store = [
        "retract",
        "list",
        "--store",
        "attack-factor-demo",
        "--format",
        "jsonl",
    ];
    let listed = succeed(folder.path(), &store);
    assert_eq!(listed.stdout.lines().count(), 2, "{}", listed.stdout);
    assert!(
        listed.stdout.contains("false positive"),
        "{}",
        listed.stdout
    );
    let top = [
        "top",
        "--store",
        "attack-factor-demo",
        "--limit",
        "200",
        "--format",
        "jsonl",
    ];
    let outcome = succeed(folder.path(), &top);
    let dario = outcome
        .stdout
        .lines()
        .find(|line| line.contains("dario.falk"));
    let row: Value = serde_json::from_str(dario.unwrap()).unwrap();
    assert_eq!(row["level"], "very_low", "{row}");
    // A spray hit him, as it hit everybody; of the false alarm nothing is left.
    let why = [
        "explain",
        "dario.falk@example.com",
        "--store",
        "attack-factor-demo",
        "--format",
        "json",
    ];
    let why: Value = serde_json::from_str(&succeed(folder.path(), &why).stdout).unwrap();
    assert_eq!(why["retracted"].as_array().unwrap().len(), 2);
    let counts = why["blocks"].to_string();
    assert!(counts.contains("event_uid"), "{counts}");
    for line in listed.stdout.lines() {
        let retraction: Value = serde_json::from_str(line).unwrap();
        let event = retraction["target_uid"].as_str().unwrap();
        assert!(!counts.contains(event), "{event}");
    }
}
