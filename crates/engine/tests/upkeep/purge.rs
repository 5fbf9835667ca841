//! Purging removes whole days, and nothing that a kept snapshot or a later cut needs.

use af_engine::Silent;
use af_engine::people::people_at;
use af_engine::upkeep::purge::{self, PurgeOptions, Purged};
use af_engine::{ErrorKind, upkeep};
use af_store::Partitioned;

use super::cast::{Plan, World, day, everything, instant};

fn options(before: &str) -> PurgeOptions {
    PurgeOptions {
        before: day(before),
        snapshots: false,
        keep: 1,
        force: true,
    }
}

fn part(report: &purge::PurgeReport, name: &str) -> (u64, u64) {
    let found = report.parts.iter().find(|part| part.part == name).unwrap();
    (found.items, found.rows)
}

#[test]
fn days_before_the_date_go_and_the_dry_run_said_so() {
    let world = World::of(&everything());
    let files = world.files();
    let would = purge::purge(&world.store, None, &options("2026-11-05"), &Silent).unwrap();
    assert_eq!(world.files(), files, "a dry run writes nothing");
    let rows = world.day_rows(Partitioned::Events);
    let early = rows
        .iter()
        .filter(|row| (1..5).any(|day| row.contains(&format!("|time=2026-11-{day:02}T"))));
    let early = early.count() as u64;
    assert!(early > 0);
    let report = purge::purge(
        &world.store,
        Some(&world.lock()),
        &options("2026-11-05"),
        &Silent,
    )
    .unwrap();
    assert_eq!(report, would);
    assert_eq!(part(&report, "events"), (2, early));
    for kind in [Partitioned::Events, Partitioned::Signals] {
        let days = world.store.days(kind).unwrap();
        assert!(days.iter().all(|found| *found >= day("2026-11-05")));
        assert!(!days.is_empty());
    }
    assert_eq!(
        world.day_rows(Partitioned::Events).len() as u64,
        rows.len() as u64 - early
    );
    assert_eq!(Purged::read(&world.store).unwrap().events["acme"], early);
    let again = purge::purge(
        &world.store,
        Some(&world.lock()),
        &options("2026-11-05"),
        &Silent,
    )
    .unwrap();
    assert!(again.is_nothing());
    assert_eq!(
        Purged::read(&world.store).unwrap().events["acme"],
        early,
        "counted once"
    );
}

#[test]
fn the_window_of_the_latest_snapshot_is_refused_unless_forced() {
    let world = World::of(&everything());
    // 14 November minus 89 days.
    for (before, refused) in [("2026-08-17", false), ("2026-08-18", true)] {
        let asked = PurgeOptions {
            force: false,
            ..options(before)
        };
        let result = purge::purge(&world.store, None, &asked, &Silent);
        assert_eq!(result.is_err(), refused, "{before}");
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains("2026-08-17"), "{error}");
            assert!(error.hint().unwrap().contains("--force"));
        }
    }
}

#[test]
fn a_purged_export_stays_out_until_the_purge_is_lifted() {
    let world = World::of(&everything());
    let before = world.day_rows(Partitioned::Events);
    purge::purge(
        &world.store,
        Some(&world.lock()),
        &options("2026-11-05"),
        &Silent,
    )
    .unwrap();
    let kept = world.day_rows(Partitioned::Events);
    let again = world.normalize(&everything(), "e", "2026-11-13T00:00:00Z");
    assert!(again.account.closes());
    assert_eq!(again.account.normalized, 0);
    let purged = (before.len() - kept.len()) as u64;
    assert_eq!(again.reasons.get("purged"), Some(&purged));
    assert_eq!(world.day_rows(Partitioned::Events), kept);
    assert_eq!(
        purge::lift(&world.store, Some(&world.lock())).unwrap(),
        Some(day("2026-11-05"))
    );
    assert_eq!(
        purge::lift(&world.store, Some(&world.lock())).unwrap(),
        None
    );
    let back = world.normalize(&everything(), "e", "2026-11-13T00:00:00Z");
    assert_eq!(back.account.normalized, purged);
    assert_eq!(world.day_rows(Partitioned::Events), before);
}

#[test]
fn the_account_of_a_later_snapshot_says_what_was_purged() {
    let world = World::of(&everything());
    let classes =
        |report: &af_engine::pipeline::ScoreReport| report.seen["acme"].classes.unwrap().normalized;
    let before = world.score("2026-11-14T23:59:59.999Z");
    purge::purge(
        &world.store,
        Some(&world.lock()),
        &options("2026-11-05"),
        &Silent,
    )
    .unwrap();
    let after = world.score("2026-11-14T23:59:59.999Z");
    assert!(after.published, "attacks within the window are gone");
    let removed = after.seen["acme"].removed;
    assert!(removed.purged > 0);
    assert_eq!(classes(&after) + removed.purged, classes(&before));
    // Also when everything is classified anew.
    let mut fewer = super::cast::shipped();
    assert!(fewer.disable("okta_breached_credential"));
    let anew = world.score_with(&fewer, "2026-11-14T23:59:59.999Z");
    assert_eq!(classes(&anew), classes(&after));
    let mut tenants = anew.seen.clone();
    upkeep::note_removed(&world.store, &mut tenants).unwrap();
    assert_eq!(tenants["acme"].removed, removed);
}

#[test]
fn retractions_go_with_their_targets_and_old_directories_with_the_last_cut_that_chose_them() {
    let world = World::of(&everything());
    // Made on the 13th: e0 and e7 are of the 1st and the 11th, a signal of the 2nd, one unknown.
    let report = purge::purge(&world.store, None, &options("2026-11-05"), &Silent).unwrap();
    assert_eq!(
        part(&report, "retractions"),
        (0, 0),
        "made later, may speak of what is to come"
    );
    // A directory of October, chosen by no snapshot that stays.
    let old = World::empty();
    old.import(false, "2026-10-01T00:00:00Z");
    old.import(true, "2026-10-02T00:00:00Z");
    old.import(false, "2026-11-01T00:00:00Z");
    old.import(true, "2026-11-20T00:00:00Z");
    let chosen = |at: &str| people_at(&old.store, instant(at)).unwrap();
    let (before, day_after) = (
        chosen("2026-11-10T00:00:00Z"),
        chosen("2026-11-20T00:00:00Z"),
    );
    let report = purge::purge(
        &old.store,
        Some(&old.lock()),
        &options("2026-11-10"),
        &Silent,
    )
    .unwrap();
    assert_eq!(part(&report, "directory").0, 2, "those of October");
    assert_eq!(chosen("2026-11-10T00:00:00Z"), before);
    assert_eq!(chosen("2026-11-20T00:00:00Z"), day_after);
    assert_eq!(old.store.directories().unwrap().len(), 2);

    // A snapshot that stays needs the version it was made with.
    let kept = World::empty();
    for at in ["2026-10-01", "2026-10-20", "2026-11-01"] {
        kept.import(at == "2026-10-20", &format!("{at}T00:00:00Z"));
    }
    kept.score_at(
        kept.rules,
        "2026-10-09T23:59:59.999Z",
        "2026-10-10T00:00:00Z",
    );
    let needed = people_at(&kept.store, instant("2026-10-10T00:00:00Z")).unwrap();
    let lock = kept.lock();
    let report = purge::purge(&kept.store, Some(&lock), &options("2026-11-10"), &Silent).unwrap();
    assert_eq!(
        part(&report, "directory").0,
        1,
        "that of the 20th of October"
    );
    let found = people_at(&kept.store, instant("2026-10-10T00:00:00Z")).unwrap();
    assert_eq!(found, needed);
    drop(lock);

    let late = World::of(&everything());
    let asked = options("2026-11-14");
    let report = purge::purge(&late.store, Some(&late.lock()), &asked, &Silent).unwrap();
    // All days are gone: e0, e7 and the signal with them, and the one that never came.
    assert_eq!(part(&report, "retractions"), (1, 4));
    assert!(late.store.retractions().unwrap().is_empty());
}

#[test]
fn a_retraction_whose_target_stays_is_kept() {
    let world = World::of(&everything());
    let asked = PurgeOptions {
        before: day("2026-11-14"),
        ..options("2026-11-14")
    };
    let late = [Plan {
        kind: 0,
        who: 2,
        other: 2,
        day: 20,
    }];
    world.normalize(&late, "e", "2026-11-21T00:00:00Z");
    // Another event of the same id, on a day that stays.
    let report = purge::purge(&world.store, Some(&world.lock()), &asked, &Silent).unwrap();
    assert_eq!(part(&report, "retractions"), (1, 3), "e0 is still there");
    let path = world.store.retractions().unwrap().remove(0);
    let rows = super::look::file_rows(&path, &af_model::tables::retractions::TABLE);
    assert_eq!(rows.len(), 1);
    assert!(rows[0].contains("target_uid=e0"), "{rows:?}");
}

#[test]
fn the_latest_snapshot_and_the_newest_n_stay() {
    let world = World::of(&everything());
    world.score("2026-11-10T23:59:59.999Z");
    let all = world.store.snapshots().unwrap();
    assert_eq!(all.len(), 3);
    for (keep, left) in [(3, 3), (2, 2), (0, 1)] {
        let asked = PurgeOptions {
            snapshots: true,
            keep,
            ..options("2027-01-01")
        };
        let copy = world.copy();
        let report = purge::purge(&copy.store, Some(&copy.lock()), &asked, &Silent).unwrap();
        assert_eq!(part(&report, "snapshots").0, 3 - left);
        let stay = copy.store.snapshots().unwrap();
        assert_eq!(stay.len() as u64, left);
        assert_eq!(stay.last(), all.last());
        assert_eq!(copy.store.latest().unwrap(), all.last().copied());
    }
}
