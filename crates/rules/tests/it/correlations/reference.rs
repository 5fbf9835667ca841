//! The same findings as rsigma's correlation engine, which looks at one event after the other.
//!
//! Where it leaves Sigma's specification, or where a stream cannot know what a day does:
//! * it lets a temporal correlation without a condition fire as soon as one of the rules matched; ours
//!   needs all of them, so it is given the number;
//! * it puts events that lack a group field into a group of their own; ours leaves them out;
//! * it fires again at every further event of the window; ours has one finding a day and person, and
//!   `temporal_ordered` only fires at events of the last rule;
//! * it counts an event twice that two of the rules match, and lets one event take two steps; ours counts
//!   events, so these cases have rules that exclude each other;
//! * it passes on what a correlation found by its group, without the event, and does not report what a
//!   chain found; chains are compared with the definition instead.

use std::collections::{BTreeMap, BTreeSet};

use af_rules::render;
use proptest::prelude::*;
use rsigma_eval::{CorrelationConfig, CorrelationEngine, JsonEvent};
use rsigma_parser::parse_sigma_yaml;

use super::case::{Case, DAY, Event, any_case, any_events, bases, matches, said};
use crate::support::events as batch;

/// Person, day and instant of the first firing of a day.
type First = BTreeSet<(Option<String>, i64)>;

fn by_reference(case: &Case, events: &[Event]) -> First {
    let mut document = case.document("case", 0xcc, "attack");
    if case.kind.starts_with("temporal") {
        document = document.replace(
            "attack_factor",
            &format!("  condition: {{gte: {}}}\nattack_factor", case.rules.len()),
        );
    }
    let texts: Vec<String> = bases()
        .into_iter()
        .map(|file| file.text)
        .chain([document])
        .collect();
    let collection = parse_sigma_yaml(&texts.join("\n---\n")).expect("the case is sound");
    assert!(collection.errors.is_empty(), "{:?}", collection.errors);
    let mut engine = CorrelationEngine::new(CorrelationConfig::default());
    engine
        .add_collection(&collection)
        .expect("the case is sound");
    let mut ordered: Vec<&Event> = events.iter().collect();
    ordered.sort_by_key(|event| (event.time, event.uid.clone()));
    let mut first: BTreeMap<_, i64> = BTreeMap::new();
    for event in ordered {
        let group: Option<Vec<&str>> = case
            .group_by
            .iter()
            .map(|field| event.field(field))
            .collect();
        let Some(group) = group else { continue };
        let json = render(&batch(&[event.row()]), 0).expect("the case is sound");
        let results = engine.process_event_at(&JsonEvent::borrow(&json), event.time / 1000);
        let fired = results
            .iter()
            .any(|result| result.as_correlation().is_some());
        let is_end = case.kind != "temporal_ordered"
            || matches(case.rules.last().expect("the case is sound"), event);
        if fired && is_end {
            let day = event.time.div_euclid(DAY);
            first
                .entry((group, day, event.person))
                .or_insert(event.time);
        }
    }
    first
        .into_iter()
        .map(|((_, _, person), time)| (person.map(str::to_owned), time))
        .collect()
}

fn excluding(case: &Case) -> bool {
    !(case.rules.contains(&"a") && case.rules.contains(&"ac"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn correlations_fire_as_rsigma_lets_them_fire(
        case in any_case().prop_filter("rules that exclude each other", excluding),
        events in any_events(),
    ) {
        let case = Case { subject: "victim", ..case };
        let at_once: Vec<Event> = events
            .into_iter()
            .map(|event| Event { ingested_at: super::case::START + 5 * DAY, ..event })
            .collect();
        let rows: Vec<_> = at_once.iter().map(Event::row).collect();
        let ours: First = said(&case.rules(), &rows)
            .into_iter()
            .map(|said| (said.person, said.time))
            .collect();
        prop_assert_eq!(ours, by_reference(&case, &at_once));
    }
}
