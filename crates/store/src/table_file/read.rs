//! Reading one table from anybody's Parquet.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use af_model::cell::Kind;
use af_model::contract::{Column, Table};
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use super::{TABLE_KEY, TABLE_VERSION_KEY, batch_rows};
use crate::error::{Error, ErrorKind};
use crate::quiet::quietly;

/// Rows per batch at the most: whatever a foreign file says of itself, room for more is not made.
const MOST_AT_ONCE: usize = 1024 * 1024;

/// In which types columns come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// [`Table::file_schema`]: plain strings, for [`rows`](af_model::tables).
    File,
    /// [`Table::scan_schema`]: repeating texts as dictionaries, decoded without a detour where the
    /// file has them. A dictionary may hold a value twice or values that no row of the batch uses.
    Dictionaries,
    /// As [`Scan::Dictionaries`] where the file's types allow it, and else as the file has them:
    /// nothing is brought into the contract's types and nothing is refused. Absent columns stay
    /// absent, a null is a null also where the contract forbids it. For readers that judge every
    /// row themselves, so that one bad row does not cost a foreign file.
    AsWritten,
}

/// An opened file: its metadata was read and accepted, none of its rows yet.
#[derive(Clone, Debug)]
pub struct TableFile {
    pub(super) path: PathBuf,
    pub(super) table: &'static Table,
    pub(super) metadata: ArrowReaderMetadata,
    rows: u64,
}

impl TableFile {
    /// Opens a file and checks that it may hold the table.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when it is no Parquet file or damaged, [`ErrorKind::WrongTable`] when
    /// it says that it holds another table, [`ErrorKind::NewerVersion`] when a newer program wrote
    /// it. A file without our metadata is somebody else's and fine.
    pub fn open(path: &Path, table: &'static Table) -> Result<Self, Error> {
        let file = open(path)?;
        let metadata = guarded(path, || {
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
        })?;
        let mut rows = Some(0_u64);
        for group in metadata.metadata().row_groups() {
            let count = u64::try_from(group.num_rows()).ok();
            rows = rows
                .zip(count)
                .and_then(|(sum, count)| sum.checked_add(count));
        }
        let declared = u64::try_from(metadata.metadata().file_metadata().num_rows()).ok();
        let Some(rows) = rows.filter(|rows| Some(*rows) == declared) else {
            let problem = "damaged (its row groups do not hold the rows it declares)";
            return Err(Error::at(ErrorKind::Corrupt, "read", path, problem));
        };
        let file = Self {
            path: path.to_owned(),
            table,
            metadata,
            rows,
        };
        file.check_table()?;
        Ok(file)
    }

    fn check_table(&self) -> Result<(), Error> {
        let Some(name) = self.value(TABLE_KEY) else {
            return Ok(());
        };
        let failed = |kind, problem| Err(Error::at(kind, "read", &self.path, problem));
        if name != self.table.name {
            let problem = format!("it holds the table {name}, not {}", self.table.name);
            return failed(ErrorKind::WrongTable, problem);
        }
        let version = self.value(TABLE_VERSION_KEY).unwrap_or_default();
        match version.parse::<u32>() {
            Ok(version) if version > self.table.version => {
                let problem = format!(
                    "it has version {version} of {name}, this program knows {}",
                    self.table.version
                );
                failed(ErrorKind::NewerVersion, problem)
            }
            Ok(_) => Ok(()),
            Err(_) => {
                let problem = format!("its table version is {version:?}, no number");
                failed(ErrorKind::Corrupt, problem)
            }
        }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Rows in the file.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Row groups in the file; they can be read apart, by several threads.
    pub fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Whether this program wrote the file, which then is in the table's order.
    pub fn is_ours(&self) -> bool {
        self.value(TABLE_KEY).is_some()
            && self.metadata.metadata().file_metadata().created_by() == Some(super::CREATED_BY)
    }

    /// A value of the file's metadata, as written by [`super::Metadata::with`] (key with its
    /// `attack_factor.`).
    pub fn value(&self, key: &str) -> Option<&str> {
        let values = self
            .metadata
            .metadata()
            .file_metadata()
            .key_value_metadata()?;
        let found = values.iter().find(|pair| pair.key == key)?;
        found.value.as_deref()
    }

    /// Reads the rows. Only the named columns are decoded and come out, in the given order; `None`
    /// means all of the contract. Columns that the contract does not know are never touched.
    ///
    /// # Errors
    /// When the file cannot be opened again; later, per batch, [`ErrorKind::Corrupt`] or
    /// [`ErrorKind::Contract`].
    ///
    /// # Panics
    /// When a name is no column of the table: no input can cause that.
    pub fn read(&self, columns: Option<&[&str]>, scan: Scan) -> Result<Batches, Error> {
        self.read_row_groups(0..self.row_groups(), columns, scan)
    }

    /// As [`TableFile::read`], for some of the row groups, each call with a file handle of its own.
    ///
    /// # Errors
    /// As [`TableFile::read`].
    ///
    /// # Panics
    /// As [`TableFile::read`], and for row groups that the file does not have.
    pub fn read_row_groups(
        &self,
        groups: Range<usize>,
        columns: Option<&[&str]>,
        scan: Scan,
    ) -> Result<Batches, Error> {
        self.read_by(groups, columns, scan, batch_rows(self.table))
    }

    /// As [`TableFile::read_row_groups`], in as few batches as can be: for whoever holds all rows of a few
    /// columns anyway, and would put the batches together.
    ///
    /// # Errors
    /// As [`TableFile::read`].
    ///
    /// # Panics
    /// As [`TableFile::read`], and for row groups that the file does not have.
    pub fn read_at_once(
        &self,
        groups: Range<usize>,
        columns: Option<&[&str]>,
        scan: Scan,
    ) -> Result<Batches, Error> {
        self.read_by(groups, columns, scan, MOST_AT_ONCE)
    }

    fn read_by(
        &self,
        groups: Range<usize>,
        columns: Option<&[&str]>,
        scan: Scan,
        rows_at_once: usize,
    ) -> Result<Batches, Error> {
        let columns = self.columns(columns);
        let rows = self.metadata.metadata().row_groups()[groups.clone()]
            .iter()
            .map(|group| u64::try_from(group.num_rows()).expect("checked when the file was opened"))
            .sum();
        let file = open(&self.path)?;
        let reader = guarded(&self.path, || {
            let metadata = with_types(&self.metadata, &columns, scan);
            let mask = self.projection(&columns);
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
                .with_projection(mask)
                .with_row_groups(groups.collect())
                .with_batch_size(rows_at_once)
                .build()
        })?;
        Ok(self.batches(&columns, scan, Some(reader), Some(rows)))
    }

    /// The contract of the named columns; all without names.
    pub(super) fn columns(&self, names: Option<&[&str]>) -> Vec<&'static Column> {
        let Some(names) = names else {
            return self.table.columns.iter().collect();
        };
        let column = |name: &&str| {
            let column = self.table.column(name);
            column.unwrap_or_else(|| panic!("{} has no column {name}", self.table.name))
        };
        names.iter().map(column).collect()
    }

    pub(super) fn batches(
        &self,
        columns: &[&'static Column],
        scan: Scan,
        reader: Option<ParquetRecordBatchReader>,
        missing: Option<u64>,
    ) -> Batches {
        Batches {
            path: self.path.clone(),
            table: self.table,
            columns: columns.iter().map(|column| column.name).collect(),
            scan,
            reader,
            missing,
        }
    }

    /// The file's columns that are wanted; of several with one name the first.
    pub(super) fn projection(&self, columns: &[&'static Column]) -> ProjectionMask {
        let wanted = columns.iter().filter_map(|column| self.root(column));
        ProjectionMask::roots(self.metadata.parquet_schema(), wanted)
    }

    /// The place of a column in the file; of several with one name the first.
    pub(super) fn root(&self, column: &Column) -> Option<usize> {
        let roots = self.metadata.parquet_schema().root_schema().get_fields();
        roots.iter().position(|root| root.name() == column.name)
    }
}

/// Asks the decoder for the wanted string types, where the file has texts at all. That saves a cast
/// per batch, and the strings themselves where dictionaries are wanted and there.
pub(super) fn with_types(
    metadata: &ArrowReaderMetadata,
    columns: &[&'static Column],
    scan: Scan,
) -> ArrowReaderMetadata {
    let fields = metadata.schema().fields().iter().map(|field| {
        let wanted = columns.iter().find(|column| column.name == field.name());
        match wanted {
            Some(column) if column.kind == Kind::Text && is_text(field.data_type()) => {
                let data_type = column_type(column, scan);
                Arc::new(Field::clone(field).with_data_type(data_type))
            }
            _ => Arc::clone(field),
        }
    });
    let schema = Schema::new_with_metadata(
        fields.collect::<Vec<_>>(),
        metadata.schema().metadata().clone(),
    );
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    // A file for which this does not work is read as it is and cast afterwards.
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
        .unwrap_or_else(|_| metadata.clone())
}

pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

fn column_type(column: &Column, scan: Scan) -> DataType {
    if scan != Scan::File && column.kind == Kind::Text && column.repeats {
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
    } else {
        column.kind.data_type()
    }
}

/// The batches of a file, in the table's types. Ends after the first error.
#[derive(Debug)]
pub struct Batches {
    path: PathBuf,
    table: &'static Table,
    columns: Vec<&'static str>,
    scan: Scan,
    reader: Option<ParquetRecordBatchReader>,
    /// Rows that were declared and have not come yet; none where nothing told how many would.
    missing: Option<u64>,
}

impl Batches {
    /// The schema of every batch; with [`Scan::AsWritten`], of one that keeps the contract.
    pub fn schema(&self) -> SchemaRef {
        let fields = self
            .columns
            .iter()
            .filter_map(|name| self.table.column(name));
        let fields = fields
            .map(|column| Field::new(column.name, column_type(column, self.scan), column.nullable));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Some(reader) = &mut self.reader else {
            return Ok(None);
        };
        let batch = guarded(&self.path, || {
            reader.next().transpose().map_err(ParquetError::from)
        })?;
        let Some(batch) = batch else {
            self.reader = None;
            return match self.missing {
                None | Some(0) => Ok(None),
                Some(missing) => Err(self.damaged(&format!("{missing} rows are missing"))),
            };
        };
        if let Some(missing) = self.missing {
            let left = missing.checked_sub(batch.num_rows() as u64);
            let left = left.ok_or_else(|| self.damaged("it holds more rows than it declares"))?;
            self.missing = Some(left);
        }
        if self.scan == Scan::AsWritten {
            return Ok(Some(batch));
        }
        let dictionaries = self.scan == Scan::Dictionaries;
        let conformed = guarded(&self.path, || {
            Ok(self
                .table
                .conform_columns(&batch, &self.columns, dictionaries))
        })?;
        conformed
            .map(Some)
            .map_err(|error| Error::at(ErrorKind::Contract, "read", &self.path, error.to_string()))
    }

    fn damaged(&self, problem: &str) -> Error {
        Error::at(
            ErrorKind::Corrupt,
            "read",
            &self.path,
            format!("damaged ({problem})"),
        )
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.next_batch();
        if item.is_err() {
            self.reader = None;
        }
        item.transpose()
    }
}

/// Opens a file and reads the named columns, as [`TableFile::open`] and [`TableFile::read`].
///
/// # Errors
/// As these.
///
/// # Panics
/// As [`TableFile::read`].
pub fn read(
    path: &Path,
    table: &'static Table,
    columns: Option<&[&str]>,
    scan: Scan,
) -> Result<Batches, Error> {
    TableFile::open(path, table)?.read(columns, scan)
}

pub(super) fn open(path: &Path) -> Result<std::fs::File, Error> {
    let file = fs_err::File::open(path).map_err(|error| Error::io("open", path, &error))?;
    Ok(file.into_file())
}

/// Runs the decoder. It is built for files that follow the format; on a damaged one it may run into
/// its own assertions, which must neither end the process nor be shown.
pub(super) fn guarded<T>(
    path: &Path,
    decode: impl FnOnce() -> Result<T, ParquetError>,
) -> Result<T, Error> {
    match quietly(decode) {
        Ok(result) => result.map_err(|error| Error::read(path, &error)),
        Err(said) => {
            let problem = format!("damaged ({said})");
            Err(Error::at(ErrorKind::Corrupt, "read", path, problem))
        }
    }
}
