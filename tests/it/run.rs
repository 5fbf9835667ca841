//! `run`: the same as the steps by hand, only new input, nothing written by a dry run.

use serde_json::Value;

use super::normalize::sign_in;
use super::place::{Place, demo_file};
use super::support::{fingerprints, latest_snapshot, program};

#[test]
fn a_run_equals_the_same_steps_by_hand() {
    let run = Place::new();
    run.configure("[formula]\nlambda = 12\n[rules]\ndisable = [\"okta_account_locked\"]\n");
    let hand = run.twin();
    run.succeed(&[]);
    for tenant in ["acme", "globex"] {
        hand.by_hand("events", tenant);
        hand.by_hand("people", tenant);
    }
    hand.by_hand("score", "");
    assert_eq!(run.snapshots(), hand.snapshots());
    let manifest = run.manifest();
    assert_eq!(manifest["params"]["lambda"], 12);
    assert_eq!(
        manifest["rule_changes"]["disabled"][0],
        "okta_account_locked"
    );
}

#[test]
fn a_run_killed_between_any_two_stages_and_repeated_equals_an_undisturbed_one() {
    let undisturbed = Place::new();
    let start = undisturbed.twin();
    undisturbed.succeed(&[]);
    let steps = [
        ("people", "acme"),
        ("events", "acme"),
        ("people", "globex"),
        ("events", "globex"),
        ("detect", ""),
    ];
    for done in 1..=steps.len() {
        // The data are there, what was read is not written down yet.
        let killed = start.twin();
        for (step, tenant) in &steps[..done] {
            killed.by_hand(step, tenant);
        }
        killed.succeed(&[]);
        assert_eq!(killed.snapshots(), undisturbed.snapshots(), "{done} steps");
    }
    // Killed after publishing, before that was written down.
    let killed = undisturbed.twin();
    std::fs::remove_file(killed.store().join("state/inputs.json")).unwrap();
    let again = killed.succeed(&[]);
    assert!(
        again.stderr.contains("nothing changed since"),
        "{}",
        again.stderr
    );
    assert_eq!(killed.snapshots(), undisturbed.snapshots());
}

#[test]
fn a_second_run_without_news_changes_nothing_and_says_so() {
    let place = Place::new();
    place.succeed(&[]);
    let files = |place: &Place| {
        let mut files = fingerprints(&place.store());
        files.retain(|(name, _)| name != "lock");
        files
    };
    let before = files(&place);
    // Later on the same day.
    let later = |instant: &str| {
        program(["run", "--format", "json", "--ingested-at", instant])
            .inside(place.path())
            .succeed()
    };
    let again = later("2026-11-21T17:00:00Z");
    assert!(again.stderr.contains("no news"), "{}", again.stderr);
    let report: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(report["files_read"], 0);
    assert_eq!(report["tenants"]["acme"]["result"], "unchanged");
    assert_eq!(files(&place), before);
    // A night without news makes the same attacks older.
    later("2026-11-22T02:00:00Z");
    assert_eq!(place.manifest()["as_of"], "2026-11-22T23:59:59.999Z");
    // Asked to read everything again, it finds duplicates only.
    let (code, report) = place.json(&["--reread"]);
    assert_eq!(code, 0);
    let read = &report["tenants"]["acme"]["read"];
    assert_eq!(read["events_read"], 5571);
    assert_eq!(read["duplicate"], read["events_read"]);
    assert_eq!(report["published"], false);
}

#[test]
fn only_new_files_are_read_and_changed_or_vanished_ones_are_said() {
    let place = Place::new();
    place.succeed(&[]);
    let event = |n: u32| {
        let uuid = format!("late-{n}");
        sign_in(&uuid, "2026-11-20T08:00:00.000Z", "nobody@example.com").to_string() + "\n"
    };
    place.write("drop/acme-2.ndjson", &event(1));
    let (code, report) = place.json(&[]);
    assert_eq!(code, 0);
    assert_eq!(report["tenants"]["acme"]["read"]["normalized"], 1);
    assert_eq!(report["tenants"]["globex"]["read"]["events_read"], 0);
    assert_eq!(report["tenants"]["acme"]["people"][0]["read"], false);

    place.write("drop/acme-2.ndjson", &(event(1) + &event(2)));
    let (_, report) = place.json(&[]);
    let read = &report["tenants"]["acme"]["read"];
    assert_eq!(
        (&read["duplicate"], &read["normalized"]),
        (&1.into(), &1.into())
    );
    let warnings = report["tenants"]["acme"]["warnings"].to_string();
    assert!(warnings.contains("drop/acme-2.ndjson grew"), "{warnings}");

    std::fs::remove_file(place.path().join("drop/acme-2.ndjson")).unwrap();
    let gone = place.succeed(&[]);
    assert!(
        gone.stderr
            .contains("warning: acme: drop/acme-2.ndjson is gone"),
        "{}",
        gone.stderr
    );

    // People who changed are imported, and nobody else's.
    let people = std::fs::read_to_string(place.path().join("acme.csv")).unwrap();
    let fewer: String = people.split_inclusive('\n').take(50).collect();
    place.write("acme.csv", &fewer);
    let (_, report) = place.json(&[]);
    assert_eq!(report["tenants"]["acme"]["people"][0]["people"], 49);
    assert_eq!(report["tenants"]["globex"]["people"][0]["read"], false);
}

#[test]
fn files_that_come_night_by_night_give_the_tables_of_files_read_at_once() {
    let at_once = Place::new();
    let nightly = at_once.twin();
    let mut events = String::new();
    let file = std::fs::File::open(demo_file("events.ndjson.gz")).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut events).unwrap();
    let lines: Vec<&str> = events.lines().collect();
    for place in [&at_once, &nightly] {
        std::fs::remove_file(place.path().join("drop/acme-1.ndjson.gz")).unwrap();
    }
    for (night, part) in lines.chunks(2000).enumerate() {
        let name = format!("drop/acme-{night}.ndjson");
        at_once.write(&name, &part.join("\n"));
        // The next night's file is there already, half written.
        nightly.write(&name, &part[..part.len() / 2].join("\n"));
        nightly.succeed(&[]);
        nightly.write(&name, &part.join("\n"));
        nightly.succeed(&[]);
    }
    at_once.succeed(&[]);
    let tables = |place: &Place| {
        let mut files = fingerprints(&latest_snapshot(&place.store()));
        files.retain(|(name, _)| name.ends_with(".parquet"));
        files
    };
    assert_eq!(tables(&nightly), tables(&at_once));
}

#[test]
fn a_dry_run_says_what_would_happen_and_writes_nothing() {
    let fresh = Place::without_store();
    let before = fingerprints(fresh.path());
    let outcome = fresh.succeed(&["--dry-run"]);
    assert!(
        outcome.stdout.contains("drop/acme-1.ndjson.gz"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome
            .stderr
            .contains("would publish 2026-11-21T235959.999Z/r1"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("the store would be made"),
        "{}",
        outcome.stderr
    );
    assert_eq!(fingerprints(fresh.path()), before);

    fresh.succeed(&[]);
    fresh.write("drop/globex-2.ndjson", "x");
    fresh.write("acme.csv", "colour\nred\n");
    let before = fingerprints(fresh.path());
    let (code, plan) = fresh.json(&["--dry-run"]);
    assert_eq!(code, 0);
    let files = plan["tenants"][1]["files"].as_array().unwrap();
    let read: Vec<_> = files
        .iter()
        .filter(|file| file["read"] == true)
        .map(|file| &file["file"])
        .collect();
    assert_eq!(read, ["drop/globex-2.ndjson"]);
    assert!(
        plan["tenants"][0]["problem"]
            .as_str()
            .unwrap()
            .contains("acme.csv")
    );
    assert_eq!(plan["days_to_detect"], serde_json::json!([]));
    assert_eq!(plan["snapshot"], "2026-11-21T235959.999Z/r2");
    assert_eq!(fingerprints(fresh.path()), before);

    // Other rules make every day new.
    fresh.configure("[rules]\ndisable = [\"okta_account_locked\"]\n");
    let (_, plan) = fresh.json(&["--dry-run"]);
    assert!(!plan["days_to_detect"].as_array().unwrap().is_empty());
}

#[test]
fn a_run_without_any_input_is_three() {
    let place = Place::without_store();
    std::fs::remove_dir_all(place.path().join("drop")).unwrap();
    let outcome = place.run(&[]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
}
