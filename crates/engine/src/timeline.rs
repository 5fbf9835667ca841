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
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMillisecondType;
use serde::{Deserialize, Serialize};

use crate::detect::Detected;
use crate::error::{Error, ErrorKind};
use crate::tally::Cut;

/// The columns that tell what was heard.
const COLUMNS: [&str; 5] = [
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
        let narrow = narrow(events)?;
        let text = |column: usize, row: usize| {
            let column = narrow.column(column).as_string::<i32>();
            column.is_valid(row).then(|| column.value(row))
        };
        let instant = |column: usize, row: usize| {
            let column = narrow.column(column);
            UtcMillis(column.as_primitive::<TimestampMillisecondType>().value(row))
        };
        // Sorted events come in runs of one tenant and integration.
        let mut run: Option<(&str, &str, Heard)> = None;
        for row in 0..narrow.num_rows() {
            let (time, known) = (instant(2, row), instant(3, row));
            if !wanted(time, known) {
                continue;
            }
            let tenant = text(0, row).unwrap_or_default();
            let integration = text(1, row).or(text(4, row)).unwrap_or_default();
            match &mut run {
                Some((of, through, heard)) if (*of, *through) == (tenant, integration) => {
                    heard.first = heard.first.min(time);
                    heard.last = heard.last.max(time);
                    heard.first_known = heard.first_known.min(known);
                    heard.last_known = heard.last_known.max(known);
                }
                _ => {
                    let heard = Heard {
                        tenant_uid: tenant.to_owned(),
                        integration: integration.to_owned(),
                        first: time,
                        last: time,
                        first_known: known,
                        last_known: known,
                    };
                    if let Some((.., done)) = run.replace((tenant, integration, heard)) {
                        self.merge(done);
                    }
                }
            }
        }
        if let Some((.., done)) = run {
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

/// The columns as plain strings and instants.
fn narrow(events: &RecordBatch) -> Result<RecordBatch, Error> {
    let schema = identity_events::TABLE.file_schema();
    let columns = COLUMNS.iter().map(|name| {
        let broken = |problem: String| {
            Error::new(ErrorKind::Io, format!("look through the events: {problem}"))
        };
        let field = schema
            .field_with_name(name)
            .map_err(|error| broken(error.to_string()))?;
        let column = events
            .column_by_name(name)
            .ok_or_else(|| broken(format!("no column {name}")))?;
        let array = arrow::compute::cast(column, field.data_type())
            .map_err(|error| broken(error.to_string()))?;
        Ok((*name, array, true))
    });
    let columns: Result<Vec<_>, Error> = columns.collect();
    RecordBatch::try_from_iter_with_nullable(columns?)
        .map_err(|error| Error::new(ErrorKind::Io, format!("look through the events: {error}")))
}
