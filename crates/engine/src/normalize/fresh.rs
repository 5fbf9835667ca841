//! Which of a day's events are new.

use std::collections::HashSet;

use af_model::tables::identity_events;
use af_model::{HexHash, UtcDay, UtcMillis};
use af_store::{Partitioned, Scan, Store, WriteLock, table_file};
use arrow::array::RecordBatch;

use super::texts;
use super::waiting::Sorted;
use crate::error::Error;

/// Rows of a batch that is handed on.
const ROWS_PER_BATCH: usize = 8192;

/// The events of a day that are not known yet, as a stream in the table's order.
///
/// Two events of one id and different content: the stored one stays; among new ones the first in
/// the table's order wins, and among those that share its sort key the smallest content. So the
/// outcome does not depend on the order of the input.
pub(super) struct Fresh {
    known: HashSet<u128>,
    events: Sorted,
    /// Rows that share a sort key; they may span batches.
    held: Vec<(RecordBatch, usize)>,
    builder: identity_events::Builder,
    /// Events handed on so far.
    pub(super) rows: u64,
    /// Events dropped so far.
    pub(super) duplicates: u64,
    /// First and last of the events handed on.
    pub(super) span: Option<(UtcMillis, UtcMillis)>,
}

impl Fresh {
    pub(super) fn new(known: HashSet<u128>, events: Sorted) -> Self {
        Self {
            known,
            events,
            held: Vec::new(),
            builder: identity_events::Builder::default(),
            rows: 0,
            duplicates: 0,
            span: None,
        }
    }

    fn take(&mut self, batch: &RecordBatch) {
        for row in 0..batch.num_rows() {
            let same = self.held.last().is_some_and(|(before, at)| {
                sort_key(&identity_events::row(before, *at))
                    == sort_key(&identity_events::row(batch, row))
            });
            if !same {
                self.settle_held();
            }
            self.held.push((batch.clone(), row));
        }
    }

    /// Keeps one of the rows that share a sort key, and so an id; the smallest content wins.
    fn settle_held(&mut self) {
        let rows = std::mem::take(&mut self.held);
        let several = rows.len() > 1;
        let smallest = rows.iter().min_by_key(|(batch, at)| {
            // Only rows that came twice are rendered.
            several.then(|| format!("{:?}", identity_events::row(batch, *at)))
        });
        let Some((batch, at)) = smallest else { return };
        self.duplicates += rows.len() as u64 - 1;
        let row = identity_events::row(batch, *at);
        if !self.known.insert(fingerprint(&row.metadata_uid)) {
            self.duplicates += 1;
            return;
        }
        self.rows += 1;
        self.span = Some(match self.span {
            Some((first, last)) => (first.min(row.time), last.max(row.time)),
            None => (row.time, row.time),
        });
        self.builder.append(&row);
    }
}

impl Iterator for Fresh {
    type Item = Result<RecordBatch, af_store::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.builder.len() < ROWS_PER_BATCH {
            match self.events.next() {
                Some(Ok(batch)) => self.take(&batch),
                Some(Err(error)) => return Some(Err(error)),
                None => {
                    self.settle_held();
                    break;
                }
            }
        }
        (!self.builder.is_empty()).then(|| Ok(self.builder.finish()))
    }
}

/// The fingerprints of a tenant's events that the store has of a day.
pub(super) fn known(
    store: Option<(&Store, &WriteLock)>,
    day: UtcDay,
    tenant: &str,
) -> Result<HashSet<u128>, Error> {
    let mut known = HashSet::new();
    let Some((store, _)) = store else {
        return Ok(known);
    };
    for path in store.day_files(Partitioned::Events, day)? {
        let columns = Some(&["tenant_uid", "metadata_uid"][..]);
        for batch in table_file::read(&path, &identity_events::TABLE, columns, Scan::File)? {
            let batch = batch?;
            let (tenants, uids) = (texts(&batch, "tenant_uid"), texts(&batch, "metadata_uid"));
            let mine = tenants
                .iter()
                .zip(&uids)
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
fn fingerprint(uid: &str) -> u128 {
    u128::from_le_bytes(HexHash::of_parts([uid]).0)
}
