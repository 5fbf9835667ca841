//! Whatever a collector or a warehouse put around events, the store holds the events.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::normalize::{account, normalize};
use super::support::{files_holding, fingerprints};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/inputs")
}

/// A store with nothing in it but its key, without which typed names have other hashes.
fn empty_store() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty"), "").unwrap();
    normalize(folder.path(), "empty");
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The files of the event days that a file becomes.
fn store_of(empty: &Path, file: &Path) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    copy(empty, folder.path());
    let path = file.to_str().unwrap();
    let outcome = normalize(folder.path(), path);
    assert_eq!(
        account(&outcome),
        (3, 3, 0, 0),
        "{path}\n{}",
        outcome.stderr
    );
    let store = fingerprints(&folder.path().join("store/events"));
    let again = normalize(folder.path(), path);
    assert_eq!(account(&again), (3, 0, 3, 0), "{path} again");
    let events = folder.path().join("store/events");
    assert_eq!(fingerprints(&events), store, "{path} again");
    // What belongs to the envelope stays there.
    for foreign in [
        "hook-1",
        "bus-0",
        "not-the-event",
        "hit-0",
        "eu-west-3",
        "p_event_time",
    ] {
        assert_eq!(
            files_holding(&events, foreign),
            Vec::<String>::new(),
            "{path}"
        );
    }
    store
}

#[test]
fn every_envelope_of_the_same_events_gives_the_same_store() {
    let empty = empty_store();
    let bare = store_of(empty.path(), &fixtures().join("bare.ndjson"));
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(store_of(empty.path(), &path), bare, "{name}");
        seen.insert(name);
    }
    for must in [
        "event-hook.json",
        "eventbridge.ndjson",
        "splunk-hec.json",
        "cribl.json",
        "elastic.ndjson",
        "sekoia.json",
        "warehouse.ndjson",
    ] {
        assert!(seen.contains(must), "{must} is missing");
    }
}

#[test]
fn all_envelopes_in_one_file_are_the_same_three_events() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    let mut files = 0;
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "ndjson")
        {
            all.extend(std::fs::read(path).unwrap());
            files += 1;
        }
    }
    std::fs::write(folder.path().join("all.ndjson"), all).unwrap();
    let outcome = normalize(folder.path(), "all.ndjson");
    assert_eq!(account(&outcome), (3 * files, 3, 3 * (files - 1), 0));
}

#[test]
fn a_broken_event_inside_an_envelope_is_named_by_its_own_line_and_byte() {
    let folder = tempfile::tempdir().unwrap();
    let sound = std::fs::read_to_string(fixtures().join("bare.ndjson")).unwrap();
    let sound = sound.lines().next().unwrap();
    let before = "{\"data\":{\"events\":[\n";
    let text = format!("{before}{sound},\n{{\"uuid\":\"e9\"}},\n{sound}]}}}}\n");
    std::fs::write(folder.path().join("hook.json"), text).unwrap();
    let outcome = normalize(folder.path(), "hook.json");
    assert_eq!(account(&outcome), (3, 1, 1, 1));
    let byte = before.len() + sound.len() + 2;
    let said = format!("quarantined: hook.json:3: missing_event_type (eventType), byte {byte}\n");
    assert!(
        outcome.stderr.contains(&said),
        "{said} in\n{}",
        outcome.stderr
    );
}

#[test]
fn events_with_placeholder_ids_are_told_apart_by_their_content() {
    let folder = tempfile::tempdir().unwrap();
    let sound = std::fs::read_to_string(fixtures().join("bare.ndjson")).unwrap();
    let mut lines = Vec::new();
    for (number, line) in sound.lines().enumerate() {
        let uuid = format!("6e2c79f0-8bd5-4c9e-9f2e-0b51c7f0d1a{}", number + 1);
        assert!(line.contains(&uuid));
        for placeholder in ["unknown", "00000000-0000-0000-0000-000000000000"] {
            lines.push(line.replace(&uuid, placeholder));
        }
    }
    // The third time the keys come in another order and on several lines.
    let reordered: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    lines.push(format!("{{\"event\":{reordered:#}}}").replace('\n', " "));
    std::fs::write(folder.path().join("a.ndjson"), lines.join("\n")).unwrap();
    let outcome = normalize(folder.path(), "a.ndjson");
    assert_eq!(account(&outcome), (7, 6, 1, 0), "{}", outcome.stderr);
}

#[test]
fn the_examples_of_the_documentation_are_read_as_it_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/inputs.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples: Vec<&str> = page
        .split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() >= 10, "{}", examples.len());
    for example in examples {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("example.json"), example).unwrap();
        let outcome = normalize(folder.path(), "example.json");
        let (read, normalized, ..) = account(&outcome);
        assert!(
            read > 0 && read == normalized,
            "{example}\n{}",
            outcome.stderr
        );
    }
}
