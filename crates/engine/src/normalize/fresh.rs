//! Which of a day's events are new.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use af_model::tables::identity_events;
use af_model::{HexHash, UtcDay, UtcMillis};
use af_store::{Partitioned, Scan, Store, table_file};
use arrow::array::{
    Array, AsArray, BooleanArray, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMillisecondType;
use rayon::prelude::*;

use super::texts;
use crate::error::Error;

/// Batches of one day in the table's order.
pub(super) type Sorted = Box<dyn Iterator<Item = Result<RecordBatch, af_store::Error>> + Send>;

/// Rows whose fingerprints one task takes at least.
const ROWS_PER_TASK: usize = 1024;

/// The events of a day that are not known yet, as a stream in the table's order.
///
/// Two events of one id and different content: the stored one stays; among new ones the first in
/// the table's order wins, and among those that share its sort key the smallest content. So the
/// outcome does not depend on the order of the input.
pub(super) struct Fresh {
    known: HashSet<u128>,
    events: Sorted,
    /// The last sort key of the rows so far: the next batch may go on with it.
    open: Option<Best>,
    /// A batch, and how many of its first rows are to be handed on, once it is known whether the open one
    /// behind them is too: whoever encodes windows as they were sorted copies nothing.
    judged: Option<(RecordBatch, usize)>,
    /// Batches to be handed on.
    ready: VecDeque<RecordBatch>,
    /// Events handed on so far.
    pub(super) rows: u64,
    /// Events dropped so far.
    pub(super) duplicates: u64,
    /// First and last of the events handed on.
    pub(super) span: Option<(UtcMillis, UtcMillis)>,
}

/// The columns that tell events apart.
struct Keys {
    subjects: StringArray,
    times: TimestampMillisecondArray,
    uids: StringArray,
    fingerprints: Vec<u128>,
}

impl Keys {
    fn of(batch: &RecordBatch) -> Self {
        let column = |name: &str| {
            batch
                .column_by_name(name)
                .expect("events are sorted with all their columns")
        };
        let uids = column("metadata_uid").as_string::<i32>().clone();
        let fingerprints = (0..uids.len())
            .into_par_iter()
            .with_min_len(ROWS_PER_TASK)
            .map(|row| fingerprint(uids.value(row)))
            .collect();
        Self {
            subjects: column("subject_ref").as_string::<i32>().clone(),
            times: column("time")
                .as_primitive::<TimestampMillisecondType>()
                .clone(),
            uids,
            fingerprints,
        }
    }

    /// Where a row stands in the table's order; all rows are of one tenant.
    fn sort_key(&self, row: usize) -> (Option<&str>, UtcMillis, &str) {
        let subject = self
            .subjects
            .is_valid(row)
            .then(|| self.subjects.value(row));
        (
            subject,
            UtcMillis(self.times.value(row)),
            self.uids.value(row),
        )
    }

    /// The rows from `start` on that share its sort key.
    fn run(&self, start: usize) -> Range<usize> {
        let key = self.sort_key(start);
        let others = (start + 1..self.uids.len()).take_while(|&row| self.sort_key(row) == key);
        start..start + 1 + others.count()
    }
}

/// The smallest so far of the rows that share a sort key.
struct Best {
    batch: RecordBatch,
    row: usize,
    fingerprint: u128,
    /// Only rows that came twice are rendered, once.
    rendered: Option<String>,
}

impl Best {
    fn row(&self) -> identity_events::Row<'_> {
        identity_events::row(&self.batch, self.row)
    }

    fn has_key(&self, (subject, time, uid): (Option<&str>, UtcMillis, &str)) -> bool {
        let row = self.row();
        row.subject_ref.as_deref() == subject && row.time == time && row.metadata_uid == uid
    }

    /// Takes the smaller of this row and another one of its sort key.
    fn challenge(&mut self, batch: &RecordBatch, row: usize) {
        let other = identity_events::row(batch, row);
        if self.row() == other {
            return;
        }
        let mine = match self.rendered.take() {
            Some(mine) => mine,
            None => format!("{:?}", self.row()),
        };
        let other = format!("{other:?}");
        if other < mine {
            self.batch = batch.clone();
            self.row = row;
            self.rendered = Some(other);
        } else {
            self.rendered = Some(mine);
        }
    }
}

impl Fresh {
    pub(super) fn new(known: HashSet<u128>, events: Sorted) -> Self {
        Self {
            known,
            events,
            open: None,
            judged: None,
            ready: VecDeque::new(),
            rows: 0,
            duplicates: 0,
            span: None,
        }
    }

    /// Judges the next batch but for its last sort key.
    fn judge(&mut self, batch: &RecordBatch) {
        let keys = Keys::of(batch);
        let mut start = 0;
        if let Some(mut open) = self.open.take() {
            if batch.num_rows() > 0 && open.has_key(keys.sort_key(0)) {
                let run = keys.run(0);
                self.duplicates += run.len() as u64;
                start = run.end;
                run.for_each(|row| open.challenge(batch, row));
            }
            if start == batch.num_rows() {
                self.open = Some(open);
                return;
            }
            self.settle(&open);
        }
        let mut kept = vec![false; batch.num_rows()];
        while start < batch.num_rows() {
            let run = keys.run(start);
            if run.end == batch.num_rows() {
                self.open = Some(self.best(batch, &keys, run));
                break;
            }
            start = run.end;
            let row = match run.len() {
                1 => run.start,
                _ => self.best(batch, &keys, run).row,
            };
            kept[row] = self.is_new(keys.fingerprints[row], UtcMillis(keys.times.value(row)));
        }
        kept.truncate(start);
        if kept.iter().all(|&kept| kept) {
            self.judged = Some((batch.clone(), start));
        } else {
            let kept = filter_record_batch(&batch.slice(0, start), &BooleanArray::from(kept));
            self.ready
                .push_back(kept.expect("there is one judgement for every row"));
        }
    }

    /// The smallest of rows that share their sort key; the others are dropped.
    fn best(&mut self, batch: &RecordBatch, keys: &Keys, run: Range<usize>) -> Best {
        self.duplicates += run.len() as u64 - 1;
        let mut best = Best {
            batch: batch.clone(),
            row: run.start,
            fingerprint: keys.fingerprints[run.start],
            rendered: None,
        };
        run.skip(1).for_each(|row| best.challenge(batch, row));
        best
    }

    /// Whether the one row that stands for its sort key is handed on; another may have its id.
    fn is_new(&mut self, fingerprint: u128, time: UtcMillis) -> bool {
        let is_new = self.known.insert(fingerprint);
        if is_new {
            self.rows += 1;
            self.span = Some(widened(self.span, time));
        } else {
            self.duplicates += 1;
        }
        is_new
    }

    /// Hands on the row that no further one can challenge, and those before it.
    fn settle(&mut self, open: &Best) {
        let mut is_new = self.is_new(open.fingerprint, open.row().time);
        if let Some((batch, rows)) = self.judged.take() {
            let follows = open.row == rows && Arc::ptr_eq(batch.column(0), open.batch.column(0));
            let with_it = usize::from(is_new && follows);
            self.ready.push_back(batch.slice(0, rows + with_it));
            is_new &= !follows;
        }
        if is_new {
            self.ready.push_back(open.batch.slice(open.row, 1));
        }
    }
}

impl Iterator for Fresh {
    type Item = Result<RecordBatch, af_store::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some(batch) = self.ready.pop_front() {
                if batch.num_rows() > 0 {
                    return Some(Ok(batch));
                }
            }
            match self.events.next() {
                Some(Ok(batch)) => self.judge(&batch),
                Some(Err(error)) => return Some(Err(error)),
                None => {
                    let open = self.open.take()?;
                    self.settle(&open);
                }
            }
        }
    }
}

/// The fingerprints of a tenant's events that the store has of a day.
pub(super) fn known(store: &Store, day: UtcDay, tenant: &str) -> Result<HashSet<u128>, Error> {
    let mut known = HashSet::new();
    for path in store.day_files(Partitioned::Events, day)? {
        // An id read wrongly here would let its event in twice.
        af_store::checked(&path)?;
        let columns = Some(&["tenant_uid", "metadata_uid"][..]);
        for batch in table_file::read(&path, &identity_events::TABLE, columns, Scan::File)? {
            let batch = batch?;
            let mine = texts(&batch, "tenant_uid")
                .zip(texts(&batch, "metadata_uid"))
                .filter(|(found, _)| *found == tenant);
            known.extend(mine.map(|(_, uid)| fingerprint(uid)));
        }
    }
    Ok(known)
}

/// 128 bits of an event id; ids of one tenant only meet each other.
pub(super) fn fingerprint(uid: &str) -> u128 {
    u128::from_le_bytes(HexHash::of_parts([uid]).0)
}

/// A span that holds one more instant.
pub(super) fn widened(
    span: Option<(UtcMillis, UtcMillis)>,
    time: UtcMillis,
) -> (UtcMillis, UtcMillis) {
    span.map_or((time, time), |(first, last)| {
        (first.min(time), last.max(time))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use af_model::HashKey;
    use af_okta::Normalizer;
    use af_store::sorted_batches;
    use arrow::compute::concat_batches;
    use proptest::prelude::*;

    use super::*;

    /// Event id, second, person and message: few of each, so that all of them meet.
    type Event = (u8, u8, u8, u8);

    fn batch(events: &[Event]) -> RecordBatch {
        let key = HashKey::new([7; 32]);
        let now = UtcMillis::parse("2026-11-20T12:00:00Z").unwrap();
        let normalizer = Normalizer::new("acme", None, now, &key);
        let mut rows = identity_events::Builder::default();
        for (uid, second, person, message) in events {
            let actor = match person {
                0 => "null".to_owned(),
                _ => format!(r#"{{"id":"00u{person}","type":"User"}}"#),
            };
            let event = format!(
                r#"{{"uuid":"e{uid}","published":"2026-11-20T11:00:0{second}Z",
                "eventType":"user.session.start","displayMessage":"m{message}","actor":{actor}}}"#
            );
            rows.append(&normalizer.event(event.as_bytes()).unwrap());
        }
        rows.finish()
    }

    fn rendered(batch: &RecordBatch) -> Vec<String> {
        let rows = (0..batch.num_rows()).map(|row| identity_events::row(batch, row));
        rows.map(|row| format!("{row:?}")).collect()
    }

    /// Row by row, with everything in memory.
    fn plain(sorted: &RecordBatch, known: &HashSet<u128>) -> Vec<String> {
        let mut rows: Vec<_> = (0..sorted.num_rows())
            .map(|row| identity_events::row(sorted, row))
            .map(|row| {
                let subject = row.subject_ref.clone();
                (
                    subject,
                    row.time,
                    row.metadata_uid.clone(),
                    format!("{row:?}"),
                )
            })
            .collect();
        rows.sort();
        let mut seen = known.clone();
        rows.dedup_by(|later, first| {
            (&later.0, later.1, &later.2) == (&first.0, first.1, &first.2)
        });
        rows.retain(|(_, _, uid, _)| seen.insert(fingerprint(uid)));
        rows.into_iter().map(|(.., rendered)| rendered).collect()
    }

    proptest! {
        #[test]
        fn what_is_new_is_the_same_however_the_rows_are_cut(
            events in prop::collection::vec((0_u8..6, 0_u8..2, 0_u8..3, 0_u8..3), 1..40),
            cuts in prop::collection::btree_set(0_usize..40, 0..8),
            stored in 0_u8..6,
        ) {
            let batch = batch(&events);
            let table = &identity_events::TABLE;
            let sorted: Vec<RecordBatch> =
                sorted_batches(vec![batch.clone()], table).unwrap().map(Result::unwrap).collect();
            let sorted = concat_batches(batch.schema_ref(), &sorted).unwrap();
            let known = HashSet::from([fingerprint(&format!("e{stored}"))]);
            let expected = plain(&sorted, &known);
            let ends: BTreeSet<usize> = cuts
                .into_iter()
                .filter(|&cut| cut < events.len())
                .chain([0, events.len()])
                .collect();
            let ends: Vec<usize> = ends.into_iter().collect();
            // One of the batches is empty.
            let parts: Vec<_> = ends
                .windows(2)
                .map(|ends| sorted.slice(ends[0], ends[1] - ends[0]))
                .chain([sorted.slice(0, 0)])
                .map(Ok)
                .collect();
            let mut fresh = Fresh::new(known, Box::new(parts.into_iter()));
            let found: Vec<String> =
                fresh.by_ref().flat_map(|batch| rendered(&batch.unwrap())).collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(fresh.rows, expected.len() as u64);
            prop_assert_eq!(fresh.rows + fresh.duplicates, events.len() as u64);
        }
    }
}
