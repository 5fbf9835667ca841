//! Retractions whose targets are gone.

use std::collections::BTreeSet;

use af_model::UtcDay;
use af_model::tables::{attack_signals, identity_events, retractions};
use af_store::{Partitioned, Scan, Store, WriteLock, table_file};
use arrow::array::{Array, AsArray, RecordBatch};

use super::super::compact::bytes;
use super::PurgedPart;
use crate::error::{Error, ErrorKind};

/// What a retraction names.
type Target = (String, String, String);

/// Removes retractions made before the day whose target is in no day that stays. A later one stays:
/// it may speak of an event that is still to come.
pub(super) fn purge(
    store: &Store,
    lock: Option<&WriteLock>,
    before: UtcDay,
) -> Result<PurgedPart, Error> {
    let mut part = PurgedPart {
        part: "retractions",
        ..PurgedPart::default()
    };
    let mut files = Vec::new();
    let mut gone = BTreeSet::new();
    for path in store.retractions()? {
        let rows = rows(&path)?;
        gone.extend(rows.iter().filter(|row| is_old(row, before)).map(target));
        files.push((path, rows));
    }
    if gone.is_empty() {
        return Ok(part);
    }
    without_those_that_stay(store, before, &mut gone)?;
    for (path, rows) in files {
        let leaves = |row: &&retractions::Row| is_old(row, before) && gone.contains(&target(row));
        let leaving = rows.iter().filter(leaves).count();
        if leaving == 0 {
            continue;
        }
        part.items += 1;
        part.rows += leaving as u64;
        let kept: Vec<&retractions::Row> = rows.iter().filter(|row| !leaves(row)).collect();
        if kept.is_empty() {
            part.bytes += bytes(std::slice::from_ref(&path))?;
        }
        if let Some(lock) = lock {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let batches = (!kept.is_empty()).then(|| Ok(retractions::batch(kept)));
            store.rewrite_retractions(lock, &name, batches)?;
        }
    }
    Ok(part)
}

/// Rows of one file.
pub(in crate::upkeep) fn rows(path: &std::path::Path) -> Result<Vec<retractions::Row>, Error> {
    let mut rows = Vec::new();
    for batch in table_file::read(path, &retractions::TABLE, None, Scan::File)? {
        rows.extend(retractions::rows(&batch?).map_err(|error| {
            Error::new(ErrorKind::Io, format!("read {}: {error}", path.display()))
        })?);
    }
    Ok(rows)
}

fn is_old(row: &retractions::Row, before: UtcDay) -> bool {
    row.ingested_at < super::start_of(before)
}

fn target(row: &retractions::Row) -> Target {
    (
        row.tenant_uid.clone(),
        row.target_kind.to_ascii_lowercase(),
        row.target_uid.clone(),
    )
}

/// Takes out every target that a day from `before` on still holds.
fn without_those_that_stay(
    store: &Store,
    before: UtcDay,
    gone: &mut BTreeSet<Target>,
) -> Result<(), Error> {
    let later = |kind: Partitioned| -> Result<Vec<_>, Error> {
        let mut files = Vec::new();
        for day in store.days(kind)?.into_iter().filter(|&day| day >= before) {
            files.extend(store.day_files(kind, day)?);
        }
        Ok(files)
    };
    for path in later(Partitioned::Events)? {
        let columns = Some(&["tenant_uid", "metadata_uid"][..]);
        for batch in table_file::read(&path, &identity_events::TABLE, columns, Scan::File)? {
            strike(&batch?, 1, "event", gone);
        }
    }
    for path in later(Partitioned::Signals)? {
        let columns = Some(&["tenant_uid", "signal_uid", "incident_uid", "event_uids"][..]);
        for batch in table_file::read(&path, &attack_signals::TABLE, columns, Scan::File)? {
            let batch = batch?;
            strike(&batch, 1, "signal", gone);
            strike(&batch, 2, "incident", gone);
            // Also events that are not stored, where somebody else's signals name them.
            let (tenants, events) = (batch.column(0).as_string::<i32>(), batch.column(3));
            let events = events.as_list::<i32>();
            for row in 0..batch.num_rows() {
                if events.is_null(row) {
                    continue;
                }
                for uid in events.value(row).as_string::<i32>().iter().flatten() {
                    remove(gone, tenants.value(row), "event", uid);
                }
            }
        }
    }
    Ok(())
}

fn strike(batch: &RecordBatch, column: usize, kind: &str, gone: &mut BTreeSet<Target>) {
    let tenants = batch.column(0).as_string::<i32>();
    let uids = batch.column(column).as_string::<i32>();
    for (tenant, uid) in tenants.iter().zip(uids.iter()) {
        if let (Some(tenant), Some(uid)) = (tenant, uid) {
            remove(gone, tenant, kind, uid);
        }
    }
}

fn remove(gone: &mut BTreeSet<Target>, tenant: &str, kind: &str, uid: &str) {
    if !gone.is_empty() {
        gone.remove(&(tenant.to_owned(), kind.to_owned(), uid.to_owned()));
    }
}
