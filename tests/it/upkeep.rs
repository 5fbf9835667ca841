//! `compact`, `purge` and `erase` with the real binary, as an operator types them.

use std::path::Path;

use serde_json::{Value, json};

use super::normalize::sign_in;
use super::support::{Outcome, files_holding, fingerprints, latest_snapshot, program};

const PEOPLE: &str = "id,login,email,name,manager\n\
    x1,ana@example.com,ana@example.com,Ana Alba,\n\
    x2,bob@example.com,bob@example.com,Bob Bach,x1\n\
    x3,cho@example.com,cho@example.com,Cho Chen,ana@example.com\n";

fn run(folder: &Path, arguments: &[&str]) -> Outcome {
    program(arguments.iter().chain(&["--store", "store"]))
        .inside(folder)
        .run()
}

fn succeed(folder: &Path, arguments: &[&str]) -> Outcome {
    let outcome = run(folder, arguments);
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    outcome
}

/// A leaked credential of one person, with their address in the details of another one's event.
fn events(prefix: &str, day: u32) -> String {
    let at = format!("2026-11-{day:02}T09:00:00.000Z");
    let mut attack = sign_in(&format!("{prefix}a"), &at, "ana@example.com");
    attack["eventType"] = json!("security.breached_credential.detected");
    attack["actor"] = json!({"id": "x1", "type": "User", "alternateId": "Ana@Example.com", "displayName": "Ana Alba"});
    let mut other = sign_in(&format!("{prefix}b"), &at, "bob@example.com");
    other["eventType"] = json!("security.breached_credential.detected");
    other["actor"] = json!({"id": "x2", "type": "User", "alternateId": "bob@example.com", "displayName": "Bob Bach"});
    other["displayMessage"] = json!("reported by ana@example.com");
    other["debugContext"]["debugData"]["url"] = json!("/report?by=ana%40example.com");
    format!("{attack}\n{other}\n")
}

/// A store with two runs of one day and a snapshot; the first day is long ago.
fn store(folder: &Path) {
    std::fs::write(folder.join("people.csv"), PEOPLE).unwrap();
    succeed(
        folder,
        &[
            "users",
            "import",
            "people.csv",
            "--tenant",
            "acme",
            "--imported-at",
            "2026-11-01",
        ],
    );
    for (prefix, day) in [("early", 2), ("late", 2), ("next", 3)] {
        let name = format!("{prefix}.ndjson");
        std::fs::write(folder.join(&name), events(prefix, day)).unwrap();
        normalize(folder, &name);
    }
    succeed(folder, &["score", "--as-of", "2026-11-04"]);
}

fn normalize(folder: &Path, file: &str) -> Value {
    let arguments = [
        "normalize",
        "okta",
        file,
        "--tenant",
        "acme",
        "--ingested-at",
        "2026-11-05T00:00:00Z",
        "--format",
        "json",
    ];
    row(&succeed(folder, &arguments), 0)
}

fn row(outcome: &Outcome, at: usize) -> Value {
    let rows: Value = serde_json::from_str(&outcome.stdout).unwrap();
    rows[at].clone()
}

fn manifest(folder: &Path) -> Value {
    let path = latest_snapshot(&folder.join("store")).join("manifest.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn day_files(folder: &Path, day: &str) -> usize {
    std::fs::read_dir(folder.join("store/events").join(day))
        .unwrap()
        .count()
}

#[test]
fn compact_says_what_it_did_and_changes_no_score() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    store(folder);
    assert_eq!(day_files(folder, "day=2026-11-02"), 2);
    let before = fingerprints(&folder.join("store"));
    let dry = succeed(folder, &["compact", "--dry-run", "--format", "json"]);
    assert_eq!(row(&dry, 0)["files_after"], 2);
    assert_eq!(row(&dry, 0)["bytes_after"], Value::Null);
    assert_eq!(fingerprints(&folder.join("store")), before);
    let done = succeed(folder, &["compact", "--format", "json"]);
    assert_eq!(row(&done, 0)["table"], "events");
    assert_eq!(row(&done, 0)["files_before"], 3);
    assert_eq!(row(&done, 0)["files_after"], 2);
    assert_eq!(day_files(folder, "day=2026-11-02"), 1);
    let again = succeed(folder, &["compact"]);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    let scored = succeed(folder, &["score", "--as-of", "2026-11-04"]);
    assert!(
        scored.stderr.contains("nothing changed since"),
        "{}",
        scored.stderr
    );
    assert_eq!(normalize(folder, "late.ndjson")["duplicate"], 2);
}

#[test]
fn purge_refuses_the_window_and_keeps_the_account_honest() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    store(folder);
    let refused = run(folder, &["purge", "--before", "2026-11-03"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("counts attacks from 2026-08-07 on"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("hint: give --before 2026-08-07"),
        "{}",
        refused.stderr
    );
    let nothing = succeed(folder, &["purge", "--before", "2026-08-07"]);
    assert!(
        nothing.stderr.contains("nothing is older"),
        "{}",
        nothing.stderr
    );
    let done = succeed(
        folder,
        &[
            "purge",
            "--before",
            "2026-11-03",
            "--force",
            "--format",
            "json",
        ],
    );
    assert_eq!(row(&done, 0)["rows"], 4);
    assert!(!folder.join("store/events/day=2026-11-02").exists());
    let again = normalize(folder, "early.ndjson");
    assert_eq!(
        (&again["quarantined"], &again["normalized"]),
        (&json!(2), &json!(0))
    );
    succeed(folder, &["score", "--as-of", "2026-11-04"]);
    let entry = manifest(folder)["run"]["tenants"]["acme"].clone();
    assert_eq!(entry["removed"]["purged"], 4);
    let number = |value: &Value| value.as_u64().unwrap();
    let classified = number(&entry["classes"]["normalized"]);
    assert_eq!(number(&entry["events"]["normalized"]), classified + 4);
    let lifted = succeed(folder, &["purge", "--lift"]);
    assert!(lifted.stderr.contains("2026-11-03"), "{}", lifted.stderr);
    assert_eq!(normalize(folder, "early.ndjson")["normalized"], 2);
    for arguments in [
        &["purge"][..],
        &["purge", "--before", "yesterday"],
        &["purge", "--lift", "--before", "2026-01-01"],
    ] {
        assert_eq!(run(folder, arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn erase_asks_first_then_leaves_no_trace_and_lets_nobody_back_in() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    store(folder);
    let inside = folder.join("store");
    assert!(!files_holding(&inside, "ana@example.com").is_empty());
    let before = fingerprints(&inside);
    let erase = ["erase", "ANA@example.com", "--tenant", "acme"];
    for flags in [&["--dry-run"][..], &[]] {
        let looked = run(folder, &[&erase[..], flags].concat());
        assert_eq!(looked.code, if flags.is_empty() { 2 } else { 0 });
        assert!(
            looked.stdout.contains("identity_events"),
            "{}",
            looked.stdout
        );
        assert!(looked.stdout.contains("user_scores"), "{}", looked.stdout);
        assert_eq!(fingerprints(&inside), before);
    }
    let yes = [&erase[..], &["--yes", "--reason", "DSR of ana@example.com"]].concat();
    let done = succeed(folder, &yes);
    assert!(!done.stderr.contains("ana@"), "{}", done.stderr);
    for trace in [
        "ana@example.com",
        "Ana@Example.com",
        "ana%40example.com",
        "Ana Alba",
    ] {
        assert_eq!(files_holding(&inside, trace), Vec::<String>::new());
    }
    assert_eq!(manifest(folder)["erased"], 1);
    let top = succeed(folder, &["top", "--format", "json"]);
    assert!(!top.stdout.contains("x1") && top.stdout.contains("bob@example.com"));
    let again = succeed(folder, &yes);
    assert!(again.stderr.contains("was erased on"), "{}", again.stderr);

    let imported = succeed(
        folder,
        &[
            "users",
            "import",
            "people.csv",
            "--tenant",
            "acme",
            "--format",
            "json",
        ],
    );
    assert_eq!(row(&imported, 0)["erased"], 1);
    assert!(
        imported.stderr.contains("nobody changed"),
        "{}",
        imported.stderr
    );
    let read = normalize(folder, "early.ndjson");
    assert_eq!(
        (&read["quarantined"], &read["duplicate"]),
        (&json!(1), &json!(1))
    );
    succeed(folder, &["score", "--as-of", "2026-11-04"]);
    assert_eq!(manifest(folder)["revision"], 2);
    let seen = manifest(folder)["run"]["tenants"]["acme"].clone();
    assert_eq!(seen["removed"]["erased"], 3);
    assert_eq!(
        files_holding(&inside, "ana@example.com"),
        Vec::<String>::new()
    );

    let lifted = succeed(folder, &[&erase[..], &["--lift"]].concat());
    assert!(
        lifted.stderr.contains("taken in again"),
        "{}",
        lifted.stderr
    );
    assert_eq!(normalize(folder, "early.ndjson")["normalized"], 1);
}

#[test]
fn erase_refuses_what_it_cannot_do_with_a_hint_and_without_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let none = run(folder, &["erase", "x", "--tenant", "acme", "--yes"]);
    assert_eq!(none.code, 2, "no store: {}", none.stderr);
    store(folder);
    for arguments in [
        &["erase", "zoe@example.com", "--tenant", "acme", "--yes"][..],
        &["erase", "ana@example.com", "--tenant", "other", "--yes"],
        &["erase", "ana@example.com", "--tenant", "../x", "--yes"],
        &["erase", "zoe@example.com", "--tenant", "acme", "--lift"],
        &["erase", "ana@example.com", "--yes"],
    ] {
        let refused = run(folder, arguments);
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.stderr);
        assert!(!refused.stderr.contains("zoe@"), "{}", refused.stderr);
    }
    let nothing = succeed(folder, &["erase", "--resume"]);
    assert!(
        nothing.stderr.contains("nothing to do"),
        "{}",
        nothing.stderr
    );
}
