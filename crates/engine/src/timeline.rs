//! What was heard of every tenant's events, and by when: the coverage of the identity feed at a cut.
//!
//! Every day of events is summed up once, when it is detected. A cut takes the sums of the days that
//! lie wholly before it; only a day that it cuts through is looked into again.

use std::collections::BTreeMap;

use af_model::accounting::PerTenant;
use af_model::manifest::Feed;
use af_model::tables::identity_events;
use af_model::{UtcDay, UtcMillis};
use af_store::{Partitioned, Scan, Store, table_file};
use arrow::array::{Array, AsArray, DictionaryArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMillisecondType};
use serde::{Deserialize, Serialize};

use crate::detect::Detected;
use crate::error::{Error, ErrorKind};
use crate::tally::Cut;

/// The columns that tell what was heard.
pub(crate) const COLUMNS: [&str; 5] = [
    "tenant_uid",
    "integration",
    "time",
    "ingested_at",
    "metadata_product",
];

/// What was heard of one tenant through one integration on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The customer organization.
    pub tenant_uid: String,
    /// The configured source; where there is none, the product.
    pub integration: String,
    /// Time of the first event.
    pub first: UtcMillis,
    /// Time of the last event.
    pub last: UtcMillis,
    /// When the first of them became known.
    pub first_known: UtcMillis,
    /// When the last of them became known.
    pub last_known: UtcMillis,
}

impl Heard {
    /// Whether all of it happened and was known by then.
    fn is_within(&self, cut: Cut) -> bool {
        self.last <= cut.as_of && self.last_known <= cut.known_at
    }

    /// Whether none of it happened or was known by then.
    fn is_beyond(&self, cut: Cut) -> bool {
        self.first > cut.as_of || self.first_known > cut.known_at
    }
}

/// Sums up events, by tenant and integration.
pub(crate) fn heard(events: &RecordBatch) -> Result<Vec<Heard>, Error> {
    let mut sums = Sums::default();
    sums.add(events, |_, _| true)?;
    Ok(sums.heard.into_values().collect())
}

/// What had been heard of each tenant's events at a cut; tenants of which nothing had are absent.
///
/// # Errors
/// A day that the cut goes through cannot be read.
pub fn feeds_at(store: &Store, detected: &Detected, cut: Cut) -> Result<PerTenant<Feed>, Error> {
    let mut feeds = PerTenant::<Feed>::new();
    for (&day, found) in detected.days.range(..=cut.as_of.day()) {
        let beyond = |heard: &&Heard| !heard.is_beyond(cut);
        let mut relevant = found.heard.iter().filter(beyond).peekable();
        if relevant.peek().is_none() {
            continue;
        }
        if found
            .heard
            .iter()
            .all(|heard| heard.is_within(cut) || heard.is_beyond(cut))
        {
            for heard in relevant {
                add(&mut feeds, heard);
            }
        } else {
            for heard in look_into(store, day, cut)? {
                add(&mut feeds, &heard);
            }
        }
    }
    Ok(feeds)
}

fn add(feeds: &mut PerTenant<Feed>, heard: &Heard) {
    let feed = feeds.entry(heard.tenant_uid.clone()).or_default();
    feed.first = Some(
        feed.first
            .map_or(heard.first, |first| first.min(heard.first)),
    );
    feed.last = feed.last.max(Some(heard.last));
    if let Err(place) = feed.integrations.binary_search(&heard.integration) {
        feed.integrations.insert(place, heard.integration.clone());
    }
}

/// The part of a day that happened and was known at the cut.
fn look_into(store: &Store, day: UtcDay, cut: Cut) -> Result<Vec<Heard>, Error> {
    let mut sums = Sums::default();
    for path in store.day_files(Partitioned::Events, day)? {
        for batch in table_file::read(
            &path,
            &identity_events::TABLE,
            Some(&COLUMNS),
            Scan::Dictionaries,
        )? {
            sums.add(&batch?, |time, ingested_at| {
                time <= cut.as_of && ingested_at <= cut.known_at
            })?;
        }
    }
    Ok(sums.heard.into_values().collect())
}

/// Sums in the making.
#[derive(Default)]
struct Sums {
    heard: BTreeMap<(String, String), Heard>,
}

impl Sums {
    /// Adds the events of a batch whose time and instant of becoming known are wanted.
    fn add(
        &mut self,
        events: &RecordBatch,
        wanted: impl Fn(UtcMillis, UtcMillis) -> bool,
    ) -> Result<(), Error> {
        let table = &identity_events::TABLE;
        let narrow = table
            .conform_columns(events, &COLUMNS, true)
            .map_err(|error| {
                Error::new(ErrorKind::Io, format!("look through the events: {error}"))
            })?;
        let names = |column: usize| narrow.column(column).as_dictionary::<Int32Type>();
        let (tenants, integrations, products) = (names(0), names(1), names(4));
        let instants = |column: usize| {
            let column = narrow.column(column);
            column.as_primitive::<TimestampMillisecondType>()
        };
        let (times, ingested) = (instants(2), instants(3));
        // Sorted events come in runs of one tenant and integration.
        let mut run: Option<(Source, Heard)> = None;
        for row in 0..narrow.num_rows() {
            let (time, known) = (UtcMillis(times.value(row)), UtcMillis(ingested.value(row)));
            if !wanted(time, known) {
                continue;
            }
            let source = [tenants, integrations, products].map(|names| names.key(row));
            match &mut run {
                Some((of, heard)) if *of == source => {
                    heard.first = heard.first.min(time);
                    heard.last = heard.last.max(time);
                    heard.first_known = heard.first_known.min(known);
                    heard.last_known = heard.last_known.max(known);
                }
                _ => {
                    let integration = text(integrations, row).or(text(products, row));
                    let heard = Heard {
                        tenant_uid: text(tenants, row).unwrap_or_default().to_owned(),
                        integration: integration.unwrap_or_default().to_owned(),
                        first: time,
                        last: time,
                        first_known: known,
                        last_known: known,
                    };
                    if let Some((_, done)) = run.replace((source, heard)) {
                        self.merge(done);
                    }
                }
            }
        }
        if let Some((_, done)) = run {
            self.merge(done);
        }
        Ok(())
    }

    fn merge(&mut self, heard: Heard) {
        let key = (heard.tenant_uid.clone(), heard.integration.clone());
        self.heard
            .entry(key)
            .and_modify(|known| {
                known.first = known.first.min(heard.first);
                known.last = known.last.max(heard.last);
                known.first_known = known.first_known.min(heard.first_known);
                known.last_known = known.last_known.max(heard.last_known);
            })
            .or_insert(heard);
    }
}

/// Tenant, integration and product of a row, by their places in a batch's dictionaries.
type Source = [Option<usize>; 3];

fn text(names: &DictionaryArray<Int32Type>, row: usize) -> Option<&str> {
    let values = names.values().as_string::<i32>();
    let place = names.key(row)?;
    values.is_valid(place).then(|| values.value(place))
}
