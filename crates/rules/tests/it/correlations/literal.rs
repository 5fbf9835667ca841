//! The definition, read word by word: every event, every window, every state of knowledge.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::case::{Case, DAY, Event, Said, any_case, any_events, matches, said, said_day_by_day};

/// The firings of a correlation: an event's place, and since when it is known.
type Firings = BTreeMap<usize, i64>;

/// An event as a correlation sees it: its place, since when each rule matches it.
type Seen = Vec<(usize, Vec<Option<i64>>)>;

fn seen(case: &Case, events: &[Event]) -> Seen {
    (0..events.len())
        .map(|place| {
            let event = &events[place];
            let known = case
                .rules
                .iter()
                .map(|rule| matches(rule, event).then_some(event.ingested_at));
            (place, known.collect())
        })
        .collect()
}

fn group<'e>(case: &Case, event: &'e Event) -> Option<Vec<&'e str>> {
    case.group_by
        .iter()
        .map(|field| event.field(field))
        .collect()
}

/// The events of the window that ends at `end`, as far as they are known, in their order.
fn window(case: &Case, events: &[Event], seen: &Seen, end: usize, known_at: i64) -> Vec<usize> {
    let order = |event: &Event| (event.time, event.uid.clone());
    let last = &events[end];
    let mut places: Vec<usize> = seen
        .iter()
        .filter(|(_, rules)| rules.iter().flatten().any(|&at| at <= known_at))
        .map(|(place, _)| *place)
        .filter(|&place| group(case, &events[place]) == group(case, last))
        .filter(|&place| events[place].time >= last.time - case.timespan_seconds * 1000)
        .filter(|&place| order(&events[place]) <= order(last))
        .collect();
    places.sort_by_key(|&place| order(&events[place]));
    places
}

fn holds(case: &Case, events: &[Event], seen: &Seen, window: &[usize], known_at: i64) -> bool {
    let matched = |place: usize, rule: usize| seen[place].1[rule].is_some_and(|at| at <= known_at);
    let count = match case.kind {
        "event_count" => window.len(),
        "value_count" => window
            .iter()
            .filter_map(|&place| events[place].field(case.field))
            .collect::<BTreeSet<_>>()
            .len(),
        "temporal" => (0..case.rules.len())
            .filter(|&rule| window.iter().any(|&place| matched(place, rule)))
            .count(),
        _ => {
            let last = case.rules.len() - 1;
            let end = window.len() - 1;
            return matched(window[end], last) && in_order(window, last, end, &matched);
        }
    };
    count >= case.least && case.most.is_none_or(|most| count <= most)
}

/// Whether rules 0 to `rule` are matched in order by events of the window, the last one by the event
/// at `end`; the other way round than the engine goes, by trying everything.
fn in_order(
    window: &[usize],
    rule: usize,
    end: usize,
    matched: &impl Fn(usize, usize) -> bool,
) -> bool {
    rule == 0
        || (0..end)
            .any(|at| matched(window[at], rule - 1) && in_order(window, rule - 1, at, matched))
}

/// Whether rules `rule` to the last are matched in order from the event at `start` to the one at the end.
fn to_the_end(
    window: &[usize],
    rule: usize,
    start: usize,
    last: usize,
    matched: &impl Fn(usize, usize) -> bool,
) -> bool {
    let end = window.len() - 1;
    if rule == last {
        return start == end;
    }
    (start + 1..=end)
        .any(|at| matched(window[at], rule + 1) && to_the_end(window, rule + 1, at, last, matched))
}

/// The events of a window that stand behind a finding.
fn evidence(case: &Case, seen: &Seen, window: &[usize], known_at: i64) -> Vec<usize> {
    if case.kind != "temporal_ordered" {
        return window.to_vec();
    }
    let matched = |place: usize, rule: usize| seen[place].1[rule].is_some_and(|at| at <= known_at);
    let last = case.rules.len() - 1;
    let is_step = |at: usize| {
        (0..=last).any(|rule| {
            matched(window[at], rule)
                && in_order(window, rule, at, &matched)
                && to_the_end(window, rule, at, last, &matched)
        })
    };
    (0..window.len())
        .filter(|&at| is_step(at))
        .map(|at| window[at])
        .collect()
}

fn firings(case: &Case, events: &[Event], seen: &Seen) -> Firings {
    let states: BTreeSet<i64> = seen
        .iter()
        .flat_map(|(_, rules)| rules.iter().flatten().copied())
        .collect();
    let mut fired = Firings::new();
    for end in 0..events.len() {
        if group(case, &events[end]).is_none() {
            continue;
        }
        for &known_at in &states {
            let window = window(case, events, seen, end, known_at);
            if window.last() == Some(&end) && holds(case, events, seen, &window, known_at) {
                fired.insert(end, known_at);
                break;
            }
        }
    }
    fired
}

fn findings(case: &Case, events: &[Event], seen: &Seen, fired: &Firings) -> Vec<Said> {
    let mut best: BTreeMap<_, (i64, i64, String, Said)> = BTreeMap::new();
    for (&end, &known_at) in fired {
        let last = &events[end];
        let window = window(case, events, seen, end, known_at);
        let window = evidence(case, seen, &window, known_at);
        let all = self::window(case, events, seen, end, i64::MAX);
        let people: BTreeSet<Option<&str>> = match case.subject {
            "victim" => BTreeSet::from([last.person]),
            _ => all
                .iter()
                .filter_map(|&place| events[place].person)
                .map(Some)
                .collect(),
        };
        for person in people {
            // Everybody in the window is hit, known since an event about them is.
            let own = all.iter().filter(|&&place| events[place].person == person);
            let since = own
                .flat_map(|&place| seen[place].1.iter().flatten().copied())
                .min();
            let known_at = match case.subject {
                "victim" => known_at,
                _ => known_at.max(since.expect("the case is sound")),
            };
            let window = match case.subject {
                "victim" => window.clone(),
                _ => self::window(case, events, seen, end, known_at),
            };
            let mut evidence: Vec<String> = window
                .iter()
                .filter(|&&place| case.subject == "victim" || events[place].person == person)
                .map(|&place| events[place].uid.clone())
                .collect();
            evidence.sort();
            let said = Said {
                time: last.time,
                known_at,
                person: person.map(str::to_owned),
                events: evidence,
            };
            let key = (group(case, last), last.time.div_euclid(DAY), person);
            let candidate = (known_at, last.time, last.uid.clone(), said);
            let kept = best.entry(key).or_insert_with(|| candidate.clone());
            if candidate < *kept {
                *kept = candidate;
            }
        }
    }
    let mut said: Vec<Said> = best.into_values().map(|(_, _, _, said)| said).collect();
    said.sort();
    said
}

fn literally(case: &Case, events: &[Event]) -> Vec<Said> {
    let seen = seen(case, events);
    findings(case, events, &seen, &firings(case, events, &seen))
}

fn rows(events: &[Event]) -> Vec<af_model::tables::identity_events::Row<'static>> {
    events.iter().map(Event::row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_engine_says_what_the_definition_says(case in any_case(), events in any_events()) {
        prop_assert_eq!(said(&case.rules(), &rows(&events)), literally(&case, &events));
    }

    #[test]
    fn days_one_after_the_other_say_what_one_batch_says(case in any_case(), events in any_events()) {
        let rules = case.rules();
        prop_assert_eq!(said_day_by_day(&rules, &rows(&events)), said(&rules, &rows(&events)));
    }

    #[test]
    fn neither_order_nor_repetition_nor_threads_change_a_finding(
        case in any_case(),
        events in any_events(),
        shuffled in any::<prop::sample::Index>(),
    ) {
        let rules = case.rules();
        let mut other = rows(&events);
        other.reverse();
        if !other.is_empty() {
            let middle = shuffled.index(other.len());
            other.rotate_left(middle);
        }
        other.extend(rows(&events).into_iter().take(5));
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("the case is sound");
        let alone = one_thread.install(|| said(&rules, &other));
        prop_assert_eq!(alone, said(&rules, &rows(&events)));
    }

    #[test]
    fn what_was_known_never_changes(case in any_case(), events in any_events()) {
        let rules = case.rules();
        let now = said(&rules, &rows(&events));
        for state in events.iter().map(|event| event.ingested_at).collect::<BTreeSet<_>>() {
            let known: Vec<Event> = events.iter().filter(|event| event.ingested_at <= state).cloned().collect();
            let then = said(&rules, &rows(&known));
            let still: Vec<Said> = now.iter().filter(|said| said.known_at <= state).cloned().collect();
            prop_assert_eq!(then, still);
        }
    }

    #[test]
    fn a_chain_looks_at_the_firings_of_the_other(
        inner in any_case(),
        mut outer in any_case(),
        events in any_events(),
        place in 0_usize..3,
    ) {
        // The outer one sees the inner one in the place of one of its base rules.
        let place = place.min(outer.rules.len() - 1);
        outer.timespan_seconds = outer.timespan_seconds.min(86_400);
        let inner_seen = seen(&inner, &events);
        let fired = firings(&inner, &events, &inner_seen);
        let mut outer_seen = seen(&outer, &events);
        for (event, rules) in &mut outer_seen {
            rules[place] = fired.get(event).copied();
        }
        let expected = findings(&outer, &events, &outer_seen, &firings(&outer, &events, &outer_seen));
        let rules = chained(&inner, &outer, place);
        prop_assert_eq!(said(&rules, &rows(&events)), expected.clone());
        prop_assert_eq!(said_day_by_day(&rules, &rows(&events)), expected);
    }
}

fn chained(inner: &Case, outer: &Case, place: usize) -> af_rules::RuleSet {
    use super::case::{bases, id};
    let referred = outer.document("outer", 0xcc, "attack");
    let list = outer.rules.iter().map(|rule| {
        let number = super::case::BASES
            .iter()
            .position(|(name, _)| name == rule)
            .expect("the case is sound")
            + 1;
        id(u8::try_from(number).expect("the case is sound"))
    });
    let mut ids: Vec<String> = list.collect();
    let before = format!("rules: [{}]", ids.join(", "));
    ids[place] = id(0xdd);
    let after = format!("rules: [{}]", ids.join(", "));
    let file = |name: &str, text: String| af_rules::RuleFile {
        path: format!("rules/{name}.yml"),
        text,
        samples: None,
    };
    let files = [
        file("inner", inner.document("inner", 0xdd, "base")),
        file("outer", referred.replace(&before, &after)),
    ];
    crate::support::set(bases().into_iter().chain(files))
}
