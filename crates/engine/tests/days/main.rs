//! Windows that begin on days before: which days are made anew, and what stays found when events leave
//! the store.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use af_engine::upkeep::compact;
use af_engine::upkeep::erase::{self, EraseOptions};
use af_engine::upkeep::purge::{self, PurgeOptions};
use af_engine::{Progress, Silent, detect};
use af_rules::{Exclusion, Tuning};
use af_store::Partitioned;
use serde_json::Value;

use world::{KEY, World, day, failed, instant, threat, told};

/// Ana, Ben and Cleo are found on the day on which Cleo makes three, when that becomes known.
const ALL: (&str, &[&str]) = (
    "2026-11-03",
    &["ana 2026-11-04", "ben 2026-11-04", "cleo 2026-11-04"],
);

#[test]
fn a_window_over_three_days_is_found_whether_days_come_one_by_one_or_at_once() {
    let at_once = World::sprayed();
    let report = at_once.detect();
    assert_eq!((report.days_detected, report.days_looked_at), (3, 0));
    assert_eq!(at_once.found(), told(&[ALL]));

    let one_by_one = World::new();
    for (who, on) in [("ana", 1), ("ben", 2), ("cleo", 3)] {
        one_by_one.take_in(
            &[failed(who, on)],
            &format!("2026-11-{:02}T01:00:00Z", on + 1),
        );
        assert_eq!(one_by_one.pending(), [day(on)]);
        let report = one_by_one.detect();
        // Only the new day is made; those before are looked at once more.
        assert_eq!(report.days_detected, 1);
        assert_eq!(report.days_looked_at, u64::from(on) - 1);
        assert_eq!(one_by_one.pending(), []);
    }
    assert_eq!(one_by_one.signals(), at_once.signals());
    assert_eq!(one_by_one.detect().days_detected, 0);
}

#[test]
fn a_late_event_makes_the_days_anew_that_look_back_on_its_own_and_no_others() {
    let world = World::sprayed();
    world.take_in(
        &[failed("dora", 5), failed("emil", 9)],
        "2026-11-10T01:00:00Z",
    );
    world.detect();
    let before = world.signals();
    assert_eq!(world.found(), told(&[ALL]));
    // The second: looked back on from the third, not from the fifth.
    world.take_in(&[failed("fay", 2)], "2026-11-11T01:00:00Z");
    assert_eq!(world.pending(), [day(2), day(3)]);
    let report = world.detect();
    assert_eq!((report.days_detected, report.days_looked_at), (2, 1));
    // Fay makes three of Ana and Ben a day earlier, and is in the window of the third day, too; nothing
    // that was said is said otherwise.
    let second = ["ana 2026-11-11", "ben 2026-11-11", "fay 2026-11-11"];
    let third: Vec<&str> = ALL.1.iter().copied().chain(["fay 2026-11-11"]).collect();
    assert_eq!(
        world.found(),
        told(&[("2026-11-02", &second), (ALL.0, &third)])
    );
    assert!(before.iter().all(|signal| world.signals().contains(signal)));
    // A day that was not there at all.
    world.take_in(&[failed("gus", 4)], "2026-11-12T01:00:00Z");
    assert_eq!(world.pending(), [day(4), day(5)]);
    world.detect();
    assert_eq!(world.pending(), []);
}

/// Dies when so many days are done.
struct DiesAfter(AtomicU64);

impl Progress for DiesAfter {
    fn begin(&self, _stage: &str, _total: Option<u64>) {}

    fn advance(&self, _by: u64) {
        assert!(self.0.fetch_sub(1, Ordering::Relaxed) > 1, "dies here");
    }

    fn end(&self) {}
}

#[test]
fn a_run_that_dies_between_two_days_leaves_the_second_to_do() {
    let whole = World::sprayed();
    whole.detect();
    whole.take_in(&[failed("fay", 1)], "2026-11-11T01:00:00Z");
    whole.detect();
    for days in 1..=3 {
        let world = World::sprayed();
        world.detect();
        world.take_in(&[failed("fay", 1)], "2026-11-11T01:00:00Z");
        let dies = DiesAfter(AtomicU64::new(days));
        let died = catch_unwind(AssertUnwindSafe(|| {
            detect::detect(&world.store, &world.lock(), &world.rules, &dies)
        }));
        assert!(died.is_err());
        // Every day that was written is up to date; every other one is known not to be.
        let left: Vec<_> = (1..=3)
            .map(day)
            .skip(usize::try_from(days).unwrap())
            .collect();
        assert_eq!(world.pending(), left);
        world.detect();
        assert_eq!(world.signals(), whole.signals());
    }
}

#[test]
fn compacting_files_makes_no_day_anew() {
    let world = World::sprayed();
    world.take_in(
        &[failed("fay", 1), failed("gus", 2)],
        "2026-11-11T01:00:00Z",
    );
    world.detect();
    let before = world.signals();
    let report = compact::compact(&world.store, Some(&world.lock()), &Silent).unwrap();
    assert_eq!(report.tables[0].compacted, 2);
    assert_eq!(world.pending(), []);
    assert_eq!(world.detect().days_detected, 0);
    assert_eq!(world.signals(), before);
}

fn purge_before(world: &World, of_november: u32) {
    let options = PurgeOptions {
        before: day(of_november),
        snapshots: false,
        keep: 0,
        force: true,
    };
    purge::purge(&world.store, Some(&world.lock()), &options, &Silent).unwrap();
}

#[test]
fn what_was_found_stays_found_when_the_days_before_are_purged() {
    let world = World::sprayed();
    world.detect();
    let before = world.signals();
    purge_before(&world, 3);
    assert_eq!(world.pending(), []);
    // Made anew, because it has news; alone it would find nothing.
    world.take_in(&[failed("fay", 3)], "2026-11-11T01:00:00Z");
    assert_eq!(world.pending(), [day(3)]);
    world.detect();
    assert_eq!(world.signals(), before);
    assert_eq!(world.detect().days_detected, 0);
}

#[test]
fn a_purge_that_dies_before_it_says_so_changes_no_finding_either() {
    let world = World::sprayed();
    world.detect();
    let before = world.signals();
    let remembered: Value = world.store.read_state("detect").unwrap().unwrap();
    purge_before(&world, 3);
    // As if the process had died before the days were forgotten.
    world
        .store
        .write_state(&world.lock(), "detect", &remembered)
        .unwrap();
    assert_eq!(world.pending(), []);
    world.take_in(&[failed("fay", 3)], "2026-11-11T01:00:00Z");
    world.detect();
    assert_eq!(world.signals(), before);
}

fn erase(world: &World, who: &str) {
    let options = EraseOptions {
        tenant: "acme",
        person: &format!("{who}@example.com"),
        at: instant("2026-11-20T00:00:00Z"),
        reason: None,
    };
    erase::erase(&world.store, &world.lock(), &KEY, &options, &Silent).unwrap();
}

#[test]
fn an_erased_victim_takes_no_finding_of_a_colleague_along() {
    for erased in ["ana", "ben", "cleo"] {
        let world = World::sprayed();
        assert_eq!(world.detect().detected.classes()["acme"].normalized, 3);
        let of_others: Vec<String> = world
            .signals()
            .into_iter()
            .filter(|signal| !signal.contains(erased))
            .collect();
        assert_eq!(of_others.len(), 2);
        erase(&world, erased);
        assert_eq!(world.signals(), of_others);
        // The accounts follow; two people alone are no spray, and were part of one all the same.
        let report = world.detect();
        assert_eq!(report.detected.classes()["acme"].normalized, 2);
        assert_eq!(world.signals(), of_others);
        // Also when the day has news later.
        world.take_in(&[failed("fay", 3)], "2026-11-21T01:00:00Z");
        world.detect();
        let found = world.signals();
        assert!(of_others.iter().all(|signal| found.contains(signal)));
        assert!(found.iter().all(|signal| !signal.contains(erased)));
        // Nobody is found twice: Fay makes three of the two, and is the only news.
        assert_eq!(found.len(), 3, "{found:#?}");
        assert_eq!(world.pending(), []);
    }
}

#[test]
fn who_is_left_of_two_in_a_transaction_is_not_the_one_who_was_meant() {
    let world = World::new();
    let in_transaction = |mut event: Value| {
        event["transaction"]["id"] = "tx".into();
        event
    };
    let events = [
        threat("tx", 1),
        in_transaction(failed("ana", 1)),
        in_transaction(failed("ben", 1)),
        threat("tx-cleo-1", 1),
        failed("cleo", 1),
    ];
    world.take_in(&events[..4], "2026-11-02T01:00:00Z");
    world.detect();
    let nobody = ("2026-11-01", &["- 2026-11-02", "- 2026-11-02"][..]);
    assert_eq!(world.found(), told(&[nobody]));
    erase(&world, "ana");
    assert_eq!(world.pending(), [day(1)]);
    world.detect();
    assert_eq!(world.found(), told(&[nobody]));
    // Whoever comes later is found, on a day from which somebody was erased, too.
    world.take_in(&events[4..], "2026-11-03T01:00:00Z");
    world.detect();
    let cleo = ["- 2026-11-02", "- 2026-11-02", "cleo 2026-11-03"];
    assert_eq!(world.found(), told(&[("2026-11-01", &cleo)]));
}

#[test]
fn other_rules_judge_by_what_is_left() {
    let mut world = World::sprayed();
    world.detect();
    erase(&world, "ana");
    world.detect();
    assert_eq!(world.signals().len(), 2);
    world
        .rules
        .set_tuning(Tuning {
            exclusions: vec![Exclusion {
                people: vec!["nobody@example.com".to_owned()],
                ..Exclusion::default()
            }],
            ..Tuning::default()
        })
        .unwrap();
    assert_eq!(
        world.pending().len(),
        world.store.days(Partitioned::Events).unwrap().len()
    );
    world.detect();
    assert_eq!(world.signals(), Vec::<String>::new());
}
