//! Writing one table: equal rows give equal bytes.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use af_model::cell::Kind;
use af_model::contract::{ContractError, Table};
use af_model::manifest::FileEntry;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use blake3::Hasher;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;

use super::encode::Encoder;
use super::properties::properties;
use super::{FORMULA_KEY, TABLE_KEY, TABLE_VERSION_KEY};
use crate::atomic::{Staged, create_new};
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::order::OrderCheck;

/// What a file says of itself beside its table's name and version. All of it is part of the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    formula: Option<String>,
    extra: BTreeMap<String, String>,
}

impl Metadata {
    /// Nothing beyond the table's name and version.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the formula that the figures follow, e.g. `af-1`.
    #[must_use]
    pub fn with_formula(mut self, formula: &str) -> Self {
        self.formula = Some(formula.to_owned());
        self
    }

    /// Adds a value under `attack_factor.<key>`, for what a derived file was made of.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.extra
            .insert(format!("attack_factor.{key}"), value.to_owned());
        self
    }

    pub(super) fn key_values(&self, table: &Table) -> Vec<KeyValue> {
        let mut all = self.extra.clone();
        all.insert(TABLE_KEY.to_owned(), table.name.to_owned());
        all.insert(TABLE_VERSION_KEY.to_owned(), table.version.to_string());
        if let Some(formula) = &self.formula {
            all.insert(FORMULA_KEY.to_owned(), formula.clone());
        }
        all.into_iter()
            .map(|(key, value)| KeyValue::new(key, value))
            .collect()
    }
}

/// Writes a new file of one table, batch by batch.
///
/// Batches may come in any size and with any string types; rows must come in the table's order,
/// because the file declares it and readers rely on it. Columns are encoded on all threads; the file
/// is touched by the calling thread only. Memory: one row group, encoded. A writer that is dropped
/// before [`TableWriter::finish`] removes its file.
#[derive(Debug)]
pub struct TableWriter {
    table: &'static Table,
    encoder: Encoder,
    file: SerializedFileWriter<HashingFile>,
    order: OrderCheck,
    rows: u64,
    staged: Staged,
}

impl TableWriter {
    /// Creates the file; nothing may be at `path` yet.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], or what the operating system says.
    pub fn create(path: &Path, table: &'static Table, metadata: &Metadata) -> Result<Self, Error> {
        let schema = table.file_schema();
        let descriptor = ArrowSchemaConverter::new()
            .convert(&schema)
            .map_err(|error| Error::write(path, &error))?;
        let file = HashingFile::new(create_new(path)?);
        let staged = Staged::at(path.to_owned());
        // Without the Arrow schema in the metadata, readers take the plain Parquet types.
        let options = ArrowWriterOptions::new()
            .with_properties(properties(table, &descriptor, metadata))
            .with_skip_arrow_metadata(true)
            .with_schema_root(table.name.to_owned());
        let (file, factory) = ArrowWriter::try_new_with_options(file, schema, options)
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(|error| Error::write(path, &error))?;
        Ok(Self {
            table,
            encoder: Encoder::new(table, &descriptor, factory),
            file,
            order: OrderCheck::new(table),
            rows: 0,
            staged,
        })
    }

    /// Encodes on the caller's thread alone, for files that are written side by side: a thread that waits
    /// for the columns of one would begin another.
    #[must_use]
    pub fn on_this_thread(mut self) -> Self {
        self.encoder.stay_on_this_thread();
        self
    }

    /// Appends rows.
    ///
    /// # Errors
    /// [`ErrorKind::Contract`] when they do not fit the table, [`ErrorKind::NotSorted`] when they
    /// are not in its order, [`ErrorKind::NoSpace`] and the like when they cannot be written.
    pub fn append(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.encode(batch)?;
        self.write_encoded()
    }

    /// As [`TableWriter::append`] without touching the disk: row groups that are complete wait in
    /// memory for [`TableWriter::write_encoded`]. So several tables may be encoded side by side.
    ///
    /// # Errors
    /// As [`TableWriter::append`].
    pub fn encode(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let path = self.path();
        let batch = fitting(self.table, batch)
            .map_err(|error| Error::at(ErrorKind::Contract, "write", &path, error.to_string()))?;
        self.order
            .check(&batch)
            .map_err(|problem| Error::at(ErrorKind::NotSorted, "write", &path, problem))?;
        self.rows += batch.num_rows() as u64;
        self.encoder
            .push(batch)
            .map_err(|error| Error::write(&path, &error))
    }

    /// Encodes what [`TableWriter::encode`] still holds back; no rows may come after it.
    ///
    /// # Errors
    /// As [`TableWriter::append`].
    pub fn encode_rest(&mut self) -> Result<(), Error> {
        let rest = self.encoder.finish();
        rest.map_err(|error| Error::write(self.staged.path(), &error))
    }

    /// Writes the row groups that are complete.
    ///
    /// # Errors
    /// [`ErrorKind::NoSpace`] and the like.
    pub fn write_encoded(&mut self) -> Result<(), Error> {
        let written = self
            .encoder
            .take_finished()
            .into_iter()
            .try_for_each(|group| {
                let mut row_group = self.file.next_row_group()?;
                for chunk in group {
                    chunk.append_to_row_group(&mut row_group)?;
                }
                row_group.close().map(|_| ())
            });
        written.map_err(|error| Error::write(self.staged.path(), &error))
    }

    /// Rows appended so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Completes the file, forces it to disk and says what it is; its path is the file's own name.
    ///
    /// # Errors
    /// When it cannot be written; the file is removed then.
    pub fn finish(mut self) -> Result<FileEntry, Error> {
        self.encode_rest()?;
        self.write_encoded()?;
        let path = self.path();
        // Not `into_inner`, which turns the operating system's errors into mere text.
        self.file
            .finish()
            .map_err(|error| Error::write(&path, &error))?;
        let file = self.file.inner_mut();
        file.file
            .sync_all()
            .map_err(|error| Error::io("sync", &path, &error))?;
        let (bytes, blake3) = (file.hasher.count(), file.hasher.finalize());
        self.staged.keep();
        let name = path.file_name().map(|name| name.to_string_lossy());
        Ok(FileEntry {
            path: name.unwrap_or_default().into_owned(),
            rows: self.rows,
            bytes,
            blake3: blake3.to_hex().to_string(),
        })
    }

    fn path(&self) -> PathBuf {
        self.staged.path().to_owned()
    }
}

/// Writes a new file of one table. Rows must come in the table's order.
///
/// # Errors
/// As [`TableWriter::create`] and [`TableWriter::append`]; no file is left behind then.
pub fn write(
    path: &Path,
    table: &'static Table,
    batches: impl IntoIterator<Item = RecordBatch>,
    metadata: &Metadata,
) -> Result<FileEntry, Error> {
    let mut writer = TableWriter::create(path, table, metadata)?;
    for batch in batches {
        writer.append(&batch)?;
    }
    writer.finish()
}

/// Brings a batch into the contract, but leaves texts that come as dictionaries as they are: they are
/// spelled out when they are encoded, a few thousand rows at a time.
fn fitting(table: &'static Table, batch: &RecordBatch) -> Result<RecordBatch, ContractError> {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut fields: Vec<Field> = Vec::with_capacity(table.columns.len());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(table.columns.len());
    for column in table.columns {
        let as_it_is = batch.column_by_name(column.name).filter(|found| {
            column.kind == Kind::Text
                && found.data_type() == &dictionary
                && (column.nullable || found.logical_null_count() == 0)
        });
        let found = match as_it_is {
            Some(found) => Arc::clone(found),
            None => Arc::clone(
                table
                    .conform_columns(batch, &[column.name], false)?
                    .column(0),
            ),
        };
        fields.push(Field::new(
            column.name,
            found.data_type().clone(),
            column.nullable,
        ));
        columns.push(found);
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .expect("every column was just brought into its field's type"))
}

/// A file that knows the checksum of what was written to it.
#[derive(Debug)]
struct HashingFile {
    file: disk::File,
    hasher: Hasher,
}

impl HashingFile {
    fn new(file: disk::File) -> Self {
        Self {
            file,
            hasher: Hasher::new(),
        }
    }
}

impl Write for HashingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
