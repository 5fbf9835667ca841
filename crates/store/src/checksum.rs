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

/// What marks a name that holds a checksum.
const CLAIM: &str = "b3-";

/// Digits of the checksum in a name.
const CLAIMED_DIGITS: usize = 32;

/// The name of a file that is known by its content, without extension: `b3-` and the first 32
/// digits of its BLAKE3. Whoever reads such a file whole can tell whether it is the one that was
/// written ([`checked`]); files of other programs have other names and are taken as they are.
pub fn content_name(file: &FileEntry) -> String {
    format!("{CLAIM}{}", &file.blake3[..CLAIMED_DIGITS])
}

/// What a file's name says of its content: the digits behind `b3-` at its end.
fn claimed(path: &Path) -> Option<&str> {
    let (before, digits) = path.file_stem()?.to_str()?.rsplit_once(CLAIM)?;
    let is_own_word = before.is_empty() || before.ends_with('-');
    let is_digest = digits.len() == CLAIMED_DIGITS
        && digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (is_own_word && is_digest).then_some(digits)
}

/// Whether a file's name holds its checksum: then the same name and size are the same content.
pub fn is_named_by_content(path: &Path) -> bool {
    claimed(path).is_some()
}

/// Fails when a file's name says that it has another content.
pub(crate) fn check_claim(path: &Path, blake3: &str) -> Result<(), Error> {
    match claimed(path) {
        Some(digits) if !blake3.starts_with(digits) => {
            let problem = "damaged (its content is not what its name says)";
            Err(Error::at(ErrorKind::Corrupt, "read", path, problem))
        }
        _ => Ok(()),
    }
}

/// As [`checksum`]; an error when the file is one of ours and no longer what it was. A file whose
/// name holds no checksum is somebody else's and taken as it is.
///
/// # Errors
/// [`ErrorKind::Corrupt`] for another content than the name says; when the file cannot be read.
pub fn checked(path: &Path) -> Result<Checksum, Error> {
    let found = checksum(path)?;
    check_claim(path, &found.blake3)?;
    Ok(found)
}

/// As [`checked`], for those who need no checksum: reads only files whose names hold one.
pub(crate) fn check_named(path: &Path) -> Result<(), Error> {
    match claimed(path) {
        Some(_) => checked(path).map(|_| ()),
        None => Ok(()),
    }
}

/// Hashes a table's rows in order, without the columns named in `ignoring`. Batch cuts, file
/// encodings and string types make no difference; order, values and nulls do.
///
/// For rows that are not at hand at the same time; [`Publication::same_rows_as`](crate::Publication::same_rows_as)
/// compares those that are.
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
    fn only_our_own_names_speak_of_content() {
        let digits = "0123456789abcdef0123456789abcdef";
        let claim = |path: &str| claimed(Path::new(path)).map(str::to_owned);
        for ours in [
            format!("signals/day=2026-11-20/b3-{digits}.parquet"),
            format!("signals/day=2026-11-20/detected-b3-{digits}.parquet"),
        ] {
            assert_eq!(claim(&ours).as_deref(), Some(digits), "{ours}");
        }
        for theirs in [
            format!("signals/day=2026-11-20/{digits}.parquet"),
            format!("signals/day=2026-11-20/xb3-{digits}.parquet"),
            format!(
                "signals/day=2026-11-20/b3-{}.parquet",
                digits.to_uppercase()
            ),
            "signals/day=2026-11-20/b3-01234567.parquet".to_owned(),
        ] {
            assert_eq!(claim(&theirs), None, "{theirs}");
        }
    }

    #[test]
    fn a_changed_byte_is_told_by_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let named = |content: &[u8]| {
            let digits = &blake3::hash(content).to_hex()[..32];
            folder.path().join(format!("b3-{digits}.parquet"))
        };
        let path = named(b"PAR1");
        fs_err::write(&path, "PAR1").unwrap();
        assert_eq!(checked(&path).unwrap().bytes, 4);
        check_named(&path).unwrap();
        fs_err::write(&path, "PAR2").unwrap();
        for error in [checked(&path).unwrap_err(), check_named(&path).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("b3-"), "{error}");
            assert!(error.hint().unwrap().contains("restore"), "{error}");
        }
    }

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
    #[test]
    fn every_flipped_byte_of_a_day_file_is_noticed_when_it_is_read_whole() {
        use crate::layout::{Partitioned, Store};
        use crate::table_file::samples::DAY;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        let kind = Partitioned::Signals;
        let rows = random_batch(kind.table(), 4, 1);
        store.add_day_stream(&lock, kind, DAY, [Ok(rows)]).unwrap();
        let path = store.day_files(kind, DAY).unwrap().remove(0);
        let whole = fs_err::read(&path).unwrap();
        let read = || -> Result<Vec<RecordBatch>, Error> {
            store.read_day_merged(kind, DAY, None)?.collect()
        };
        assert!(read().is_ok());
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << (place % 8);
            fs_err::write(&path, &damaged).unwrap();
            let error = read().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{place}");
            assert!(error.to_string().contains("damaged"), "{place}: {error}");
        }
        // A damaged day is not made a sound one by compacting it.
        assert!(store.compact_day(&lock, kind, DAY).is_err());
        fs_err::write(&path, &whole).unwrap();
        assert_eq!(read().unwrap()[0].num_rows(), 4);
    }
}
