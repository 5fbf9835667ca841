//! The simulated organization: the same bytes again, and nothing that gives an attack away.

use std::collections::BTreeSet;

use af_okta_sim::organization::{Kind, Organization, Size, event_number};
use serde_json::Value;

const SIZE: Size = Size {
    people: 120,
    days: 12,
};

/// Every event of a run, day by day.
fn lived(seed: u64) -> (Organization, Vec<Vec<String>>) {
    let mut organization = Organization::new(SIZE, seed);
    let mut days = Vec::new();
    while let Some(day) = organization.next_day() {
        days.push(day.events().map(str::to_owned).collect());
    }
    (organization, days)
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let one_thread = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let (alone, log_alone) = one_thread.install(|| lived(3));
    let four_threads = rayon::ThreadPoolBuilder::new()
        .num_threads(4)
        .build()
        .unwrap();
    let (together, log_together) = four_threads.install(|| lived(3));
    assert_eq!(log_alone, log_together);
    assert_eq!(alone.truth(), together.truth());
    assert_ne!(log_alone, lived(4).1);
}

#[test]
fn every_kind_is_seeded_and_its_events_are_in_the_log() {
    let (organization, days) = lived(3);
    let mut ids = BTreeSet::new();
    for (day, events) in days.iter().enumerate() {
        let mut last = String::new();
        for event in events {
            let event: Value = serde_json::from_str(event).unwrap();
            assert!(ids.insert(event_number(event["uuid"].as_str().unwrap()).unwrap()));
            let published = event["published"].as_str().unwrap().to_owned();
            assert!(last <= published, "day {day}: {last} before {published}");
            last = published;
        }
    }
    let truth = organization.truth();
    let kinds: BTreeSet<Kind> = truth.stories.iter().map(|story| story.kind).collect();
    // A takeover follows from luck, not from the plan.
    let missing: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| !kinds.contains(kind) && *kind != Kind::TakeoverAfterGuessing)
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(truth.events.iter().all(|(event, _)| ids.contains(event)));
    for story in &truth.stories {
        assert!(story.start <= story.end && story.end <= organization.end());
        assert!(
            story.kind == Kind::ThreatDenied || !story.victims.is_empty(),
            "{story:?}"
        );
    }
}

#[test]
fn nothing_in_the_log_tells_attacks_from_ordinary_life() {
    let (organization, days) = lived(3);
    let seeded: BTreeSet<u128> = organization
        .truth()
        .events
        .iter()
        .map(|(event, _)| *event)
        .collect();
    let mut keys = [BTreeSet::new(), BTreeSet::new()];
    for event in days.iter().flatten() {
        let event: Value = serde_json::from_str(event).unwrap();
        if event["eventType"] == "user.session.start" {
            let number = event_number(event["uuid"].as_str().unwrap()).unwrap();
            let found = &mut keys[usize::from(seeded.contains(&number))];
            found.extend(event.as_object().unwrap().keys().cloned());
            let debug = event["debugContext"]["debugData"].as_object().unwrap();
            found.extend(debug.keys().cloned());
        }
    }
    let [ordinary, attacks] = keys;
    assert!(
        !attacks.is_empty() && attacks.is_subset(&ordinary),
        "{attacks:?} {ordinary:?}"
    );
}
