use std::path::{Path, PathBuf};
use std::sync::Arc;

use af_model::cell::Kind;
use af_model::contract::{Column, Table};
use af_model::manifest::FileEntry;
use af_model::tables::{self, attack_signals, directory, identity_events};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::LogicalType;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use super::samples::{random_batch, unsorted_batch};
use super::*;
use crate::checksum::checksum;
use crate::error::{Error, ErrorKind};

fn write_to(
    folder: &Path,
    table: &'static Table,
    batches: Vec<RecordBatch>,
) -> (PathBuf, FileEntry) {
    let path = crate::atomic::unique(folder, table.name);
    let entry = write(&path, table, batches, &Metadata::new().with_formula("af-1")).unwrap();
    (path, entry)
}

fn read_all(path: &Path, table: &'static Table, scan: Scan) -> Result<RecordBatch, Error> {
    let batches = read(path, table, None, scan)?;
    let schema = batches.schema();
    let batches = batches.collect::<Result<Vec<_>, _>>()?;
    Ok(concat_batches(&schema, &batches).unwrap())
}

/// Writes a file as another program would: its own types and no metadata of ours.
fn write_foreign(path: &Path, batch: &RecordBatch, group_rows: usize) {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows))
        .build();
    let file = fs_err::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .unwrap()
        .into_file();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn every_table_comes_back_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    for table in tables::ALL {
        for rows in [0, 1, 700] {
            let batch = random_batch(table, rows, 7 + rows as u64);
            let (path, entry) = write_to(folder.path(), table, vec![batch.clone()]);
            assert_eq!(entry.rows, rows as u64, "{}", table.name);
            let sum = checksum(&path).unwrap();
            assert_eq!((entry.bytes, entry.blake3), (sum.bytes, sum.blake3));
            assert_eq!(
                read_all(&path, table, Scan::File).unwrap(),
                batch,
                "{}",
                table.name
            );
            let scanned = read_all(&path, table, Scan::Dictionaries).unwrap();
            assert_eq!(scanned.schema(), table.scan_schema());
            assert_eq!(table.conform(&scanned).unwrap(), batch, "{}", table.name);
        }
    }
}

#[test]
fn plain_readers_see_strings_and_the_declared_order() {
    let folder = tempfile::tempdir().unwrap();
    let table = &identity_events::TABLE;
    let (path, _) = write_to(folder.path(), table, vec![random_batch(table, 50, 1)]);
    let file = fs_err::File::open(&path).unwrap().into_file();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(builder.schema().fields(), table.file_schema().fields());
    let metadata = builder.metadata();
    let tenant = metadata.file_metadata().schema_descr().column(0);
    assert_eq!(tenant.logical_type_ref(), Some(&LogicalType::String));
    assert_eq!(metadata.file_metadata().created_by(), Some("attack-factor"));
    let pairs: Vec<(&str, Option<&str>)> = metadata
        .file_metadata()
        .key_value_metadata()
        .unwrap()
        .iter()
        .map(|pair| (pair.key.as_str(), pair.value.as_deref()))
        .collect();
    let expected = [
        ("attack_factor.formula", Some("af-1")),
        ("attack_factor.table", Some("identity_events")),
        ("attack_factor.table_version", Some("1")),
    ];
    assert_eq!(pairs, expected);
    let group = metadata.row_group(0);
    let order: Vec<&str> = group
        .sorting_columns()
        .unwrap()
        .iter()
        .map(|column| {
            assert!(!column.descending && column.nulls_first);
            let leaf = usize::try_from(column.column_idx).unwrap();
            group.column(leaf).column_descr().name()
        })
        .collect();
    assert_eq!(order, table.sorted_by);
    let filtered: Vec<&str> = group
        .columns()
        .iter()
        .filter(|column| column.bloom_filter_offset().is_some())
        .map(|column| column.column_descr().name())
        .collect();
    assert_eq!(filtered, ["metadata_uid", "user_uid"]);
    assert!(
        group
            .columns()
            .iter()
            .all(|column| column.statistics().is_some())
    );
    assert!(
        group
            .columns()
            .iter()
            .all(|column| column.offset_index_offset().is_some())
    );
}

const fn plain_column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        nullable: true,
        repeats: false,
        unit: "",
        doc: "For a test.",
    }
}

#[test]
fn sorting_columns_count_the_leaves_of_nested_columns() {
    // Leaves: targets 0–3, map 4–5, list 6, then a = 7 and n = 8.
    static NESTED: Table = Table {
        name: "nested",
        version: 1,
        doc: "For a test.",
        sorted_by: &["n", "a"],
        columns: &[
            plain_column("targets", Kind::Targets),
            plain_column("map", Kind::TextMap),
            plain_column("list", Kind::Texts),
            plain_column("a", Kind::Text),
            plain_column("n", Kind::Int),
        ],
    };
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = write_to(folder.path(), &NESTED, vec![random_batch(&NESTED, 20, 3)]);
    let file = TableFile::open(&path, &NESTED).unwrap();
    let file_handle = fs_err::File::open(file.path()).unwrap().into_file();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file_handle).unwrap();
    let columns = builder.metadata().row_group(0).sorting_columns().unwrap();
    let leaves: Vec<i32> = columns.iter().map(|column| column.column_idx).collect();
    assert_eq!(leaves, [8, 7]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn equal_rows_are_equal_bytes_however_they_are_cut(
        seed in any::<u64>(),
        cuts in prop::collection::vec(0_usize..9_000, 0..12),
        wide in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (table, rows): (&'static Table, usize) = if wide {
            (&directory::TABLE, 3_000)
        } else {
            (&attack_signals::TABLE, 9_000)
        };
        let batch = random_batch(table, rows, seed);
        let (_, whole) = write_to(folder.path(), table, vec![batch.clone()]);
        let mut borders: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows)).collect();
        borders.extend([0, rows]);
        borders.sort_unstable();
        // Every other piece comes with dictionaries, as a scan would hand it on.
        let pieces = borders.windows(2).enumerate().map(|(index, cut)| {
            let piece = batch.slice(cut[0], cut[1] - cut[0]);
            if index % 2 == 0 { piece } else { table.conform_for_scan(&piece).unwrap() }
        });
        let (_, cut) = write_to(folder.path(), table, pieces.collect());
        prop_assert_eq!(whole.blake3, cut.blake3);
    }
}

#[test]
fn a_newer_table_version_and_another_table_are_refused() {
    static NEWER: Table = Table {
        name: "attack_signals",
        version: 2,
        doc: "For a test.",
        sorted_by: &["a"],
        columns: &[plain_column("a", Kind::Text)],
    };
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = write_to(folder.path(), &NEWER, vec![random_batch(&NEWER, 2, 1)]);
    let error = TableFile::open(&path, &attack_signals::TABLE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NewerVersion);
    assert!(
        error.to_string().contains("version 2 of attack_signals"),
        "{error}"
    );
    assert_eq!(error.hint(), Some("update the program"));

    let (path, _) = write_to(
        folder.path(),
        &directory::TABLE,
        vec![random_batch(&directory::TABLE, 2, 1)],
    );
    let error = TableFile::open(&path, &attack_signals::TABLE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongTable);
    let text = error.to_string();
    assert!(
        text.contains("directory") && text.contains("attack_signals"),
        "{text}"
    );
}

#[test]
fn an_older_table_version_is_read() {
    static TODAY: Table = Table {
        name: "changing",
        version: 2,
        doc: "For a test.",
        sorted_by: &["a"],
        columns: &[plain_column("a", Kind::Text), plain_column("b", Kind::Int)],
    };
    static BEFORE: Table = Table {
        name: "changing",
        version: 1,
        doc: "For a test.",
        sorted_by: &["a"],
        columns: &[plain_column("a", Kind::Text)],
    };
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = write_to(folder.path(), &BEFORE, vec![random_batch(&BEFORE, 5, 1)]);
    let batch = read_all(&path, &TODAY, Scan::File).unwrap();
    assert_eq!((batch.num_rows(), batch.column(1).null_count()), (5, 5));
}

/// Signals as other programs write them: one string type for all texts, seconds without a zone,
/// no optional column but `subject_email`, and one column of their own in between.
fn foreign_signals(batch: &RecordBatch, text: &DataType) -> RecordBatch {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (column, array) in attack_signals::TABLE.columns.iter().zip(batch.columns()) {
        if column.nullable && column.name != "subject_email" {
            continue;
        }
        let array = match column.kind {
            Kind::Text => cast(array, text).unwrap(),
            Kind::Instant => cast(
                array,
                &DataType::Timestamp(arrow::datatypes::TimeUnit::Second, None),
            )
            .unwrap(),
            _ => unreachable!("the required columns are texts and instants"),
        };
        fields.push(Field::new(column.name, array.data_type().clone(), true));
        columns.push(array);
    }
    let own = Int64Array::from_iter_values((0..).take(batch.num_rows()));
    fields.insert(
        1,
        Field::new("a_column_of_their_own", DataType::Int64, false),
    );
    columns.insert(1, Arc::new(own));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

#[test]
fn files_of_other_programs_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let table = &attack_signals::TABLE;
    let batch = random_batch(table, 40, 9);
    let dictionary = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::LargeUtf8));
    let types = [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        dictionary,
    ];
    for text in types {
        let path = crate::atomic::unique(folder.path(), "foreign");
        write_foreign(&path, &foreign_signals(&batch, &text), 1000);
        for scan in [Scan::File, Scan::Dictionaries] {
            let found = read_all(&path, table, scan).unwrap();
            let found = table.conform(&found).unwrap();
            for (index, column) in table.columns.iter().enumerate() {
                let (was, is) = (batch.column(index), found.column(index));
                if column.nullable && column.name != "subject_email" {
                    assert_eq!(is.null_count(), 40, "{text} {}", column.name);
                } else if column.kind == Kind::Text {
                    assert_eq!(was, is, "{text} {}", column.name);
                } else {
                    // Whole seconds are left of the milliseconds.
                    let seconds = |array: &ArrayRef| {
                        let millis = cast(array, &DataType::Int64).unwrap();
                        let millis = millis.as_primitive::<arrow::datatypes::Int64Type>().clone();
                        millis.unary::<_, arrow::datatypes::Int64Type>(|value| value / 1000)
                    };
                    assert_eq!(seconds(was), seconds(is));
                    assert_eq!(is.data_type(), &Kind::Instant.data_type());
                }
            }
        }
        assert!(!TableFile::open(&path, table).unwrap().is_ours());
    }
}

#[test]
fn a_file_without_a_required_column_or_with_nulls_in_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let table = &attack_signals::TABLE;
    let foreign = foreign_signals(&random_batch(table, 4, 2), &DataType::Utf8);
    let level = foreign.schema().index_of("level").unwrap();
    let mut without = foreign.clone();
    without.remove_column(level);
    let path = folder.path().join("without.parquet");
    write_foreign(&path, &without, 1000);
    let error = read_all(&path, table, Scan::File).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
    assert!(
        error.to_string().contains("column level of attack_signals"),
        "{error}"
    );
    // Whoever does not ask for the column is not told.
    let mut some = read(&path, table, Some(&["family"]), Scan::File).unwrap();
    assert_eq!(some.next().unwrap().unwrap().num_columns(), 1);

    let mut columns = foreign.columns().to_vec();
    columns[level] = arrow::array::new_null_array(&DataType::Utf8, 4);
    let nulls = RecordBatch::try_new(foreign.schema(), columns).unwrap();
    let path = folder.path().join("nulls.parquet");
    write_foreign(&path, &nulls, 1000);
    for scan in [Scan::File, Scan::Dictionaries] {
        let error = read_all(&path, table, scan).unwrap_err();
        assert!(error.to_string().contains("holds 4 nulls"), "{error}");
    }
}

#[test]
fn columns_come_in_the_order_asked_for_and_dictionaries_where_they_repeat() {
    let folder = tempfile::tempdir().unwrap();
    let table = &attack_signals::TABLE;
    let batch = random_batch(table, 3_000, 4);
    let (path, _) = write_to(folder.path(), table, vec![batch.clone()]);
    let asked = ["level", "time", "tenant_uid", "signal_uid"];
    let batches = read(&path, table, Some(&asked), Scan::Dictionaries).unwrap();
    let schema = batches.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(names, asked);
    let batches: Vec<RecordBatch> = batches.map(Result::unwrap).collect();
    assert!(batches.iter().all(|batch| batch.schema() == schema));
    let levels = batches[0].column(0).as_dictionary::<Int32Type>();
    // Five words in the file's dictionary, taken as it is.
    assert_eq!(levels.values().len(), 5);
    assert_eq!(batches[0].column(3).data_type(), &DataType::Utf8);
    let whole = concat_batches(&schema, &batches).unwrap();
    let plain = table.conform_columns(&whole, &asked, false).unwrap();
    for (index, name) in asked.iter().enumerate() {
        assert_eq!(plain.column(index), batch.column_by_name(name).unwrap());
    }
}

#[test]
fn row_groups_read_apart_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let table = &directory::TABLE;
    let batch = random_batch(table, 250, 5);
    let path = folder.path().join("groups.parquet");
    write_foreign(&path, &batch, 100);
    let file = TableFile::open(&path, table).unwrap();
    assert_eq!((file.row_groups(), file.rows()), (3, 250));
    let mut parts = Vec::new();
    for group in 0..3 {
        let part = file
            .read_row_groups(group..group + 1, None, Scan::File)
            .unwrap();
        parts.extend(part.map(Result::unwrap));
    }
    assert_eq!(concat_batches(&table.file_schema(), &parts).unwrap(), batch);
}

#[test]
fn rows_out_of_order_are_refused_and_leave_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let table = &directory::TABLE;
    let path = folder.path().join("unsorted.parquet");
    let sorted = random_batch(table, 10, 6);
    let swapped = vec![sorted.slice(5, 5), sorted.slice(0, 5)];
    let reversed = vec![unsorted_batch(table, 50, 6)];
    for batches in [swapped, reversed] {
        let error = write(&path, table, batches, &Metadata::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSorted);
        assert!(
            error.to_string().contains("tenant_uid, user_uid"),
            "{error}"
        );
        assert!(!path.exists());
    }
    write(&path, table, [sorted.clone()], &Metadata::new()).unwrap();
    let error = write(&path, table, [sorted], &Metadata::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(path.exists());
}

#[test]
fn a_truncated_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let table = &directory::TABLE;
    let (path, _) = write_to(folder.path(), table, vec![random_batch(table, 30, 8)]);
    let bytes = fs_err::read(&path).unwrap();
    let damaged = folder.path().join("damaged.parquet");
    for length in (0..bytes.len()).step_by(37).chain([bytes.len() - 1]) {
        fs_err::write(&damaged, &bytes[..length]).unwrap();
        let error = read_all(&damaged, table, Scan::File).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{length}: {error}");
        assert!(error.to_string().contains("damaged.parquet"), "{error}");
    }
}

#[test]
fn a_flipped_bit_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let table = &directory::TABLE;
    let (path, _) = write_to(folder.path(), table, vec![random_batch(table, 30, 8)]);
    let bytes = fs_err::read(&path).unwrap();
    let damaged = folder.path().join("damaged.parquet");
    let mut refused = 0;
    for place in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        fs_err::write(&damaged, &flipped).unwrap();
        if let Err(error) = read_all(&damaged, table, Scan::Dictionaries) {
            assert!(error.to_string().contains("damaged.parquet"), "{error}");
            refused += 1;
        }
    }
    // Without page checksums some flips only change a value; most break an encoding.
    assert!(refused > bytes.len() / 3, "{refused} of {}", bytes.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn overwritten_bytes_never_panic(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        in_the_footer in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let table = &identity_events::TABLE;
        let (path, _) = write_to(folder.path(), table, vec![random_batch(table, 20, 8)]);
        let mut bytes = fs_err::read(&path).unwrap();
        // The footer's length stands before the last four bytes.
        let length = bytes.len();
        let footer = u32::from_le_bytes(bytes[length - 8..length - 4].try_into().unwrap());
        let start = if in_the_footer { length - 8 - footer as usize } else { 0 };
        for (place, byte) in places {
            bytes[start + place.index(length - start)] = byte;
        }
        fs_err::write(&path, &bytes).unwrap();
        for scan in [Scan::File, Scan::Dictionaries] {
            if let Err(error) = read_all(&path, table, scan) {
                prop_assert!(error.to_string().contains("identity_events"), "{}", error);
            }
        }
    }
}

#[test]
fn what_is_no_parquet_or_absent_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let error = TableFile::open(&path, &directory::TABLE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    fs_err::write(&path, "tenant_uid,user_uid\n").unwrap();
    let error = TableFile::open(&path, &directory::TABLE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn extra_metadata_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let table = &directory::TABLE;
    let path = folder.path().join("a.parquet");
    let metadata = Metadata::new().with("inputs", "abc");
    write(&path, table, [random_batch(table, 3, 1)], &metadata).unwrap();
    let file = TableFile::open(&path, table).unwrap();
    assert_eq!(file.value("attack_factor.inputs"), Some("abc"));
    assert_eq!(file.value(FORMULA_KEY), None);
    assert!(file.is_ours());
}
