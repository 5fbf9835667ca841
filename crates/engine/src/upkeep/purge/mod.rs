//! Removing what is older than a day.
//!
//! Whole UTC days of events, signals and quarantine leave the store, then the retractions whose
//! targets are gone, the directory versions that no snapshot and no later cut chooses, and what is kept
//! of feeds as received; on request old snapshots as well. What left is remembered ([`Purged`]): its events stay counted, and those of
//! a re-read export are refused with the reason `purged`.

mod directories;
mod feeds;
mod retractions;
mod state;

use std::collections::BTreeMap;

use af_model::tables::identity_events;
use af_model::{UtcDay, UtcMillis};
use af_store::{Partitioned, Scan, SnapshotId, Store, TableFile, WriteLock, table_file};
use arrow::array::AsArray;

use super::compact::{DAY_TABLES, bytes};
use crate::assemble::window_start;
use crate::detect;
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;

pub(super) use retractions::rows as retraction_rows;
pub use state::Purged;

/// What to purge.
#[derive(Clone, Copy, Debug)]
pub struct PurgeOptions {
    /// Whole days before this one go.
    pub before: UtcDay,
    /// Whether snapshots of these days go, too.
    pub snapshots: bool,
    /// Snapshots that stay in any case, counted from the newest; the latest always does.
    pub keep: usize,
    /// Whether the window of the latest snapshot may be cut into.
    pub force: bool,
}

/// What was purged, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PurgeReport {
    /// In the order events, signals, quarantine, retractions, directory, snapshots; then what was
    /// fetched and is kept, where any of it was old.
    pub parts: Vec<PurgedPart>,
}

/// What was purged of one part of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PurgedPart {
    /// The folder in the store.
    pub part: &'static str,
    /// Days, files of retractions, directory versions, snapshots, inventories or documents.
    pub items: u64,
    /// Rows in them; files, of what is kept as received.
    pub rows: u64,
    /// Bytes that were freed; of a file that was only shortened, none are counted.
    pub bytes: u64,
}

impl PurgeReport {
    /// Whether nothing was old enough.
    pub fn is_nothing(&self) -> bool {
        self.parts.iter().all(|part| part.items == 0)
    }
}

/// Removes what is older than a day. Without a lock nothing is written and the report says what would
/// be.
///
/// # Errors
/// [`ErrorKind::Usage`] when the day cuts into the window of the latest snapshot and that is not
/// forced; the store cannot be read or written.
pub fn purge(
    store: &Store,
    lock: Option<&WriteLock>,
    options: &PurgeOptions,
    progress: &dyn Progress,
) -> Result<PurgeReport, Error> {
    let before = options.before;
    check_window(store, options)?;
    let mut report = PurgeReport::default();
    let (leaving, staying) = snapshots(store, options)?;
    let mut state = Purged::read(store)?;
    if let Some(lock) = lock {
        // First of all, so that nothing of those days comes in again half-way.
        state.begin(store, lock, before)?;
    }
    let snapshots = remove_snapshots(store, lock, &leaving)?;
    for kind in DAY_TABLES {
        let days: Vec<UtcDay> = store.days(kind)?;
        let days: Vec<UtcDay> = days.into_iter().filter(|&day| day < before).collect();
        let mut part = PurgedPart {
            part: kind.folder(),
            ..PurgedPart::default()
        };
        progress.begin(
            &format!("purging {}", kind.folder()),
            Some(days.len() as u64),
        );
        for day in days {
            let files = store.day_files(kind, day)?;
            part.items += 1;
            part.bytes += bytes(&files)?;
            for file in &files {
                part.rows += TableFile::open(file, kind.table())?.rows();
            }
            match lock {
                Some(lock) if kind == Partitioned::Events => {
                    state.remove_events(store, lock, day, events_of(store, day)?)?;
                }
                Some(lock) => store.remove_day(lock, kind, day)?,
                None => {}
            }
            progress.advance(1);
        }
        progress.end();
        report.parts.push(part);
    }
    if let Some(lock) = lock {
        detect::forget_days(store, lock, before)?;
    }
    report.parts.push(retractions::purge(store, lock, before)?);
    report
        .parts
        .push(directories::purge(store, lock, before, &staying)?);
    report.parts.push(snapshots);
    report.parts.extend(feeds::purge(store, lock, before)?);
    Ok(report)
}

/// Takes events older than the last purge in again, for an import of what was purged by mistake.
/// Returns the day that no longer bars anything, if one did.
///
/// # Errors
/// The store cannot be read or written.
pub fn lift(store: &Store, lock: Option<&WriteLock>) -> Result<Option<UtcDay>, Error> {
    let mut state = Purged::read(store)?;
    let before = state.before;
    if let (Some(lock), Some(_)) = (lock, before) {
        state.lift(store, lock)?;
    }
    Ok(before)
}

fn check_window(store: &Store, options: &PurgeOptions) -> Result<(), Error> {
    if options.force {
        return Ok(());
    }
    let (as_of, what) = match store.latest()? {
        Some(latest) => (latest.as_of, format!("the latest snapshot ({latest})")),
        None => match newest_day(store)? {
            Some(day) => (day.start(), format!("a snapshot of the newest day ({day})")),
            None => return Ok(()),
        },
    };
    let first = window_start(as_of);
    if options.before <= first {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Usage,
        format!(
            "purge what is before {}: {what} counts attacks from {first} on",
            options.before
        ),
    )
    .with_hint(format!(
        "give --before {first} or an earlier day; --force cuts into the window, and later scores of \
         the same days lose these attacks"
    )))
}

fn newest_day(store: &Store) -> Result<Option<UtcDay>, Error> {
    let mut newest = None;
    for kind in [Partitioned::Events, Partitioned::Signals] {
        newest = newest.max(store.days(kind)?.pop());
    }
    Ok(newest)
}

/// Snapshots that go and those that stay.
fn snapshots(
    store: &Store,
    options: &PurgeOptions,
) -> Result<(Vec<SnapshotId>, Vec<SnapshotId>), Error> {
    let all = store.snapshots()?;
    if !options.snapshots {
        return Ok((Vec::new(), all));
    }
    let latest = store.latest()?;
    let protected = all.len().saturating_sub(options.keep);
    let (mut leaving, mut staying) = (Vec::new(), Vec::new());
    for (place, id) in all.into_iter().enumerate() {
        let is_old = id.as_of.day() < options.before;
        if is_old && place < protected && Some(id) != latest {
            leaving.push(id);
        } else {
            staying.push(id);
        }
    }
    Ok((leaving, staying))
}

fn remove_snapshots(
    store: &Store,
    lock: Option<&WriteLock>,
    leaving: &[SnapshotId],
) -> Result<PurgedPart, Error> {
    let mut part = PurgedPart {
        part: "snapshots",
        ..PurgedPart::default()
    };
    for &id in leaving {
        part.items += 1;
        let snapshot = af_store::Snapshot::open(&store.snapshot_dir(id));
        // One that cannot be read is no less old.
        for file in snapshot.iter().flat_map(|found| &found.manifest().files) {
            part.rows += file.rows;
            part.bytes += file.bytes;
        }
        if let Some(lock) = lock {
            store.remove_snapshot(lock, id)?;
        }
    }
    Ok(part)
}

/// How many events of a day each tenant has.
fn events_of(store: &Store, day: UtcDay) -> Result<BTreeMap<String, u64>, Error> {
    let mut counts = BTreeMap::new();
    for path in store.day_files(Partitioned::Events, day)? {
        let columns = Some(&["tenant_uid"][..]);
        for batch in table_file::read(&path, &identity_events::TABLE, columns, Scan::File)? {
            for tenant in batch?.column(0).as_string::<i32>().iter().flatten() {
                match counts.get_mut(tenant) {
                    Some(count) => *count += 1,
                    None => {
                        counts.insert(tenant.to_owned(), 1);
                    }
                }
            }
        }
    }
    Ok(counts)
}

/// The first instant that is not purged.
fn start_of(before: UtcDay) -> UtcMillis {
    before.start()
}
