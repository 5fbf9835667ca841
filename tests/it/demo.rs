//! The demo is the newcomer's first minute: it works anywhere, twice, and always says the same.

use std::path::Path;

use af_model::tables::{signal_attribution, user_scores};

use super::support::{files_holding, fingerprints, latest_snapshot, program, table};

fn demo(folder: &Path, threads: &str) -> String {
    program(["demo", "--threads", threads])
        .inside(folder)
        .succeed()
        .stdout
}

#[test]
fn a_second_demo_changes_nothing_and_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let first = demo(folder.path(), "1");
    let store = folder.path().join("attack-factor-demo");
    let snapshot = latest_snapshot(&store);
    let before = fingerprints(&store);
    let second = program(["demo"]).inside(folder.path()).succeed();
    assert_eq!(second.stdout, first);
    assert!(
        second.stderr.contains("nothing changed"),
        "{}",
        second.stderr
    );
    assert_eq!(latest_snapshot(&store), snapshot);
    let mut after = fingerprints(&store);
    // The lock names the process that wrote last.
    let lock = |(name, _): &(String, String)| name != "lock";
    after.retain(lock);
    assert_eq!(after, before.into_iter().filter(lock).collect::<Vec<_>>());
}

#[test]
fn one_thread_and_two_write_the_same_bytes() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(demo(one.path(), "1"), demo(two.path(), "2"));
    let files = |folder: &Path| fingerprints(&folder.join("attack-factor-demo"));
    let found = files(one.path());
    assert!(
        found
            .iter()
            .any(|(name, _)| name.ends_with("user_scores.parquet"))
    );
    // Every table, event and signal file and the running accounts; the lock names a process.
    let same = |files: Vec<(String, String)>| -> Vec<(String, String)> {
        files
            .into_iter()
            .filter(|(name, _)| name != "lock")
            .collect()
    };
    assert_eq!(same(found), same(files(two.path())));
}

#[test]
fn the_stories_of_the_demo_are_what_the_table_shows() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path(), "2");
    let snapshot = latest_snapshot(&folder.path().join("attack-factor-demo"));
    let scores = user_scores::rows(&table(&snapshot, &user_scores::TABLE)).unwrap();
    assert!(scores.len() >= 60, "{} people", scores.len());
    let attacked = scores.iter().filter(|row| row.odds_nano > 0).count();
    assert!(
        (8..scores.len()).contains(&attacked),
        "{attacked} of {} attacked",
        scores.len()
    );
    // Service accounts are ranked among themselves, leavers not at all.
    assert!(scores.iter().any(|row| row.population == "service"));
    assert!(
        scores
            .iter()
            .any(|row| !row.in_population && row.rank.is_none())
    );
    // Every share sums to its score.
    let blocks = signal_attribution::rows(&table(&snapshot, &signal_attribution::TABLE)).unwrap();
    for row in &scores {
        let shares: i64 = blocks
            .iter()
            .filter(|block| block.user_uid == row.user_uid)
            .map(|block| block.score_share_micro)
            .sum();
        assert_eq!(shares, row.score_micro, "{}", row.user_uid);
    }
}

#[test]
fn no_typed_password_is_in_any_file() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path(), "2");
    let mut raw = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::GzDecoder::new(
            &include_bytes!("../../data/samples/demo/events.ndjson.gz")[..],
        ),
        &mut raw,
    )
    .unwrap();
    let raw = String::from_utf8(raw).unwrap();
    let typed = "NotARealPassword-Fake-2026!";
    assert!(
        raw.contains(typed),
        "the demo's spray holds a typed password"
    );
    assert_eq!(files_holding(folder.path(), typed), Vec::<String>::new());
}

#[test]
fn the_demo_stays_out_of_a_store_that_is_not_its_own() {
    let folder = tempfile::tempdir().unwrap();
    program([
        "normalize",
        "okta",
        "-",
        "--tenant",
        "acme",
        "--store",
        "risk",
    ])
    .inside(folder.path())
    .input("")
    .succeed();
    let refused = program(["demo", "--dir", "risk"])
        .inside(folder.path())
        .run();
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: "), "{}", refused.stderr);
    assert!(!folder.path().join("risk/snapshots/LATEST").exists());
}

#[test]
fn a_lost_file_of_signals_is_found_anew() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path(), "2");
    let store = folder.path().join("attack-factor-demo");
    let signals = |store: &Path| -> Vec<(String, String)> {
        let mut files = fingerprints(store);
        files.retain(|(name, _)| name.starts_with("signals/"));
        files
    };
    let before = signals(&store);
    std::fs::remove_file(store.join(&before[3].0)).unwrap();
    demo(folder.path(), "2");
    assert_eq!(signals(&store), before);
}

#[test]
fn an_unknown_tenant_is_answered_with_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path(), "2");
    let refused = program([
        "top",
        "--store",
        "attack-factor-demo",
        "--tenant",
        "demonstration",
    ])
    .inside(folder.path())
    .run();
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("it has demo"), "{}", refused.stderr);
}
