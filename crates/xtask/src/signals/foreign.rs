//! The rows as somebody else's export: eight files, no order, another writer and its habits.

use std::path::Path;
use std::sync::Arc;

use af_model::tables::attack_signals::TABLE;
use anyhow::{Context, Result};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic;
use parquet::file::properties::WriterProperties;
use rayon::prelude::*;

use super::chance::Shuffle;
use super::plan::Plan;
use super::text::Writer;
use super::{Compression, make_folder};

/// How many files there are.
const FILES: u64 = 8;
/// Rows a batch.
const BATCH: usize = 8192;
/// Rows a row group.
const ROW_GROUP: usize = 262_144;

/// Writes all files, as many at a time as there are cores.
pub(super) fn write(folder: &Path, plan: &Plan, compression: Compression) -> Result<()> {
    make_folder(folder)?;
    let shuffle = Shuffle::new(plan.seed(), plan.rows());
    (0..FILES).into_par_iter().try_for_each(|part| {
        let positions = part * plan.rows() / FILES..(part + 1) * plan.rows() / FILES;
        let rows = positions.map(|position| shuffle.at(position));
        let path = folder.join(format!("part-{part}.parquet"));
        write_file(&path, plan, compression, rows)
    })
}

fn write_file(
    path: &Path,
    plan: &Plan,
    compression: Compression,
    rows: impl Iterator<Item = u64>,
) -> Result<()> {
    let file = fs_err::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?;
    let compression = match compression {
        Compression::Zstd => basic::Compression::ZSTD(basic::ZstdLevel::default()),
        Compression::Snappy => basic::Compression::SNAPPY,
    };
    let properties = WriterProperties::builder()
        .set_created_by("somebody else's exporter".to_owned())
        .set_compression(compression)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let schema = schema();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?;
    let mut texts = Writer::new(plan);
    for row in rows {
        texts.push(&plan.signal(row));
        if texts.len() == BATCH {
            writer.write(&theirs(&texts.finish(), &schema)?)?;
        }
    }
    writer.write(&theirs(&texts.finish(), &schema)?)?;
    writer.close().context("finish a foreign file")?;
    Ok(())
}

/// The columns the other way round, instants in microseconds, everything nullable.
fn schema() -> SchemaRef {
    let ours = TABLE.file_schema();
    let theirs = ours.fields().iter().rev().map(|field| {
        let data_type = match field.data_type() {
            DataType::Timestamp(_, zone) => {
                DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
            }
            other => other.clone(),
        };
        Field::new(field.name(), data_type, true)
    });
    Arc::new(Schema::new(theirs.collect::<Vec<_>>()))
}

fn theirs(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns: Result<Vec<ArrayRef>, _> = batch
        .columns()
        .iter()
        .rev()
        .zip(schema.fields())
        .map(|(column, field)| cast(column, field.data_type()))
        .collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns?)?)
}
