//! The windows that end on the day at hand.

use af_model::{UtcDay, UtcMillis};
use hashbrown::HashMap;
use rayon::prelude::*;

use crate::columns::frame::Frame;
use crate::columns::rows::{Rows, row_number};
use crate::correlation::{
    Candidate, Candidates, Correlation, Firing, Keys, Match, Matches, Plan, Window, findings,
    firings,
};
use crate::detect::past::{Past, PastDay, first_reached};
use crate::detect::signal::{Attack, Evidence, Named, required};
use crate::detect::who::Who;
use crate::rule::{Class, Rule, Subject};
use crate::set::tuning::Tuned;

/// Groups that are looked at in one go: most are small and come to nothing.
const GROUPS_AT_ONCE: usize = 256;

/// The day at hand: its events, the rows that rules match, and the days before.
pub(crate) struct Today<'a> {
    rules: &'a [Rule],
    plan: &'a Plan,
    tuned: &'a Tuned,
    past: &'a Past,
    frame: &'a Frame,
    /// By place of the rule in the set.
    rows: Vec<Rows>,
    who: Who<'a>,
    keys: Keys<'a>,
}

/// What one correlation sees in the day.
#[derive(Default)]
pub(crate) struct Look {
    /// The correlation's place in the set.
    pub(crate) place: usize,
    /// The rows at which it fires and since when that is known, ascending; empty when nobody asks.
    pub(crate) fired: Vec<(u32, i64)>,
    found: Vec<Found>,
    /// The events that later days reach.
    kept: Matches,
}

/// One person hit.
struct Found {
    row: usize,
    known_at: i64,
    group: u128,
    named: Named<'static>,
    /// The events behind it, in their order: batch and place in it.
    evidence: Vec<(u32, u32)>,
}

/// What is asked of a correlation's windows.
struct Question<'q> {
    place: usize,
    correlation: &'q Correlation,
    candidates: Candidates<'q>,
    /// Whether it matters where it fires, and whom that hits.
    fires: bool,
    is_scored: bool,
    /// From when on later days reach its events, if there are any.
    kept_since: Option<i64>,
    /// When the last event of the days before happened.
    last_before: Option<i64>,
}

/// Room to look at one group after the other.
struct Room<'c> {
    events: Vec<Match>,
    seen: Vec<u32>,
    window: Window<'c>,
}

impl<'c> Room<'c> {
    fn new(correlation: &'c Correlation) -> Self {
        Self {
            events: Vec::new(),
            seen: Vec::new(),
            window: Window::new(correlation),
        }
    }
}

impl<'a> Today<'a> {
    pub(crate) fn new(
        rules: &'a [Rule],
        plan: &'a Plan,
        tuned: &'a Tuned,
        past: &'a Past,
        frame: &'a Frame,
        rows: Vec<Rows>,
    ) -> Self {
        let referred = rows.iter().zip(&plan.is_referred_to);
        let referred = referred.filter(|(_, is_referred_to)| **is_referred_to);
        let looked_at = Rows::union(frame.len(), referred.map(|(rows, _)| rows));
        let who = Who::of(frame, looked_at.iter());
        let keys = Keys::of(rules, plan, frame, &who, &rows, past);
        Self {
            rules,
            plan,
            tuned,
            past,
            frame,
            rows,
            who,
            keys,
        }
    }

    /// The rows that rules about one event match, by place of the rule in the set.
    pub(crate) fn rows(&self) -> &[Rows] {
        &self.rows
    }

    /// What later days need of this one.
    pub(crate) fn kept(&self, day: UtcDay, looks: Vec<Look>) -> PastDay {
        let matches = looks.into_iter().map(|look| (look.place, look.kept));
        PastDay::of(day, self.frame, &self.who, &self.keys, matches)
    }

    /// Looks at the windows, correlation by correlation, each after those that it refers to. Whom they
    /// hit is only found out when that is asked. What days after `day` reach is kept; nothing without one.
    pub(crate) fn looks(&self, day: Option<UtcDay>, is_asked: bool) -> Vec<Look> {
        let mut looks: Vec<Look> = Vec::new();
        let mut place_of: HashMap<usize, usize> = HashMap::new();
        let mut order = self.plan.order.as_slice();
        while !order.is_empty() {
            // Those that wait for none of the others, all at once.
            let is_ready = |place: &usize| {
                let mut others = self.plan.references[*place].iter();
                others.all(|other| {
                    self.rules[*other].correlation().is_none() || place_of.contains_key(other)
                })
            };
            let ready = order.iter().take_while(|place| is_ready(place)).count();
            let (now, later) = order.split_at(ready.max(1));
            let fired = |other: usize| place_of.get(&other).map(|&at| looks[at].fired.as_slice());
            let found: Vec<Look> = now
                .par_iter()
                .filter_map(|&place| {
                    let correlation = self.rules[place].correlation()?;
                    Some(self.look(place, correlation, day, is_asked, fired))
                })
                .collect();
            for look in found {
                place_of.insert(look.place, looks.len());
                looks.push(look);
            }
            order = later;
        }
        looks
    }

    /// The attacks that a look has found; it keeps the rest.
    pub(crate) fn attacks(&self, look: &mut Look) -> impl Iterator<Item = Attack<'a>> {
        let (rule, past) = (&self.rules[look.place], self.past);
        let ids = self.frame.text_column("metadata_uid");
        std::mem::take(&mut look.found)
            .into_iter()
            .map(move |found| {
                let id = |&(batch, event): &(u32, u32)| match past.event(batch, event) {
                    Some((id, _)) => id,
                    None => required(&ids, event as usize),
                };
                let mut events: Vec<&str> = found.evidence.iter().map(id).collect();
                // In temporal correlations an event may be there twice.
                events.dedup();
                Attack {
                    row: found.row,
                    rule,
                    level: rule.level,
                    named: found.named,
                    known_at: UtcMillis(found.known_at),
                    window: Some(Evidence {
                        events,
                        group: found.group,
                    }),
                }
            })
    }

    /// Looks at the windows of one correlation.
    fn look<'f>(
        &self,
        place: usize,
        correlation: &Correlation,
        day: Option<UtcDay>,
        is_asked: bool,
        fired: impl Fn(usize) -> Option<&'f [(u32, i64)]>,
    ) -> Look {
        let is_scored = is_asked && self.rules[place].class == Class::Attack;
        let question = Question {
            place,
            correlation,
            candidates: self.collect(place, correlation, fired),
            fires: is_scored || self.plan.is_referred_to[place],
            is_scored,
            kept_since: day.map(|day| first_reached(correlation, day)),
            last_before: self.past.last_time(place),
        };
        let groups = question.candidates.groups();
        let parts: Vec<Look> = groups
            .par_chunks(GROUPS_AT_ONCE)
            .map(|groups| {
                let mut part = Look::default();
                let mut room = Room::new(correlation);
                for group in groups {
                    self.look_at_group(&question, group, &mut part, &mut room);
                }
                part
            })
            .collect();
        let mut look = Look {
            place,
            ..Look::default()
        };
        for part in parts {
            look.fired.extend(part.fired);
            look.found.extend(part.found);
            look.kept.append(part.kept);
        }
        look.fired.sort_unstable();
        // A row that fires several times is known since the first.
        look.fired.dedup_by_key(|(row, _)| *row);
        look
    }

    /// The day's events of one correlation, by group.
    fn collect<'c, 'f>(
        &'c self,
        place: usize,
        correlation: &'c Correlation,
        fired: impl Fn(usize) -> Option<&'f [(u32, i64)]>,
    ) -> Candidates<'c> {
        let ingested = self.frame.instant_column("ingested_at");
        let (frame, who, keys) = (self.frame, &self.who, &self.keys);
        let mut candidates = Candidates::new(place, correlation, frame, who, keys);
        let times = self.frame.instant_column("time");
        let last_before = self.past.last_time(place);
        let reaches_back = |row: u32| {
            let since = times
                .value(row as usize)
                .saturating_sub(correlation.timespan_millis());
            last_before.is_some_and(|last| last >= since)
        };
        for (rule, &other) in self.plan.references[place].iter().enumerate() {
            let is_later_step = rule > 0 && correlation.is_ordered();
            // A later step matters only where an earlier one was taken: usually hardly anywhere.
            if is_later_step && candidates.is_empty() && last_before.is_none() {
                continue;
            }
            let mut begun = candidates.begun(is_later_step);
            let wanted = |candidate: Candidate| {
                let had_group = || self.past.has_group(&self.keys, place, candidate.group);
                !is_later_step
                    || begun.is_begun(candidate, || reaches_back(candidate.row).then(had_group))
            };
            if let Some(fired) = fired(other) {
                candidates.add(rule, self.not_left_alone(place, fired).into_iter(), wanted);
            } else {
                let excluded = self.tuned.excluded();
                let rows = self.rows[other].clone();
                let left = excluded.without(&self.rules[place], self.frame, rows);
                let rows = left
                    .iter()
                    .map(|row| (row_number(row), ingested.value(row)));
                candidates.add(rule, rows, wanted);
            }
        }
        candidates.group();
        candidates
    }

    /// The firings of another correlation that this one does not leave alone.
    fn not_left_alone(&self, place: usize, fired: &[(u32, i64)]) -> Vec<(u32, i64)> {
        let (rule, excluded) = (&self.rules[place], self.tuned.excluded());
        if !excluded.concerns(rule) {
            return fired.to_vec();
        }
        let rows = fired.iter().map(|(row, _)| *row).collect();
        let left = excluded.without(rule, self.frame, Rows::from_sorted(self.frame.len(), rows));
        let is_left = |row: u32| left.contains(row as usize);
        fired
            .iter()
            .copied()
            .filter(|(row, _)| is_left(*row))
            .collect()
    }

    /// Finds out where the correlation fires in a group on the day at hand and, if it is scored, whom it
    /// hits; keeps the events that later days reach.
    fn look_at_group(
        &self,
        question: &Question<'_>,
        group: &[Candidate],
        part: &mut Look,
        room: &mut Room<'_>,
    ) {
        let (place, correlation) = (question.place, question.correlation);
        let candidates = &question.candidates;
        let times = || group.iter().map(|row| candidates.time(row));
        let first = times().min().unwrap_or(i64::MAX);
        let since = first.saturating_sub(correlation.timespan_millis());
        let reaches_back = question.last_before.is_some_and(|last| last >= since);
        let is_reached = |time: i64| question.kept_since.is_some_and(|since| time >= since);
        let is_kept = times().any(is_reached);
        let Room {
            events,
            seen,
            window,
        } = room;
        events.clear();
        if question.fires && reaches_back {
            let (past, number) = (self.past, group[0].group);
            past.push_group(&self.keys, place, number, since, events);
        }
        let from = events.len();
        let may_fire = question.fires && candidates.may_hold(events, group, seen);
        if !is_kept && !may_fire {
            return;
        }
        candidates.push_events(group, events);
        if is_kept {
            let today = events[from..].iter().copied();
            let kept = today.filter(|event| is_reached(event.time));
            part.kept.add(group[0].group, kept);
        }
        if !may_fire {
            return;
        }
        let firings = firings(window, events, from);
        let rows = firings.iter();
        part.fired
            .extend(rows.map(|firing| (events[firing.at].event, firing.known_at)));
        if question.is_scored && !firings.is_empty() {
            let group = candidates.hash_of_group(group[0]);
            let found = self.found(place, correlation, group, events, firings);
            part.found.extend(found);
        }
    }

    /// Whom the firings of a group hit.
    fn found(
        &self,
        place: usize,
        correlation: &Correlation,
        group: u128,
        events: &[Match],
        firings: Vec<Firing>,
    ) -> Vec<Found> {
        let subject = self.rules[place].subject;
        let mut named: Vec<Option<Named<'_>>> = events.iter().map(|_| None).collect();
        let all = 0..events.len();
        let asked: Box<dyn Iterator<Item = usize>> = match subject {
            Subject::AllInGroup => Box::new(all),
            Subject::Victim | Subject::Operator => Box::new(firings.iter().map(|firing| firing.at)),
        };
        for place in asked {
            let event = &events[place];
            named[place] = Some(match self.past.event(event.batch, event.event) {
                Some((_, person)) => person.clone(),
                None => self
                    .who
                    .named(subject, event.event as usize, event.ingested_at),
            });
        }
        let references: Vec<Option<&str>> = named
            .iter()
            .map(|named| named.as_ref()?.reference.as_deref())
            .collect();
        findings(correlation, subject, events, firings, &references)
            .into_iter()
            .map(|finding| Found {
                row: events[finding.firing.at].event as usize,
                known_at: finding.firing.known_at,
                group,
                named: named[finding.person]
                    .clone()
                    .unwrap_or_default()
                    .into_owned(),
                evidence: finding
                    .evidence
                    .iter()
                    .map(|&place| (events[place].batch, events[place].event))
                    .collect(),
            })
            .collect()
    }
}
