//! Over the days of a store in ascending order.

use af_model::UtcDay;
use af_model::tables::attack_signals;
use af_rules::{Reads, RuleSet, Walk};
use af_store::{Partitioned, Store, WriteLock, sorted_batch};
use arrow::array::RecordBatch;

use super::days::{Days, own_files};
use super::keep::found_before;
use super::read::events_of;
use super::state::{Detected, DetectedDay};
use super::{OWN_FILES, STATE};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;
use crate::timeline;

/// What one run of the stage did.
#[derive(Clone, Debug, Default)]
pub struct DetectReport {
    /// Days classified in this run.
    pub days_detected: u64,
    /// Days that were up to date.
    pub days_current: u64,
    /// Days among those that were read again because a later one looks back on them.
    pub days_looked_at: u64,
    /// The state after the run.
    pub detected: Detected,
}

/// Brings the store's signals up to date with its events and the rules.
///
/// A day is classified as a whole, because a rule may look for the session of a transaction. Its
/// signals replace those of the same day that this stage wrote before; foreign signal files stay.
///
/// A tenant whose account does not close is named by [`Detected::unclosed`].
///
/// # Errors
/// The store cannot be read or written.
pub fn detect(
    store: &Store,
    lock: &WriteLock,
    rules: &RuleSet,
    progress: &dyn Progress,
) -> Result<DetectReport, Error> {
    let before = Detected::read(store)?;
    let mut detected = Detected::by(rules, before.clone());
    let mut report = DetectReport::default();
    let days = Days::of(store, rules.look_back_days())?;
    let mut walker = Walker::new(store, rules);
    progress.begin("detecting attacks", Some(days.all().len() as u64));
    for day in days.all() {
        if detected.is_current(store, day, &days)? {
            report.days_current += 1;
            progress.advance(1);
            continue;
        }
        let back = days.before(day).map(|(day, _)| *day);
        report.days_looked_at += walker.look_back(back)?;
        let (mut found, mut signals) = walker.detect(day)?;
        found.inputs = days.inputs(day).to_vec();
        found.looked_back = days
            .before(day)
            .map(|(day, names)| (*day, names.clone()))
            .collect();
        let back = found.looked_back.keys();
        let back = back.filter_map(|before| detected.days.get(before)?.latest_ingested);
        found.known_until = back.max().max(found.latest_ingested);
        if let Some(known) = detected.days.get(&day) {
            let is_purged = known.looked_back.keys().any(|day| days.is_purged(*day));
            found.thinned = known.thinned || is_purged;
            if found.thinned {
                signals = found_before(store, day, &signals, known.known_until)?;
                found.signals = signals.num_rows() as u64;
                found.known_until = found.known_until.max(known.known_until);
            }
        }
        replace_signals(store, lock, day, signals)?;
        detected.days.insert(day, found);
        // Written after every day, so that an interrupted run goes on where it stopped.
        store.write_state(lock, STATE, &detected)?;
        report.days_detected += 1;
        progress.advance(1);
    }
    progress.end();
    if before.as_ref() != Some(&detected) {
        store.write_state(lock, STATE, &detected)?;
    }
    report.detected = detected;
    Ok(report)
}

/// The days that [`detect`] would classify; reads names and the state document only.
///
/// # Errors
/// The store cannot be read.
pub fn pending(store: &Store, rules: &RuleSet) -> Result<Vec<UtcDay>, Error> {
    let detected = Detected::by(rules, Detected::read(store)?);
    let days = Days::of(store, rules.look_back_days())?;
    let mut pending = Vec::new();
    for day in days.all() {
        if !detected.is_current(store, day, &days)? {
            pending.push(day);
        }
    }
    Ok(pending)
}

/// A walk of the rules over days that are read from a store.
struct Walker<'a> {
    store: &'a Store,
    walk: Walk<'a>,
    reads: Reads,
    /// The last day the rules have seen.
    seen: Option<UtcDay>,
}

impl<'a> Walker<'a> {
    fn new(store: &'a Store, rules: &'a RuleSet) -> Self {
        Self {
            store,
            walk: rules.walk(),
            reads: rules.reads(),
            seen: None,
        }
    }

    /// Shows the rules those days that they have not seen; how many these were.
    fn look_back(&mut self, days: impl Iterator<Item = UtcDay>) -> Result<u64, Error> {
        let mut looked_at = 0;
        for day in days {
            if self.seen.is_some_and(|seen| day <= seen) {
                continue;
            }
            let events = events_of(self.store, day, &self.reads)?;
            self.walk
                .look_at(day, &events)
                .map_err(|error| unclassified(day, &error))?;
            self.seen = Some(day);
            looked_at += 1;
        }
        Ok(looked_at)
    }

    fn detect(&mut self, day: UtcDay) -> Result<(DetectedDay, RecordBatch), Error> {
        let events = events_of(self.store, day, &self.reads)?;
        let known_type = |name: &str| af_okta::catalogue::event_type(name).is_some();
        let classified = self
            .walk
            .detect(day, &events, &known_type)
            .map_err(|error| unclassified(day, &error))?;
        self.seen = Some(day);
        let signals = sorted_batch(&classified.signals, &attack_signals::TABLE)?;
        let heard = timeline::heard(&events)?;
        let found = DetectedDay {
            classes: classified.accounts,
            latest_ingested: heard.iter().map(|heard| heard.last_known).max(),
            heard,
            signals: signals.num_rows() as u64,
            ..DetectedDay::default()
        };
        Ok((found, signals))
    }
}

/// The events of a day break the contract of their table.
pub(crate) fn unclassified(day: UtcDay, error: &af_rules::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("classify the events of {day}: {error}"),
    )
}

/// Puts the day's signals in the place of those that this stage wrote before.
fn replace_signals(
    store: &Store,
    lock: &WriteLock,
    day: UtcDay,
    signals: RecordBatch,
) -> Result<(), Error> {
    let own = own_files(store, day)?;
    store.replace_day_stream(
        lock,
        Partitioned::Signals,
        day,
        &own,
        OWN_FILES,
        [Ok(signals)],
    )?;
    Ok(())
}
