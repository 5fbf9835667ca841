//! The windows that end on the day at hand.

use af_model::{UtcDay, UtcMillis};
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use crate::columns::frame::Frame;
use crate::columns::rows::Rows;
use crate::correlation::{
    Candidates, Correlation, Firing, Match, Matched, Matches, Plan, findings, firings,
};
use crate::detect::past::{Past, PastDay};
use crate::detect::signal::{Attack, Evidence, Named, required};
use crate::detect::who::Who;
use crate::rule::{Class, Rule, Subject};
use crate::set::tuning::Tuned;

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
}

/// What one correlation sees in the day.
pub(crate) struct Look {
    /// The correlation's place in the set.
    pub(crate) place: usize,
    pub(crate) matches: Matches,
    /// The rows at which it fires and since when that is known, ascending; empty when nobody asks.
    pub(crate) fired: Vec<(u32, i64)>,
    found: Vec<Found>,
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
        Self {
            rules,
            plan,
            tuned,
            past,
            frame,
            rows,
            who,
        }
    }

    /// The rows that rules about one event match, by place of the rule in the set.
    pub(crate) fn rows(&self) -> &[Rows] {
        &self.rows
    }

    /// What later days need of this one.
    pub(crate) fn kept(&self, day: UtcDay, looks: Vec<Look>) -> PastDay {
        let matches = looks.into_iter().map(|look| (look.place, look.matches));
        PastDay::of(day, self.frame, &self.who, matches, self.rules)
    }

    /// Looks at the windows, correlation by correlation, each after those that it refers to. Whom they
    /// hit is only found out when that is asked.
    pub(crate) fn looks(&self, is_asked: bool) -> Vec<Look> {
        let mut looks: Vec<Look> = Vec::new();
        let mut place_of: HashMap<usize, usize> = HashMap::new();
        for &place in &self.plan.order {
            let rule = &self.rules[place];
            let Some(correlation) = rule.correlation() else {
                continue;
            };
            let fired = |other: usize| place_of.get(&other).map(|&at| looks[at].fired.as_slice());
            let mut look = Look {
                place,
                matches: self.collect(place, correlation, fired),
                fired: Vec::new(),
                found: Vec::new(),
            };
            let is_scored = is_asked && rule.class == Class::Attack;
            if is_scored || self.plan.is_referred_to[place] {
                self.fire(correlation, is_scored, &mut look);
            }
            place_of.insert(place, looks.len());
            looks.push(look);
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
                    Some(past) => &*past.id,
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

    /// The day's events of one correlation.
    fn collect<'f>(
        &self,
        place: usize,
        correlation: &Correlation,
        fired: impl Fn(usize) -> Option<&'f [(u32, i64)]>,
    ) -> Matches {
        let ingested = self.frame.instant_column("ingested_at");
        let mut candidates = Candidates::new(correlation, self.frame, &self.who);
        for (rule, &other) in self.plan.references[place].iter().enumerate() {
            let left: Rows;
            let matched: Matched<'_> = if let Some(fired) = fired(other) {
                Box::new(self.not_left_alone(place, fired).into_iter())
            } else {
                let excluded = self.tuned.excluded();
                left = excluded.without(&self.rules[place], self.frame, self.rows[other].clone());
                Box::new(left.iter().map(|row| {
                    let at = u32::try_from(row).expect("a batch has fewer rows than 2^32");
                    (at, ingested.value(row))
                }))
            };
            if rule == 0 || !correlation.is_ordered() {
                candidates.add(rule, matched, &|_| true);
                continue;
            }
            // A later step matters only where an earlier one was taken: usually hardly anywhere.
            let mut begun: HashSet<u128> = self.past.groups(place).collect();
            begun.extend(candidates.groups());
            if !begun.is_empty() {
                candidates.add(rule, matched, &|group| begun.contains(&group));
            }
        }
        candidates.finish()
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

    /// Finds out where the correlation fires on the day at hand and, if it is scored, whom it hits.
    fn fire(&self, correlation: &Correlation, is_scored: bool, look: &mut Look) {
        let place = look.place;
        let groups: Vec<&[Match]> = look
            .matches
            .events
            .chunk_by(|a, b| a.group == b.group)
            .collect();
        let mut fired: Vec<(u32, i64)> = Vec::new();
        let per_group: Vec<_> = groups
            .into_par_iter()
            .map(|today| {
                let since = today[0].time.saturating_sub(correlation.timespan_millis());
                let mut events: Vec<Match> =
                    self.past.group(place, today[0].group, since).collect();
                let from = events.len();
                events.extend_from_slice(today);
                let firings = firings(correlation, &events, from);
                let rows = firings
                    .iter()
                    .map(|firing| (events[firing.at].event, firing.known_at));
                let rows: Vec<(u32, i64)> = rows.collect();
                let is_hit = is_scored && !firings.is_empty();
                let found = is_hit.then(|| self.found(place, correlation, &events, firings));
                (rows, found)
            })
            .collect();
        for (rows, found) in per_group {
            fired.extend(rows);
            look.found.extend(found.into_iter().flatten());
        }
        fired.sort_unstable();
        // A row that fires several times is known since the first.
        fired.dedup_by_key(|(row, _)| *row);
        look.fired = fired;
    }

    /// Whom the firings of a group hit.
    fn found(
        &self,
        place: usize,
        correlation: &Correlation,
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
                Some(past) => past.person.clone(),
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
                group: events[finding.firing.at].group,
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
