//! Signals whose days lie mixed: cut by day, as [records](Records) that may wait anywhere, then counted in whole
//! days.

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use af_model::{HashKey, UtcDay, UtcMillis};
use arrow::array::RecordBatch;
use hashbrown::HashMap;

use crate::columns::Columns;
use crate::context::Context;
use crate::counter::Cut;
use crate::day::DayCount;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::output::Counted;
use crate::part::{Decoded, Part, Row, View};
use crate::people::{PeopleIndex, Resolution};
use crate::records::{Record, Records};
use crate::retractions::Retractions;

/// Cuts batches in any order, by several threads. Whom a signal means is decided here, so that its record says
/// all that is ever asked.
pub struct ByDay<'p> {
    context: Context<'p>,
    ledger: Mutex<Ledger>,
}

/// Counts what was cut, day by day.
pub struct WholeDays<'p> {
    context: Context<'p>,
    ledger: Ledger,
}

/// All signals of some whole days, or of a share of their tenants.
pub struct SomeDays<'d> {
    of: &'d WholeDays<'d>,
    share: Option<(usize, usize)>,
    /// Each of one tenant: what is counted together lies together.
    parts: Vec<Part>,
    /// The last part of every tenant, by its id.
    last: HashMap<u32, usize>,
}

/// Records are not those that were cut: what they waited in was changed by somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signals that waited for their day are not what they were")]
pub struct Changed;

impl<'p> ByDay<'p> {
    /// Nothing was cut yet. Arguments as of [`Counter::new`](crate::Counter::new).
    pub fn new(
        people: &'p PeopleIndex,
        retractions: &'p Retractions,
        cut: Cut,
        key: &HashKey,
    ) -> Self {
        Self {
            context: Context::new(people, retractions, cut, key),
            ledger: Mutex::default(),
        }
    }

    /// Appends each signal of a batch to the records of one of `buckets`, and tells how many there were: those of
    /// one UTC day to the same, those of consecutive days to different ones, as long as there are enough. Rows
    /// that break the contract, or are not known yet, are accounted for and end here.
    ///
    /// # Errors
    /// As [`Counter::push`](crate::Counter::push), and [`ErrorKind::OtherDay`](crate::ErrorKind::OtherDay) for a
    /// row that is of none of `days`.
    ///
    /// # Panics
    /// Without a bucket.
    pub fn cut(
        &self,
        signals: &RecordBatch,
        days: &RangeInclusive<UtcDay>,
        buckets: &mut [Records],
    ) -> Result<usize, Error> {
        let columns = Columns::read(signals, self.context.retractions.name_events())?;
        let decoded = self.context.decode(columns);
        let mut rows = decoded.part.rows.iter();
        if rows.any(|row| !days.contains(&UtcMillis(row.time).day())) {
            return Err(Error::other_day());
        }
        let resolutions = self.resolutions(&decoded);
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let part = ledger.adopt(decoded);
        drop(ledger);
        for (row, resolution) in part.rows.iter().zip(resolutions) {
            let bucket = bucket_of(UtcMillis(row.time).day(), buckets.len());
            buckets[bucket].push(View { part: &part, row }, resolution);
        }
        Ok(part.rows.len())
    }

    /// Ends cutting.
    pub fn finish(self) -> WholeDays<'p> {
        let ledger = self.ledger.into_inner();
        WholeDays {
            context: self.context,
            ledger: ledger.unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Whom every row means.
    fn resolutions(&self, decoded: &Decoded) -> Vec<Resolution> {
        let part = &decoded.part;
        let of_row = |row: &Row| {
            let tenant = decoded.tenants[row.tenant as usize].name.as_deref();
            let tenant = tenant.unwrap_or_default();
            self.context.resolve(View { part, row }, tenant)
        };
        part.rows.iter().map(of_row).collect()
    }
}

/// Consecutive days have consecutive buckets.
fn bucket_of(day: UtcDay, buckets: usize) -> usize {
    let bucket = i64::try_from(buckets).map(|buckets| i64::from(day.0).rem_euclid(buckets));
    let bucket = bucket.ok().and_then(|bucket| usize::try_from(bucket).ok());
    bucket.expect("a remainder is less than what it is of")
}

impl WholeDays<'_> {
    /// Begins with no signals of some days. Of several shares of the tenants, told as number and count, every
    /// tenant is in one.
    pub fn begin(&self, share: Option<(usize, usize)>) -> SomeDays<'_> {
        SomeDays {
            of: self,
            share,
            parts: Vec::new(),
            last: HashMap::new(),
        }
    }

    /// What of the rows was not cut: it belongs to no day.
    pub fn rest(&self) -> Counted {
        self.ledger.rest()
    }

    /// Whether a record can be one of this count.
    fn is_known(&self, record: &Record<'_>) -> bool {
        let is_instant = |millis| UtcMillis::checked(millis).is_ok();
        let is_person = |person| (person as usize) < self.context.people.people();
        is_instant(record.row.time)
            && (record.row.ingested_at == i64::MIN || is_instant(record.row.ingested_at))
            && (record.row.tenant as usize) < self.ledger.tenants()
            && (record.row.kind as usize) < self.ledger.kinds().len()
            && record.person().is_none_or(is_person)
    }
}

impl SomeDays<'_> {
    /// Takes in the signals of these days, or those of them that are of the share.
    ///
    /// # Errors
    /// [`Changed`] when they are not what was cut; nothing is to be counted then.
    pub fn add(&mut self, records: &Records) -> Result<(), Changed> {
        for record in records.each() {
            let record = record.filter(|record| self.of.is_known(record));
            let record = record.ok_or(Changed)?;
            let tenant = record.row.tenant;
            let is_other = |(share, shares)| tenant as usize % shares != share;
            if self.share.is_some_and(is_other) {
                continue;
            }
            let new = self.parts.len();
            let mut place = *self.last.entry(tenant).or_insert(new);
            if self.parts.get_mut(place).and_then(Part::open).is_none() {
                place = new;
                self.last.insert(tenant, place);
                self.parts.push(Part::of_records());
            }
            if let Some((rows, tails)) = self.parts[place].open() {
                rows.push(tails.add(&record));
            }
        }
        Ok(())
    }

    /// Counts them on the caller's thread.
    pub fn count(self) -> Counted {
        let count = DayCount {
            context: &self.of.context,
            ledger: &self.of.ledger,
            kinds: &self.of.ledger.kinds().apart(),
        };
        let counted = count.count_all(&self.parts, true);
        let mut counted = Counted {
            tenants: self.of.ledger.named(counted),
            latest_ingested: None,
        };
        counted.sort_on_this_thread();
        counted
    }
}

#[cfg(test)]
mod tests;
