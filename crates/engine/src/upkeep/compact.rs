//! One file for every day that has several, so that reading a day merges nothing.

use std::path::PathBuf;

use af_model::UtcDay;
use af_store::{Partitioned, Store, WriteLock};

use crate::detect::{self, OWN_FILES};
use crate::error::Error;
use crate::progress::Progress;

/// The tables that are cut into days.
pub(super) const DAY_TABLES: [Partitioned; 3] = [
    Partitioned::Events,
    Partitioned::Signals,
    Partitioned::Quarantine,
];

/// What compacting did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactReport {
    /// By table, in the order events, signals, quarantine.
    pub tables: Vec<CompactedTable>,
    /// Days that were left as they are, and why: a file of another program that is not in the
    /// table's order or breaks its contract.
    pub skipped: Vec<String>,
}

/// What compacting did to one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactedTable {
    /// The table's folder.
    pub table: &'static str,
    /// Days in the store.
    pub days: u64,
    /// Days of which files were made one.
    pub compacted: u64,
    /// Files before.
    pub files_before: u64,
    /// Files after.
    pub files_after: u64,
    /// Bytes before.
    pub bytes_before: u64,
    /// Bytes after; unknown when nothing was written.
    pub bytes_after: Option<u64>,
}

impl CompactReport {
    /// Whether every day was one file already.
    pub fn is_nothing(&self) -> bool {
        self.tables.iter().all(|table| table.compacted == 0)
    }
}

/// Makes one file of every day's files. Without a lock nothing is written and the report says what
/// would be.
///
/// The signals that detection found keep a file of their own beside one of everybody else's: a later
/// detection replaces its own and must neither lose nor own the others. Detection's memory of which
/// events it has seen follows the new names, so that nothing is classified again. Directory
/// versions and snapshots are not touched.
///
/// # Errors
/// A file is damaged, or the store cannot be written.
pub fn compact(
    store: &Store,
    lock: Option<&WriteLock>,
    progress: &dyn Progress,
) -> Result<CompactReport, Error> {
    let mut report = CompactReport::default();
    for kind in DAY_TABLES {
        let days = store.days(kind)?;
        let mut table = CompactedTable {
            table: kind.folder(),
            days: days.len() as u64,
            bytes_after: lock.map(|_| 0),
            ..CompactedTable::default()
        };
        progress.begin(
            &format!("compacting {}", kind.folder()),
            Some(days.len() as u64),
        );
        for day in days {
            compact_day(store, lock, kind, day, &mut table, &mut report.skipped)?;
            progress.advance(1);
        }
        progress.end();
        report.tables.push(table);
    }
    Ok(report)
}

fn compact_day(
    store: &Store,
    lock: Option<&WriteLock>,
    kind: Partitioned,
    day: UtcDay,
    table: &mut CompactedTable,
    skipped: &mut Vec<String>,
) -> Result<(), Error> {
    let before = store.day_files(kind, day)?;
    table.files_before += before.len() as u64;
    table.bytes_before += bytes(&before)?;
    let mut after = before.len() as u64;
    let mut is_compacted = false;
    for group in groups(kind, &before) {
        if group.len() < 2 {
            continue;
        }
        let Some(lock) = lock else {
            after -= group.len() as u64 - 1;
            is_compacted = true;
            continue;
        };
        match store.compact_files(lock, kind, day, &group) {
            Ok(_) => is_compacted = true,
            // Scoring reads such files, so they are no reason to fail; they just stay.
            Err(error) if is_foreign(error.kind()) => {
                skipped.push(format!("{} of {day}: {error}", kind.folder()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    table.compacted += u64::from(is_compacted);
    if let Some(lock) = lock {
        let files = store.day_files(kind, day)?;
        after = files.len() as u64;
        if let Some(total) = &mut table.bytes_after {
            *total += bytes(&files)?;
        }
        if kind == Partitioned::Events && is_compacted {
            detect::renamed_inputs(store, lock, day, &before, &files)?;
        }
    }
    table.files_after += after;
    Ok(())
}

/// The files of a day that may become one, by name without extension.
fn groups(kind: Partitioned, files: &[PathBuf]) -> Vec<Vec<String>> {
    let names = files
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
    match kind {
        Partitioned::Signals => {
            // Detection keeps one file of its own, and replaces it by name.
            vec![names.filter(|name| !name.starts_with(OWN_FILES)).collect()]
        }
        _ => vec![names.collect()],
    }
}

/// Failures of a file that somebody else wrote and that counting puts up with.
fn is_foreign(kind: af_store::ErrorKind) -> bool {
    matches!(
        kind,
        af_store::ErrorKind::NotSorted
            | af_store::ErrorKind::Contract
            | af_store::ErrorKind::InvalidName
    )
}

/// Size of files.
pub(super) fn bytes(files: &[PathBuf]) -> Result<u64, Error> {
    files
        .iter()
        .map(|path| {
            fs_err::metadata(path)
                .map(|found| found.len())
                .map_err(|error| {
                    Error::new(
                        crate::ErrorKind::Io,
                        format!("look at a file of the store: {error}"),
                    )
                })
        })
        .sum()
}
