//! Refused events: filed under the day of ingest, unless the same content was refused before.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use af_model::tables::quarantine;
use af_store::{Commit, MergedBatches, Metadata, Partitioned, Scan, Scratch, Store, table_file};
use arrow::array::RecordBatch;

use super::fresh::fingerprint;
use super::{NormalizeOptions, NormalizeReport, texts};
use crate::error::Error;

/// Refused events that a report shows.
pub(super) const EXAMPLES: usize = 5;

/// Refused events that wait in memory; beyond them sorted runs go to disk.
const WAITING: usize = 250_000;

/// Refused events that wait to be written.
#[derive(Default)]
pub(super) struct Refused {
    rows: Vec<quarantine::Row>,
    runs: Vec<Scratch>,
}

/// Where an event stood: the order of the table.
pub(super) fn place(row: &quarantine::Row) -> (&str, i64, i64, &str) {
    (&row.file, row.line, row.byte_offset, &row.reject_uid)
}

impl Refused {
    pub(super) fn push(
        &mut self,
        store: &Store,
        mut rows: Vec<quarantine::Row>,
    ) -> Result<(), Error> {
        self.rows.append(&mut rows);
        if self.rows.len() > WAITING {
            self.spill(store)?;
        }
        Ok(())
    }

    fn spill(&mut self, store: &Store) -> Result<(), Error> {
        let sorted = self.take_sorted()?;
        let run = store.scratch("refused");
        table_file::write(run.path(), &quarantine::TABLE, [sorted], &Metadata::new())?;
        self.runs.push(run);
        Ok(())
    }

    fn take_sorted(&mut self) -> Result<RecordBatch, af_store::Error> {
        let batch = quarantine::batch(&self.rows);
        self.rows = Vec::new();
        af_store::sorted_batch(&batch, &quarantine::TABLE)
    }

    /// Files what is new under the day of ingest. Memory: some thirty bytes for each event that was
    /// ever refused.
    pub(super) fn settle(
        mut self,
        store: &Store,
        commit: &mut Commit<'_>,
        report: &mut NormalizeReport,
        options: &NormalizeOptions,
    ) -> Result<(), Error> {
        if self.rows.is_empty() && self.runs.is_empty() {
            return Ok(());
        }
        let sorted: Box<dyn Iterator<Item = Result<RecordBatch, af_store::Error>>> =
            if self.runs.is_empty() {
                Box::new(std::iter::once(self.take_sorted()))
            } else {
                self.spill(store)?;
                let table = &quarantine::TABLE;
                let runs = self.runs.iter().map(Scratch::path);
                let runs: Vec<PathBuf> = runs.map(Path::to_owned).collect();
                Box::new(MergedBatches::open(table, &runs, None, Scan::File)?)
            };
        let mut known = known(store)?;
        let mut kept = sorted.map(|batch| {
            let mut rows = quarantine::rows(&batch?).expect("the rows were just written as such");
            let before = rows.len();
            rows.retain(|row| known.insert(fingerprint(&row.reject_uid)));
            report.account.duplicate += (before - rows.len()) as u64;
            for row in &rows {
                report.refuse(row);
                if report.examples.len() < EXAMPLES {
                    report.examples.push(row.clone());
                }
            }
            Ok(quarantine::batch(&rows))
        });
        commit.add_day_stream(
            Partitioned::Quarantine,
            options.ingested_at.day(),
            &mut kept,
        )?;
        Ok(())
    }
}

/// The fingerprints of everything that was refused before.
fn known(store: &Store) -> Result<HashSet<u128>, Error> {
    let mut known = HashSet::new();
    for day in store.days(Partitioned::Quarantine)? {
        for path in store.day_files(Partitioned::Quarantine, day)? {
            let columns = Some(&["reject_uid"][..]);
            for batch in table_file::read(&path, &quarantine::TABLE, columns, Scan::File)? {
                known.extend(texts(&batch?, "reject_uid").map(fingerprint));
            }
        }
    }
    Ok(known)
}
