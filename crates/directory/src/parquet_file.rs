//! Parquet: our own `directory` table, or anybody's.
//!
//! Read with the Parquet crate rather than a data frame, because people files come from everywhere:
//! a dictionary column of pandas, a decimal id or an odd time zone must not depend on which types
//! a data frame was built with.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use af_model::UtcMillis;
use af_model::cell::{Alias, Cell as ContractCell, Kind};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::cell::{Cell, Fields};
use crate::columns::{self, Mapping};
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::import::Intake;

/// The first bytes of every Parquet file.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// Reads all rows into `intake`; a row's number stands for its line.
pub(crate) fn read(path: &Path, intake: &mut Intake<'_>) -> Result<Mapping, Error> {
    // Files are checked by the decoder, but not everywhere: a flipped bit may still make it stop.
    catch_unwind(AssertUnwindSafe(|| read_unguarded(path, intake)))
        .unwrap_or_else(|_| Err(broken(path, "its pages do not fit together")))
}

fn broken(path: &Path, problem: impl std::fmt::Display) -> Error {
    Error::new(
        path,
        ErrorKind::Broken,
        format!("is broken Parquet: {problem}"),
    )
}

fn read_unguarded(path: &Path, intake: &mut Intake<'_>) -> Result<Mapping, Error> {
    let file = File::open(path).map_err(|error| Error::io(path, &error))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| broken(path, error))?;
    let headers: Vec<String> = builder
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let mapping = columns::resolve(path, &headers, &intake.options().map)?;
    intake.check_tenant_column(path, &mapping)?;

    let mut roots: Vec<usize> = mapping.used.iter().map(|&(column, _)| column).collect();
    roots.sort_unstable();
    roots.dedup();
    let projection = ProjectionMask::roots(builder.parquet_schema(), roots.iter().copied());
    let batches = builder
        .with_projection(projection)
        .build()
        .map_err(|error| broken(path, error))?;
    let mut row_number = 0;
    for batch in batches {
        let batch = batch.map_err(|error| broken(path, error))?;
        for row in rows(&batch, &mapping, &roots) {
            row_number += 1;
            intake.row(row_number, row);
        }
    }
    Ok(mapping)
}

fn rows(batch: &RecordBatch, mapping: &Mapping, roots: &[usize]) -> Vec<Fields> {
    let mut rows: Vec<Fields> = (0..batch.num_rows()).map(|_| Fields::default()).collect();
    for &(column, field) in &mapping.used {
        let position = roots
            .binary_search(&column)
            .expect("every used column was projected");
        let array = readable(batch.column(position), field);
        for (row, fields) in rows.iter_mut().enumerate() {
            if array.is_valid(row) {
                fields.set(field, cell(&array, row));
            }
        }
    }
    rows
}

/// The column in one of the few types that [`cell`] reads; unchanged where there is none.
fn readable(array: &ArrayRef, field: Field) -> ArrayRef {
    let target = match array.data_type() {
        DataType::Dictionary(_, value) => {
            return cast(array, value)
                .map_or_else(|_| ArrayRef::clone(array), |plain| readable(&plain, field));
        }
        DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Float16 | DataType::Float32 => DataType::Float64,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
            if field == Field::Aliases =>
        {
            match item.data_type() {
                DataType::Struct(_) => Kind::Aliases.data_type(),
                _ => Kind::Texts.data_type(),
            }
        }
        _ => return ArrayRef::clone(array),
    };
    cast(array, &target).unwrap_or_else(|_| ArrayRef::clone(array))
}

/// The value at `row`, which is not null.
fn cell(array: &ArrayRef, row: usize) -> Cell {
    match array.data_type() {
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::Binary => Cell::from_bytes(array.as_binary::<i32>().value(row)),
        DataType::Boolean => Cell::Flag(array.as_boolean().value(row)),
        DataType::Float64 => Cell::Text(number(array.as_primitive::<Float64Type>().value(row))),
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
            instant(array, row).map_or(Cell::Foreign, Cell::Instant)
        }
        data_type if *data_type == Kind::Aliases.data_type() => {
            Cell::Aliases(<Vec<Alias> as ContractCell<'_>>::read(array, row))
        }
        data_type if *data_type == Kind::Texts.data_type() => {
            Cell::Texts(<Vec<String> as ContractCell<'_>>::read(array, row))
        }
        _ => Cell::Foreign,
    }
}

/// An id that passed through a column of floats is still an integer; what is no number is absent.
fn number(value: f64) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.is_nan() {
        String::new()
    } else if value.fract().abs() < f64::EPSILON && value.abs() <= EXACT {
        format!("{value:.0}")
    } else {
        value.to_string()
    }
}

/// Timestamps of any unit, in UTC whatever their zone is called; a date is its first millisecond.
/// Values beyond the years 0001 to 9999 are none.
fn instant(array: &ArrayRef, row: usize) -> Option<UtcMillis> {
    let raw = cast(&array.slice(row, 1), &DataType::Int64).ok()?;
    let raw = raw.as_primitive::<Int64Type>().value(0);
    let millis = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => raw.checked_mul(1_000)?,
        DataType::Timestamp(TimeUnit::Microsecond, _) => raw.div_euclid(1_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => raw.div_euclid(1_000_000),
        DataType::Date32 => raw.checked_mul(af_model::time::DAY_MILLIS)?,
        _ => raw,
    };
    UtcMillis::checked(millis).ok()
}
