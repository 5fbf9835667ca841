//! What later days need of a day: the events that their windows reach.

use std::collections::VecDeque;

use af_model::UtcDay;
use hashbrown::HashMap;

use crate::columns::frame::Frame;
use crate::correlation::{Correlation, Match, Matches, Plan};
use crate::detect::signal::{Named, required};
use crate::detect::who::Who;
use crate::rule::Subject;

/// The days before the one at hand, ascending.
#[derive(Debug, Default)]
pub(crate) struct Past {
    days: VecDeque<PastDay>,
}

/// The events of one day that correlations of later days still look at.
#[derive(Debug)]
pub(crate) struct PastDay {
    day: UtcDay,
    events: Vec<PastEvent>,
    /// By place of the correlation in the set; [`Match::event`] is a place in `events`.
    matches: HashMap<usize, Matches>,
}

/// What a finding says about an event.
#[derive(Debug)]
pub(crate) struct PastEvent {
    pub(crate) id: Box<str>,
    pub(crate) person: Named<'static>,
}

impl Past {
    /// The events of a group since an instant, in their order; [`Match::batch`] tells their day.
    pub(crate) fn group(
        &self,
        correlation: usize,
        group: u128,
        since: i64,
    ) -> impl Iterator<Item = Match> {
        let days = self.days.iter().zip(1_u32..);
        days.filter_map(move |(past, batch)| Some((past.matches.get(&correlation)?, batch)))
            .flat_map(move |(matches, batch)| {
                let events = matches.group(group).iter();
                events
                    .filter(move |event| event.time >= since)
                    .map(move |&event| Match { batch, ..event })
            })
    }

    /// Whether a correlation has events of a group.
    pub(crate) fn has_group(&self, correlation: usize, group: u128) -> bool {
        self.group(correlation, group, i64::MIN).next().is_some()
    }

    /// When the last event of a correlation happened; none without events.
    pub(crate) fn last_time(&self, correlation: usize) -> Option<i64> {
        let days = self.days.iter();
        let last = days.filter_map(|past| past.matches.get(&correlation)?.last_time());
        last.max()
    }

    /// The event at a place of a batch; none when it is one of the day at hand.
    pub(crate) fn event(&self, batch: u32, event: u32) -> Option<&PastEvent> {
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
    /// [`first_reached`] on, whose places are still rows.
    pub(crate) fn of(
        day: UtcDay,
        frame: &Frame,
        who: &Who<'_>,
        matches: impl Iterator<Item = (usize, Matches)>,
    ) -> Self {
        let ids = frame.text_column("metadata_uid");
        let mut kept = Self {
            day,
            events: Vec::new(),
            matches: HashMap::new(),
        };
        let mut places: HashMap<u32, u32> = HashMap::new();
        for (correlation, mut matches) in matches.filter(|(_, matches)| !matches.is_empty()) {
            for event in &mut matches.events {
                let (row, known_at) = (event.event as usize, event.ingested_at);
                event.event = *places.entry(event.event).or_insert_with(|| {
                    kept.events.push(PastEvent {
                        id: required(&ids, row).into(),
                        person: who.named(Subject::Victim, row, known_at).into_owned(),
                    });
                    u32::try_from(kept.events.len() - 1).expect("a batch has fewer rows than 2^32")
                });
            }
            kept.matches.insert(correlation, matches);
        }
        kept
    }
}

/// The first instant of a day that windows of the next one reach.
pub(crate) fn first_reached(correlation: &Correlation, day: UtcDay) -> i64 {
    day.end()
        .0
        .saturating_add(1)
        .saturating_sub(correlation.timespan_millis())
}
