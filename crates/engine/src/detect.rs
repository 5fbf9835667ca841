//! From identity events to attack signals: every day whose events or rules changed is classified anew.

use std::collections::BTreeMap;
use std::path::PathBuf;

use af_model::accounting::{ClassAccount, PerTenant};
use af_model::manifest::Feed;
use af_model::tables::{attack_signals, identity_events};
use af_model::{UtcDay, UtcMillis};
use af_rules::RuleSet;
use af_store::{MergedBatches, Partitioned, Scan, Store, WriteLock};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::progress::Progress;

/// The state document that remembers what was detected from what.
const STATE: &str = "detect";

/// How the names of the signal files begin that this stage owns.
const OWN_FILES: &str = "detected-";

/// What is known of every day's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detected {
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
    /// What was heard of each tenant.
    pub feeds: PerTenant<Feed>,
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

    /// What was heard of each tenant, over all days.
    pub fn feeds(&self) -> PerTenant<Feed> {
        let mut all = PerTenant::<Feed>::new();
        for day in self.days.values() {
            for (tenant, feed) in &day.feeds {
                let entry = all.entry(tenant.clone()).or_default();
                entry.first = [entry.first, feed.first].into_iter().flatten().min();
                entry.last = entry.last.max(feed.last);
                entry.integrations.extend(feed.integrations.iter().cloned());
                entry.integrations.sort_unstable();
                entry.integrations.dedup();
            }
        }
        all
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
/// # Errors
/// The store cannot be read or written, or an account does not close.
pub fn detect(
    store: &Store,
    lock: &WriteLock,
    rules: &RuleSet,
    progress: &dyn Progress,
) -> Result<DetectReport, Error> {
    let rules_hash = rules.hash().to_string();
    let mut detected: Detected = store.read_state(STATE)?.unwrap_or_default();
    let mut report = DetectReport::default();
    if detected.rules_hash != rules_hash {
        detected = Detected {
            rules_hash,
            ..Detected::default()
        };
    }
    let days = store.days(Partitioned::Events)?;
    progress.begin("detecting attacks", Some(days.len() as u64));
    for &day in &days {
        let inputs = file_names(&store.day_files(Partitioned::Events, day)?);
        if detected
            .days
            .get(&day)
            .is_some_and(|known| known.inputs == inputs)
        {
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
    store.write_state(lock, STATE, &detected)?;
    report.detected = detected;
    Ok(report)
}

/// Puts the day's signals in the place of those that this stage wrote before.
fn replace_signals(
    store: &Store,
    lock: &WriteLock,
    day: UtcDay,
    signals: RecordBatch,
) -> Result<(), Error> {
    let own: Vec<String> = file_names(&store.day_files(Partitioned::Signals, day)?)
        .into_iter()
        .filter_map(|name| name.strip_suffix(".parquet").map(str::to_owned))
        .filter(|name| name.starts_with(OWN_FILES))
        .collect();
    let table = &attack_signals::TABLE;
    let content = af_store::content_hash(table, [Ok(signals.clone())], &[])?;
    let name = format!("{OWN_FILES}{content}");
    store.replace_day_files(lock, Partitioned::Signals, day, &own, &name, [signals])?;
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
    for (tenant, account) in &classified.accounts {
        if !account.closes() {
            return Err(Error::new(
                ErrorKind::Gate,
                format!("close the account of tenant {tenant} on {day}: {account:?}"),
            ));
        }
    }
    let signals = af_store::sorted_batch(&classified.signals, &attack_signals::TABLE)?;
    let (feeds, latest_ingested) = heard(&events)?;
    let found = DetectedDay {
        inputs,
        classes: classified.accounts,
        feeds,
        latest_ingested,
        signals: signals.num_rows() as u64,
    };
    Ok((found, signals))
}

/// First and last event and the integrations of every tenant.
fn heard(events: &RecordBatch) -> Result<(PerTenant<Feed>, Option<UtcMillis>), Error> {
    let columns = [
        "tenant_uid",
        "integration",
        "time",
        "ingested_at",
        "metadata_product",
    ];
    let mut feeds = PerTenant::<Feed>::new();
    let mut latest = None;
    let narrow = narrow(events, &columns)?;
    for row in 0..narrow.num_rows() {
        let text = |column: usize| {
            use arrow::array::{Array, AsArray};
            let column = narrow.column(column).as_string::<i32>();
            column.is_valid(row).then(|| column.value(row))
        };
        let instant = |column: usize| {
            use arrow::array::AsArray;
            use arrow::datatypes::TimestampMillisecondType;
            UtcMillis(
                narrow
                    .column(column)
                    .as_primitive::<TimestampMillisecondType>()
                    .value(row),
            )
        };
        let (tenant, time) = (text(0).unwrap_or_default(), instant(2));
        latest = latest.max(Some(instant(3)));
        if !feeds.contains_key(tenant) {
            feeds.insert(tenant.to_owned(), Feed::default());
        }
        let feed = feeds.get_mut(tenant).expect("the tenant was just entered");
        feed.first = Some(feed.first.map_or(time, |first| first.min(time)));
        feed.last = feed.last.max(Some(time));
        let integration = text(1).or(text(4)).unwrap_or_default();
        if !feed.integrations.iter().any(|known| known == integration) {
            feed.integrations.push(integration.to_owned());
            feed.integrations.sort_unstable();
        }
    }
    Ok((feeds, latest))
}

/// Some columns as plain strings and instants.
fn narrow(events: &RecordBatch, columns: &[&str]) -> Result<RecordBatch, Error> {
    let broken = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Io, format!("look through the events: {error}"))
    };
    let schema = identity_events::TABLE.file_schema();
    let arrays: Result<Vec<_>, Error> = columns
        .iter()
        .map(|name| {
            let field = schema
                .field_with_name(name)
                .map_err(|error| broken(&error))?;
            let column = events.column_by_name(name).ok_or_else(|| broken(name))?;
            let array =
                arrow::compute::cast(column, field.data_type()).map_err(|error| broken(&error))?;
            Ok((*name, array))
        })
        .collect();
    RecordBatch::try_from_iter_with_nullable(
        arrays?.into_iter().map(|(name, array)| (name, array, true)),
    )
    .map_err(|error| broken(&error))
}

fn file_names(paths: &[PathBuf]) -> Vec<String> {
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
