//! Finding rows by what columns of text hold, reading no more of a file than its statistics leave.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int32Type};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter,
};

use super::batch_rows;
use super::places::Places;
use super::read::{Batches, Scan, TableFile, guarded, is_text, open, with_types};
use crate::error::{Error, ErrorKind};

/// What a column of text has to hold in a row: one of some values, byte for byte. Null is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub(super) column: &'static str,
    /// Ascending, no two alike.
    pub(super) values: Arc<[String]>,
}

impl Key {
    /// The rows in which a column is this text.
    pub fn of(column: &'static str, value: &str) -> Self {
        Self::any_of(column, [value])
    }

    /// The rows in which a column is one of these texts.
    pub fn any_of<T: Into<String>>(
        column: &'static str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let mut values: Vec<String> = values.into_iter().map(Into::into).collect();
        values.sort_unstable();
        values.dedup();
        Self {
            column,
            values: values.into(),
        }
    }

    /// Whether a value lies within bounds, both included.
    pub(super) fn has_within(&self, least: &[u8], greatest: &[u8]) -> bool {
        let from = self
            .values
            .partition_point(|value| value.as_bytes() < least);
        let first = self.values.get(from);
        first.is_some_and(|value| value.as_bytes() <= greatest)
    }

    fn has(&self, text: &str) -> bool {
        match &*self.values {
            [only] => only == text,
            values => values
                .binary_search_by(|value| value.as_str().cmp(text))
                .is_ok(),
        }
    }

    /// For every cell whether it holds one of the values; nulls may come out as null.
    fn holds(&self, cells: &dyn Array) -> Result<BooleanArray, ArrowError> {
        if let Some(cells) = cells.as_dictionary_opt::<Int32Type>() {
            let of_values = self.holds(cells.values())?;
            return Ok(take(&of_values, cells.keys(), None)?.as_boolean().clone());
        }
        if let Some(texts) = cells.as_string_opt::<i32>() {
            return Ok(texts
                .iter()
                .map(|text| text.map(|text| self.has(text)))
                .collect());
        }
        self.holds(&cast(cells, &DataType::Utf8)?)
    }
}

impl TableFile {
    /// Reads the rows that fit all keys, and only these, in the order of the file. Otherwise as
    /// [`TableFile::read`].
    ///
    /// Row groups whose least and greatest values or whose filters tell that they hold no such row
    /// are passed over, pages of the others as well where the file has a page index. What is left of
    /// the keys' columns is decoded to find the rows, and of all other columns only these. Files
    /// without statistics are read whole; the rows that come out are the same.
    ///
    /// Statistics are believed: where they lie, rows are missing. A file of ours is as its writer
    /// made it if its checksum is right.
    ///
    /// # Errors
    /// As [`TableFile::read`], and [`ErrorKind::Contract`] when a key's column is absent, though the
    /// contract requires it, or holds something else than text.
    ///
    /// # Panics
    /// When a name is no column of the table: no input can cause that.
    pub fn read_where(
        &self,
        keys: &[Key],
        columns: Option<&[&str]>,
        scan: Scan,
    ) -> Result<Batches, Error> {
        let columns = self.columns(columns);
        let Some(roots) = self.key_roots(keys)? else {
            return Ok(self.batches(&columns, scan, None, None));
        };
        let names: Vec<&str> = keys.iter().map(|key| key.column).collect();
        let mut decoded = self.columns(Some(&names));
        decoded.extend(&columns);
        let file = open(&self.path)?;
        let reader = guarded(&self.path, || {
            let parquet_schema = self.metadata.parquet_schema();
            let places = Places::find(&file, self, keys, &roots, &self.projection(&decoded))?;
            let metadata = with_types(&places.metadata, &decoded, scan);
            let predicates = keys.iter().zip(&roots).map(|(key, root)| {
                predicate(key.clone(), ProjectionMask::roots(parquet_schema, [*root]))
            });
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
                .with_projection(self.projection(&columns))
                .with_row_groups(places.groups)
                .with_row_selection(places.rows)
                .with_row_filter(RowFilter::new(predicates.collect()))
                .with_batch_size(batch_rows(self.table))
                .build()
        })?;
        Ok(self.batches(&columns, scan, Some(reader), None))
    }

    /// The places of the keys' columns in the file. `None` when no row can fit, because a column that
    /// may be absent is.
    fn key_roots(&self, keys: &[Key]) -> Result<Option<Vec<usize>>, Error> {
        let fields = self.metadata.schema().fields();
        let names: Vec<&str> = keys.iter().map(|key| key.column).collect();
        let columns = self.columns(Some(&names));
        let mut roots = Vec::with_capacity(keys.len());
        let mut is_whole = true;
        for column in columns {
            match self.root(column) {
                Some(root) if is_text(fields[root].data_type()) => roots.push(root),
                None if column.nullable => is_whole = false,
                found => {
                    let problem = match found {
                        Some(root) => format!("is {}, not text", fields[root].data_type()),
                        None => "is required and absent".to_owned(),
                    };
                    let problem =
                        format!("column {} of {}: {problem}", column.name, self.table.name);
                    return Err(Error::at(ErrorKind::Contract, "read", &self.path, problem));
                }
            }
        }
        Ok(is_whole.then_some(roots))
    }
}

fn predicate(key: Key, column: ProjectionMask) -> Box<dyn ArrowPredicate> {
    let fits = move |batch: RecordBatch| key.holds(batch.column(0));
    Box::new(ArrowPredicateFn::new(column, fits))
}

#[cfg(test)]
mod tests;
