//! Which events of a window are steps of an order that is complete.

use super::matches::Match;
use super::rule::Correlation;

/// Those of some events that are a step of a sequence of all rules in order that ends with the last one.
///
/// An event is a step if the rules before can be matched in order by earlier events, and the rules after
/// by later ones. `places` ascend; the same event at two places is one event.
pub(super) fn takes_part(
    correlation: &Correlation,
    events: &[Match],
    places: &[usize],
) -> Vec<usize> {
    let rules = correlation.references.len();
    let begun = reached(events, places.iter().copied(), |rule| rule, rules);
    let ended = reached(
        events,
        places.iter().rev().copied(),
        |rule| rules - 1 - rule,
        rules,
    );
    let Some(&end) = places.last() else {
        return Vec::new();
    };
    places
        .iter()
        .zip(begun.iter().zip(ended.iter().rev()))
        .filter(|(place, (begun, ended))| {
            // The sequence ends with the event that fires, not with an earlier one of the last rule.
            let is_end = same(&events[**place], &events[end]);
            let last = 1_u64 << (rules - 1);
            let steps = if is_end {
                **begun & last
            } else {
                **begun & **ended & !last
            };
            steps != 0
        })
        .map(|(&place, _)| place)
        .collect()
}

/// For each event in the order given, the rules that it matches after the rules before were matched by
/// earlier ones; `rule_of` numbers the rules in the direction of the walk.
fn reached(
    events: &[Match],
    places: impl Iterator<Item = usize>,
    rule_of: impl Fn(usize) -> usize,
    rules: usize,
) -> Vec<u64> {
    let mut open: u64 = 1 << rule_of(0);
    // What the event at hand opens counts from the next one on.
    let mut opened = open;
    let mut last: Option<usize> = None;
    let mut reached = Vec::new();
    for place in places {
        if !last.is_some_and(|last| same(&events[last], &events[place])) {
            open = opened;
        }
        let steps = events[place].rules & open;
        for rule in 0..rules.saturating_sub(1) {
            if steps & (1 << rule_of(rule)) != 0 {
                opened |= 1 << rule_of(rule + 1);
            }
        }
        reached.push(steps);
        last = Some(place);
    }
    reached
}

fn same(a: &Match, b: &Match) -> bool {
    (a.batch, a.event) == (b.batch, b.event)
}
