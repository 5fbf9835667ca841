//! What people do never changes how much they are attacked.

use std::path::Path;

use serde_json::{Value, json};

use super::normalize::sign_in;
use super::support::{fingerprints, latest_snapshot, program};

/// The leaked credential of one person.
fn attack() -> Value {
    let mut event = sign_in("attack", "2026-11-03T09:00:00.000Z", "ana@example.com");
    event["eventType"] = json!("security.breached_credential.detected");
    event
}

/// What colleagues and the attacked person do, and what follows from attacks.
fn behavior_and_context() -> Vec<Value> {
    let mut events = Vec::new();
    for n in 0..40 {
        let login = ["ana@example.com", "bob@example.com", "cho@example.com"][n % 3];
        let mut event = sign_in(&format!("b{n}"), "2026-11-03T10:00:00.000Z", login);
        let (kind, result, reason) = [
            ("user.session.start", "SUCCESS", Value::Null),
            ("user.authentication.sso", "SUCCESS", Value::Null),
            ("user.session.end", "SUCCESS", Value::Null),
            ("user.authentication.auth_via_mfa", "SUCCESS", Value::Null),
            (
                "user.session.start",
                "FAILURE",
                json!("INVALID_CREDENTIALS"),
            ),
            ("policy.entity_risk.action", "SUCCESS", Value::Null),
        ][n % 6]
            .clone();
        event["eventType"] = json!(kind);
        event["outcome"] = json!({"result": result, "reason": reason});
        events.push(event);
    }
    events
}

fn tables(folder: &Path, events: &[Value]) -> Vec<(String, String)> {
    let lines: String = events.iter().fold(String::new(), |text, event| {
        text + &event.to_string() + "\n"
    });
    std::fs::write(folder.join("events.ndjson"), lines).unwrap();
    let people = "id,login,email\nx1,ana@example.com,ana@example.com\nx2,bob@example.com,bob@example.com\nx3,cho@example.com,cho@example.com\n";
    std::fs::write(folder.join("people.csv"), people).unwrap();
    let at = "2026-11-05T00:00:00Z";
    for step in [
        [
            "users",
            "import",
            "people.csv",
            "--tenant",
            "acme",
            "--store",
            "s",
            "--imported-at",
            at,
        ],
        [
            "normalize",
            "okta",
            "events.ndjson",
            "--tenant",
            "acme",
            "--store",
            "s",
            "--ingested-at",
            at,
        ],
    ] {
        program(step).inside(folder).succeed();
    }
    program(["score", "--store", "s", "--as-of", "2026-11-04"])
        .inside(folder)
        .succeed();
    let mut found = fingerprints(&latest_snapshot(&folder.join("s")));
    found.retain(|(name, _)| name.ends_with(".parquet"));
    found
}

#[test]
fn behavior_and_context_events_change_no_table() {
    let (alone, among) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut events = behavior_and_context();
    let expected = tables(alone.path(), &[attack()]);
    events.insert(17, attack());
    assert_eq!(tables(among.path(), &events), expected);
    assert_eq!(expected.len(), 7);
    // The attack itself does change them, so the comparison can fail.
    let none = tempfile::tempdir().unwrap();
    assert_ne!(tables(none.path(), &behavior_and_context()), expected);
}
