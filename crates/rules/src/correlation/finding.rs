//! Whom the firings of a group hit.

use af_model::time::DAY_MILLIS;
use hashbrown::{HashMap, HashSet};

use super::firing::{Firing, start_of_window};
use super::matches::Match;
use super::rule::Correlation;
use super::sequence::takes_part;
use crate::rule::Subject;

/// One person, hit by one correlation in one group on one UTC day; places are those in the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The firing that stands for the day, and since when it is known that it hit the person.
    pub(crate) firing: Firing,
    /// An event that names the person.
    pub(crate) person: usize,
    /// The events behind the finding, ascending; of more than a thousand the last.
    pub(crate) evidence: Vec<usize>,
}

/// The findings of a group: per UTC day and person the firing that was first known to hit them, and
/// among those the earliest.
///
/// `people` tells, place by place, whom an event is about. With [`Subject::AllInGroup`] everybody in the
/// window is hit, and the evidence is what was done to that person; otherwise the firing's own person is
/// hit, and the evidence is the window, of an ordered correlation the events that take part in the order.
pub(crate) fn findings(
    correlation: &Correlation,
    subject: Subject,
    events: &[Match],
    mut firings: Vec<Firing>,
    people: &[Option<&str>],
) -> Vec<Finding> {
    firings.sort_unstable();
    match subject {
        Subject::Victim | Subject::Operator => of_firings(correlation, events, &firings, people),
        Subject::AllInGroup => of_windows(correlation, events, &firings, people),
    }
}

/// How many events stand behind a finding at the most. Thousands of people behind one address would each
/// have all that was done from there.
const MAX_EVENTS: usize = 1000;

/// Of too many events those last in the window.
fn keep_last(evidence: &mut Vec<usize>) {
    evidence.drain(..evidence.len().saturating_sub(MAX_EVENTS));
}

fn day(event: &Match) -> i64 {
    event.time.div_euclid(DAY_MILLIS)
}

fn of_firings(
    correlation: &Correlation,
    events: &[Match],
    firings: &[Firing],
    people: &[Option<&str>],
) -> Vec<Finding> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for &firing in firings {
        let event = &events[firing.at];
        if seen.insert((day(event), people[firing.at])) {
            let begin = start_of_window(correlation, events, event.time);
            let mut evidence: Vec<usize> = (begin..=firing.at)
                .filter(|&place| events[place].ingested_at <= firing.known_at)
                .collect();
            if correlation.is_ordered() {
                evidence = takes_part(correlation, events, &evidence);
            }
            keep_last(&mut evidence);
            found.push(Finding {
                firing,
                person: firing.at,
                evidence,
            });
        }
    }
    found
}

fn of_windows(
    correlation: &Correlation,
    events: &[Match],
    firings: &[Firing],
    people: &[Option<&str>],
) -> Vec<Finding> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, name) in people.iter().enumerate() {
        if let Some(name) = name {
            places.entry(name).or_default().push(place);
        }
    }
    // Per day and person: since when it is known that they were hit, the firing, and an event of theirs.
    let mut hits: HashMap<(i64, &str), (i64, usize, usize)> = HashMap::new();
    let same_look = |a: &Firing, b: &Firing| {
        (a.known_at, day(&events[a.at])) == (b.known_at, day(&events[b.at]))
    };
    for look in firings.chunk_by(same_look) {
        // Windows of one look overlap: an event in one of them has been seen with its earliest firing.
        let mut done = 0;
        for &firing in look {
            let end = &events[firing.at];
            let begin = start_of_window(correlation, events, end.time);
            for place in begin.max(done)..=firing.at {
                let Some(name) = people[place] else { continue };
                // An event that becomes known after the firing is in its window all the same.
                let known_at = firing.known_at.max(events[place].ingested_at);
                let hit = (known_at, firing.at, place);
                let first = hits.entry((day(end), name)).or_insert(hit);
                *first = hit.min(*first);
            }
            done = firing.at + 1;
        }
    }
    let mut hits: Vec<_> = hits.into_iter().collect();
    hits.sort_unstable();
    let findings = hits.into_iter().map(|((_, name), (known_at, at, person))| {
        let begin = start_of_window(correlation, events, events[at].time);
        let own = places[name].iter().copied();
        let mut evidence = own
            .filter(|own| (begin..=at).contains(own))
            .filter(|&own| events[own].ingested_at <= known_at)
            .collect();
        keep_last(&mut evidence);
        Finding {
            firing: Firing { known_at, at },
            person,
            evidence,
        }
    });
    findings.collect()
}
