//! Rows on their way from tenants to files or comparisons.

use std::collections::BTreeMap;

use af_model::contract::Table;
use af_model::tables::{self, tombstones, user_scores};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use crate::error::Error;

/// Tables of a snapshot, and last the one of the erased.
const TABLES: usize = tables::SNAPSHOT.len() + 1;

/// Rows of a snapshot's tables, sorted as the tables promise: of the whole snapshot, a tenant, or some
/// of its people.
#[derive(Clone, Debug, Default)]
pub struct SnapshotTables {
    batches: [Vec<RecordBatch>; TABLES],
    /// Members by tenant and population name, for the manifest.
    pub population: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Takes the rows of a snapshot in, part after part in their order.
pub trait TableSink {
    /// Takes the next rows. May run on any thread and must not touch the disk.
    ///
    /// # Errors
    /// When they cannot be taken.
    fn take(&mut self, tables: SnapshotTables) -> Result<(), Error>;

    /// Called now and then by the thread that assembles, for what [`TableSink::take`] must not do.
    ///
    /// # Errors
    /// When what was taken cannot be put where it belongs.
    fn settle(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl SnapshotTables {
    /// Appends rows of one table.
    pub(super) fn push(&mut self, table: &'static Table, rows: RecordBatch) {
        if rows.num_rows() > 0 {
            self.batches[place(table)].push(rows);
        }
    }

    /// Appends rows that come after these.
    pub(crate) fn append(&mut self, other: Self) {
        for (mine, mut theirs) in self.batches.iter_mut().zip(other.batches) {
            mine.append(&mut theirs);
        }
        for (tenant, mut population) in other.population {
            self.population
                .entry(tenant)
                .or_default()
                .append(&mut population);
        }
    }

    /// The rows of one table as they were made: texts may be dictionaries.
    ///
    /// # Panics
    /// For a table that no snapshot has.
    pub fn parts(&self, table: &'static Table) -> &[RecordBatch] {
        &self.batches[place(table)]
    }

    /// The parts of every table of [`af_model::tables::SNAPSHOT`], in its order.
    pub fn snapshot_parts(&self) -> &[Vec<RecordBatch>] {
        &self.batches[..tables::SNAPSHOT.len()]
    }

    /// The rows of one table as one batch of [`Table::file_schema`].
    ///
    /// # Panics
    /// For a table that no snapshot has.
    pub fn batch(&self, table: &'static Table) -> RecordBatch {
        let parts = self.parts(table).iter();
        let plain = parts.map(|part| {
            table
                .conform(part)
                .expect("rows keep their table's contract")
        });
        let plain: Vec<RecordBatch> = plain.collect();
        concat_batches(&table.file_schema(), &plain).expect("conformed batches have one schema")
    }

    /// Every table of [`af_model::tables::SNAPSHOT`] as [`SnapshotTables::batch`] gives it.
    pub fn batches(&self) -> [RecordBatch; tables::SNAPSHOT.len()] {
        tables::SNAPSHOT.map(|table| self.batch(table))
    }

    /// The rows of `user_scores`.
    #[expect(
        clippy::missing_panics_doc,
        reason = "rows keep their table's contract"
    )]
    pub fn user_scores(&self) -> Vec<user_scores::Row> {
        let rows = user_scores::rows(&self.batch(&user_scores::TABLE));
        rows.expect("rows keep their table's contract")
    }
}

/// The rows as they come, all of them.
impl TableSink for SnapshotTables {
    fn take(&mut self, tables: SnapshotTables) -> Result<(), Error> {
        self.append(tables);
        Ok(())
    }
}

fn place(table: &'static Table) -> usize {
    tables::SNAPSHOT
        .into_iter()
        .chain([&tombstones::TABLE])
        .position(|one| one.name == table.name)
        .expect("a table of a snapshot")
}
