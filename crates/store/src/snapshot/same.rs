//! Whether a publication says anything that a snapshot does not say already.

use std::collections::BTreeMap;
use std::path::Path;

use af_model::contract::Table;
use af_model::manifest::FileEntry;
use af_model::tables::tombstones;
use arrow::array::RecordBatch;
use rayon::prelude::*;

use super::publish::table_of;
use super::{Publication, Snapshot};
use crate::error::Error;
use crate::table_file::{Batches, Scan, read};

impl Publication<'_> {
    /// Whether the tables hold the same rows as a snapshot's, the columns in `ignoring` aside
    /// (`known_at`). Then a new revision would say nothing new and the publication can be dropped.
    ///
    /// Tombstones that only the snapshot has say nothing against it.
    ///
    /// Files with one checksum are not read. Others are read side by side, batch by batch, up to the
    /// first difference; memory does not grow with them.
    ///
    /// # Errors
    /// When a table of either cannot be read.
    pub fn same_rows_as(&self, snapshot: &Snapshot, ignoring: &[&str]) -> Result<bool, Error> {
        let by_path = |files: &[FileEntry]| -> BTreeMap<String, FileEntry> {
            let files = files.iter().map(|file| (file.path.clone(), file.clone()));
            files.collect()
        };
        let theirs = by_path(&snapshot.manifest().files);
        let mine = by_path(self.files());
        let is_there = |(path, file): (&String, &FileEntry)| {
            theirs
                .get(path)
                .is_some_and(|other| other.rows == file.rows)
        };
        // What is left of the erased was put there by the erasure, not by a publication.
        let left = format!("{}.parquet", tombstones::TABLE.name);
        let is_mine = |path: &String| mine.contains_key(path) || *path == left;
        if !mine.iter().all(is_there) || !theirs.keys().all(is_mine) {
            return Ok(false);
        }
        let compared: Vec<Result<bool, Error>> = mine
            .par_iter()
            .map(|(path, file)| {
                if file.blake3 == theirs[path].blake3 {
                    return Ok(true);
                }
                match table_of(file) {
                    Some(table) => same_rows(table, &self.folder().join(path), snapshot, ignoring),
                    None => Ok(false),
                }
            })
            .collect();
        // An error of any table counts, whatever another one says.
        let compared: Result<Vec<bool>, Error> = compared.into_iter().collect();
        Ok(compared?.into_iter().all(|is_same| is_same))
    }
}

fn same_rows(
    table: &'static Table,
    path: &Path,
    snapshot: &Snapshot,
    ignoring: &[&str],
) -> Result<bool, Error> {
    let mut mine = Rows::of(read(path, table, None, Scan::File)?);
    let mut theirs = Rows::of(snapshot.table(table)?);
    loop {
        let (Some(here), Some(there)) = (mine.fill()?, theirs.fill()?) else {
            // The last batches of both are used up together, or one side has rows left.
            return Ok(mine.fill()?.is_none() && theirs.fill()?.is_none());
        };
        let rows = here.num_rows().min(there.num_rows());
        let (here, there) = (mine.take(rows), theirs.take(rows));
        let columns = table
            .columns
            .iter()
            .zip(here.columns())
            .zip(there.columns());
        for ((column, mine), theirs) in columns {
            if !ignoring.contains(&column.name) && mine != theirs {
                return Ok(false);
            }
        }
    }
}

/// Rows that come in batches and are taken in other numbers.
struct Rows {
    batches: Batches,
    current: Option<RecordBatch>,
}

impl Rows {
    fn of(batches: Batches) -> Self {
        Self {
            batches,
            current: None,
        }
    }

    /// What is at hand; the next batch where that is nothing.
    fn fill(&mut self) -> Result<Option<RecordBatch>, Error> {
        while self
            .current
            .as_ref()
            .is_none_or(|batch| batch.num_rows() == 0)
        {
            match self.batches.next() {
                Some(batch) => self.current = Some(batch?),
                None => return Ok(None),
            }
        }
        Ok(self.current.clone())
    }

    /// Rows of what is at hand.
    fn take(&mut self, rows: usize) -> RecordBatch {
        let current = self
            .current
            .take()
            .expect("rows are taken of what is at hand");
        self.current = Some(current.slice(rows, current.num_rows() - rows));
        current.slice(0, rows)
    }
}
