//! The events of a sliding window, and whether the condition holds over them.

use hashbrown::HashMap;

use super::matches::Match;
use super::rule::{Correlation, Kind};
use super::values::NONE;

/// What a window holds, kept up to date while it slides: each event goes in once and out once.
pub(crate) struct Window<'c> {
    correlation: &'c Correlation,
    events: u64,
    /// How often each value is in the window.
    values: HashMap<u32, u32>,
    /// How often each rule is matched in the window.
    matched: Vec<u32>,
    /// For each rule, the latest beginning of a sequence of the rules up to it.
    begun: Vec<i64>,
    /// The same without the event that came last, so that one event never takes two steps.
    begun_before: Vec<i64>,
    /// The event that came last: its batch and its place there.
    last: Option<(u32, u32)>,
}

impl<'c> Window<'c> {
    pub(crate) fn new(correlation: &'c Correlation) -> Self {
        let rules = correlation.references.len();
        Self {
            correlation,
            events: 0,
            values: HashMap::new(),
            matched: vec![0; rules],
            begun: vec![i64::MIN; rules],
            begun_before: vec![i64::MIN; rules],
            last: None,
        }
    }

    pub(super) fn correlation(&self) -> &'c Correlation {
        self.correlation
    }

    /// As it was when it was new.
    pub(super) fn clear(&mut self) {
        self.events = 0;
        self.values.clear();
        self.matched.fill(0);
        self.begun.fill(i64::MIN);
        self.begun_before.fill(i64::MIN);
        self.last = None;
    }

    /// Takes in the next event and says whether the condition holds at it. Events that left must be
    /// taken out before.
    pub(super) fn push(&mut self, event: &Match) -> bool {
        match self.correlation.kind {
            Kind::EventCount => {
                self.events += 1;
                self.correlation.bound.holds(self.events)
            }
            Kind::ValueCount => {
                if event.value != NONE {
                    *self.values.entry(event.value).or_default() += 1;
                }
                self.correlation.bound.holds(self.values.len() as u64)
            }
            Kind::Temporal => {
                for rule in event.rules() {
                    self.matched[rule] += 1;
                }
                let matched = |rule: usize| self.matched[rule] > 0;
                if let Some(expression) = &self.correlation.expression {
                    return expression.holds(&matched);
                }
                let rules = (0..self.matched.len()).filter(|&rule| matched(rule));
                self.correlation.bound.holds(rules.count() as u64)
            }
            Kind::TemporalOrdered => self.goes_on(event),
        }
    }

    /// Lengthens the sequences that the event goes on; true when it completes one that began inside
    /// the window.
    fn goes_on(&mut self, event: &Match) -> bool {
        if self.last.replace((event.batch, event.event)) != Some((event.batch, event.event)) {
            self.begun_before.copy_from_slice(&self.begun);
        }
        let since = event.time.saturating_sub(self.correlation.timespan_millis);
        let mut completes = false;
        for rule in event.rules() {
            let begun = match rule.checked_sub(1) {
                None => event.time,
                Some(before) => self.begun_before[before],
            };
            self.begun[rule] = self.begun[rule].max(begun);
            completes |= rule + 1 == self.begun.len() && begun >= since;
        }
        completes
    }

    /// Takes out the event that went in first.
    pub(super) fn pop(&mut self, event: &Match) {
        match self.correlation.kind {
            Kind::EventCount => self.events -= 1,
            Kind::ValueCount => {
                if let Some(times) = self.values.get_mut(&event.value) {
                    *times -= 1;
                    if *times == 0 {
                        self.values.remove(&event.value);
                    }
                }
            }
            Kind::Temporal => {
                for rule in event.rules() {
                    self.matched[rule] -= 1;
                }
            }
            // A sequence's beginning is compared with the window when it is completed.
            Kind::TemporalOrdered => {}
        }
    }
}
