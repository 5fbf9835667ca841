//! Third-party Okta data goes through: every event ends as normalized or as a reject somebody looked
//! at. The data stand beside the project and are skipped visibly where they do not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::support::{program, third_party_samples};

/// The bare events of one folder, one per line.
fn bare_events(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].to_string())
        .collect()
}

/// The events of a folder, or a file of it by name.
fn events_file(root: &Path, name: &str) -> PathBuf {
    if name.contains('/') {
        root.join(format!("{name}.jsonl"))
    } else {
        root.join(name).join("events.jsonl")
    }
}

#[test]
fn every_published_event_is_normalized_or_refused_for_a_known_reason() {
    let Some(root) = third_party_samples() else {
        return;
    };
    // Folder, events, and the refused ones by a reason that somebody looked at: Sekoia publishes an
    // event of 31 September.
    let cases = [
        ("cribl_pack", 100, None),
        ("elastic_integrations", 11, None),
        ("sekoia", 10, None),
        ("sekoia/events_historic", 14, Some("bad_time (published)")),
        ("ocsf_examples", 6, None),
        ("okta_official", 11, None),
        ("rapid7", 4, None),
        ("jupiterone", 3, None),
    ];
    for (folder, n, expected) in cases {
        let events = bare_events(&events_file(&root, folder));
        assert_eq!(events.len(), n, "{folder}");
        let work = tempfile::tempdir().unwrap();
        let outcome = program([
            "normalize",
            "okta",
            "-",
            "--tenant",
            "acme",
            "--store",
            "store",
            "--format",
            "json",
        ])
        .inside(work.path())
        .input(events.join("\n"))
        .succeed();
        let account: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let row = if account.is_array() {
            &account[0]
        } else {
            &account
        };
        assert_eq!(row["events_read"], n, "{folder}: {row}");
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for line in outcome
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix("quarantined: "))
        {
            let reason = line.rsplit(": ").next().unwrap_or_default();
            *reasons.entry(reason.to_owned()).or_default() += 1;
        }
        let expected: BTreeMap<String, u64> = expected
            .iter()
            .map(|reason| ((*reason).to_owned(), 1))
            .collect();
        assert_eq!(reasons, expected, "{folder}:\n{}", outcome.stderr);
    }
}

#[test]
fn recorded_directory_answers_import() {
    let Some(root) = third_party_samples() else {
        return;
    };
    for (folder, n) in [("jupiterone", 7), ("okta_sdk_python_cassettes", 80)] {
        let path = root.join("inventory").join(folder).join("users.jsonl");
        let work = tempfile::tempdir().unwrap();
        let users: Vec<String> = std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["object"].to_string())
            .collect();
        std::fs::write(
            work.path().join("users.json"),
            format!("[{}]", users.join(",")),
        )
        .unwrap();
        let outcome = program([
            "users",
            "import",
            "users.json",
            "--tenant",
            "acme",
            "--store",
            "store",
            "--format",
            "json",
        ])
        .inside(work.path())
        .succeed();
        let account: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let row = if account.is_array() {
            &account[0]
        } else {
            &account
        };
        assert_eq!(row["rows_read"], n, "{folder}: {row}");
        assert_eq!(row["rejected"], 0, "{folder}: {row}\n{}", outcome.stderr);
    }
}
