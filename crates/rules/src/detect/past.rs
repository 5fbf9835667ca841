//! What later days need of a day: the events that their windows reach.

use std::collections::VecDeque;

use af_model::UtcDay;
use hashbrown::HashMap;

use crate::columns::frame::Frame;
use crate::columns::rows::row_number;
use crate::correlation::{Correlation, KeptKeys, Keys, Match, Matches, NONE, Plan};
use crate::detect::signal::{Named, required};
use crate::detect::who::Who;
use crate::rule::{Rule, Subject};

/// The days before the one at hand, ascending.
#[derive(Debug, Default)]
pub(crate) struct Past {
    days: VecDeque<PastDay>,
}

/// The events of one day that correlations of later days still look at.
#[derive(Debug)]
pub(crate) struct PastDay {
    day: UtcDay,
    events: PastEvents,
    /// What the numbers in `matches` are places of.
    keys: KeptKeys,
    /// By place of the correlation in the set; [`Match::event`] is a place in `events`.
    matches: HashMap<usize, PastMatches>,
}

/// The events of one correlation, and when the last of them happened.
#[derive(Debug)]
struct PastMatches {
    matches: Matches,
    last_time: i64,
}

/// What findings say about events.
#[derive(Debug, Default)]
struct PastEvents {
    /// Ids in one piece, and where each of them ends.
    ids: String,
    ends: Vec<usize>,
    /// Events of a person come one behind the other.
    people: Vec<Named<'static>>,
    /// By event, the place in `people`.
    person: Vec<usize>,
}

impl Past {
    /// Adds the events of a group since an instant, in their order; [`Match::batch`] tells their day. Groups
    /// and values are numbers of the day at hand.
    pub(crate) fn push_group(
        &self,
        keys: &Keys<'_>,
        correlation: usize,
        group: u32,
        since: i64,
        events: &mut Vec<Match>,
    ) {
        for (day, past) in self.days.iter().enumerate() {
            let found = past.group(keys, correlation, day, group).iter();
            let found = found.filter(|event| event.time >= since);
            events.extend(found.map(|event| Match {
                batch: row_number(day + 1),
                value: keys.value_before(correlation, day, event.value),
                ..*event
            }));
        }
    }

    /// Whether a correlation has events of a group.
    pub(crate) fn has_group(&self, keys: &Keys<'_>, correlation: usize, group: u32) -> bool {
        let mut days = self.days.iter().enumerate();
        days.any(|(day, past)| !past.group(keys, correlation, day, group).is_empty())
    }

    /// When the last event of a correlation happened; none without events.
    pub(crate) fn last_time(&self, correlation: usize) -> Option<i64> {
        let days = self.days.iter();
        days.filter_map(|past| Some(past.matches.get(&correlation)?.last_time))
            .max()
    }

    /// The keys of each day, if a window of a batch can reach it at all.
    pub(crate) fn reached_keys(
        &self,
        rules: &[Rule],
        frame: &Frame,
    ) -> impl Iterator<Item = Option<&KeptKeys>> {
        let times = frame.instant_column("time").values();
        let first = times.iter().copied().min().unwrap_or(i64::MAX);
        self.days.iter().map(move |past| {
            let mut matches = past.matches.iter();
            let is_reached = matches.any(|(place, matches)| {
                let correlation = rules[*place].correlation();
                let span = correlation.map_or(0, Correlation::timespan_millis);
                matches.last_time >= first.saturating_sub(span)
            });
            is_reached.then_some(&past.keys)
        })
    }

    /// Id and person of the event at a place of a batch; none when it is one of the day at hand.
    pub(crate) fn event(&self, batch: u32, event: u32) -> Option<(&str, &Named<'static>)> {
        let day = (batch as usize).checked_sub(1)?;
        self.days.get(day)?.events.get(event as usize)
    }

    /// Adds a day after those before.
    pub(crate) fn push(&mut self, day: PastDay) {
        self.days.push_back(day);
    }

    /// Drops the days that a day does not look back on.
    ///
    /// # Panics
    /// When the day does not come after those before.
    pub(crate) fn forget_before(&mut self, day: UtcDay, plan: &Plan) {
        let is_later = self.days.back().is_none_or(|past| past.day < day);
        assert!(is_later, "days are walked in ascending order");
        let look_back = i64::from(plan.look_back_days());
        while let Some(first) = self.days.front()
            && day.days_since(first.day) > look_back
        {
            self.days.pop_front();
        }
    }
}

impl PastDay {
    /// Keeps of a day what later ones may reach: for each correlation the events from
    /// [`first_reached`] on, whose places are still rows and whose groups and values are still numbers.
    pub(crate) fn of(
        day: UtcDay,
        frame: &Frame,
        who: &Who<'_>,
        keys: &Keys<'_>,
        matches: impl Iterator<Item = (usize, Matches)>,
    ) -> Self {
        let mut matches: Vec<(usize, Matches)> =
            matches.filter(|(_, matches)| !matches.is_empty()).collect();
        let ids = frame.text_column("metadata_uid");
        let mut places = vec![NONE; frame.len()];
        let mut rows: Vec<(usize, i64)> = Vec::new();
        for event in matches.iter().flat_map(|(_, of)| &of.events) {
            let row = event.event as usize;
            if places[row] == NONE {
                places[row] = 0;
                rows.push((row, event.ingested_at));
            }
        }
        // In the order of the table, where the events of a person stand together.
        rows.sort_unstable_by_key(|(row, _)| *row);
        for (place, (row, _)) in rows.iter().enumerate() {
            places[*row] = row_number(place);
        }
        for event in matches.iter_mut().flat_map(|(_, of)| &mut of.events) {
            event.event = places[event.event as usize];
        }
        let mut events = PastEvents::default();
        let bytes = rows.iter().map(|(row, _)| required(&ids, *row).len());
        events.ids.reserve_exact(bytes.sum());
        for (row, known_at) in rows {
            let person = who.named(Subject::Victim, row, known_at);
            events.push(required(&ids, row), person);
        }
        let keys = keys.keep(&mut matches);
        let matches = matches.into_iter().filter_map(|(place, matches)| {
            let last_time = matches.last_time()?;
            Some((place, PastMatches { matches, last_time }))
        });
        Self {
            day,
            events,
            keys,
            matches: matches.collect(),
        }
    }

    /// The events of a group; the day is the place among the days before.
    fn group(&self, keys: &Keys<'_>, correlation: usize, day: usize, group: u32) -> &[Match] {
        let Some(of) = self.matches.get(&correlation) else {
            return &[];
        };
        let place = keys.place_before(correlation, day, group);
        place.map_or(&[], |place| of.matches.group(place))
    }
}

impl PastEvents {
    fn push(&mut self, id: &str, person: Named<'_>) {
        self.ids.push_str(id);
        self.ends.push(self.ids.len());
        if self.people.last() != Some(&person) {
            self.people.push(person.into_owned());
        }
        self.person.push(self.people.len() - 1);
    }

    fn get(&self, event: usize) -> Option<(&str, &Named<'static>)> {
        let end = *self.ends.get(event)?;
        let start = event.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((&self.ids[start..end], &self.people[self.person[event]]))
    }
}

/// The first instant of a day that windows of the next one reach.
pub(crate) fn first_reached(correlation: &Correlation, day: UtcDay) -> i64 {
    day.end()
        .0
        .saturating_add(1)
        .saturating_sub(correlation.timespan_millis())
}
