//! Rows that wait to become part of the store: in memory up to the buffer, in files aside beyond it.
//!
//! A log comes in the order of time, so a day to which nothing was added for a while is mostly whole: it
//! is the first to be written when memory is short, and its file aside is already what the day's file
//! should be. Only a day of several files is read again and written as one.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use af_model::tables::identity_events::TABLE;
use af_model::{UtcDay, UtcMillis};
use af_store::{
    DayWriter, MergedBatches, Partitioned, Scan, StagedDay, Store, WriteLock, sorted_batches,
};
use arrow::array::RecordBatch;
use rayon::prelude::*;

use super::fresh::{self, Fresh, widened};
use crate::error::Error;
use crate::progress::Progress;

/// Days that are encoded side by side: enough work for every thread, and few files open at once.
const DAYS_AT_ONCE: usize = 8;

/// Rounds without a row after which a day is taken for whole.
const RESTED: u64 = 2;

/// Rows that wait, by day.
pub(super) struct Waiting<'a> {
    store: &'a Store,
    lock: &'a WriteLock,
    tenant: &'a str,
    /// Bytes that may wait.
    most: usize,
    days: BTreeMap<UtcDay, Rows>,
    bytes: usize,
    round: u64,
    /// Files that are encoded and not yet written.
    encoded: Vec<Encoded>,
    aside: BTreeMap<UtcDay, Vec<Aside>>,
}

/// Rows of one day, as they came.
#[derive(Default)]
struct Rows {
    batches: Vec<RecordBatch>,
    bytes: usize,
    /// The round of the last one.
    touched: u64,
}

/// A day to be encoded.
struct Job<'a> {
    store: &'a Store,
    tenant: &'a str,
    day: UtcDay,
    batches: Vec<RecordBatch>,
    file: DayWriter,
}

/// A day that is encoded: what is left is to write it.
struct Encoded {
    day: UtcDay,
    file: DayWriter,
    found: Found,
}

/// What became of rows of a day.
#[derive(Clone, Copy, Default)]
pub(super) struct Found {
    /// Events in the file.
    pub(super) rows: u64,
    /// Events dropped.
    pub(super) duplicates: u64,
    /// First and last of the events in the file.
    pub(super) span: Option<(UtcMillis, UtcMillis)>,
}

/// Rows of a day that are in a file aside, or dropped.
pub(super) struct Aside {
    /// None if all were dropped.
    pub(super) file: Option<StagedDay>,
    pub(super) found: Found,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(store: &'a Store, lock: &'a WriteLock, tenant: &'a str, most: usize) -> Self {
        Self {
            store,
            lock,
            tenant,
            most,
            days: BTreeMap::new(),
            bytes: 0,
            round: 0,
            encoded: Vec::new(),
            aside: BTreeMap::new(),
        }
    }

    /// Takes in what one round brought.
    pub(super) fn push(&mut self, rows: impl Iterator<Item = (UtcDay, RecordBatch)>) {
        self.round += 1;
        for (day, batch) in rows {
            let bytes = batch.get_array_memory_size();
            let rows = self.days.entry(day).or_default();
            rows.batches.push(batch);
            rows.bytes += bytes;
            rows.touched = self.round;
            self.bytes += bytes;
        }
    }

    /// Whether more waits than may.
    pub(super) fn is_over(&self) -> bool {
        self.bytes > self.most
    }

    /// Encodes days for which memory is too dear, and writes those that were encoded before, while
    /// `other` runs on the pool.
    pub(super) fn make_room_beside<T: Send>(
        &mut self,
        other: impl FnOnce() -> T + Send,
    ) -> Result<T, Error> {
        let most = self.most;
        self.write_beside(most, other).map(|(answer, _)| answer)
    }

    /// Writes everything, one file a day.
    pub(super) fn settle(
        mut self,
        progress: &dyn Progress,
    ) -> Result<BTreeMap<UtcDay, Aside>, Error> {
        progress.begin("writing days", None);
        while !self.days.is_empty() || !self.encoded.is_empty() {
            let ((), written) = self.write_beside(0, || {})?;
            progress.advance(written);
        }
        let mut settled = BTreeMap::new();
        for (day, mut files) in std::mem::take(&mut self.aside) {
            if files.len() > 1 {
                files = vec![self.merge(day, &files)?];
                progress.advance(1);
            }
            settled.extend(files.pop().map(|file| (day, file)));
        }
        progress.end();
        Ok(settled)
    }

    /// As [`Waiting::make_room_beside`] for any bound; also says how many files were written.
    fn write_beside<T: Send>(
        &mut self,
        most: usize,
        other: impl FnOnce() -> T + Send,
    ) -> Result<(T, u64), Error> {
        let jobs = self.jobs(most)?;
        let ready = std::mem::take(&mut self.encoded);
        let written = ready.len() as u64;
        let mut answer = None;
        let mut encoded = Vec::new();
        // Whatever is written is written by this thread, while the others work.
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| answer = Some(other()));
            scope.spawn(|_| encoded = jobs.into_par_iter().map(Job::encode).collect());
            ready.into_iter().try_for_each(|day| self.write(day))
        })?;
        self.encoded = encoded.into_iter().collect::<Result<_, Error>>()?;
        let answer = answer.expect("a scope ends after what it spawned");
        Ok((answer, written))
    }

    /// The days to be encoded next: while half of the bound is taken those that rest, the longest
    /// resting first; while all of it is taken the largest of the others too, so that a log in no
    /// order ends in few files.
    fn jobs(&mut self, most: usize) -> Result<Vec<Job<'a>>, Error> {
        let mut jobs = Vec::new();
        if self.bytes <= most / 2 {
            return Ok(jobs);
        }
        let mut days: Vec<(UtcDay, u64, usize)> = self
            .days
            .iter()
            .map(|(&day, rows)| (day, rows.touched, rows.bytes))
            .collect();
        let rests = |touched: u64| touched + RESTED <= self.round;
        days.sort_by_key(|&(_, touched, bytes)| {
            let rested_since = if rests(touched) { touched } else { u64::MAX };
            (rested_since, Reverse(bytes))
        });
        let days = days
            .into_iter()
            .map(|(day, touched, _)| (day, rests(touched)));
        for (day, rests) in days.take(DAYS_AT_ONCE).collect::<Vec<_>>() {
            let enough = if rests { most / 2 } else { most };
            if self.bytes <= enough {
                break;
            }
            let file = self.store.begin_day(self.lock, Partitioned::Events, day)?;
            let rows = self.days.remove(&day).unwrap_or_default();
            self.bytes -= rows.bytes;
            jobs.push(Job {
                store: self.store,
                tenant: self.tenant,
                day,
                batches: rows.batches,
                file,
            });
        }
        Ok(jobs)
    }

    fn write(&mut self, encoded: Encoded) -> Result<(), Error> {
        let Encoded { day, file, found } = encoded;
        let file = file.finish()?;
        let files = self.aside.entry(day).or_default();
        files.push(Aside { file, found });
        Ok(())
    }

    /// One file of several of a day.
    fn merge(&self, day: UtcDay, files: &[Aside]) -> Result<Aside, Error> {
        let paths: Vec<PathBuf> = files
            .iter()
            .filter_map(|aside| aside.file.as_ref())
            .map(|file| Path::to_owned(file.path()))
            .collect();
        let merged = MergedBatches::open(&TABLE, &paths, None, Scan::File)?;
        let known = fresh::known(self.store, day, self.tenant)?;
        let mut events = Fresh::new(known, Box::new(merged));
        let mut file = self.store.begin_day(self.lock, Partitioned::Events, day)?;
        file.append(&mut events)?;
        let mut found = Found::of(&events);
        found.duplicates += files
            .iter()
            .map(|aside| aside.found.duplicates)
            .sum::<u64>();
        let file = file.finish()?;
        Ok(Aside { file, found })
    }
}

impl Job<'_> {
    /// Sorts the day, drops what is known and encodes the rest.
    fn encode(self) -> Result<Encoded, Error> {
        let Self {
            store,
            tenant,
            day,
            batches,
            mut file,
        } = self;
        let known = fresh::known(store, day, tenant)?;
        let sorted = sorted_batches(batches, &TABLE)?;
        let mut events = Fresh::new(known, Box::new(sorted));
        file.encode(&mut events)?;
        let found = Found::of(&events);
        Ok(Encoded { day, file, found })
    }
}

impl Found {
    fn of(events: &Fresh) -> Self {
        Self {
            rows: events.rows,
            duplicates: events.duplicates,
            span: events.span,
        }
    }

    /// A span that holds this one too.
    pub(super) fn widen(
        &self,
        span: Option<(UtcMillis, UtcMillis)>,
    ) -> Option<(UtcMillis, UtcMillis)> {
        let ends = self
            .span
            .into_iter()
            .flat_map(|(first, last)| [first, last]);
        ends.fold(span, |span, end| Some(widened(span, end)))
    }
}

#[cfg(test)]
mod tests {
    use af_model::HashKey;
    use af_model::tables::identity_events;
    use af_okta::Normalizer;
    use proptest::prelude::*;

    use super::*;
    use crate::progress::Silent;

    /// Day, second, person and id of an event: few of each, so that ids meet on a day.
    type Event = (u8, u8, u8, u8);

    fn rows(events: &[Event]) -> BTreeMap<UtcDay, RecordBatch> {
        let key = HashKey::new([7; 32]);
        let now = UtcMillis::parse("2026-11-20T12:00:00Z").unwrap();
        let normalizer = Normalizer::new("acme", None, now, &key);
        let mut days: BTreeMap<UtcDay, identity_events::Builder> = BTreeMap::new();
        for (day, second, person, uid) in events {
            let event = format!(
                r#"{{"uuid":"e{uid}","published":"2026-11-1{day}T11:00:0{second}Z",
                "eventType":"user.session.start","actor":{{"id":"00u{person}","type":"User"}}}}"#
            );
            let row = normalizer.event(event.as_bytes()).unwrap();
            days.entry(row.time.day()).or_default().append(&row);
        }
        let days = days.into_iter();
        days.map(|(day, mut rows)| (day, rows.finish())).collect()
    }

    /// The bytes of every day's file, and what was said of it.
    fn settled(rounds: &[&[Event]], most: usize) -> BTreeMap<UtcDay, (Vec<u8>, u64, u64)> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        let mut waiting = Waiting::new(&store, &lock, "acme", most);
        for events in rounds {
            waiting.push(rows(events).into_iter());
            assert_eq!(waiting.make_room_beside(|| 7).unwrap(), 7);
            while waiting.is_over() {
                waiting.make_room_beside(|| {}).unwrap();
            }
        }
        let settled = waiting.settle(&Silent).unwrap();
        settled
            .into_iter()
            .map(|(day, aside)| {
                let bytes = fs_err::read(aside.file.unwrap().path()).unwrap();
                (day, (bytes, aside.found.rows, aside.found.duplicates))
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn neither_the_bound_nor_the_order_of_rows_changes_a_file(
            events in prop::collection::vec((0_u8..4, 0_u8..9, 0_u8..3, 0_u8..12), 1..30),
            cut in 0_usize..30,
            turn in 0_usize..30,
        ) {
            let whole = settled(&[&events], usize::MAX);
            let mut turned = events.clone();
            turned.rotate_left(turn % events.len());
            let (first, second) = turned.split_at(cut % events.len());
            for most in [0, 40_000, usize::MAX] {
                // Between the two, every day has rested.
                let rounds: [&[Event]; 4] = [first, &[], &[], second];
                prop_assert!(settled(&rounds, most) == whole, "{most}");
            }
            let rows: u64 = whole.values().map(|day| day.1 + day.2).sum();
            prop_assert_eq!(rows, events.len() as u64);
        }
    }

    #[test]
    fn days_that_rest_go_first_and_large_ones_before_small_ones() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        let mut waiting = Waiting::new(&store, &lock, "acme", usize::MAX);
        let many: Vec<Event> = (0..200).map(|uid| (2, 0, 0, uid)).collect();
        for events in [&[(1, 0, 0, 1)][..], &[], &many, &[(3, 0, 0, 1)]] {
            waiting.push(rows(events).into_iter());
        }
        let days = |jobs: Vec<Job<'_>>| -> Vec<String> {
            jobs.iter().map(|job| job.day.to_string()).collect()
        };
        assert!(days(waiting.jobs(2 * waiting.bytes).unwrap()).is_empty());
        // Half of the bound is taken, and one day rests.
        let most = 2 * waiting.bytes - 2;
        assert_eq!(days(waiting.jobs(most).unwrap()), ["2026-11-11"]);
        // All of it is taken: the larger day is enough.
        let most = waiting.bytes - 1;
        assert_eq!(days(waiting.jobs(most).unwrap()), ["2026-11-12"]);
        assert_eq!(days(waiting.jobs(0).unwrap()), ["2026-11-13"]);
        assert_eq!(waiting.bytes, 0);
    }
}
