use std::path::{Path, PathBuf};
use std::sync::Arc;

use af_model::contract::Table;
use af_model::tables::{attack_signals, user_scores};
use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use proptest::prelude::*;

use crate::error::{Error, ErrorKind};
use crate::table_file::samples::random_batch;
use crate::table_file::{Key, Metadata, Scan, TableFile, write};

const TABLE: &Table = &attack_signals::TABLE;

/// Writes a file as another program would.
fn write_foreign(
    folder: &Path,
    batch: &RecordBatch,
    properties: WriterPropertiesBuilder,
) -> PathBuf {
    let path = crate::atomic::unique(folder, "foreign");
    let mut bytes = Vec::new();
    let properties = Some(properties.build());
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), properties).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    fs_err::write(&path, bytes).unwrap();
    path
}

fn small_groups(rows: usize) -> WriterPropertiesBuilder {
    WriterProperties::builder().set_max_row_group_row_count(Some(rows))
}

fn found(path: &Path, keys: &[Key], columns: Option<&[&str]>) -> Result<RecordBatch, Error> {
    let batches = TableFile::open(path, TABLE)?.read_where(keys, columns, Scan::File)?;
    let schema = batches.schema();
    let batches = batches.collect::<Result<Vec<_>, _>>()?;
    Ok(concat_batches(&schema, &batches).unwrap())
}

/// What should be found, looked at row by row.
fn expected(batch: &RecordBatch, keys: &[Key]) -> RecordBatch {
    let fits = |row: usize| {
        keys.iter().all(|key| {
            let cells = batch.column_by_name(key.column).unwrap();
            let cell = cells.as_string::<i32>().iter().nth(row).unwrap();
            cell.is_some_and(|cell| key.values.iter().any(|value| value == cell))
        })
    };
    let mask: BooleanArray = (0..batch.num_rows()).map(|row| Some(fits(row))).collect();
    filter_record_batch(batch, &mask).unwrap()
}

/// The same texts in another of Arrow's types.
fn with_texts_as(batch: &RecordBatch, texts: &DataType) -> RecordBatch {
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| match field.data_type() {
            DataType::Utf8 => {
                let column = cast(column, texts).unwrap();
                (Field::clone(field).with_data_type(texts.clone()), column)
            }
            _ => (Field::clone(field), Arc::clone(column)),
        })
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn a_few(words: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(words, 0..=words.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_found_is_what_a_look_at_every_row_finds(
        seed in any::<u64>(),
        group_rows in 1_usize..400,
        page_rows in 1_usize..200,
        statistics in prop::sample::select(vec![
            EnabledStatistics::None, EnabledStatistics::Chunk, EnabledStatistics::Page,
        ]),
        filters in any::<bool>(),
        texts in prop::sample::select(vec![DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View]),
        tenants in a_few(&["", "word-0", "word-1", "word-3", "word-4", "word-40", "zzz"]),
        // A column that is sorted nowhere and may be null.
        sources in a_few(&["", "value-1", "value-17", "value-300", "Zoë 🦀\u{202e}", "nobody"]),
        only_tenant in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let batch = random_batch(TABLE, 700, seed);
        let properties = small_groups(group_rows)
            .set_data_page_row_count_limit(page_rows)
            .set_write_batch_size(page_rows)
            .set_statistics_enabled(statistics)
            .set_bloom_filter_enabled(filters);
        let foreign = write_foreign(folder.path(), &with_texts_as(&batch, &texts), properties);
        let ours = folder.path().join("ours");
        write(&ours, TABLE, [batch.clone()], &Metadata::new()).unwrap();
        let mut keys = vec![Key::any_of("tenant_uid", tenants)];
        if !only_tenant {
            keys.push(Key::any_of("subject_uid", sources));
        }
        let expected = expected(&batch, &keys);
        for path in [&foreign, &ours] {
            prop_assert_eq!(&found(path, &keys, None).unwrap(), &expected);
            // Columns that are no keys, in another order than in the file.
            let some = ["time", "signal_uid"];
            let places: Vec<usize> = some
                .iter()
                .map(|name| batch.schema().index_of(name).unwrap())
                .collect();
            let projected = expected.project(&places).unwrap();
            let found_some = found(path, &keys, Some(&some)).unwrap();
            prop_assert_eq!(found_some.columns(), projected.columns());
            // As dictionaries.
            let file = TableFile::open(path, TABLE).unwrap();
            let scanned = file.read_where(&keys, None, Scan::Dictionaries).unwrap();
            let scanned: Vec<RecordBatch> = scanned.map(|batch| TABLE.conform(&batch?).map_err(
                |error| Error::new(ErrorKind::Contract, "test", "batch", error.to_string()),
            )).collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(concat_batches(&TABLE.file_schema(), &scanned).unwrap(), expected.clone());
        }
    }
}

fn metadata(path: &Path) -> ParquetMetaData {
    let file = fs_err::File::open(path).unwrap().into_file();
    let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
    reader.parse_and_finish(&file).unwrap()
}

/// Overwrites a piece of a file, so that whoever decodes it fails.
fn spoil(path: &Path, start: i64, length: i64) {
    let mut bytes = fs_err::read(path).unwrap();
    let start = usize::try_from(start).unwrap();
    bytes[start..start + usize::try_from(length).unwrap()].fill(0xa5);
    fs_err::write(path, bytes).unwrap();
}

/// People of three organizations, 300 each.
fn three_tenants() -> RecordBatch {
    let batch = random_batch(TABLE, 900, 5);
    let mut columns = batch.columns().to_vec();
    let names = (0..900).map(|row| Some(["a", "b", "c"][row / 300]));
    columns[0] = Arc::new(names.collect::<arrow::array::StringArray>());
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

#[test]
fn row_groups_without_the_key_are_never_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let batch = three_tenants();
    let path = write_foreign(folder.path(), &batch, small_groups(100));
    let whole = found(&path, &[Key::of("tenant_uid", "b")], None).unwrap();
    assert_eq!(whole, batch.slice(300, 300));
    for (number, group) in metadata(&path).row_groups().iter().enumerate() {
        if !(3..6).contains(&number) {
            for column in group.columns() {
                let (start, length) = column.byte_range();
                spoil(&path, start.cast_signed(), length.cast_signed());
            }
        }
    }
    assert_eq!(
        found(&path, &[Key::of("tenant_uid", "b")], None).unwrap(),
        whole
    );
    for name in ["a", "c"] {
        let error = found(&path, &[Key::of("tenant_uid", name)], None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn pages_without_the_key_are_never_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let batch = three_tenants();
    // One row group. Without dictionaries all of a column is in its data pages.
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_write_batch_size(50)
        .set_data_page_row_count_limit(50);
    let path = write_foreign(folder.path(), &batch, properties);
    let metadata = metadata(&path);
    let index = metadata.page_index_for_row_group(0);
    let mut spoiled = 0;
    for leaf in 0..metadata.row_group(0).num_columns() {
        let pages = index.page_locations(leaf).unwrap();
        let ends = pages.iter().skip(1).map(|page| page.first_row_index);
        for (page, end) in pages.iter().zip(ends.chain([900])) {
            if end <= 300 || page.first_row_index >= 600 {
                spoil(&path, page.offset, i64::from(page.compressed_page_size));
                spoiled += 1;
            }
        }
    }
    assert!(spoiled > 100, "{spoiled}");
    let keys = [Key::of("tenant_uid", "b")];
    assert_eq!(found(&path, &keys, None).unwrap(), batch.slice(300, 300));
    let error = found(&path, &[Key::of("tenant_uid", "c")], None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_filter_spares_the_row_groups_that_least_and_greatest_values_leave_in() {
    let folder = tempfile::tempdir().unwrap();
    // Ids of every group reach from small to great ones.
    let id = |row: usize| format!("{:064}", (row * 7_919) % 90_000);
    let batch = random_batch(TABLE, 90_000, 5);
    let mut columns = batch.columns().to_vec();
    columns[1] = Arc::new(
        (0..90_000)
            .map(|row| Some(id(row)))
            .collect::<arrow::array::StringArray>(),
    );
    let batch = RecordBatch::try_new(batch.schema(), columns).unwrap();
    let properties = small_groups(30_000).set_bloom_filter_enabled(true);
    let path = write_foreign(folder.path(), &batch, properties);
    for group in [0, 2] {
        let (start, length) = metadata(&path).row_group(group).column(1).byte_range();
        spoil(&path, start.cast_signed(), length.cast_signed());
    }
    let keys = [Key::of("signal_uid", &id(45_000))];
    assert_eq!(found(&path, &keys, Some(&["time"])).unwrap().num_rows(), 1);
    let keys = [Key::of("signal_uid", &id(5))];
    assert!(found(&path, &keys, Some(&["time"])).is_err());
}

#[test]
fn a_key_that_is_no_text_is_refused_and_an_absent_one_fits_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let batch = random_batch(TABLE, 50, 1);
    let place = batch.schema().index_of("tenant_uid").unwrap();
    let mut numbers = batch.clone();
    numbers.remove_column(place);
    let path = write_foreign(folder.path(), &numbers, WriterProperties::builder());
    let error = found(&path, &[Key::of("tenant_uid", "a")], Some(&["time"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
    assert!(error.to_string().contains("tenant_uid"), "{error}");
    let error = found(&path, &[Key::of("time", "a")], Some(&["time"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);

    let place = batch.schema().index_of("subject_uid").unwrap();
    let mut without = batch.clone();
    without.remove_column(place);
    let path = write_foreign(folder.path(), &without, WriterProperties::builder());
    let keys = [Key::of("subject_uid", "value-1")];
    assert_eq!(found(&path, &keys, None).unwrap().num_rows(), 0);
}

#[test]
fn damage_anywhere_is_an_error_or_rows_but_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores");
    let table = &user_scores::TABLE;
    write(&path, table, [random_batch(table, 60, 3)], &Metadata::new()).unwrap();
    let whole = fs_err::read(&path).unwrap();
    let keys = [
        Key::of("tenant_uid", "word-2"),
        Key::any_of("user_uid", ["value-1", "value-400"]),
    ];
    for place in (4..whole.len()).step_by(29) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x55;
        fs_err::write(&path, damaged).unwrap();
        let Ok(file) = TableFile::open(&path, table) else {
            continue;
        };
        if let Ok(batches) = file.read_where(&keys, None, Scan::File) {
            let _ = batches.collect::<Result<Vec<_>, _>>();
        }
    }
}
