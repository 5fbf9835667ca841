//! From identity events to attack signals: every day whose events or rules changed is classified anew.

use std::collections::BTreeMap;
use std::path::PathBuf;

use af_model::accounting::{ClassAccount, PerTenant};
use af_model::tables::{attack_signals, identity_events};
use af_model::{UtcDay, UtcMillis};
use af_rules::RuleSet;
use af_store::{MergedBatches, Partitioned, Scan, Store, WriteLock};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::pipeline::LeftOut;
use crate::progress::Progress;
use crate::timeline::{self, Heard};

/// The state document that remembers what was detected from what.
const STATE: &str = "detect";

/// How the names of the signal files begin that this stage owns.
pub(crate) const OWN_FILES: &str = "detected-";

/// Rises when the same events and rules give other signals, or when this document changes its
/// shape: every day is then detected anew.
const SHAPE: u32 = 2;

/// What is known of every day's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detected {
    /// By which version of this stage; 0 for the first.
    #[serde(default)]
    shape: u32,
    /// Hash of the rules that were used.
    pub rules_hash: String,
    /// By day.
    pub days: BTreeMap<UtcDay, DetectedDay>,
}

/// What is known of one day's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetectedDay {
    /// The files of events it was made from, by name; names tell the content.
    pub inputs: Vec<String>,
    /// What every event was taken for.
    pub classes: PerTenant<ClassAccount>,
    /// What was heard of each tenant and integration.
    #[serde(default)]
    pub heard: Vec<Heard>,
    /// The latest instant at which one of the events became known.
    pub latest_ingested: Option<UtcMillis>,
    /// Signals found.
    pub signals: u64,
}

/// What one run of the stage did.
#[derive(Clone, Debug, Default)]
pub struct DetectReport {
    /// Days classified in this run.
    pub days_detected: u64,
    /// Days that were up to date.
    pub days_current: u64,
    /// The state after the run.
    pub detected: Detected,
}

impl Detected {
    /// What every event in the store was taken for, per tenant.
    pub fn classes(&self) -> PerTenant<ClassAccount> {
        let mut all = PerTenant::<ClassAccount>::new();
        for day in self.days.values() {
            for (tenant, account) in &day.classes {
                *all.entry(tenant.clone()).or_default() += *account;
            }
        }
        all
    }

    /// Tenants whose events did not all get a class, with the day and the account that does not
    /// close. Nothing about them can be trusted, so they are left out of a snapshot.
    pub fn unclosed(&self) -> LeftOut {
        let mut unclosed = LeftOut::new();
        for (day, found) in &self.days {
            for (tenant, account) in &found.classes {
                if !account.closes() {
                    let reason =
                        format!("the account of events of {day} does not close: {account:?}");
                    unclosed.entry(tenant.clone()).or_insert(reason);
                }
            }
        }
        unclosed
    }

    /// Whether a day was detected from these files, and whether the signals that were found are still there.
    fn is_current(&self, store: &Store, day: UtcDay, inputs: &[String]) -> Result<bool, Error> {
        let Some(known) = self.days.get(&day).filter(|known| known.inputs == inputs) else {
            return Ok(false);
        };
        Ok(known.signals == 0 || !own_files(store, day)?.is_empty())
    }

    /// The latest instant at which an event became known.
    pub fn latest_ingested(&self) -> Option<UtcMillis> {
        self.days
            .values()
            .filter_map(|day| day.latest_ingested)
            .max()
    }
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
    let before: Option<Detected> = store.read_state(STATE)?;
    let mut detected = as_detected_by(rules, before.clone());
    let mut report = DetectReport::default();
    let days = store.days(Partitioned::Events)?;
    progress.begin("detecting attacks", Some(days.len() as u64));
    for &day in &days {
        let inputs = file_names(&store.day_files(Partitioned::Events, day)?);
        if detected.is_current(store, day, &inputs)? {
            report.days_current += 1;
            progress.advance(1);
            continue;
        }
        let (found, signals) = classify_day(store, rules, day, inputs)?;
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

/// Follows the files of a day's events to their new names, when they still hold the same events.
pub(crate) fn renamed_inputs(
    store: &Store,
    lock: &WriteLock,
    day: UtcDay,
    before: &[PathBuf],
    after: &[PathBuf],
) -> Result<(), Error> {
    let mut detected: Detected = store.read_state(STATE)?.unwrap_or_default();
    match detected.days.get_mut(&day) {
        Some(known) if known.inputs == file_names(before) => known.inputs = file_names(after),
        // Never classified, or not up to date: it will be.
        _ => return Ok(()),
    }
    Ok(store.write_state(lock, STATE, &detected)?)
}

/// Forgets days whose events are no longer in the store.
pub(crate) fn forget_days(store: &Store, lock: &WriteLock, before: UtcDay) -> Result<(), Error> {
    let Some(mut detected) = store.read_state::<Detected>(STATE)? else {
        return Ok(());
    };
    let kept = detected.days.split_off(&before);
    if detected.days.is_empty() {
        return Ok(());
    }
    detected.days = kept;
    Ok(store.write_state(lock, STATE, &detected)?)
}

/// The days that [`detect`] would classify; reads names and the state document only.
///
/// # Errors
/// The store cannot be read.
pub fn pending(store: &Store, rules: &RuleSet) -> Result<Vec<UtcDay>, Error> {
    let detected = as_detected_by(rules, store.read_state(STATE)?);
    let mut pending = Vec::new();
    for day in store.days(Partitioned::Events)? {
        let inputs = file_names(&store.day_files(Partitioned::Events, day)?);
        if !detected.is_current(store, day, &inputs)? {
            pending.push(day);
        }
    }
    Ok(pending)
}

/// What is known already, nothing of it if other rules found it.
fn as_detected_by(rules: &RuleSet, before: Option<Detected>) -> Detected {
    let rules_hash = rules.hash().to_string();
    before
        .filter(|detected| detected.rules_hash == rules_hash && detected.shape == SHAPE)
        .unwrap_or(Detected {
            shape: SHAPE,
            rules_hash,
            ..Detected::default()
        })
}

/// The files of a day's signals that this stage wrote, without extension.
fn own_files(store: &Store, day: UtcDay) -> Result<Vec<String>, Error> {
    Ok(file_names(&store.day_files(Partitioned::Signals, day)?)
        .into_iter()
        .filter_map(|name| name.strip_suffix(".parquet").map(str::to_owned))
        .filter(|name| name.starts_with(OWN_FILES))
        .collect())
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

fn classify_day(
    store: &Store,
    rules: &RuleSet,
    day: UtcDay,
    inputs: Vec<String>,
) -> Result<(DetectedDay, RecordBatch), Error> {
    let mut batches = Vec::new();
    let files = store.day_files(Partitioned::Events, day)?;
    for batch in MergedBatches::open(&identity_events::TABLE, &files, None, Scan::Dictionaries)? {
        batches.push(batch?);
    }
    let events =
        concat_batches(&identity_events::TABLE.scan_schema(), &batches).map_err(|error| {
            Error::new(
                ErrorKind::Io,
                format!("collect the events of {day}: {error}"),
            )
        })?;
    let known_type = |name: &str| af_okta::catalogue::event_type(name).is_some();
    let classified = rules.classify(&events, &known_type).map_err(|error| {
        Error::new(
            ErrorKind::Io,
            format!("classify the events of {day}: {error}"),
        )
    })?;
    let signals = af_store::sorted_batch(&classified.signals, &attack_signals::TABLE)?;
    let heard = timeline::heard(&events)?;
    let found = DetectedDay {
        inputs,
        classes: classified.accounts,
        latest_ingested: heard.iter().map(|heard| heard.last_known).max(),
        heard,
        signals: signals.num_rows() as u64,
    };
    Ok((found, signals))
}

pub(crate) fn file_names(paths: &[PathBuf]) -> Vec<String> {
    paths
        .iter()
        .map(|path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}
