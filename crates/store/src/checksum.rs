//! Checksums of files, and hashes of rows that do not depend on how a file was written.

use std::path::Path;
use std::sync::Arc;

use af_model::HexHash;
use af_model::contract::Table;
use af_model::manifest::FileEntry;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::row::{RowConverter, SortField};
use blake3::Hasher;

use crate::error::{Error, ErrorKind};

/// Size and BLAKE3 of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 of the content, 64 hex digits.
    pub blake3: String,
}

/// Reads a file once and returns its size and BLAKE3.
///
/// # Errors
/// When the file cannot be read.
pub fn checksum(path: &Path) -> Result<Checksum, Error> {
    let mut hasher = Hasher::new();
    fs_err::File::open(path)
        .and_then(|file| hasher.update_reader(file).map(|_| ()))
        .map_err(|error| Error::io("read", path, &error))?;
    Ok(Checksum {
        bytes: hasher.count(),
        blake3: hasher.finalize().to_hex().to_string(),
    })
}

/// Hashes a table's rows in order, without the columns named in `ignoring`. Batch cuts, file
/// encodings and string types make no difference; order, values and nulls do.
///
/// The engine compares snapshots with it, leaving out `known_at`: a later `known_at` alone is no
/// new revision.
///
/// # Errors
/// The first error among `batches`, or one that does not fit the contract.
pub fn content_hash(
    table: &'static Table,
    batches: impl IntoIterator<Item = Result<RecordBatch, Error>>,
    ignoring: &[&str],
) -> Result<HexHash, Error> {
    let failed = |problem: String| Error::new(ErrorKind::Contract, "hash", table.name, problem);
    let schema = table.file_schema();
    let kept: Vec<usize> = (0..schema.fields().len())
        .filter(|&index| !ignoring.contains(&schema.field(index).name().as_str()))
        .collect();
    let fields = kept
        .iter()
        .map(|&index| SortField::new(schema.field(index).data_type().clone()));
    let converter = RowConverter::new(fields.collect()).map_err(|e| failed(e.to_string()))?;
    let mut hasher = Hasher::new();
    let mut encoded = Vec::new();
    for batch in batches {
        let batch = table.conform(&batch?).map_err(|e| failed(e.to_string()))?;
        let columns: Vec<ArrayRef> = kept.iter().map(|&i| Arc::clone(batch.column(i))).collect();
        let rows = converter
            .convert_columns(&columns)
            .map_err(|e| failed(e.to_string()))?;
        encoded.clear();
        for row in &rows {
            encoded.extend_from_slice(&(row.data().len() as u64).to_le_bytes());
            encoded.extend_from_slice(row.data());
        }
        hasher.update(&encoded);
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Ok(HexHash(digest))
}

/// Whether two lists name the same files with the same content, in any order.
pub fn same_tables(a: &[FileEntry], b: &[FileEntry]) -> bool {
    let sorted = |files: &[FileEntry]| {
        let mut files = files.to_vec();
        files.sort_unstable();
        files
    };
    sorted(a) == sorted(b)
}

#[cfg(test)]
mod tests {
    use af_model::tables::identity_events;

    use super::*;
    use crate::table_file::samples::random_batch;

    #[test]
    fn rows_hash_alike_however_they_are_cut_and_encoded() {
        let table = &identity_events::TABLE;
        let batch = random_batch(table, 60, 1);
        let hash = |batches: Vec<RecordBatch>, ignoring: &[&str]| {
            content_hash(table, batches.into_iter().map(Ok), ignoring).unwrap()
        };
        let whole = hash(vec![batch.clone()], &[]);
        let scan = table.conform_for_scan(&batch).unwrap();
        let pieces = vec![scan.slice(0, 7), scan.slice(7, 0), batch.slice(7, 53)];
        assert_eq!(whole, hash(pieces, &[]));
        assert_ne!(whole, hash(vec![batch.slice(0, 59)], &[]));
        assert_ne!(
            whole,
            hash(vec![batch.slice(7, 53), batch.slice(0, 7)], &[])
        );
        let mut columns = batch.columns().to_vec();
        let last = columns.len() - 1;
        columns[last] = arrow::array::new_null_array(columns[last].data_type(), 60);
        let other = RecordBatch::try_new(batch.schema(), columns).unwrap();
        assert_ne!(whole, hash(vec![other.clone()], &[]));
        assert_eq!(
            hash(vec![other], &["debug_data"]),
            hash(vec![batch], &["debug_data"])
        );
    }
}
