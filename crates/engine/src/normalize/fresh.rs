//! Which of a day's events are new.

use std::collections::HashSet;
use std::rc::Rc;

use af_model::tables::identity_events;
use af_model::{HexHash, UtcDay, UtcMillis};
use af_store::{Partitioned, Scan, Store, table_file};
use arrow::array::RecordBatch;

use super::texts;
use super::waiting::Sorted;
use crate::error::Error;

/// Rows of a batch that is handed on.
const ROWS_PER_BATCH: usize = 8192;

/// A batch is handed on earlier when its rows are larger than rows should be.
const BYTES_PER_BATCH: usize = 64 << 20;

/// The events of a day that are not known yet, as a stream in the table's order.
///
/// Two events of one id and different content: the stored one stays; among new ones the first in
/// the table's order wins, and among those that share its sort key the smallest content. So the
/// outcome does not depend on the order of the input.
pub(super) struct Fresh {
    known: HashSet<u128>,
    events: Sorted,
    current: Option<Current>,
    /// The smallest so far of the rows that share a sort key; they may span batches.
    held: Option<Held>,
    builder: identity_events::Builder,
    building_bytes: usize,
    /// Events handed on so far.
    pub(super) rows: u64,
    /// Events dropped so far.
    pub(super) duplicates: u64,
    /// First and last of the events handed on.
    pub(super) span: Option<(UtcMillis, UtcMillis)>,
}

struct Current {
    batch: Rc<RecordBatch>,
    next: usize,
    bytes_per_row: usize,
}

struct Held {
    batch: Rc<RecordBatch>,
    row: usize,
    bytes: usize,
    /// Only rows that came twice are rendered, once.
    rendered: Option<String>,
}

impl Held {
    fn row(&self) -> identity_events::Row<'_> {
        identity_events::row(&self.batch, self.row)
    }
}

impl Fresh {
    pub(super) fn new(known: HashSet<u128>, events: Sorted) -> Self {
        Self {
            known,
            events,
            current: None,
            held: None,
            builder: identity_events::Builder::default(),
            building_bytes: 0,
            rows: 0,
            duplicates: 0,
            span: None,
        }
    }

    /// The next row of the day, from whatever batch.
    fn next_row(&mut self) -> Option<Result<Held, af_store::Error>> {
        loop {
            if let Some(current) = &mut self.current
                && current.next < current.batch.num_rows()
            {
                current.next += 1;
                return Some(Ok(Held {
                    batch: Rc::clone(&current.batch),
                    row: current.next - 1,
                    bytes: current.bytes_per_row,
                    rendered: None,
                }));
            }
            match self.events.next()? {
                Ok(batch) => {
                    self.current = Some(Current {
                        bytes_per_row: batch.get_array_memory_size() / batch.num_rows().max(1),
                        batch: Rc::new(batch),
                        next: 0,
                    });
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn take(&mut self, mut new: Held) {
        let Some(held) = &mut self.held else {
            self.held = Some(new);
            return;
        };
        if sort_key(&held.row()) != sort_key(&new.row()) {
            self.settle_held();
            self.held = Some(new);
            return;
        }
        self.duplicates += 1;
        if held.row() == new.row() {
            return;
        }
        let rendered = format!("{:?}", new.row());
        let smallest = match &held.rendered {
            Some(smallest) => smallest,
            None => &*held
                .rendered
                .insert(format!("{:?}", identity_events::row(&held.batch, held.row))),
        };
        if rendered < *smallest {
            new.rendered = Some(rendered);
            *held = new;
        }
    }

    /// Hands on the one row that stands for all of its sort key, and so of its id.
    fn settle_held(&mut self) {
        let Some(held) = self.held.take() else { return };
        let row = held.row();
        if !self.known.insert(fingerprint(&row.metadata_uid)) {
            self.duplicates += 1;
            return;
        }
        self.rows += 1;
        self.span = Some(widened(self.span, row.time));
        self.building_bytes += held.bytes;
        self.builder.append(&row);
    }
}

impl Iterator for Fresh {
    type Item = Result<RecordBatch, af_store::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.builder.len() < ROWS_PER_BATCH && self.building_bytes < BYTES_PER_BATCH {
            match self.next_row() {
                Some(Ok(row)) => self.take(row),
                Some(Err(error)) => return Some(Err(error)),
                None => {
                    self.settle_held();
                    break;
                }
            }
        }
        self.building_bytes = 0;
        (!self.builder.is_empty()).then(|| Ok(self.builder.finish()))
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

fn sort_key<'a>(row: &'a identity_events::Row<'_>) -> (Option<&'a str>, UtcMillis, &'a str) {
    (row.subject_ref.as_deref(), row.time, &row.metadata_uid)
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
