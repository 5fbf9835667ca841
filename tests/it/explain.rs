//! Why somebody has their score: the page, the figures, the evidence.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use af_model::UtcMillis;
use af_model::tables::{retractions, user_scores};
use af_model::view::{ExplainView, ExplainedIncident};
use af_store::{Partitioned, Scan, Store, table_file};

use super::support::{latest_snapshot, program, table};

const PAGE: &str = include_str!("../../docs/explain.md");

/// The demo in a folder of its own, and its store.
fn demo() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    program(["demo", "--quiet"]).inside(folder.path()).succeed();
    let store = folder.path().join("attack-factor-demo");
    (folder, store)
}

fn explained(store: &Path, user: &str) -> ExplainView {
    let store = store.to_str().unwrap();
    let outcome = program(["explain", user, "--store", store, "--format", "json"]).succeed();
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn scores(snapshot: &Path) -> Vec<user_scores::Row> {
    user_scores::rows(&table(snapshot, &user_scores::TABLE)).unwrap()
}

fn score_of(snapshot: &Path, user: &str) -> i64 {
    let rows = scores(snapshot);
    let row = rows.iter().find(|row| row.user_uid == user).unwrap();
    row.score_micro
}

/// Everything that adds up does.
fn check_sums(view: &ExplainView) {
    let score = view.score.score_micro;
    let who = &view.person.user_uid;
    let blocks: i64 = view.blocks.iter().map(|b| b.score_share_micro).sum();
    assert_eq!(blocks, score, "blocks of {who}");
    let components: i64 = view.components.iter().map(|c| c.score_share_micro).sum();
    assert_eq!(components, score, "components of {who}");
    let n: i64 = view.blocks.iter().map(|b| b.n).sum();
    assert_eq!(n, view.score.signal_count, "{who}");
    for block in &view.blocks {
        assert_eq!(score - block.without_micro, block.score_without_micro);
        let listed = i64::try_from(block.incidents.len()).unwrap();
        assert_eq!(listed + block.incidents_unlisted, block.n);
        if block.incidents_unlisted == 0 {
            let shares: i64 = block.incidents.iter().map(|i| i.score_share_micro).sum();
            assert_eq!(shares, block.score_share_micro, "incidents of {who}");
        }
    }
}

#[test]
fn the_page_of_the_docs_is_what_the_program_says() {
    let (folder, _) = demo();
    let command = PAGE
        .lines()
        .find_map(|line| line.trim().strip_prefix("attack-factor explain "))
        .unwrap();
    let arguments = ["explain"].into_iter().chain(command.split(' '));
    let outcome = program(arguments).inside(folder.path()).succeed();
    assert!(
        PAGE.contains(outcome.stdout.trim_end()),
        "docs/explain.md should show\n{}",
        outcome.stdout
    );
    for line in outcome.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(outcome.stderr, "");
}

#[test]
fn every_person_of_the_demo_adds_up_and_is_found_with_all_evidence() {
    let (_folder, store) = demo();
    let rows = scores(&latest_snapshot(&store));
    assert!(rows.len() >= 60);
    let mut echoes = 0;
    for row in &rows {
        let view = explained(&store, &row.user_uid);
        assert_eq!(view.score.score_micro, row.score_micro);
        assert_eq!(view.person.email, row.email);
        check_sums(&view);
        assert!(view.evidence.store_read);
        assert_eq!(view.evidence.incidents_missing, 0, "{}", row.user_uid);
        assert_eq!(view.evidence.events_missing, 0, "{}", row.user_uid);
        let incidents = view.blocks.iter().flat_map(|block| &block.incidents);
        for incident in incidents {
            let first = &incident.signals[0];
            assert_eq!(first.signal_uid, incident.signal_uid);
            assert!(!first.events.is_empty());
            assert!(first.without_micro <= incident.without_micro);
            for echo in &incident.signals[1..] {
                assert_eq!(echo.without_micro, 0);
                echoes += 1;
            }
        }
        assert!(view.rules.iter().all(|rule| rule.title.is_some()));
    }
    assert!(echoes > 0, "the demo has incidents of several signals");
}

/// Retracts something and scores again; returns the new snapshot.
fn retract(store: &Path, kind: &str, uid: &str) -> PathBuf {
    let opened = Store::open(store).unwrap();
    let lock = opened.lock().unwrap();
    let row = retractions::Row {
        tenant_uid: "demo".to_owned(),
        target_kind: kind.to_owned(),
        target_uid: uid.to_owned(),
        action: "retract".to_owned(),
        ingested_at: UtcMillis::parse("2026-11-21T01:00:00Z").unwrap(),
        reason: Some("a test of the\u{1b}[31m security team".to_owned()),
        by: Some("ana@example.com".to_owned()),
    };
    opened
        .add_retractions(&lock, [retractions::batch([&row])])
        .unwrap();
    drop(lock);
    let store = store.to_str().unwrap();
    program(["score", "--store", store, "--as-of", "2026-11-20"]).succeed();
    latest_snapshot(Path::new(store))
}

/// An incident of several signals, and who was hit.
fn several(store: &Path) -> (String, ExplainedIncident) {
    scores(&latest_snapshot(store))
        .iter()
        .filter(|row| row.score_micro > 0)
        .find_map(|row| {
            let view = explained(store, &row.user_uid);
            let incidents = view.blocks.into_iter().flat_map(|block| block.incidents);
            let mut incidents = incidents.filter(|incident| incident.signals.len() > 1);
            Some((row.user_uid.clone(), incidents.next()?))
        })
        .unwrap()
}

#[test]
fn without_is_the_score_after_a_retraction_exactly() {
    let (_folder, store) = demo();
    let (user, incident) = several(&store);
    let before = score_of(&latest_snapshot(&store), &user);
    // An echo: nothing changes, and no new snapshot is published.
    let echo = incident.signals.last().unwrap();
    let after = retract(&store, "signal", &echo.signal_uid);
    assert_eq!(score_of(&after, &user), before);
    assert_eq!(echo.score_without_micro, before);

    // The signal that stands for the incident, now its only one.
    let view = explained(&store, &user);
    let again = view
        .blocks
        .iter()
        .flat_map(|block| &block.incidents)
        .find(|found| found.signal_uid == incident.signal_uid)
        .unwrap();
    let after = retract(&store, "signal", &again.signals[0].signal_uid);
    assert_eq!(
        score_of(&after, &user),
        again.signals[0].score_without_micro
    );
    assert!(score_of(&after, &user) < before);

    // What was taken back is told, with the words of whoever did.
    let view = explained(&store, &user);
    let told: BTreeSet<&str> = view
        .retracted
        .iter()
        .map(|s| s.signal_uid.as_str())
        .collect();
    assert!(told.contains(echo.signal_uid.as_str()));
    assert!(told.contains(incident.signal_uid.as_str()));
    let page = program(["explain", &user, "--store", store.to_str().unwrap()]).succeed();
    assert!(page.stdout.contains("TAKEN BACK"), "{}", page.stdout);
    let words: Vec<&str> = page.stdout.split_whitespace().collect();
    let said = "by ana@example.com: a test of the\\u{1b}[31m security team";
    assert!(words.join(" ").contains(said), "{}", page.stdout);
    assert!(!page.stdout.contains('\u{1b}'));
}

#[test]
fn without_an_incident_is_the_score_after_its_retraction() {
    let (_folder, store) = demo();
    let (user, incident) = several(&store);
    let uid = incident.incident_uid.clone().unwrap();
    let after = retract(&store, "incident", &uid);
    assert_eq!(score_of(&after, &user), incident.score_without_micro);
}

#[test]
fn people_are_found_by_every_name_they_have() {
    let (_folder, store) = demo();
    let expected = explained(&store, "hana.heath@example.com").person.user_uid;
    for name in [
        expected.as_str(),
        "  HANA.Heath@Example.COM ",
        "hana.former@example.org",
        &expected.to_lowercase(),
    ] {
        assert_eq!(explained(&store, name).person.user_uid, expected, "{name}");
    }
    // A snapshot alone knows ids and addresses.
    let snapshot = latest_snapshot(&store);
    let snapshot = snapshot.to_str().unwrap();
    let alone = program(["explain", &expected, "--snapshot", snapshot]).succeed();
    assert!(
        alone.stdout.contains("From a snapshot alone"),
        "{}",
        alone.stdout
    );
    let former = ["explain", "hana.former@example.org", "--snapshot", snapshot];
    assert_eq!(program(former).run().code, 2);
}

#[test]
fn a_mistyped_name_is_two_with_the_nearest_names() {
    let (_folder, store) = demo();
    let store = store.to_str().unwrap();
    let outcome = program(["explain", "emre.gael@example.com", "--store", store]).run();
    assert_eq!(outcome.code, 2);
    let hint = "hint: the nearest: emre.gale@example.com";
    assert!(outcome.stderr.contains(hint), "{}", outcome.stderr);
    let evil = program(["explain", "\u{1b}[31m\u{202e}", "--store", store]).run();
    assert_eq!(evil.code, 2);
    assert!(
        !evil.stderr.contains(['\u{1b}', '\u{202e}']),
        "{}",
        evil.stderr
    );
    for blank in ["", "  "] {
        let outcome = program(["explain", blank, "--store", store]).run();
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    }
    let nowhere = program(["explain", "x"]).run();
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.stderr.contains("--store"), "{}", nowhere.stderr);
    let absent = program(["explain", "x", "--store", store, "--as-of", "2020-01-01"]).run();
    assert_eq!(absent.code, 3, "{}", absent.stderr);
}

#[test]
fn the_same_address_in_two_organizations_asks_which() {
    let folder = tempfile::tempdir().unwrap();
    let people = "id,login,email\nx1,ana@example.com,ana@example.com\n";
    std::fs::write(folder.path().join("people.csv"), people).unwrap();
    for tenant in ["acme", "beta"] {
        let import = [
            "users",
            "import",
            "people.csv",
            "--store",
            "s",
            "--tenant",
            tenant,
        ];
        let at = ["--imported-at", "2026-11-05T00:00:00Z"];
        let arguments = import.into_iter().chain(at);
        program(arguments).inside(folder.path()).succeed();
    }
    let score = ["score", "--store", "s", "--as-of", "2026-11-20"];
    program(score).inside(folder.path()).succeed();
    let asked = ["explain", "ana@example.com", "--store", "s"];
    let outcome = program(asked).inside(folder.path()).run();
    assert_eq!(outcome.code, 2);
    let hint = "give --tenant, one of: acme, beta";
    assert!(outcome.stderr.contains(hint), "{}", outcome.stderr);
    let told = asked.into_iter().chain(["--tenant", "beta"]);
    let page = program(told).inside(folder.path()).succeed().stdout;
    assert!(page.contains("of tenant beta"), "{page}");
    // Nothing was ever read of these organizations: that is not the same as no attack.
    assert!(page.contains("unknown, not safe"), "{page}");
}

#[test]
fn what_the_store_holds_no_longer_is_said_and_changes_no_figure() {
    let (_folder, store) = demo();
    let before = explained(&store, "emre.gale@example.com");
    let opened = Store::open(&store).unwrap();
    let lock = opened.lock().unwrap();
    let day = before.blocks[0].day;
    opened.remove_day(&lock, Partitioned::Signals, day).unwrap();
    opened
        .remove_day(&lock, Partitioned::Events, before.blocks[2].day)
        .unwrap();
    drop(lock);
    let after = explained(&store, "emre.gale@example.com");
    check_sums(&after);
    let lost: i64 = before
        .blocks
        .iter()
        .filter(|b| b.day == day)
        .map(|b| b.n)
        .sum();
    assert_eq!(after.evidence.incidents_missing, lost);
    assert!(after.evidence.events_missing > 0);
    assert_eq!(after.notes.len(), 2, "{:?}", after.notes);
    for (left, right) in before.blocks.iter().zip(&after.blocks) {
        assert_eq!(left.score_share_micro, right.score_share_micro);
        assert_eq!(left.rule_ids, right.rule_ids);
        for (left, right) in left.incidents.iter().zip(&right.incidents) {
            assert_eq!(left.signal_uid, right.signal_uid);
            assert_eq!(left.score_without_micro, right.score_without_micro);
        }
    }
}

#[test]
fn a_snapshot_whose_score_does_not_follow_from_its_counts_is_not_explained() {
    let (folder, store) = demo();
    let snapshot = latest_snapshot(&store);
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(&snapshot).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    let mut rows = scores(&copy);
    let emre = rows
        .iter_mut()
        .find(|row| row.email == "emre.gale@example.com")
        .unwrap();
    emre.score_micro += 1;
    let path = copy.join("user_scores.parquet");
    std::fs::remove_file(&path).unwrap();
    let batch = user_scores::batch(&rows);
    table_file::write(
        &path,
        &user_scores::TABLE,
        [batch],
        &af_store::Metadata::new(),
    )
    .unwrap();
    let read = table_file::read(&path, &user_scores::TABLE, None, Scan::File).unwrap();
    assert_eq!(
        read.map(|batch| batch.unwrap().num_rows()).sum::<usize>(),
        rows.len()
    );
    let copy = copy.to_str().unwrap();
    let outcome = program(["explain", "emre.gale@example.com", "--snapshot", copy]).run();
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(
        outcome.stderr.contains("verify SNAPSHOT"),
        "{}",
        outcome.stderr
    );
    // Others are still what they were.
    program(["explain", "joan.linden@example.com", "--snapshot", copy]).succeed();
}

#[test]
fn top_shows_a_snapshot_of_the_past_and_points_to_why() {
    let (_folder, store) = demo();
    let store = store.to_str().unwrap();
    program(["score", "--store", store, "--as-of", "2026-11-21"]).succeed();
    let past = program(["top", "--store", store, "--as-of", "2026-11-20"]).succeed();
    assert!(
        past.stdout
            .starts_with("snapshot 2026-11-20T235959.999Z/r1,")
    );
    assert!(past.stderr.contains("attack-factor explain USER"));
    let latest = program(["top", "--store", store, "--quiet"]).succeed();
    assert!(
        latest
            .stdout
            .starts_with("snapshot 2026-11-21T235959.999Z/r1,")
    );
    assert_eq!(latest.stderr, "");
    let revision = program([
        "explain",
        "emre.gale@example.com",
        "--store",
        store,
        "--as-of",
        "2026-11-20/r1",
    ]);
    assert!(
        revision
            .succeed()
            .stdout
            .contains("2026-11-20T235959.999Z/r1")
    );
}
