//! What was found of events that have left the store since.

use std::collections::BTreeSet;

use af_model::tables::attack_signals;
use af_model::{UtcDay, UtcMillis};
use af_store::{Partitioned, Scan, Store, sorted_batch, table_file};
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};

use super::OWN_FILES;
use crate::error::{Error, ErrorKind};

/// What makes two rows the same finding: the signal's id, and for a finding of several events whom
/// it found in which incident by which rule.
#[derive(Default)]
struct Found {
    uids: BTreeSet<(String, String)>,
    groups: BTreeSet<(String, String, String, Option<String>)>,
}

impl Found {
    /// Whether the row is there already.
    fn has(&self, row: &attack_signals::Row<'_>) -> bool {
        self.uids.contains(&uid(row))
            || group(row).is_some_and(|group| self.groups.contains(&group))
    }

    fn add(&mut self, row: &attack_signals::Row<'_>) {
        self.uids.insert(uid(row));
        self.groups.extend(group(row));
    }
}

fn uid(row: &attack_signals::Row<'_>) -> (String, String) {
    (row.tenant_uid.to_string(), row.signal_uid.to_string())
}

/// A group gives a person one finding a day, whatever events are behind it.
fn group(row: &attack_signals::Row<'_>) -> Option<(String, String, String, Option<String>)> {
    let incident = row.incident_uid.as_deref()?;
    incident.starts_with("group:").then(|| {
        (
            row.tenant_uid.to_string(),
            row.rule_id.to_string(),
            incident.to_owned(),
            row.subject_ref.as_deref().map(str::to_owned),
        )
    })
}

/// The signals that this stage found before on a day, and what `now` finds beyond them, in the
/// table's order.
///
/// What was found is never replaced by another finding of the same. What was known until `known_until`
/// had been looked at with all its events, so a finding that would have been known by then and was not
/// made is none: the events that spoke against it have left the store.
pub(super) fn found_before(
    store: &Store,
    day: UtcDay,
    now: &RecordBatch,
    known_until: Option<UtcMillis>,
) -> Result<RecordBatch, Error> {
    let table = &attack_signals::TABLE;
    let mut all = Vec::new();
    let mut found = Found::default();
    for path in store.day_files(Partitioned::Signals, day)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with(OWN_FILES) {
            continue;
        }
        for batch in table_file::read(&path, table, None, Scan::File)? {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                found.add(&attack_signals::row(&batch, row));
            }
            all.push(batch);
        }
    }
    let failed = |error: arrow::error::ArrowError| {
        let message = format!("collect the signals of {day}: {error}");
        Error::new(ErrorKind::Io, message)
    };
    let is_new: BooleanArray = (0..now.num_rows())
        .map(|row| {
            let row = attack_signals::row(now, row);
            Some(row.ingested_at > known_until && !found.has(&row))
        })
        .collect();
    all.push(filter_record_batch(now, &is_new).map_err(failed)?);
    let all = concat_batches(&table.file_schema(), &all).map_err(failed)?;
    Ok(sorted_batch(&all, table)?)
}
