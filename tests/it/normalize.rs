//! `normalize`: every shape and wrapping of input, every event accounted for.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::support::{Outcome, files_holding, fingerprints, program};

/// A sign-in of one person, as Okta writes it.
pub(crate) fn sign_in(uuid: &str, published: &str, login: &str) -> Value {
    json!({
        "uuid": uuid,
        "published": published,
        "eventType": "user.session.start",
        "version": "0",
        "severity": "INFO",
        "displayMessage": "User login to Okta",
        "actor": {"id": format!("00u{:0>17}", login.len()), "type": "User", "alternateId": login, "displayName": "A Person"},
        "client": {"ipAddress": "192.0.2.7", "userAgent": {"rawUserAgent": "Mozilla/5.0", "os": "Windows 11", "browser": "CHROME"}},
        "outcome": {"result": "SUCCESS", "reason": null},
        "target": null,
        "transaction": {"type": "WEB", "id": format!("tx-{uuid}"), "detail": {}},
        "debugContext": {"debugData": {"requestUri": "/api/v1/authn"}},
        "authenticationContext": {"externalSessionId": format!("s-{uuid}")},
        "securityContext": {"asNumber": 64500, "isProxy": false},
    })
}

fn three() -> Vec<Value> {
    (1..=3)
        .map(|n| {
            sign_in(
                &format!("e{n}"),
                &format!("2026-11-0{n}T08:00:00.000Z"),
                "ana@example.com",
            )
        })
        .collect()
}

pub(crate) fn normalize(folder: &Path, file: &str) -> Outcome {
    program([
        "normalize",
        "okta",
        file,
        "--tenant",
        "acme",
        "--store",
        "store",
        "--format",
        "json",
        "--ingested-at",
        "2026-11-05T00:00:00Z",
    ])
    .inside(folder)
    .succeed()
}

pub(crate) fn account(outcome: &Outcome) -> (u64, u64, u64, u64) {
    let value: Value = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", outcome.stdout));
    let row = if value.is_array() {
        value[0].clone()
    } else {
        value
    };
    let figure = |name: &str| {
        row[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name} in {row}"))
    };
    (
        figure("events_read"),
        figure("normalized"),
        figure("duplicate"),
        figure("quarantined"),
    )
}

fn lines(events: &[Value]) -> String {
    events.iter().fold(String::new(), |text, event| {
        text + &event.to_string() + "\n"
    })
}

#[test]
fn every_wrapping_of_the_same_events_gives_the_same_store() {
    let events = three();
    let plain = lines(&events).into_bytes();
    let array = serde_json::to_vec_pretty(&events).unwrap();
    let printed: String = events
        .iter()
        .map(|event| serde_json::to_string_pretty(event).unwrap() + "\n")
        .collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&plain).unwrap();
    let zst = zstd::encode_all(plain.as_slice(), 1).unwrap();
    let mut stores = Vec::new();
    for (name, bytes) in [
        ("plain.ndjson", plain),
        ("page.json", array),
        ("printed.json", printed.into_bytes()),
        ("export.gz", gz.finish().unwrap()),
        ("export.zst", zst),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), bytes).unwrap();
        assert_eq!(
            account(&normalize(folder.path(), name)),
            (3, 3, 0, 0),
            "{name}"
        );
        stores.push((name, fingerprints(&folder.path().join("store/events"))));
    }
    for (name, store) in &stores {
        assert_eq!(store, &stores[0].1, "{name}");
    }
}

#[test]
fn the_same_file_again_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{}not json\n", lines(&three()));
    std::fs::write(folder.path().join("a.ndjson"), text).unwrap();
    assert_eq!(account(&normalize(folder.path(), "a.ndjson")), (4, 3, 0, 1));
    let before = fingerprints(&folder.path().join("store/events"));
    assert_eq!(account(&normalize(folder.path(), "a.ndjson")), (4, 0, 4, 0));
    assert_eq!(fingerprints(&folder.path().join("store/events")), before);
}

#[test]
fn broken_events_are_named_by_file_and_line_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut no_uuid = three().remove(0);
    no_uuid.as_object_mut().unwrap().remove("uuid");
    let mut future = three().remove(0);
    future["published"] = json!("2026-11-06T00:00:00.000Z");
    let text = format!(
        "{}{{\"uuid\": \"hunter2-secret\n{no_uuid}\n{future}\n\"hunter2-secret\"\n",
        lines(&three())
    );
    std::fs::write(folder.path().join("mixed.ndjson"), text).unwrap();
    let outcome = normalize(folder.path(), "mixed.ndjson");
    assert_eq!(account(&outcome), (7, 3, 0, 4));
    for place in [
        "mixed.ndjson:4: not_json",
        "mixed.ndjson:5: missing_uuid",
        "mixed.ndjson:6: from_the_future",
        "mixed.ndjson:7: not_an_object",
    ] {
        assert!(
            outcome.stderr.contains(place),
            "{place} in\n{}",
            outcome.stderr
        );
    }
    assert!(!outcome.stderr.contains("hunter2"));
    assert_eq!(
        files_holding(&folder.path().join("store"), "hunter2"),
        Vec::<String>::new()
    );
}

#[test]
fn standard_input_is_read_and_a_missing_file_among_others_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = program([
        "normalize",
        "okta",
        "-",
        "absent.ndjson",
        "--tenant",
        "acme",
        "--store",
        "store",
        "--format",
        "json",
    ])
    .inside(folder.path())
    .input(lines(&three()))
    .succeed();
    assert_eq!(account(&outcome), (3, 3, 0, 0));
    assert!(
        outcome.stderr.contains("skipped absent.ndjson"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_truncated_archive_gives_what_was_whole_and_one_reject() {
    let folder = tempfile::tempdir().unwrap();
    let many: Vec<Value> = (0..2000)
        .map(|n| {
            sign_in(
                &format!("e{n}"),
                "2026-11-01T08:00:00.000Z",
                "ana@example.com",
            )
        })
        .collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gz.write_all(lines(&many).as_bytes()).unwrap();
    let mut bytes = gz.finish().unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(folder.path().join("cut.gz"), bytes).unwrap();
    let outcome = normalize(folder.path(), "cut.gz");
    let (read, normalized, duplicate, quarantined) = account(&outcome);
    assert!(normalized > 500, "{normalized}");
    assert_eq!((duplicate, read), (0, normalized + quarantined));
    assert!(
        outcome.stderr.contains("truncated_input"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_small_buffer_writes_the_same_files_as_a_large_one() {
    let events: Vec<Value> = (0..3000)
        .map(|n| {
            let day = 1 + n % 3;
            sign_in(
                &format!("e{:05}", n * 7919 % 3000),
                &format!("2026-11-0{day}T08:00:00.000Z"),
                &format!("p{}@example.com", n % 40),
            )
        })
        .collect();
    let mut stores = Vec::new();
    for buffer in ["1", "512"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.ndjson"), lines(&events)).unwrap();
        program([
            "normalize",
            "okta",
            "a.ndjson",
            "a.ndjson",
            "--tenant",
            "acme",
            "--store",
            "store",
            "--ingested-at",
            "2026-11-05T00:00:00Z",
            "--buffer",
            buffer,
        ])
        .inside(folder.path())
        .succeed();
        stores.push(fingerprints(&folder.path().join("store/events")));
    }
    assert_eq!(stores[0], stores[1]);
}

#[test]
fn a_dry_run_judges_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.ndjson"), lines(&three())).unwrap();
    let outcome = program([
        "normalize",
        "okta",
        "a.ndjson",
        "--tenant",
        "acme",
        "--store",
        "store",
        "--dry-run",
        "--format",
        "json",
    ])
    .inside(folder.path())
    .succeed();
    assert_eq!(account(&outcome), (3, 3, 0, 0));
    assert!(!folder.path().join("store").exists());
}
