//! The tables of a snapshot while they are all being written, a part of each at a time.

use af_model::contract::Table;
use arrow::array::RecordBatch;
use rayon::prelude::*;

use super::Publication;
use crate::error::Error;
use crate::table_file::{Metadata, TableWriter};

/// Several tables of one publication, open at once.
///
/// [`OpenTables::encode`] works on all threads and touches no disk; [`OpenTables::write_encoded`]
/// writes what is complete. So a caller may prepare the next rows while these are encoded, and every
/// change on disk is made by the thread that asked for it. Memory: what is encoded of one row group
/// of every table.
#[derive(Debug)]
pub struct OpenTables {
    writers: Vec<TableWriter>,
}

impl Publication<'_> {
    /// Opens these tables, each for the only time.
    ///
    /// # Errors
    /// As [`Publication::writer`].
    pub fn open_tables(
        &self,
        tables: &[&'static Table],
        metadata: &Metadata,
    ) -> Result<OpenTables, Error> {
        let writers: Result<Vec<TableWriter>, Error> = tables
            .iter()
            .map(|table| self.writer(table, metadata))
            .collect();
        Ok(OpenTables { writers: writers? })
    }

    /// Completes tables opened with [`Publication::open_tables`], in their order.
    ///
    /// # Errors
    /// As [`Publication::add`].
    pub fn add_tables(&mut self, mut tables: OpenTables) -> Result<(), Error> {
        in_order(
            tables
                .writers
                .par_iter_mut()
                .map(TableWriter::encode_rest)
                .collect(),
        )?;
        for writer in tables.writers {
            self.add(writer)?;
        }
        Ok(())
    }
}

impl OpenTables {
    /// Encodes the next rows of every table, one list of batches each, in the order in which the
    /// tables were opened.
    ///
    /// # Errors
    /// As [`TableWriter::encode`]; of several the first table's.
    ///
    /// # Panics
    /// When there are not as many lists as tables.
    pub fn encode(&mut self, batches: &[Vec<RecordBatch>]) -> Result<(), Error> {
        assert_eq!(
            batches.len(),
            self.writers.len(),
            "one list of batches for every table"
        );
        in_order(
            self.writers
                .par_iter_mut()
                .zip(batches)
                .with_max_len(1)
                .map(|(writer, batches)| batches.iter().try_for_each(|batch| writer.encode(batch)))
                .collect(),
        )
    }

    /// Writes the row groups that are complete.
    ///
    /// # Errors
    /// As [`TableWriter::write_encoded`].
    pub fn write_encoded(&mut self) -> Result<(), Error> {
        self.writers
            .iter_mut()
            .try_for_each(TableWriter::write_encoded)
    }
}

/// The first of several errors, whichever came up first in time.
fn in_order(results: Vec<Result<(), Error>>) -> Result<(), Error> {
    results.into_iter().collect()
}
