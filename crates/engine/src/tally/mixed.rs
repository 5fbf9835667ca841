//! Files whose days lie mixed: their signals are cut by day first, then days are counted side by side.
//!
//! What was cut waits in memory as long as there is little of it, then in files, one for each bucket of days. So
//! memory is that of the signals that wait and of the buckets that are counted, however many there are. A
//! bucket that is too large is counted tenant by tenant: in several passes over it.

use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use af_count::{ByDay, Counted, Records, SomeDays, WholeDays};
use af_store::{Aside, Scan, Shelf, TableFile};
use rayon::prelude::*;

use super::units::{Unit, columns};
use super::{Counting, broken};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;

/// Buckets of days, where there are several: more than a window has, so that no two of its days share one.
const BUCKETS: usize = 128;

/// Rows of a file that are read by one thread at a time.
const ROWS_AT_ONCE: usize = 1 << 18;

/// Bytes of a bucket that are put aside together.
const BYTES_AT_ONCE: usize = 1 << 16;

/// How many times as much is held in one piece: memory that is never moved.
const TOGETHER: usize = 16;

/// Bytes that are read from a file at a time.
const READ_AT_ONCE: usize = 1 << 18;

/// How much is done at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes that wait in memory.
    pub(super) waiting: usize,
    /// Signals that are counted together.
    pub(super) together: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            waiting: 1 << 29,
            together: 2_000_000,
        }
    }
}

/// Counts a unit bucket by bucket, and hands on what was counted of each. Of a unit of one day all comes at once.
pub(super) fn count(
    counting: Counting<'_>,
    unit: &Unit,
    limits: Limits,
    shelf: &Shelf,
    progress: &dyn Progress,
    take: &(impl Fn(Counted) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    let buckets = if unit.day().is_some() { 1 } else { BUCKETS };
    let waiting = Waiting::new(buckets, limits, shelf);
    let by_day = counting.by_day();
    shares(unit)
        .par_iter()
        .with_max_len(1)
        .try_for_each(|(file, groups)| {
            let groups = (*file, groups.clone());
            waiting.cut(&by_day, counting, unit, groups, progress)
        })?;
    let days = by_day.finish();
    let rest = counting.shown(days.rest());
    let is_large = |bucket: &Bucket| bucket.rows > limits.together;
    let count = |bucket: &Bucket| -> Result<Counted, Error> {
        let counted = if is_large(bucket) {
            bucket.count_in_shares(&days, bucket.rows.div_ceil(limits.together))?
        } else {
            bucket.count(&days, None)?
        };
        progress.advance(bucket.rows as u64);
        Ok(counting.shown(counted))
    };
    let buckets = waiting.into_buckets();
    if let ([bucket], Some(_)) = (buckets.as_slice(), unit.day()) {
        let mut all = rest;
        all.absorb(count(bucket)?);
        return take(all);
    }
    take(rest)?;
    let (large, small): (Vec<Bucket>, Vec<Bucket>) = buckets.into_iter().partition(is_large);
    small
        .into_par_iter()
        .with_max_len(1)
        .try_for_each(|bucket| take(count(&bucket)?))?;
    large.iter().try_for_each(|bucket| take(count(bucket)?))
}

/// Row groups that one thread reads: about as many rows as it reads at a time, and less where others would have
/// nothing to do.
fn shares(unit: &Unit) -> Vec<(&TableFile, Range<usize>)> {
    let threads = rayon::current_num_threads();
    let fair = usize::try_from(unit.rows()).unwrap_or(usize::MAX) / (4 * threads);
    let mut shares = Vec::new();
    for file in &unit.files {
        let groups = file.row_groups().max(1);
        let rows_of_one = usize::try_from(file.rows()).unwrap_or(usize::MAX) / groups;
        let step = (fair.min(ROWS_AT_ONCE) / rows_of_one.max(1)).max(1);
        let starts = (0..file.row_groups()).step_by(step);
        shares.extend(starts.map(|from| (file, from..file.row_groups().min(from + step))));
    }
    shares
}

/// Signals on their way from files to days.
struct Waiting<'s> {
    shelf: &'s Shelf,
    in_memory: usize,
    /// Bytes in memory.
    held: AtomicUsize,
    buckets: Vec<Mutex<Open>>,
}

/// A bucket that may still take signals.
#[derive(Default)]
struct Open {
    held: Vec<Records>,
    /// What did not fit into memory.
    file: Option<File>,
    rows: usize,
}

/// All signals of some whole days.
struct Bucket {
    held: Vec<Records>,
    file: Option<Aside>,
    rows: usize,
}

impl<'s> Waiting<'s> {
    fn new(buckets: usize, limits: Limits, shelf: &'s Shelf) -> Self {
        Self {
            shelf,
            in_memory: limits.waiting,
            held: AtomicUsize::new(0),
            buckets: (0..buckets).map(|_| Mutex::default()).collect(),
        }
    }

    /// Cuts the rows of some row groups.
    fn cut(
        &self,
        by_day: &ByDay<'_>,
        counting: Counting<'_>,
        unit: &Unit,
        (file, groups): (&TableFile, Range<usize>),
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let mut buckets = vec![Records::default(); self.buckets.len()];
        let columns = columns(counting, file);
        for batch in file.read_row_groups(groups, Some(&columns), Scan::AsWritten)? {
            let batch = batch?;
            let cut = by_day.cut(&batch, &unit.days, &mut buckets);
            let cut = cut.map_err(|error| broken(file.path(), &error))?;
            // What was not cut will not be counted either.
            progress.advance((2 * batch.num_rows() - cut) as u64);
            for (records, bucket) in buckets.iter_mut().zip(&self.buckets) {
                if records.bytes() >= BYTES_AT_ONCE {
                    self.put(records, bucket)?;
                }
            }
        }
        let rest = buckets.iter_mut().zip(&self.buckets);
        rest.filter(|(records, _)| records.rows() > 0)
            .try_for_each(|(records, bucket)| self.put(records, bucket))
    }

    /// Lets records wait, and leaves none.
    fn put(&self, records: &mut Records, bucket: &Mutex<Open>) -> Result<(), Error> {
        let bytes = records.bytes();
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.rows += records.rows();
        if before.saturating_add(bytes) <= self.in_memory {
            let last = bucket.held.last();
            if !last.is_some_and(|last| last.has_room_for(records)) {
                bucket.held.push(records.room_for(TOGETHER));
            }
            if let Some(last) = bucket.held.last_mut() {
                last.append(records);
            }
        } else {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            let file = match &mut bucket.file {
                Some(file) => file,
                none => none.insert(self.shelf.file()?),
            };
            let written = records.write(file);
            written.map_err(|error| unable("write", &error))?;
        }
        records.clear();
        Ok(())
    }

    fn into_buckets(self) -> Vec<Bucket> {
        let buckets = self.buckets.into_iter();
        buckets
            .map(|bucket| {
                let open = bucket.into_inner().unwrap_or_else(PoisonError::into_inner);
                Bucket {
                    held: open.held,
                    file: open.file.map(Aside::of_file),
                    rows: open.rows,
                }
            })
            .filter(|bucket| bucket.rows > 0)
            .collect()
    }
}

impl Bucket {
    /// Counts all signals, or those of a share of the tenants.
    fn count(&self, days: &WholeDays<'_>, share: Option<(usize, usize)>) -> Result<Counted, Error> {
        let mut some = days.begin(share);
        let add = |some: &mut SomeDays<'_>, records: &Records| {
            some.add(records).map_err(|error| unable("read", &error))
        };
        for records in &self.held {
            add(&mut some, records)?;
        }
        if let Some(file) = &self.file {
            let mut file = BufReader::with_capacity(READ_AT_ONCE, file.read(0..u64::MAX));
            let mut records = Records::default();
            let read = |records: &mut Records, file: &mut BufReader<_>| {
                records.read(file).map_err(|error| unable("read", &error))
            };
            while read(&mut records, &mut file)? {
                add(&mut some, &records)?;
            }
        }
        Ok(some.count())
    }

    /// Counts as many shares of the tenants at a time as there are threads.
    fn count_in_shares(&self, days: &WholeDays<'_>, shares: usize) -> Result<Counted, Error> {
        let of_shares: Vec<Counted> = (0..shares)
            .into_par_iter()
            .with_max_len(1)
            .map(|share| self.count(days, Some((share, shares))))
            .collect::<Result<_, _>>()?;
        let mut all = Counted::default();
        for counted in of_shares {
            all.absorb(counted);
        }
        Ok(all)
    }
}

fn unable(what: &str, error: &dyn std::fmt::Display) -> Error {
    let message = format!("{what} a temporary file of signals that wait for their day: {error}");
    Error::new(ErrorKind::Io, message).with_hint(
        "it lies on the disk that the results go to, and needs up to twice as much room as the signals",
    )
}

#[cfg(test)]
mod tests;
