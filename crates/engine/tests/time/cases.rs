//! Single stories, one after the other.

use std::path::Path;

use af_engine::pipeline::ScoreReport;
use af_engine::tally::AskedCut;
use af_model::tables::{retractions, user_scores};
use af_model::{Params, UtcMillis};
use af_store::{Scan, Snapshot, table_file};
use af_testkit::generate::Random;
use af_testkit::oracle::OracleSignal;
use serde_json::json;

use super::events::{event, everybody, feedback};
use super::world::{Arrival, World, no_rules, shipped_rules};

fn at(text: &str) -> UtcMillis {
    UtcMillis::parse_cut(text).unwrap()
}

fn one_signal(uid: &str, time: &str, ingested_at: &str) -> OracleSignal {
    OracleSignal {
        subject_uid: Some("00u1".to_owned()),
        level: "high".to_owned(),
        ingested_at: Some(at(ingested_at)),
        event_uids: Some(vec![format!("event-{uid}")]),
        ..OracleSignal::new("acme", uid, at(time))
    }
}

fn retraction(uid: &str, action: &str, ingested_at: &str) -> Arrival {
    Arrival {
        retractions: vec![retractions::Row {
            tenant_uid: "acme".to_owned(),
            target_kind: "signal".to_owned(),
            target_uid: uid.to_owned(),
            action: action.to_owned(),
            ingested_at: at(ingested_at),
            reason: None,
            by: None,
        }],
        ..Arrival::default()
    }
}

fn scores(folder: &Path) -> Vec<i64> {
    let path = folder.join("user_scores.parquet");
    let batches = table_file::read(&path, &user_scores::TABLE, None, Scan::File).unwrap();
    batches
        .flat_map(|batch| user_scores::rows(&batch.unwrap()).unwrap())
        .map(|row| row.score_micro)
        .collect()
}

#[test]
fn a_look_into_the_past_is_no_news_even_after_a_day_on_which_nothing_changed() {
    let as_of = at("2026-11-10");
    let mut world = World::new(no_rules(), &Params::default());
    world.receive(&everybody());
    world.receive(&Arrival {
        signals: vec![one_signal(
            "s1",
            "2026-11-10T08:00:00Z",
            "2026-11-10T09:00:00Z",
        )],
        ..Arrival::default()
    });
    let first = world.score(as_of, at("2026-11-11"));
    assert!(first.published);
    // Retracted on the 12th, restored on the 14th: on the 15th everything is as it was.
    world.receive(&retraction("s1", "retract", "2026-11-12"));
    world.receive(&retraction("s1", "restore", "2026-11-14"));
    let confirmed = world.score(as_of, at("2026-11-15"));
    assert!(!confirmed.published);
    assert_eq!(confirmed.snapshot, first.snapshot);

    // Only now somebody asks about the 13th.
    let past = world.score(as_of, at("2026-11-13"));
    assert!(past.published);
    assert_eq!(past.manifest.revision, 2);
    assert_eq!(
        past.manifest.supersedes.as_deref(),
        Some("2026-11-10T235959.999Z/r1")
    );
    assert_eq!(scores(&past.snapshot), [0, 0, 0, 0]);
    let latest = Snapshot::open(world.store.root()).unwrap();
    assert_eq!(latest.path(), first.snapshot);
    let by_name = Snapshot::open_in(&world.store, "2026-11-10").unwrap();
    assert_eq!(by_name.path(), first.snapshot);

    // Each instant has its answer, and asking again publishes nothing.
    for (known_at, answer) in [
        ("2026-11-11", &first.snapshot),
        ("2026-11-13", &past.snapshot),
        ("2026-11-15", &first.snapshot),
    ] {
        let report = world.score(as_of, at(known_at));
        assert_eq!(
            (report.published, &report.snapshot),
            (false, answer),
            "{known_at}"
        );
    }
}

#[test]
fn an_earlier_known_at_publishes_its_own_revision_below_the_latest() {
    let as_of = at("2026-11-10");
    let mut world = World::new(no_rules(), &Params::default());
    world.receive(&everybody());
    world.receive(&Arrival {
        signals: vec![
            one_signal("s1", "2026-11-10T08:00:00Z", "2026-11-10T09:00:00Z"),
            one_signal("late", "2026-11-09T08:00:00Z", "2026-11-12T09:00:00Z"),
        ],
        ..Arrival::default()
    });
    let whole = world.score(as_of, at("2026-11-12"));
    let before = world.score(as_of, at("2026-11-11"));
    assert!(before.published);
    assert_eq!(before.manifest.supersedes, None);
    assert!(scores(&before.snapshot) < scores(&whole.snapshot));
    assert_eq!(before.manifest.tenants["acme"].signals.signals_read, 1);
    assert_eq!(before.seen["acme"].signals.not_yet_known, 1);
    assert_eq!(
        Snapshot::open(world.store.root()).unwrap().path(),
        whole.snapshot
    );
}

#[test]
fn a_correction_counts_from_the_next_run_on_and_moves_no_as_of() {
    let mut world = World::new(no_rules(), &Params::default());
    world.receive(&everybody());
    world.receive(&Arrival {
        signals: vec![one_signal(
            "s1",
            "2026-11-10T08:00:00Z",
            "2026-11-10T09:00:00Z",
        )],
        ..Arrival::default()
    });
    let before = world.score_asked(AskedCut::default());
    assert_eq!(before.manifest.as_of, at("2026-11-10T09:00:00Z"));
    assert!(scores(&before.snapshot)[1] > 0);

    world.receive(&retraction("s1", "retract", "2026-12-24T10:00:00Z"));
    let after = world.score_asked(AskedCut::default());
    assert_eq!(after.manifest.as_of, before.manifest.as_of);
    assert_eq!(after.manifest.known_at, at("2026-12-24T10:00:00Z"));
    assert_eq!((after.published, after.manifest.revision), (true, 2));
    assert_eq!(scores(&after.snapshot), [0, 0, 0, 0]);

    let mut fewer = everybody();
    fewer.imported_at = at("2026-12-25T10:00:00Z");
    fewer.people.truncate(2);
    for person in &mut fewer.people {
        person.imported_at = Some(fewer.imported_at);
    }
    world.receive(&fewer);
    let corrected = world.score_asked(AskedCut::default());
    assert_eq!(scores(&corrected.snapshot), [0, 0]);
    assert_eq!(
        corrected.manifest.directories[0].imported_at,
        Some(fewer.imported_at)
    );
}

#[test]
fn labels_become_retractions_once_and_only_from_when_they_are_known() {
    let mut world = World::new(shipped_rules(), &Params::default());
    world.receive(&everybody());
    let mut random = Random::new(1);
    let mut attack = event(0, &mut random);
    attack["eventType"] = json!("security.breached_credential.detected");
    attack["published"] = json!("2026-11-10T08:00:00.000Z");
    let known = at("2026-11-10T09:00:00Z");
    world.receive(&Arrival {
        events: vec![attack],
        imported_at: known,
        ..Arrival::default()
    });
    let mut label = feedback(0, 1, &mut random);
    label["published"] = json!("2026-11-11T08:00:00.000Z");
    label["debugContext"]["debugData"]["label"] = json!("false_positive");
    let labelled = at("2026-11-11T09:00:00Z");
    world.receive(&Arrival {
        events: vec![label.clone()],
        imported_at: labelled,
        ..Arrival::default()
    });

    let as_of = at("2026-11-11");
    let sum = |report: &ScoreReport| scores(&report.snapshot).iter().sum::<i64>();
    assert!(sum(&world.score(as_of, at("2026-11-10"))) > 0);
    assert_eq!(sum(&world.score(as_of, as_of)), 0);
    let said = || af_engine::retract::statements(&world.store).unwrap();
    assert_eq!(said().len(), 1);
    assert_eq!(said()[0].ingested_at, labelled);
    assert_eq!(said()[0].target_uid, "e0");
    world.score(as_of, as_of);
    assert_eq!(said().len(), 1);

    // The administrator changes their mind.
    label["uuid"] = json!("f1");
    label["published"] = json!("2026-11-12T08:00:00.000Z");
    label["debugContext"]["debugData"]["label"] = json!("true_positive");
    let at_last = at("2026-11-12T09:00:00Z");
    world.receive(&Arrival {
        events: vec![label],
        imported_at: at_last,
        ..Arrival::default()
    });
    assert!(sum(&world.score(as_of, at_last)) > 0);
    assert_eq!(
        af_engine::retract::statements(&world.store).unwrap().len(),
        2
    );
}
