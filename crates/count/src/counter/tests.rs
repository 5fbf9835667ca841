//! Every rule of the count by hand-made cases.

use std::sync::Arc;

use af_model::key::SubjectRef;
use af_model::tables::{attack_signals, bucket_counts as table, retractions};
use af_model::{Level, Person, UtcDay};
use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::{Field, Schema};

use super::*;
use crate::output::{
    CountedBlock, TenantCounts, UnmatchedReason, bucket_counts, unmatched_signals,
};
use crate::testing::{KEY, at, person, signal};

type Signal = attack_signals::Row<'static>;

const ANA: &str = "ana@acme.example";
const BOB: &str = "bob@acme.example";

fn people() -> PeopleIndex {
    PeopleIndex::new(vec![person("a", ANA), person("b", BOB)], &KEY)
}

fn cut() -> Cut {
    Cut {
        as_of: at("2026-11-20"),
        known_at: at("2026-11-20"),
    }
}

fn count_with(index: &PeopleIndex, retracted: &[retractions::Row], signals: &[Signal]) -> Counted {
    // One row a batch, so that whatever spans rows spans parts.
    let retractions = Retractions::new(retracted, cut().known_at);
    let mut counter = Counter::new(index, &retractions, cut(), &KEY);
    for signal in signals {
        let batch = attack_signals::batch(std::slice::from_ref(signal));
        counter.push(&batch).unwrap();
    }
    counter.finish()
}

fn count(signals: &[Signal]) -> TenantCounts {
    let mut counted = count_with(&people(), &[], signals);
    let acme = counted.tenants.remove("acme").unwrap();
    assert!(acme.account.closes());
    acme
}

/// The parts of an account that are not zero.
fn parts(counts: &TenantCounts) -> Vec<(&'static str, u64)> {
    let parts = counts.account.parts();
    parts.into_iter().filter(|(_, n)| *n > 0).collect()
}

fn uids(block: &CountedBlock) -> Vec<&str> {
    block.signal_uids.iter().collect()
}

fn with(mut signal: Signal, change: impl FnOnce(&mut Signal)) -> Signal {
    change(&mut signal);
    signal
}

fn incident(uid: &str, level: &'static str, time: &str, incident_uid: &str) -> Signal {
    with(signal(uid, ANA), |signal| {
        signal.level = level.into();
        signal.time = at(time);
        signal.incident_uid = Some(incident_uid.to_owned().into());
    })
}

#[test]
fn a_row_takes_forty_bytes() {
    assert_eq!(size_of::<crate::part::Row>(), 40);
    assert_eq!(size_of::<crate::admit::Admitted<'_>>(), 24);
}

#[test]
fn no_rows_no_tenants() {
    assert_eq!(count_with(&people(), &[], &[]), Counted::default());
}

#[test]
fn a_broken_contract_is_quarantined_and_the_run_goes_on() {
    let broken: [fn(&mut Signal); 9] = [
        |signal| signal.level = "severe".into(),
        |signal| signal.component = "E-mail".into(),
        |signal| signal.family = "".into(),
        |signal| signal.signal_uid = " ".into(),
        |signal| signal.time = UtcMillis(i64::MAX),
        |signal| signal.time = UtcMillis(i64::MIN),
        |signal| signal.ingested_at = Some(UtcMillis(i64::MIN)),
        |signal| signal.ingested_at = Some(UtcMillis(i64::MAX)),
        // One millisecond more than ten minutes before its own time.
        |signal| signal.ingested_at = Some(UtcMillis(signal.time.0 - 600_001)),
    ];
    let mut signals: Vec<Signal> = broken
        .into_iter()
        .map(|change| with(signal("s1", ANA), change))
        .collect();
    signals.push(with(signal("s1", ANA), |signal| {
        signal.ingested_at = Some(UtcMillis(signal.time.0 - 600_000));
    }));
    let counts = count(&signals);
    // Not one is a duplicate of the sound row: what is quarantined comes first.
    assert_eq!(parts(&counts), [("quarantined", 9), ("scored", 1)]);
    assert_eq!(counts.account.signals_read, 10);
}

#[test]
fn a_hostile_tenant_name_is_counted_without_being_named() {
    let hostile = with(signal("s1", ANA), |signal| {
        signal.tenant_uid = "../<b>".into();
    });
    let counted = count_with(&people(), &[], &[hostile, signal("s2", ANA)]);
    let tenants: Vec<&str> = counted.tenants.keys().map(String::as_str).collect();
    assert_eq!(tenants, ["acme", INVALID_TENANT]);
    assert_eq!(
        parts(&counted.tenants[INVALID_TENANT]),
        [("quarantined", 1)]
    );
    assert!(counted.tenants[INVALID_TENANT].feeds.is_empty());
}

#[test]
fn a_null_where_none_may_be_quarantines_its_row() {
    let batch = attack_signals::batch(&[signal("s1", ANA), signal("s2", ANA)]);
    let schema = batch.schema();
    let (place, _) = schema.column_with_name("tenant_uid").unwrap();
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    columns[place] = Arc::new(StringArray::from(vec![None, Some("acme")]));
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    assert_eq!(batch.column(place).null_count(), 1);
    let people = people();
    let retractions = Retractions::default();
    let mut counter = Counter::new(&people, &retractions, cut(), &KEY);
    counter.push(&batch).unwrap();
    let counted = counter.finish();
    assert_eq!(
        parts(&counted.tenants[INVALID_TENANT]),
        [("quarantined", 1)]
    );
    assert_eq!(parts(&counted.tenants["acme"]), [("scored", 1)]);
}

#[test]
fn the_earliest_known_copy_is_kept_and_null_is_earliest() {
    let copy = |level: &'static str, ingested_at: Option<&str>| {
        with(signal("s1", ANA), |signal| {
            signal.level = level.into();
            signal.ingested_at = ingested_at.map(at);
        })
    };
    let late = copy("critical", Some("2026-11-20T12:00:00Z"));
    let early = copy("medium", Some("2026-11-20T09:00:00Z"));
    let always = copy("low", None);
    let counts = count(&[late.clone(), early.clone(), late.clone()]);
    assert_eq!(parts(&counts), [("duplicate", 2), ("scored", 1)]);
    assert_eq!(counts.conflicts, 2);
    assert_eq!(counts.blocks[0].level, Level::Medium);
    let counts = count(&[late, early, always]);
    assert_eq!(counts.blocks[0].level, Level::Low);
}

#[test]
fn copies_that_differ_only_in_ingestion_are_no_conflict() {
    let copy = |ingested_at: &str| {
        with(signal("s1", ANA), |signal| {
            signal.ingested_at = Some(at(ingested_at));
        })
    };
    let counts = count(&[copy("2026-11-20T09:00:00Z"), copy("2026-11-20T10:00:00Z")]);
    assert_eq!(
        (parts(&counts), counts.conflicts),
        (vec![("duplicate", 1), ("scored", 1)], 0)
    );
}

#[test]
fn every_column_that_counts_makes_a_conflict() {
    let changes: [fn(&mut Signal); 10] = [
        |signal| signal.time = UtcMillis(signal.time.0 + 1),
        |signal| signal.subject_ref = Some("uid:a".into()),
        |signal| signal.subject_uid = Some("a".into()),
        |signal| signal.subject_login = Some(ANA.into()),
        |signal| signal.subject_email = Some("ANA@acme.example".into()),
        |signal| signal.component = "identity".into(),
        |signal| signal.family = "other".into(),
        |signal| signal.rule_id = "r2".into(),
        |signal| signal.incident_uid = Some("i".into()),
        |signal| signal.integration = Some("eu".into()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let signals = [signal("s1", ANA), with(signal("s1", ANA), change)];
        let counts = count(&signals);
        assert_eq!(counts.conflicts, 1, "change {number}");
        // Which of the two is kept does not depend on who came first.
        let mut reversed = signals;
        reversed.reverse();
        assert_eq!(count(&reversed), counts, "change {number}");
    }
}

#[test]
fn what_no_figure_is_made_of_makes_none() {
    let changes: [fn(&mut Signal); 3] = [
        |signal| signal.rule_version = Some("2".into()),
        |signal| signal.event_uids = Some(vec!["e1".into()]),
        |signal| signal.attack_techniques = Some(vec!["T1566".into()]),
    ];
    for change in changes {
        let counts = count(&[signal("s1", ANA), with(signal("s1", ANA), change)]);
        assert_eq!((counts.account.duplicate, counts.conflicts), (1, 0));
    }
}

#[test]
fn the_key_of_a_signal_is_tenant_source_id_and_day() {
    let counts = count(&[
        signal("s1", ANA),
        with(signal("s1", ANA), |signal| signal.source = "other".into()),
        with(signal("s1", ANA), |signal| signal.time = at("2026-11-10")),
    ]);
    assert_eq!(parts(&counts), [("scored", 3)]);
    let other = with(signal("s1", ANA), |signal| {
        signal.tenant_uid = "other".into();
    });
    let counted = count_with(&people(), &[], &[signal("s1", ANA), other]);
    assert_eq!(parts(&counted.tenants["acme"]), [("scored", 1)]);
    assert_eq!(parts(&counted.tenants["other"]), [("unmatched", 1)]);
}

#[test]
fn the_first_reason_that_applies_is_counted() {
    let retracted: Vec<retractions::Row> = ["future", "late", "old", "nobody"]
        .map(|uid| retractions::Row {
            tenant_uid: "acme".to_owned(),
            target_kind: "signal".to_owned(),
            target_uid: uid.to_owned(),
            action: "retract".to_owned(),
            ingested_at: at("2026-11-01"),
            reason: None,
            by: None,
        })
        .into();
    let changed = |uid: &str, email: &str, time: &str, ingested_at: &str| {
        with(signal(uid, email), |signal| {
            signal.time = at(time);
            signal.ingested_at = Some(at(ingested_at));
        })
    };
    let later = "2026-11-21T00:00:00Z";
    let signals = [
        // Later known, broken, future, retracted, of nobody.
        with(changed("late", "x@acme.example", later, later), |signal| {
            signal.level = "severe".into();
        }),
        // Broken, future, of nobody: the clock runs ahead of what it is known by.
        changed("broken", "x@acme.example", later, "2026-11-20T08:00:00Z"),
        // Future, retracted, of nobody.
        with(signal("future", "x@acme.example"), |signal| {
            signal.time = at(later);
        }),
        // Retracted, too old, of nobody.
        changed("old", "x@acme.example", "2026-01-01", "2026-01-01"),
        // Too old, of nobody.
        changed("older", "x@acme.example", "2026-01-01", "2026-01-01"),
        changed("unknown", "x@acme.example", "2026-11-20", "2026-11-20"),
        signal("sound", ANA),
    ];
    let counted = count_with(&people(), &retracted, &signals);
    assert_eq!(
        parts(&counted.tenants["acme"]),
        [
            ("not_yet_known", 1),
            ("quarantined", 1),
            ("future", 1),
            ("retracted", 1),
            ("too_old", 1),
            ("unmatched", 1),
            ("scored", 1),
        ]
    );
}

#[test]
fn what_becomes_known_later_changes_nothing_but_its_number() {
    let known = with(signal("s1", ANA), |signal| {
        signal.ingested_at = Some(at("2026-11-20T09:00:00Z"));
    });
    let later = |uid: &str| {
        with(signal(uid, ANA), |signal| {
            signal.ingested_at = Some(at("2026-11-21T00:00:00Z"));
        })
    };
    let broken = with(later("s2"), |signal| signal.component = "No Term".into());
    let ahead = with(later("s3"), |signal| signal.time = at("2027-01-01"));
    let other = with(later("s4"), |signal| signal.component = "web".into());
    let changed = with(later("s1"), |signal| signal.level = "critical".into());
    let before = count(std::slice::from_ref(&known));
    let after = count(&[known, later("s1"), changed, broken, ahead, other]);
    assert_eq!(parts(&after), [("not_yet_known", 5), ("scored", 1)]);
    assert_eq!(after.account.at_cut(), before.account);
    assert_eq!(
        (&after.feeds, &after.blocks, after.conflicts),
        (&before.feeds, &before.blocks, before.conflicts)
    );
}

#[test]
fn a_feed_ends_at_the_cut() {
    let counts = count(&[
        signal("s1", ANA),
        with(signal("s2", ANA), |signal| signal.time = at("2026-11-21")),
    ]);
    let feed = &counts.feeds["email"];
    assert_eq!(feed.last, Some(at("2026-11-20T08:00:00Z")));
    let after = count(&[with(signal("s2", ANA), |s| s.time = at("2026-11-21"))]);
    assert!(after.feeds.is_empty(), "{:?}", after.feeds);
}

#[test]
fn the_window_is_ninety_whole_days() {
    // as_of is 2026-11-20: 89 days earlier is 2026-08-23, whatever the hour.
    let on = |uid: &str, time: &str| with(signal(uid, ANA), |signal| signal.time = at(time));
    let counts = count(&[
        on("s1", "2026-08-22T23:59:59.999Z"),
        on("s2", "2026-08-23T00:00:00Z"),
        on("s3", "2026-11-20T23:59:59.999Z"),
        on("s4", "2026-11-21T00:00:00Z"),
    ]);
    assert_eq!(
        parts(&counts),
        [("future", 1), ("too_old", 1), ("scored", 2)]
    );
    assert_eq!(counts.blocks[0].day, UtcDay::parse("2026-08-23").unwrap());
}

#[test]
fn an_incident_counts_once_a_day_at_its_highest_level() {
    let counts = count(&[
        incident("s1", "low", "2026-11-19T01:00:00Z", "i"),
        incident("s5", "high", "2026-11-19T05:00:00Z", "i"),
        incident("s4", "high", "2026-11-19T03:00:00Z", "i"),
        incident("s3", "high", "2026-11-19T03:00:00Z", "i"),
        incident("s2", "low", "2026-11-20T01:00:00Z", "i"),
    ]);
    assert_eq!(parts(&counts), [("collapsed", 3), ("scored", 2)]);
    let [high, low] = &counts.blocks[..] else {
        panic!("a block a day, not {:?}", counts.blocks)
    };
    assert_eq!((high.level, high.n), (Level::High, 1));
    // Highest level, then earliest time, then smallest id.
    assert_eq!(uids(high), ["s3"]);
    assert_eq!(high.first_time, at("2026-11-19T03:00:00Z"));
    assert_eq!(high.last_time, at("2026-11-19T03:00:00Z"));
    assert_eq!((low.level, &uids(low)[..]), (Level::Low, &["s2"][..]));
}

#[test]
fn incidents_differ_by_person_component_family_and_source() {
    let same = || incident("s1", "high", "2026-11-19", "i");
    let counts = count(&[
        same(),
        with(same(), |signal| signal.signal_uid = "s2".into()),
        with(same(), |signal| {
            (signal.signal_uid, signal.subject_email) = ("s3".into(), Some(BOB.into()));
        }),
        with(same(), |signal| {
            (signal.signal_uid, signal.component) = ("s4".into(), "identity".into());
        }),
        with(same(), |signal| {
            (signal.signal_uid, signal.family) = ("s5".into(), "other".into());
        }),
        with(same(), |signal| {
            (signal.signal_uid, signal.source) = ("s6".into(), "other".into());
        }),
        with(same(), |signal| {
            (signal.signal_uid, signal.rule_id) = ("s7".into(), "r2".into());
        }),
        with(same(), |signal| {
            (signal.signal_uid, signal.integration) = ("s8".into(), Some("eu".into()));
        }),
    ]);
    // s2, s7 and s8 are the same incident as s1.
    assert_eq!(parts(&counts), [("collapsed", 3), ("scored", 5)]);
}

#[test]
fn a_signal_without_an_incident_is_its_own() {
    let counts = count(&[
        signal("s1", ANA),
        signal("s2", ANA),
        incident("s3", "high", "2026-11-20T08:00:00Z", ""),
        incident("s4", "high", "2026-11-20T08:00:00Z", " "),
    ]);
    assert_eq!(parts(&counts), [("scored", 4)]);
    assert_eq!((counts.blocks.len(), counts.blocks[0].n), (1, 4));
}

#[test]
fn retracting_an_incident_takes_all_its_signals() {
    let target = |kind: &str, uid: &str| retractions::Row {
        tenant_uid: "acme".to_owned(),
        target_kind: kind.to_owned(),
        target_uid: uid.to_owned(),
        action: "retract".to_owned(),
        ingested_at: at("2026-11-20"),
        reason: None,
        by: None,
    };
    let with_events = |uid: &str, events: &[&'static str]| {
        with(signal(uid, ANA), |signal| {
            signal.event_uids = Some(events.iter().map(|&event| event.into()).collect());
        })
    };
    let signals = [
        incident("s1", "high", "2026-11-19", "i"),
        incident("s2", "high", "2026-11-20", "i"),
        with_events("s3", &["e1"]),
        with_events("s4", &["e1", "e2"]),
        with_events("s5", &[]),
    ];
    let counted = count_with(
        &people(),
        &[target("incident", "i"), target("event", "e1")],
        &signals,
    );
    let acme = &counted.tenants["acme"];
    assert_eq!(parts(acme), [("retracted", 3), ("scored", 2)]);
    assert_eq!(uids(&acme.blocks[0]), ["s4", "s5"]);
}

#[test]
fn blocks_are_sorted_and_add_up_to_bucket_counts() {
    let on = |uid: &str, email: &str, level: &'static str, hour: u32| {
        with(signal(uid, email), |signal| {
            signal.level = level.into();
            signal.time = at(&format!("2026-11-20T{hour:02}:00:00Z"));
            signal.rule_id = format!("rule_{hour}").into();
        })
    };
    let identity = with(on("s9", ANA, "low", 1), |signal| {
        signal.component = "identity".into();
    });
    let counts = count(&[
        on("s6", BOB, "high", 6),
        identity,
        on("s3", ANA, "low", 7),
        on("s2", ANA, "critical", 5),
        on("s1", ANA, "critical", 9),
        on("s4", ANA, "medium", 4),
    ]);
    let order: Vec<(u32, &str, Level, u64)> = counts
        .blocks
        .iter()
        .map(|block| (block.person, &*block.component, block.level, block.n))
        .collect();
    assert_eq!(
        order,
        [
            (0, "email", Level::Critical, 2),
            (0, "email", Level::Medium, 1),
            (0, "email", Level::Low, 1),
            (0, "identity", Level::Low, 1),
            (1, "email", Level::High, 1),
        ]
    );
    let critical = &counts.blocks[0];
    assert_eq!(uids(critical), ["s1", "s2"]);
    assert_eq!(*critical.rule_ids, ["rule_5".into(), "rule_9".into()]);
    let rows = bucket_counts([("acme", &counts)], None, &people());
    let rows = table::rows(&rows).unwrap();
    assert_eq!(rows.len(), 3);
    let first = &rows[0];
    assert_eq!(
        (first.user_uid.as_str(), first.component.as_str()),
        ("a", "email")
    );
    assert_eq!(
        [first.n_critical, first.n_high, first.n_medium, first.n_low],
        [2, 0, 1, 1]
    );
    assert_eq!(first.first_time, at("2026-11-20T04:00:00Z"));
    assert_eq!(first.last_time, at("2026-11-20T09:00:00Z"));
}

#[test]
fn a_block_names_its_first_twenty_signals() {
    let signals: Vec<Signal> = (0..25)
        .rev()
        .map(|n| signal(&format!("s{n:02}"), ANA))
        .collect();
    let counts = count(&signals);
    assert_eq!(counts.blocks[0].n, 25);
    let expected: Vec<String> = (0..20).map(|n| format!("s{n:02}")).collect();
    assert_eq!(uids(&counts.blocks[0]), expected);
}

#[test]
fn unmatched_signals_are_counted_by_hash_and_never_named() {
    let typed = SubjectRef::hashed(&KEY, "acme", "My-Password1").to_string();
    let anonymous = |uid: &str, subject_ref: Option<&str>| {
        with(signal(uid, ""), |signal| {
            signal.subject_email = None;
            signal.subject_ref = subject_ref.map(|text| text.to_owned().into());
        })
    };
    let counts = count(&[
        signal("s1", "Nobody@acme.example"),
        // Another integration and incident, but the same line of the table.
        with(
            incident("s2", "high", "2026-11-20T09:00:00Z", "i"),
            |signal| {
                signal.subject_email = Some("nobody@acme.example".into());
                signal.integration = Some("eu".into());
            },
        ),
        anonymous("s3", None),
        anonymous("s4", Some("no prefix")),
        anonymous("s5", Some(&typed)),
        signal("s6", "system@okta.com"),
    ]);
    let lines: Vec<(&str, Option<String>, u64)> = counts
        .unmatched
        .iter()
        .map(|line| (line.reason.as_str(), line.subject_hash.clone(), line.n))
        .collect();
    let hash = |key: &str| Some(KEY.identifier("acme", key).to_string());
    let mut no_match = vec![
        ("no_match", hash("nobody@acme.example"), 2),
        ("no_match", hash("my-password1"), 1),
    ];
    no_match.sort();
    let mut expected = vec![("no_key", None, 2)];
    expected.extend(no_match);
    expected.push(("not_a_person", hash("system@okta.com"), 1));
    assert_eq!(lines, expected);
    assert_eq!(counts.account.unmatched, 6);
    let rows = unmatched_signals("acme", &counts, cut());
    assert_eq!((rows[0].n, rows[0].as_of), (2, at("2026-11-20")));
    assert_eq!(rows[0].source, "gateway");
}

#[test]
fn a_shared_key_is_resolved_at_each_signals_own_time() {
    let mut leaver = person("a", ANA);
    leaver.status = Some("DEPROVISIONED".to_owned());
    leaver.deactivated = Some(at("2026-10-01T00:00:00Z"));
    let mut successor = person("b", ANA);
    successor.created = Some(at("2026-10-15T00:00:00Z"));
    let index = PeopleIndex::new(vec![leaver, successor], &KEY);
    let on = |uid: &str, time: &str| with(signal(uid, ANA), |signal| signal.time = at(time));
    let signals = [
        on("s1", "2026-09-30"),
        on("s2", "2026-10-10"),
        on("s3", "2026-10-15"),
    ];
    let retractions = Retractions::default();
    let counts = |rows: usize| {
        let mut counter = Counter::new(&index, &retractions, cut(), &KEY);
        for signals in signals.chunks(rows) {
            counter.push(&attack_signals::batch(signals)).unwrap();
        }
        counter.finish().tenants.remove("acme").unwrap()
    };
    // All three in one chunk share one subject; the answer must not be shared.
    let together = counts(100);
    assert_eq!(together, counts(1));
    let people: Vec<u32> = together.blocks.iter().map(|block| block.person).collect();
    assert_eq!(people, [0, 1]);
    assert_eq!(together.unmatched[0].reason, UnmatchedReason::Ambiguous);
    assert!(together.unmatched[0].subject_hash.is_some());
}

#[test]
fn one_incident_under_two_names_of_one_person_is_one() {
    let mut ana = person("a", ANA);
    ana.login = Some("ana".to_owned());
    let index = PeopleIndex::new(vec![ana], &KEY);
    let by_login = with(
        incident("s2", "high", "2026-11-20T09:00:00Z", "i"),
        |signal| {
            signal.subject_email = None;
            signal.subject_ref = Some("login:ANA".into());
        },
    );
    let counted = count_with(
        &index,
        &[],
        &[incident("s1", "low", "2026-11-20T10:00:00Z", "i"), by_login],
    );
    assert_eq!(
        parts(&counted.tenants["acme"]),
        [("collapsed", 1), ("scored", 1)]
    );
}

#[test]
fn feeds_tell_who_was_heard_when() {
    let counts = count(&[
        with(signal("s1", ANA), |signal| {
            signal.integration = Some("eu".into());
        }),
        with(signal("s2", "x@acme.example"), |signal| {
            signal.integration = Some("us".into());
            signal.time = at("2026-11-18T00:00:00Z");
        }),
        with(signal("s3", ANA), |signal| {
            signal.component = "identity".into();
        }),
        with(signal("s4", ANA), |signal| {
            signal.level = "severe".into();
            signal.component = "cloud".into();
        }),
        // A duplicate is not heard a second time, even from elsewhere.
        with(signal("s3", ANA), |signal| {
            signal.component = "identity".into();
            signal.ingested_at = Some(at("2026-11-20"));
            signal.integration = Some("asia".into());
        }),
    ]);
    let components: Vec<&str> = counts.feeds.keys().map(String::as_str).collect();
    assert_eq!(components, ["email", "identity"]);
    let email = &counts.feeds["email"];
    assert_eq!(email.integrations, ["eu", "us"]);
    assert_eq!(email.first, Some(at("2026-11-18T00:00:00Z")));
    assert_eq!(email.last, Some(at("2026-11-20T08:00:00Z")));
    assert_eq!(email.scored, 1);
    // Without an integration the source's name stands.
    assert_eq!(counts.feeds["identity"].integrations, ["gateway"]);
}

#[test]
fn a_person_created_after_as_of_has_no_row() {
    let mut newcomer: Person = person("a", ANA);
    newcomer.created = Some(at("2026-11-21T00:00:00Z"));
    let index = PeopleIndex::new(vec![newcomer], &KEY);
    let counted = count_with(&index, &[], &[signal("s1", ANA)]);
    assert_eq!(
        counted.tenants["acme"].unmatched[0].reason,
        UnmatchedReason::NoMatch
    );
}
