//! Time travel over raw events and the labels that administrators give them.

use af_model::{Params, UtcMillis};
use af_testkit::generate::{self, Random};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::history::{History, replay};
use super::world::{Arrival, shipped_rules};

/// An attack of one of two people, with or without a session, in one of a few transactions: a session
/// that is lent too late would join what was counted apart.
pub(crate) fn event(number: usize, random: &mut Random) -> Value {
    let person = random.below(2);
    let kind = [
        "security.breached_credential.detected",
        "security.breached_credential.detected",
        // Context: it may lend its session to the others of its transaction.
        "user.session.end",
        "user.authentication.sso",
    ][random.below(4)];
    let mut event = json!({
        "uuid": format!("e{number}"),
        "published": format!("2026-11-1{}T0{}:00:00.000Z", 2 + random.below(2), random.below(3)),
        "eventType": kind,
        "severity": "WARN",
        "outcome": {"result": "SUCCESS", "reason": null},
        "actor": {"id": format!("00u{person}"), "type": "User",
            "alternateId": format!("user{person}@example.com"), "displayName": null},
        "transaction": {"type": "WEB", "id": format!("tx{}", random.below(4))},
        "debugContext": {"debugData": {}},
    });
    if random.below(2) == 0 {
        let session = format!("session{}", random.below(2));
        event["authenticationContext"] = json!({"externalSessionId": session});
    }
    event
}

/// A label of one of the events, which may not have come yet.
pub(crate) fn feedback(number: usize, events: usize, random: &mut Random) -> Value {
    let labels = [
        "false_positive",
        "true_positive",
        "false_positive",
        "unsure",
    ];
    json!({
        "uuid": format!("f{number}"),
        "published": format!("2026-11-1{}T1{}:00:00.000Z", random.below(3), random.below(3)),
        "eventType": "analytics.feedback.provide",
        "severity": "INFO",
        "outcome": {"result": "SUCCESS"},
        "actor": {"id": "00u9", "type": "User", "alternateId": "admin@example.com"},
        "target": [{"type": "User", "id": "00u1", "alternateId": "user1@example.com"}],
        "transaction": {"type": "WEB", "id": format!("feedback{number}")},
        "debugContext": {"debugData": {
            "eventUuid": format!("e{}", random.below(events)),
            "eventType": "security.breached_credential.detected",
            "label": labels[random.below(4)],
        }},
    })
}

pub(crate) fn everybody() -> Arrival {
    let at = UtcMillis::parse("2026-11-01T00:00:00Z").unwrap();
    let people = (0..4).map(|n| {
        let mut person =
            generate::person("acme", &format!("00u{n}"), &format!("user{n}@example.com"));
        person.imported_at = Some(at);
        person
    });
    Arrival {
        people: people.collect(),
        imported_at: at,
        ..Arrival::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn raw_events_and_labels_known_later_change_no_earlier_snapshot(
        dice in any::<u64>(),
        seed in any::<u64>(),
    ) {
        let mut random = Random::new(dice);
        // In the middle of a day of events, so that the feed is cut there too.
        let as_of = UtcMillis::parse("2026-11-13T01:30:00Z").unwrap();
        let known: Vec<UtcMillis> = ["2026-11-13T03:00:00Z", "2026-11-14T03:00:00Z", "2026-11-16T03:00:00Z"]
            .map(|at| UtcMillis::parse(at).unwrap())
            .into();
        let mut arrivals = vec![Arrival::default(); known.len()];
        arrivals[0] = everybody();
        let events = 16;
        let mut all: Vec<Value> = (0..events).map(|n| event(n, &mut random)).collect();
        all.extend((0..6).map(|n| feedback(n, events, &mut random)));
        for event in all {
            arrivals[random.below(known.len())].events.push(event);
        }
        // The directory came with the first events, in a file of its own.
        let mut first = Arrival { events: arrivals[0].events.clone(), ..Arrival::default() };
        arrivals[0].events.clear();
        let mut history = History { as_of, params: Params::default(), arrivals: Vec::new(), known: known.clone() };
        for (arrival, at) in arrivals.iter_mut().zip(&known).skip(1) {
            arrival.imported_at = *at;
        }
        first.imported_at = known[0];
        first.people = arrivals[0].people.clone();
        history.arrivals = vec![first, arrivals[1].clone(), arrivals[2].clone()];
        replay(&history, shipped_rules(), seed)?;
    }
}
