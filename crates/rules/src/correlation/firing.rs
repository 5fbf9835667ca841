//! When a correlation fires in one group, and since when that is known.

use super::matches::Match;
use super::rule::Correlation;
use super::window::Window;

/// The condition holds over the window that ends at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Firing {
    /// The first instant at which the events known by then make it hold.
    pub(crate) known_at: i64,
    /// The event's place in the group.
    pub(crate) at: usize,
}

/// All firings of one group at its events from place `from` on, by place.
///
/// The window is one of the correlation's, whatever it held before. `events` are ordered by time, then id. Usually events become known in the order in which they
/// happened; then one pass is enough, because a window is complete when its last event becomes known.
pub(crate) fn firings(window: &mut Window<'_>, events: &[Match], from: usize) -> Vec<Firing> {
    if events.is_sorted_by_key(|event| event.ingested_at) {
        let mut fired = Vec::new();
        slide(
            window,
            events,
            0..events.len(),
            |_| true,
            |at| {
                if at >= from {
                    let known_at = events[at].ingested_at;
                    fired.push(Firing { known_at, at });
                }
            },
        );
        return fired;
    }
    as_it_became_known(window, events, from)
}

/// Adds what became known instant by instant, and looks again at the windows that it touches.
fn as_it_became_known(window: &mut Window<'_>, events: &[Match], from: usize) -> Vec<Firing> {
    let correlation = window.correlation();
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|&place| (events[place].ingested_at, place));
    let mut known = vec![false; events.len()];
    let mut first: Vec<Option<i64>> = vec![None; events.len()];
    for news in order.chunk_by(|&a, &b| events[a].ingested_at == events[b].ingested_at) {
        for &place in news {
            known[place] = true;
        }
        let known_at = events[news[0]].ingested_at;
        for touched in touched(correlation, events, news) {
            slide(
                window,
                events,
                touched,
                |place| known[place],
                |at| {
                    if at >= from {
                        first[at].get_or_insert(known_at);
                    }
                },
            );
        }
    }
    first
        .iter()
        .enumerate()
        .filter_map(|(at, known_at)| {
            Some(Firing {
                known_at: (*known_at)?,
                at,
            })
        })
        .collect()
}

/// The ranges of events whose windows hold one of some events; `news` ascends.
fn touched(
    correlation: &Correlation,
    events: &[Match],
    news: &[usize],
) -> Vec<std::ops::Range<usize>> {
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    for &place in news {
        let until = events[place]
            .time
            .saturating_add(correlation.timespan_millis);
        let end = events.partition_point(|event| event.time <= until);
        match ranges.last_mut() {
            Some(last) if place <= last.end => last.end = last.end.max(end),
            _ => ranges.push(place..end),
        }
    }
    ranges
}

/// Slides the window over the known events and reports those of `ends` at which the condition holds.
fn slide(
    window: &mut Window<'_>,
    events: &[Match],
    ends: std::ops::Range<usize>,
    known: impl Fn(usize) -> bool,
    mut holds_at: impl FnMut(usize),
) {
    let Some(first) = events.get(ends.start) else {
        return;
    };
    window.clear();
    let correlation = window.correlation();
    let begin = start_of_window(correlation, events, first.time);
    let mut oldest = begin;
    for at in (begin..ends.end).filter(|&at| known(at)) {
        let since = events[at].time.saturating_sub(correlation.timespan_millis);
        while events[oldest].time < since {
            if known(oldest) {
                window.pop(&events[oldest]);
            }
            oldest += 1;
        }
        if window.push(&events[at]) && at >= ends.start {
            holds_at(at);
        }
    }
}

/// The place of the first event of a window that ends at `time`.
pub(super) fn start_of_window(correlation: &Correlation, events: &[Match], time: i64) -> usize {
    let since = time.saturating_sub(correlation.timespan_millis);
    events.partition_point(|event| event.time < since)
}
