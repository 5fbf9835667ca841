//! Histories, played in any order against stores that never heard of anything later.

use std::collections::BTreeMap;

use af_model::{Params, UtcMillis};
use af_rules::RuleSet;
use af_store::Snapshot;
use af_testkit::generate::Random;
use af_testkit::oracle::OracleInput;
use proptest::prelude::*;

use super::world::{Arrival, DAY, Said, World, files, said};

/// A history: what arrived, in the order in which it became known, and up to when each was known.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) as_of: UtcMillis,
    pub(crate) params: Params,
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) known: Vec<UtcMillis>,
}

/// Plays a history in any order and holds every snapshot against a store that never heard of
/// anything later.
pub(crate) fn replay(history: &History, rules: &RuleSet, seed: u64) -> Result<(), TestCaseError> {
    let expected: Vec<Said> = (0..history.known.len())
        .map(|last| {
            let mut world = World::new(rules, &history.params);
            for arrival in &history.arrivals[..=last] {
                world.receive(arrival);
            }
            said(&world.score(history.as_of, history.known[last]).snapshot)
        })
        .collect();

    let mut random = Random::new(seed);
    let mut world = World::new(rules, &history.params);
    let mut waiting: Vec<usize> = (0..history.arrivals.len()).collect();
    let mut published: BTreeMap<std::path::PathBuf, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    let mut greatest: Option<usize> = None;
    while !waiting.is_empty() {
        world.receive(&history.arrivals[waiting.remove(random.below(waiting.len()))]);
        let complete = (0..history.known.len())
            .take_while(|known| !waiting.contains(known))
            .count();
        // Instants about which everything has arrived, in any order, some twice.
        for _ in 0..complete.min(1) + complete {
            let known = random.below(complete);
            let report = world.score(history.as_of, history.known[known]);
            let found = said(&report.snapshot);
            prop_assert_eq!(&found.rows, &expected[known].rows, "{}", known);
            prop_assert!(found.known_at <= history.known[known]);
            if found.known_at == history.known[known] {
                prop_assert_eq!(&found.manifest, &expected[known].manifest);
                prop_assert!(found == expected[known], "bytes differ");
            }
            if report.published {
                prop_assert_eq!(found.known_at, history.known[known]);
                published.insert(report.snapshot.clone(), files(&report.snapshot));
            }
            let again = world.score(history.as_of, history.known[known]);
            prop_assert!(!again.published);
            prop_assert_eq!(again.snapshot, report.snapshot);
            greatest = greatest.max(Some(known));
            // A look into the past never becomes the latest.
            let latest = said(Snapshot::open(world.store.root()).unwrap().path());
            prop_assert_eq!(&latest.rows, &expected[greatest.unwrap()].rows);
        }
    }
    for (folder, before) in published {
        prop_assert!(
            before == files(&folder),
            "{} was rewritten",
            folder.display()
        );
    }
    Ok(())
}

/// The instants up to which the three parts of a history are known.
pub(crate) fn instants(as_of: UtcMillis) -> Vec<UtcMillis> {
    [-3, 1, 12]
        .map(|days| UtcMillis(as_of.0 + days * DAY))
        .into()
}

/// Cuts an organization into what was known at three instants.
pub(crate) fn history(input: &OracleInput, dice: u64) -> History {
    let mut random = Random::new(dice);
    let known = instants(input.as_of);
    let part = |at: Option<UtcMillis>| {
        let part = known
            .iter()
            .position(|known| at.is_none_or(|at| at <= *known));
        part.unwrap_or(known.len() - 1)
    };
    let mut arrivals = vec![Arrival::default(); known.len()];
    // A few dozen are enough, and every day is a file.
    for signal in input.signals.iter().take(60) {
        // The store's own writer puts no such day down.
        if UtcMillis::checked(signal.time.0).is_ok() {
            arrivals[part(signal.ingested_at)]
                .signals
                .push(signal.clone());
        }
    }
    for row in &input.retractions {
        let mut row = row.clone();
        let at = known[random.below(known.len())];
        row.ingested_at = UtcMillis(at.0 - 60_000 * (row.ingested_at.0.rem_euclid(3)));
        arrivals[part(Some(row.ingested_at))].retractions.push(row);
    }
    for (place, arrival) in arrivals.iter_mut().enumerate() {
        arrival.imported_at = UtcMillis(known[place].0 - 1000);
        // Later versions know fewer people, and some by another name.
        arrival.people = input
            .people
            .iter()
            .cloned()
            .filter_map(|mut person| {
                let die = random.below(if place == 0 { 1 } else { 8 });
                if die == 7 {
                    return None;
                }
                if die == 6 {
                    person.login = None;
                    person.department = Some("Elsewhere".to_owned());
                }
                person.source = Some(["hr", "okta"][place % 2].to_owned());
                person.imported_at = Some(arrival.imported_at);
                Some(person)
            })
            .collect();
    }
    History {
        as_of: input.as_of,
        params: input.params.clone(),
        arrivals,
        known,
    }
}
