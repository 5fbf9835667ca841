//! However little memory there is, what is counted is the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use af_count::{PeopleIndex, Retractions};
use af_model::tables::attack_signals;
use af_testkit::generate::{self, Size, organization};
use af_testkit::oracle::OracleInput;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::*;
use crate::progress::Silent;
use crate::tally::testing::counting;
use crate::tally::{count_with, units};

fn write(path: &Path, batch: &RecordBatch, rows_of_a_group: usize) {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows_of_a_group));
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    fs_err::write(path, bytes).unwrap();
}

/// Three files of another writer: rows as they came, small row groups, the last with other types.
fn foreign(folder: &Path, input: &OracleInput) -> Vec<PathBuf> {
    let thirds = input.signals.chunks(input.signals.len().div_ceil(3));
    let write = |(number, signals): (usize, &[_])| {
        let table = &attack_signals::TABLE;
        let batches = generate::to_batches(signals, 1);
        let mut batch = concat_batches(&table.file_schema(), &batches).unwrap();
        if number == 2 {
            batch = in_other_types(&batch);
        }
        let path = folder.join(format!("{number}.parquet"));
        write(&path, &batch, 23);
        path
    };
    thirds.enumerate().map(write).collect()
}

/// Instants in microseconds and texts as dictionaries.
fn in_other_types(batch: &RecordBatch) -> RecordBatch {
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            let to = match field.data_type() {
                DataType::Timestamp(_, zone) => {
                    DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
                }
                DataType::Utf8 => {
                    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
                }
                other => other.clone(),
            };
            let column = cast(column, &to).unwrap();
            let field = field.as_ref().clone().with_data_type(to);
            (field.with_nullable(true), column)
        })
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn counted(
    counting: Counting<'_>,
    files: &[PathBuf],
    limits: Limits,
    shelf: &Shelf,
) -> Result<Counted, Error> {
    let units = units::of_files(files)?;
    let sum = Mutex::new(Counted::default());
    for unit in &units {
        let take = |counted| {
            sum.lock().unwrap().absorb(counted);
            Ok(())
        };
        count(counting, unit, limits, shelf, &Silent, &take)?;
    }
    let mut sum = sum.into_inner().unwrap();
    sum.sort();
    Ok(sum)
}

#[test]
fn little_memory_changes_no_figure() {
    for seed in 0..12 {
        let size = Size {
            people: 25,
            signals: 400,
        };
        let input = organization(seed, size);
        let folder = tempfile::tempdir().unwrap();
        let files = foreign(folder.path(), &input);
        let people = PeopleIndex::new(input.people.clone(), &input.key);
        let retractions = Retractions::new(&input.retractions, input.known_at);
        let counting = counting(&input, &people, &retractions);
        let expected = count_with(counting, &[], &files, &Silent).unwrap();
        for (waiting, together) in [(1 << 30, 1 << 30), (0, 1 << 30), (60_000, 7), (0, 1)] {
            let limits = Limits { waiting, together };
            let shelf = Shelf::new(folder.path(), 0);
            let found = counted(counting, &files, limits, &shelf).unwrap();
            assert_eq!(found, expected, "seed {seed}, {limits:?}");
        }
        // Nothing stays behind but the input.
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            files.len()
        );
    }
}

#[test]
fn every_day_is_handed_on_once() {
    let size = Size {
        people: 25,
        signals: 400,
    };
    let input = organization(3, size);
    let folder = tempfile::tempdir().unwrap();
    let files = foreign(folder.path(), &input);
    let people = PeopleIndex::new(input.people.clone(), &input.key);
    let retractions = Retractions::default();
    let counting = counting(&input, &people, &retractions);
    let seen = Mutex::new(std::collections::BTreeMap::new());
    for unit in units::of_files(&files).unwrap() {
        let number = Mutex::new(0);
        let take = |counted: Counted| {
            let mut number = number.lock().unwrap();
            *number += 1;
            for block in counted.tenants.values().flat_map(|counts| &counts.blocks) {
                let first = *seen.lock().unwrap().entry(block.day).or_insert(*number);
                assert_eq!(first, *number, "{} came twice", block.day);
            }
            Ok(())
        };
        let limits = Limits {
            waiting: 0,
            together: 10,
        };
        count(
            counting,
            &unit,
            limits,
            &Shelf::new(folder.path(), 0),
            &Silent,
            &take,
        )
        .unwrap();
    }
    assert!(seen.into_inner().unwrap().len() > 20);
}

#[test]
fn what_breaks_the_contract_is_refused_and_named() {
    let size = Size {
        people: 5,
        signals: 60,
    };
    let input = organization(1, size);
    let folder = tempfile::tempdir().unwrap();
    let files = foreign(folder.path(), &input);
    let batch = TableFile::open(&files[1], &attack_signals::TABLE).unwrap();
    let batch = batch
        .read(None, Scan::File)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let place = batch.schema().index_of("time").unwrap();
    let mut columns = batch.columns().to_vec();
    columns[place] = Arc::new(BooleanArray::from(vec![true; batch.num_rows()]));
    let mut fields: Vec<Field> = Vec::new();
    fields.extend(
        batch
            .schema()
            .fields()
            .iter()
            .map(|field| field.as_ref().clone()),
    );
    fields[place] = Field::new("time", DataType::Boolean, false);
    let broken = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    write(&files[1], &broken, 1000);
    let people = PeopleIndex::new(input.people.clone(), &input.key);
    let retractions = Retractions::default();
    let counting = counting(&input, &people, &retractions);
    let shelf = Shelf::new(folder.path(), 0);
    let error = counted(counting, &files, Limits::default(), &shelf).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("1.parquet") && message.contains("column time"),
        "{message}"
    );
}
