//! The store's own tables written anew without one person.

use std::collections::BTreeSet;
use std::path::Path;

use af_model::UtcDay;
use af_model::contract::Table;
use af_model::tables::{attack_signals, directory, identity_events, retractions};
use af_store::{Partitioned, Scan, Store, TableFile, WriteLock, sorted_batch, table_file};
use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::compute::concat_batches;

use super::super::compact::DAY_TABLES;
use super::super::day_files;
use super::super::purge::retraction_rows;
use super::scrub::{Scrubber, Tally};
use super::{ErasedTable, identity};
use crate::detect::{self, OWN_FILES};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;

impl ErasedTable {
    pub(super) fn of(table: &'static str) -> Self {
        Self {
            table,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, tally: Tally) {
        self.files += 1;
        self.removed += tally.removed;
        self.changed += tally.changed;
    }
}

/// The columns that name the person of a row, the user id first.
const fn subject_columns(kind: Partitioned) -> &'static [&'static str] {
    match kind {
        Partitioned::Events => &["user_uid", "user_name", "subject_ref"],
        Partitioned::Signals => &[
            "subject_uid",
            "subject_login",
            "subject_email",
            "subject_ref",
        ],
        Partitioned::Quarantine => &[],
    }
}

/// Events, signals and quarantine.
pub(super) fn days(
    store: &Store,
    lock: Option<&WriteLock>,
    scrubber: &Scrubber,
    progress: &dyn Progress,
) -> Result<Vec<ErasedTable>, Error> {
    let mut report = Vec::new();
    for kind in DAY_TABLES {
        let mut table = ErasedTable::of(kind.table().name);
        let days = store.days(kind)?;
        progress.begin(
            &format!("looking through {}", kind.folder()),
            Some(days.len() as u64),
        );
        for day in days {
            for path in store.day_files(kind, day)? {
                if let Some(tally) = day_file(store, lock, scrubber, kind, day, &path)? {
                    table.add(tally);
                }
            }
            progress.advance(1);
        }
        progress.end();
        report.push(table);
    }
    Ok(report)
}

fn day_file(
    store: &Store,
    lock: Option<&WriteLock>,
    scrubber: &Scrubber,
    kind: Partitioned,
    day: UtcDay,
    path: &Path,
) -> Result<Option<Tally>, Error> {
    let table = kind.table();
    let subject = subject_columns(kind);
    let mut tally = Tally::default();
    for batch in table_file::read(path, table, None, Scan::File)? {
        scrubber.rows(&batch?, subject, &mut tally);
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if tally.is_none() && scrubber.clean(&stem).is_none() {
        return Ok(None);
    }
    let Some(lock) = lock else {
        return Ok(Some(tally));
    };
    let is_in_order = TableFile::open(path, table)?.is_ours();
    let edited = table_file::read(path, table, None, Scan::File)?.map(|batch| {
        let batch = batch?;
        let edited = scrubber.rows(&batch, subject, &mut Tally::default());
        Ok(edited.unwrap_or(batch))
    });
    if kind == Partitioned::Events {
        // Before the first row leaves, so that colleagues keep what was found about them.
        detect::thinned(store, lock, day)?;
    }
    let old = [stem.to_string()];
    // Names of files are part of the order of quarantine; other programs promise no order.
    if kind == Partitioned::Events && is_in_order {
        store.replace_day_stream(lock, kind, day, &old, "", edited)?;
        return Ok(Some(tally));
    }
    let batches = edited.collect::<Result<Vec<RecordBatch>, af_store::Error>>()?;
    let together = together(table, &batches)?;
    let is_detected = stem.starts_with(OWN_FILES);
    let prefix = if is_detected { OWN_FILES } else { "" };
    store.replace_day_stream(lock, kind, day, &old, prefix, [Ok(together)])?;
    Ok(Some(tally))
}

/// All rows as one batch in the table's order.
fn together(table: &'static Table, batches: &[RecordBatch]) -> Result<RecordBatch, Error> {
    let all = concat_batches(&table.file_schema(), batches)
        .map_err(|error| Error::new(ErrorKind::Io, format!("collect {}: {error}", table.name)))?;
    Ok(sorted_batch(&all, table)?)
}

/// Directory versions: the person's rows go, those whom they managed have no manager any more.
pub(super) fn directory(
    store: &Store,
    lock: Option<&WriteLock>,
    scrubber: &Scrubber,
) -> Result<ErasedTable, Error> {
    let mut table = ErasedTable::of(directory::TABLE.name);
    for path in store.directories()? {
        let mut people = identity::people(&path)?;
        let mut tally = Tally::default();
        let before = people.len();
        people.retain(|person| {
            person.tenant_uid != scrubber.tenant() || !scrubber.uids().contains(&person.user_uid)
        });
        tally.removed += (before - people.len()) as u64;
        for person in &mut people {
            let is_mine = person.tenant_uid == scrubber.tenant();
            let manager = &mut person.manager_uid;
            if manager
                .take_if(|manager| is_mine && scrubber.is_them(manager))
                .is_some()
            {
                tally.changed += 1;
            }
        }
        if tally.is_none() {
            continue;
        }
        table.add(tally);
        if let Some(lock) = lock {
            let name = file_name(&path);
            store.rewrite_directory(lock, &name, [Ok(directory::batch(&people))])?;
        }
    }
    Ok(table)
}

/// Retractions: those of the person's events, signals and incidents go, and nobody's reason or author
/// names them. One that also speaks of somebody else's signals stays.
pub(super) fn retractions(
    store: &Store,
    lock: Option<&WriteLock>,
    scrubber: &Scrubber,
) -> Result<ErasedTable, Error> {
    let mut table = ErasedTable::of(retractions::TABLE.name);
    let files = store.retractions()?;
    if files.is_empty() {
        return Ok(table);
    }
    let targets = targets(store, scrubber)?;
    for path in files {
        let mut tally = Tally::default();
        let mut rows = Vec::new();
        for mut row in retraction_rows(&path)? {
            if row.tenant_uid == scrubber.tenant() {
                let target = (row.target_kind.to_ascii_lowercase(), row.target_uid.clone());
                if targets.contains(&target) {
                    tally.removed += 1;
                    continue;
                }
                let mut is_changed = false;
                for text in [&mut row.reason, &mut row.by].into_iter().flatten() {
                    if let Some(cleaned) = scrubber.clean(text) {
                        *text = cleaned;
                        is_changed = true;
                    }
                }
                tally.changed += u64::from(is_changed);
            }
            rows.push(row);
        }
        if tally.is_none() {
            continue;
        }
        table.add(tally);
        if let Some(lock) = lock {
            let batch = (!rows.is_empty()).then(|| Ok(retractions::batch(&rows)));
            store.rewrite_retractions(lock, &file_name(&path), batch)?;
        }
    }
    Ok(table)
}

/// Kinds and ids of what is the person's alone.
fn targets(store: &Store, scrubber: &Scrubber) -> Result<BTreeSet<(String, String)>, Error> {
    let (mut theirs, mut others) = (BTreeSet::new(), BTreeSet::new());
    for path in day_files(store, Partitioned::Events)? {
        let columns = [
            "tenant_uid",
            "user_uid",
            "user_name",
            "subject_ref",
            "metadata_uid",
        ];
        let table = &identity_events::TABLE;
        for batch in table_file::read(&path, table, Some(&columns), Scan::File)? {
            let batch = batch?;
            let uids = batch.column(4).as_string::<i32>();
            for row in scrubber.rows_about(&batch, subject_columns(Partitioned::Events)) {
                theirs.insert(("event".to_owned(), uids.value(row).to_owned()));
            }
        }
    }
    for path in day_files(store, Partitioned::Signals)? {
        for batch in table_file::read(&path, &attack_signals::TABLE, None, Scan::File)? {
            let batch = batch?;
            let about = scrubber.rows_about(&batch, subject_columns(Partitioned::Signals));
            let about: BTreeSet<usize> = about.into_iter().collect();
            let tenants: &StringArray = batch.column(0).as_string::<i32>();
            for row in 0..batch.num_rows() {
                if tenants.value(row) != scrubber.tenant() {
                    continue;
                }
                let signal = attack_signals::row(&batch, row);
                let targets = if about.contains(&row) {
                    &mut theirs
                } else {
                    &mut others
                };
                targets.insert(("signal".to_owned(), signal.signal_uid.into_owned()));
                if let Some(incident) = signal.incident_uid {
                    targets.insert(("incident".to_owned(), incident.into_owned()));
                }
                for event in signal.event_uids.into_iter().flatten() {
                    targets.insert(("event".to_owned(), event.into_owned()));
                }
            }
        }
    }
    theirs.retain(|target| !others.contains(target));
    Ok(theirs)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
