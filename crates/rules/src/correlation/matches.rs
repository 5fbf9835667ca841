//! The events that a correlation looks at, ready for its windows.

/// One event of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    /// When it happened.
    pub(crate) time: i64,
    /// When it became known that the event is one of the correlation's.
    pub(crate) ingested_at: i64,
    /// Which event: its place among the events of its batch.
    pub(crate) event: u32,
    /// Which batch: 0 for the one at hand, n for the n-th of the history, counted from 1.
    pub(crate) batch: u32,
    /// The rules that match it, a bit each.
    pub(crate) rules: u64,
    /// The value that is counted: a number for equal ones, and a hash where days have to compare.
    pub(crate) value: Option<u128>,
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
    /// The hash of each group and where its events begin; ascending by hash once [`Self::sorted`].
    groups: Vec<(u128, usize)>,
}

impl Matches {
    /// Adds a group, all its events at once.
    pub(crate) fn add(&mut self, group: u128, events: impl Iterator<Item = Match>) {
        self.groups.push((group, self.events.len()));
        self.events.extend(events);
    }

    /// All groups of several parts, none of which is in two of them, so that they can be found.
    pub(crate) fn sorted(parts: impl Iterator<Item = Self>) -> Self {
        let parts: Vec<Self> = parts.collect();
        let mut groups: Vec<(u128, &[Match])> = parts
            .iter()
            .flat_map(|part| {
                let ends = part.groups.iter().skip(1).map(|(_, start)| *start);
                let ends = ends.chain([part.events.len()]);
                let groups = part.groups.iter().zip(ends);
                groups.map(|(&(group, start), end)| (group, &part.events[start..end]))
            })
            .collect();
        groups.sort_unstable_by_key(|(group, _)| *group);
        let mut sorted = Self::default();
        for (group, events) in groups {
            sorted.add(group, events.iter().copied());
        }
        sorted
    }

    /// The events of one group.
    pub(crate) fn group(&self, group: u128) -> &[Match] {
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
