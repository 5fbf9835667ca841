//! Time travel over anybody's signals, directories and retractions.

use af_engine::pipeline::ScoreReport;
use af_model::UtcMillis;
use af_model::tables::retractions;
use af_testkit::generate;
use af_testkit::oracle::OracleSignal;
use proptest::prelude::*;

use super::history::{History, history, replay};
use super::world::{Said, World, no_rules, said};

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_becomes_known_later_changes_no_earlier_snapshot(
        input in generate::organizations(),
        dice in any::<u64>(),
        seed in any::<u64>(),
    ) {
        replay(&history(&input, dice), no_rules(), seed)?;
    }

    #[test]
    fn a_later_look_makes_a_new_revision_exactly_when_a_row_changed(
        input in generate::organizations(),
        dice in any::<u64>(),
    ) {
        let history = history(&input, dice);
        let mut world = World::new(no_rules(), &history.params);
        let mut before: Option<(Said, ScoreReport)> = None;
        for (arrival, known_at) in history.arrivals.iter().zip(&history.known) {
            world.receive(arrival);
            let report = world.score(history.as_of, *known_at);
            let now = said(&report.snapshot);
            if let Some((earlier, first)) = before {
                // What the rows would be is told by a store of its own.
                let mut fresh = World::new(no_rules(), &history.params);
                let until = history.known.iter().filter(|at| *at <= known_at).count();
                history.arrivals[..until].iter().for_each(|arrival| fresh.receive(arrival));
                let rows = said(&fresh.score(history.as_of, *known_at).snapshot).rows;
                prop_assert_eq!(report.published, rows != earlier.rows);
                let revision = first.manifest.revision + u32::from(report.published);
                prop_assert_eq!(report.manifest.revision, revision);
            } else {
                prop_assert!(report.published);
            }
            before = Some((now, report));
        }
    }

    #[test]
    fn retracting_is_as_if_nothing_had_happened_and_restoring_as_if_nothing_was_said(
        input in generate::organizations(),
        which in any::<prop::sample::Index>(),
        kind in 0..3_u8,
    ) {
        let mut history = history(&input, 0);
        let known_at = history.known[2];
        let Some(signals) = history.arrivals.iter().map(|arrival| arrival.signals.len()).reduce(|a, b| a + b).filter(|n| *n > 0) else {
            return Ok(());
        };
        let chosen = history.arrivals.iter().flat_map(|a| &a.signals).nth(which.index(signals)).unwrap().clone();
        // Everything of the history, but nobody has said anything about anything.
        history.arrivals.iter_mut().for_each(|arrival| arrival.retractions.clear());
        let (word, uid) = match (kind, &chosen.incident_uid, chosen.event_uids.as_deref()) {
            (1, Some(uid), _) if !uid.trim().is_empty() => ("incident", uid.clone()),
            (2, _, Some([uid])) => ("event", uid.clone()),
            _ => ("signal", chosen.signal_uid.clone()),
        };
        let is_named = |signal: &OracleSignal| {
            signal.tenant_uid == chosen.tenant_uid && match word {
                "incident" => signal.incident_uid.as_ref() == Some(&uid),
                "event" => signal.event_uids.as_deref() == Some(std::slice::from_ref(&uid)),
                _ => signal.signal_uid == uid,
            }
        };
        // A copy that is named only in one of its versions is another matter.
        let uids: Vec<&str> = history.arrivals.iter().flat_map(|a| &a.signals)
            .filter(|s| is_named(s)).map(|s| s.signal_uid.as_str()).collect();
        let copies_agree = history.arrivals.iter().flat_map(|a| &a.signals)
            .filter(|s| s.tenant_uid == chosen.tenant_uid && uids.contains(&s.signal_uid.as_str()))
            .all(is_named);
        prop_assume!(copies_agree);
        let statement = |action: &str, at: UtcMillis| retractions::Row {
            tenant_uid: chosen.tenant_uid.clone(),
            target_kind: word.to_owned(),
            target_uid: uid.clone(),
            action: action.to_owned(),
            ingested_at: at,
            reason: None,
            by: None,
        };
        let rows = |history: &History| {
            let mut world = World::new(no_rules(), &history.params);
            history.arrivals.iter().for_each(|arrival| world.receive(arrival));
            said(&world.score(history.as_of, known_at).snapshot).files
        };
        let as_it_is = rows(&history);

        let mut without = history.clone();
        for arrival in &mut without.arrivals {
            arrival.signals.retain(|signal| !is_named(signal));
        }
        let mut retracted = history.clone();
        retracted.arrivals[1].retractions = vec![statement("retract", history.known[1])];
        prop_assert!(rows(&without) == rows(&retracted), "retracted is not gone");

        let mut restored = retracted.clone();
        restored.arrivals[2].retractions = vec![statement("restore", history.known[2])];
        prop_assert!(as_it_is == rows(&restored), "restored is not back");
    }
}
