//! The real binary when things go wrong: killed, a second writer, readers meanwhile, a disk that is
//! full or read-only or gone, a clock that jumps back, damaged files.

mod damage;
mod disk;
mod kill;
mod time;
mod writers;

use std::path::Path;

use serde_json::{Value, json};

use super::normalize::sign_in;
use super::support::{Outcome, fingerprints, program};

const PEOPLE: [&str; 3] = ["ana@example.com", "bob@example.com", "cho@example.com"];

/// Sign-ins of three people on the first days of a month, with a refused push here and there.
fn events(range: std::ops::Range<usize>) -> String {
    let event = |n: usize| {
        let day = 1 + n % 4;
        let published = format!("2026-11-{day:02}T08:{:02}:00.000Z", n % 60);
        let mut event = sign_in(&format!("e{n:06}"), &published, PEOPLE[n % 3]);
        if n.is_multiple_of(5) {
            event["eventType"] = json!("user.authentication.auth_via_mfa");
            event["outcome"] = json!({"result": "FAILURE", "reason": Value::Null});
            event["debugContext"] =
                json!({"debugData": {"pushOnlyResponseType": "OV_RESPONSE_DENY"}});
        }
        event.to_string() + "\n"
    };
    range.map(event).collect()
}

/// Writes the inputs into `folder`.
fn write_inputs(folder: &Path, count: usize) {
    std::fs::write(folder.join("events.ndjson"), events(0..count)).unwrap();
    let rows = PEOPLE.iter().enumerate();
    let rows: String = rows
        .map(|(n, address)| ["x", &n.to_string(), ",", address, ",", address, "\n"].concat())
        .collect();
    let people = "id,login,email\n".to_owned() + &rows;
    std::fs::write(folder.join("people.csv"), people).unwrap();
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

const NORMALIZE: &str =
    "normalize okta events.ndjson --tenant acme --store s --ingested-at 2026-11-05 --buffer 1";
const IMPORT: &str = "users import people.csv --tenant acme --store s --imported-at 2026-11-05";
const SCORE: &str = "score --store s --as-of 2026-11-05";

/// Runs a command in `folder`.
fn run(folder: &Path, line: &str) -> Outcome {
    program(words(line)).inside(folder).run()
}

/// Runs a command in `folder` and insists on success.
fn succeed(folder: &Path, line: &str) -> Outcome {
    program(words(line)).inside(folder).succeed()
}

/// A store with events, people and a snapshot, in the folder `s`.
fn filled(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path(), count);
    for line in [NORMALIZE, IMPORT, SCORE] {
        succeed(folder.path(), line);
    }
    folder
}

/// Every file of the store but who wrote last and what is unfinished.
fn content(folder: &Path) -> Vec<(String, String)> {
    let mut files = fingerprints(&folder.join("s"));
    files.retain(|(name, _)| {
        // Every store has a key of its own, made of random bytes.
        name != "lock" && name != "secret/hash.key" && !name.starts_with("tmp/")
    });
    files
}

/// A failure with this code that names these things.
fn check_failure(outcome: &Outcome, code: i32, said: &[&str]) {
    assert_eq!(outcome.code, code, "{}\n{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    for text in said {
        assert!(
            outcome.stderr.contains(text),
            "{text} in\n{}",
            outcome.stderr
        );
    }
}
