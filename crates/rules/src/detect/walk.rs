//! Days in ascending order: every event classified, every window looked at.

use af_model::UtcDay;
use af_model::accounting::ClassAccount;
use arrow::array::RecordBatch;

use crate::columns::frame::Frame;
use crate::columns::rows::Rows;
use crate::correlation::Plan;
use crate::detect::classify::{Classified, classify, matches};
use crate::detect::past::{Past, PastDay};
use crate::detect::signal::signals;
use crate::detect::today::Today;
use crate::error::Error;
use crate::rule::Rule;
use crate::set::reads::Reads;
use crate::set::tuning::Tuned;

/// Goes over days in ascending order. A correlation sees the events of the days before as far as it
/// looks back; a day that is left out counts as one without events.
///
/// What is kept of the days before are the events that correlations look at, as long as one of them
/// looks back on them, and nothing else.
#[derive(Debug)]
pub struct Walk<'r> {
    rules: &'r [Rule],
    tuned: Tuned,
    plan: Plan,
    columns: Vec<&'static str>,
    past: Past,
}

impl<'r> Walk<'r> {
    pub(crate) fn new(rules: &'r [Rule], tuned: Tuned) -> Self {
        Self {
            rules,
            tuned,
            plan: Plan::of(rules),
            columns: Reads::of(rules).columns(),
            past: Past::default(),
        }
    }

    /// Takes in a day only for what later days look back on: no accounts, no signals.
    ///
    /// # Errors
    /// [`crate::ErrorKind::BrokenTable`] when the batch breaks the contract of `identity_events`.
    ///
    /// # Panics
    /// When this day or a later one was taken in before.
    pub fn look_at(&mut self, day: UtcDay, events: &RecordBatch) -> Result<(), Error> {
        self.past.forget_before(day, &self.plan);
        let frame = self.frame(events)?;
        let today = self.today(&frame, |place| self.plan.is_referred_to[place]);
        let looks = today.looks(Some(day), false);
        let kept = today.kept(day, looks);
        drop(today);
        self.past.push(kept);
        Ok(())
    }

    /// Classifies a day: every event gets one class, every attack gives one signal per person and
    /// component, and what correlations find is among the signals.
    ///
    /// # Errors
    /// [`crate::ErrorKind::BrokenTable`] when the batch breaks the contract of `identity_events`.
    ///
    /// # Panics
    /// When this day or a later one was taken in before.
    pub fn detect(
        &mut self,
        day: UtcDay,
        events: &RecordBatch,
        known_type: &dyn Fn(&str) -> bool,
    ) -> Result<Classified, Error> {
        self.past.forget_before(day, &self.plan);
        let frame = self.frame(events)?;
        let (classified, kept) = self.classified(&frame, Some(day), known_type);
        if let Some(kept) = kept {
            self.past.push(kept);
        }
        Ok(classified)
    }

    /// Classifies a batch on its own: no day looks back on another.
    pub(crate) fn classify(
        &self,
        events: &RecordBatch,
        known_type: &dyn Fn(&str) -> bool,
    ) -> Result<Classified, Error> {
        let frame = self.frame(events)?;
        let (classified, _) = self.classified(&frame, None, known_type);
        Ok(classified)
    }

    /// What the events came to, and what the days after this one need of them.
    fn classified(
        &self,
        frame: &Frame,
        day: Option<UtcDay>,
        known_type: &dyn Fn(&str) -> bool,
    ) -> (Classified, Option<PastDay>) {
        let today = self.today(frame, |_| true);
        let (accounts, mut attacks) = classify(self.rules, frame, today.rows(), known_type);
        debug_assert!(accounts.values().all(ClassAccount::closes));
        let mut looks = today.looks(day, true);
        for look in &mut looks {
            attacks.extend(today.attacks(look));
        }
        let signals = signals(frame, &attacks);
        let kept = day.map(|day| today.kept(day, looks));
        (Classified { accounts, signals }, kept)
    }

    /// The correlations that fire in a batch on its own, of those that somebody asks for; places in the
    /// set, ascending.
    pub(crate) fn firing(&self, frame: &Frame) -> Vec<usize> {
        let today = self.today(frame, |place| self.plan.is_referred_to[place]);
        let looks = today.looks(None, true).into_iter();
        let mut places: Vec<usize> = looks
            .filter(|look| !look.fired.is_empty())
            .map(|look| look.place)
            .collect();
        places.sort_unstable();
        places
    }

    /// For every event of a batch, whether a window may look at it, whatever it is taken for by itself.
    pub(crate) fn looked_at(&self, events: &RecordBatch) -> Result<Vec<bool>, Error> {
        let frame = self.frame(events)?;
        let today = self.today(&frame, |place| self.plan.is_referred_to[place]);
        let rows = Rows::union(frame.len(), today.rows().iter());
        Ok((0..frame.len()).map(|row| rows.contains(row)).collect())
    }

    /// Events with what the rules were told about them.
    pub(crate) fn frame(&self, events: &RecordBatch) -> Result<Frame, Error> {
        let frame = Frame::of_columns(events, &self.columns)?;
        Ok(frame.with_own_networks(self.tuned.own_networks()))
    }

    /// The day at hand, with the rows that the wanted rules match.
    fn today<'a>(&'a self, frame: &'a Frame, wanted: impl Fn(usize) -> bool + Sync) -> Today<'a> {
        let rows = matches(self.rules, self.tuned.excluded(), frame, wanted);
        Today::new(self.rules, &self.plan, &self.tuned, &self.past, frame, rows)
    }
}
