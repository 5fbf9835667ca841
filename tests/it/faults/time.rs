//! A clock that lies before what the store knows.

use super::{check_failure, events, filled, run, succeed};

#[test]
fn a_clock_that_jumped_back_never_stamps_before_what_is_known() {
    let folder = filled(40);
    let base = folder.path();
    // The clock was far ahead once: until it is there again, nothing becomes known before that.
    std::fs::write(base.join("ahead.ndjson"), events(40..44)).unwrap();
    let ahead =
        "normalize okta ahead.ndjson --tenant acme --store s --ingested-at 2090-01-01T00:00:00Z";
    succeed(base, ahead);
    std::fs::write(base.join("back.ndjson"), events(44..50)).unwrap();
    let back = succeed(
        base,
        "normalize okta back.ndjson --tenant acme --store s --format csv",
    );
    assert!(back.stdout.contains("6,6,0,0"), "{}", back.stdout);
    assert!(
        back.stderr
            .contains("clock lies before 2090-01-01T00:00:00.000Z"),
        "{}",
        back.stderr
    );
    assert!(back.stderr.contains("--ingested-at"), "{}", back.stderr);
    // What was published as known in between is not touched by what came after it.
    let before = succeed(
        base,
        "score --store s --as-of 2026-11-05 --known-at 2026-11-05",
    );
    assert!(
        before.stderr.contains("nothing changed"),
        "{}",
        before.stderr
    );
}

#[test]
fn an_old_export_says_when_it_was_known_and_loses_nothing() {
    let folder = filled(40);
    std::fs::write(folder.path().join("old.ndjson"), events(40..50)).unwrap();
    let line = "normalize okta old.ndjson --tenant acme --store s --ingested-at 2026-11-04T23:00:00Z --format csv";
    let old = succeed(folder.path(), line);
    assert!(old.stdout.contains("10,10,0,0"), "{}", old.stdout);
    assert!(!old.stderr.contains("clock"), "{}", old.stderr);
}

#[test]
fn of_two_imports_the_later_one_counts_whatever_the_clock_says() {
    let folder = filled(40);
    let base = folder.path();
    let ahead = "users import people.csv --tenant acme --store s --imported-at 2090-01-01T00:00:00Z --source b";
    succeed(base, ahead);
    std::fs::write(
        base.join("changed.csv"),
        "id,login,email\ny1,dan@example.com,dan@example.com\n",
    )
    .unwrap();
    let changed = succeed(
        base,
        "users import changed.csv --tenant acme --store s --source b",
    );
    assert!(
        changed
            .stderr
            .contains("counts as known at 2090-01-01T00:00:00.001Z"),
        "{}",
        changed.stderr
    );
    assert!(
        changed.stderr.contains("--imported-at"),
        "{}",
        changed.stderr
    );
    succeed(
        base,
        "score --store s --as-of 2026-11-06 --known-at 2090-01-02",
    );
    let top = succeed(base, "top --store s --format jsonl");
    assert!(top.stdout.contains("dan@example.com"), "{}", top.stdout);
    // An instant that nobody gave and nothing tells is still refused.
    let folder = tempfile::tempdir().unwrap();
    succeed(
        folder.path(),
        "normalize okta /dev/null --tenant acme --store s",
    );
    check_failure(&run(folder.path(), "score --store s"), 2, &["--as-of"]);
}
