//! The events that a correlation looks at, ready for its windows.

/// One event of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    /// When it happened.
    pub(crate) time: i64,
    /// When it became known that the event is one of the correlation's.
    pub(crate) ingested_at: i64,
    /// The rules that match it, a bit each.
    pub(crate) rules: u64,
    /// Which event: its place among the events of its batch.
    pub(crate) event: u32,
    /// Which batch: 0 for the one at hand, n for the n-th of the history, counted from 1.
    pub(crate) batch: u32,
    /// The number of the value that is counted; [`NONE`](super::NONE) if there is none.
    pub(crate) value: u32,
}

impl Match {
    /// The places of the rules that match the event.
    pub(super) fn rules(&self) -> impl Iterator<Item = usize> + use<> {
        let rules = self.rules;
        (0..64).filter(move |rule| rules & (1 << rule) != 0)
    }
}

/// Events of one batch and correlation by group, those of a group by time and event id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matches {
    pub(crate) events: Vec<Match>,
    /// The number of each group and where its events begin, ascending.
    groups: Vec<(u32, usize)>,
}

impl Matches {
    /// Adds a group, all its events at once, after groups of smaller numbers.
    pub(crate) fn add(&mut self, group: u32, events: impl Iterator<Item = Match>) {
        debug_assert!(self.groups.last().is_none_or(|(last, _)| *last < group));
        self.groups.push((group, self.events.len()));
        self.events.extend(events);
    }

    /// Adds other groups, all of greater numbers.
    pub(crate) fn append(&mut self, other: Self) {
        if self.groups.is_empty() {
            *self = other;
            return;
        }
        let before = self.events.len();
        let groups = other.groups.into_iter();
        self.groups
            .extend(groups.map(|(group, start)| (group, start + before)));
        self.events.extend(other.events);
    }

    /// The numbers of the groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = u32> {
        self.groups.iter().map(|(group, _)| *group)
    }

    /// Gives groups other numbers, in the same order.
    pub(super) fn renumber(&mut self, number: impl Fn(u32) -> u32) {
        for (group, _) in &mut self.groups {
            *group = number(*group);
        }
    }

    /// The events of one group.
    pub(crate) fn group(&self, group: u32) -> &[Match] {
        let Ok(place) = self
            .groups
            .binary_search_by_key(&group, |(group, _)| *group)
        else {
            return &[];
        };
        let next = self.groups.get(place + 1);
        let end = next.map_or(self.events.len(), |(_, start)| *start);
        &self.events[self.groups[place].1..end]
    }

    /// When the last event happened; none without events.
    pub(crate) fn last_time(&self) -> Option<i64> {
        self.events.iter().map(|event| event.time).max()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}
