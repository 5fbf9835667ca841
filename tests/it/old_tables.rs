//! Tables and snapshots written by earlier versions stay readable.
//!
//! `tests/fixtures/tables-v<n>/<table>.parquet` was written when the table had version n; the rows
//! it must give stand beside it as JSON lines. `tests/fixtures/snapshot-v<n>` is a whole snapshot
//! with manifest version n. `cargo xtask fixtures` adds what is missing and never replaces a file;
//! with `--bless` it writes the current versions anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use af_model::contract::Table;
use af_model::tables;
use af_store::table_file::{self, TABLE_VERSION_KEY, TableFile};
use af_store::{MANIFEST_VERSION, Metadata, Scan, Snapshot};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use parquet::arrow::ArrowWriter;

use super::fixture_rows::fixture_rows;
use super::render::json_lines;
use super::support::{latest_snapshot, program};

const ADVICE: &str = "a file that was published once must stay readable: mend the reader, or raise \
                      the table's version; a new table or version gets its fixture by `cargo xtask fixtures`";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn table_folder(table: &Table) -> PathBuf {
    fixtures().join(format!("tables-v{}", table.version))
}

fn snapshot_folder() -> PathBuf {
    fixtures().join(format!("snapshot-v{MANIFEST_VERSION}"))
}

/// Folders named `<what><number>`, with the number.
fn versions(what: &str) -> Vec<(u32, PathBuf)> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(fixtures())
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let version = path.file_name()?.to_str()?.strip_prefix(what)?;
            Some((version.parse().ok()?, path.clone()))
        })
        .collect();
    found.sort();
    found
}

/// All rows of a file as today's reader gives them, both ways of reading.
fn read(path: &Path, table: &'static Table) -> String {
    let whole = |scan| -> RecordBatch {
        let batches = table_file::read(path, table, None, scan)
            .unwrap_or_else(|error| panic!("{error}\n{ADVICE}"));
        let schema = batches.schema();
        let batches: Vec<RecordBatch> = batches
            .map(|batch| batch.unwrap_or_else(|error| panic!("{error}\n{ADVICE}")))
            .collect();
        concat_batches(&schema, &batches).unwrap()
    };
    let (plain, scanned) = (whole(Scan::File), whole(Scan::Dictionaries));
    assert_eq!(
        table.conform(&scanned).unwrap(),
        plain,
        "{}",
        path.display()
    );
    json_lines(&plain)
}

#[test]
fn every_table_has_a_fixture_of_its_version() {
    for table in tables::ALL {
        let path = table_folder(table).join(format!("{}.parquet", table.name));
        assert!(
            path.is_file(),
            "{} is missing: run `cargo xtask fixtures`",
            path.display()
        );
    }
    let manifest = snapshot_folder().join("manifest.json");
    assert!(
        manifest.is_file(),
        "{} is missing: run `cargo xtask fixtures`",
        manifest.display()
    );
}

#[test]
fn todays_readers_give_the_rows_of_every_old_table() {
    let mut files = 0;
    for (version, folder) in versions("tables-v") {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|kind| kind != "parquet") {
                continue;
            }
            let name = path.file_stem().unwrap().to_str().unwrap();
            let table = tables::ALL
                .into_iter()
                .find(|table| table.name == name)
                .unwrap_or_else(|| panic!("no table {name} any more\n{ADVICE}"));
            let file =
                TableFile::open(&path, table).unwrap_or_else(|error| panic!("{error}\n{ADVICE}"));
            assert_eq!(
                file.value(TABLE_VERSION_KEY),
                Some(version.to_string().as_str()),
                "{}",
                path.display()
            );
            assert!(file.is_ours(), "{}", path.display());
            // Nulls are left out of the expected rows, so a column that came later must read as null.
            let expected = std::fs::read_to_string(path.with_extension("jsonl")).unwrap();
            assert_eq!(expected.lines().count(), 3, "{}", path.display());
            assert_eq!(read(&path, table), expected, "{}: {ADVICE}", path.display());
            files += 1;
        }
    }
    assert!(files >= tables::ALL.len(), "{files} fixtures");
}

#[test]
fn a_file_without_a_column_that_may_be_null_reads_as_null() {
    let work = tempfile::tempdir().unwrap();
    for table in tables::ALL {
        let whole = fixture_rows(table);
        let Some(column) = table.columns.iter().rfind(|column| column.nullable) else {
            continue;
        };
        let kept: Vec<usize> = (0..whole.num_columns())
            .filter(|&index| table.columns[index].name != column.name)
            .collect();
        let older = whole.project(&kept).unwrap();
        let path = work.path().join(format!("{}.parquet", table.name));
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, older.schema(), None).unwrap();
        writer.write(&older).unwrap();
        writer.close().unwrap();
        assert_eq!(
            read(&path, table),
            json_lines(&older),
            "{} without {}",
            table.name,
            column.name
        );
    }
}

#[test]
fn top_opens_every_old_snapshot() {
    let folders = versions("snapshot-v");
    assert!(!folders.is_empty());
    for (_, folder) in folders {
        let snapshot = Snapshot::open(&folder).unwrap_or_else(|error| panic!("{error}\n{ADVICE}"));
        let files = &snapshot.manifest().files;
        for file in files {
            let path = folder.join(&file.path);
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(
                blake3::hash(&bytes).to_string(),
                file.blake3,
                "{}",
                path.display()
            );
        }
        for table in tables::SNAPSHOT {
            assert!(
                snapshot.table_file(table).is_ok(),
                "{}: {}",
                folder.display(),
                table.name
            );
        }
        let expected = std::fs::read_to_string(folder.with_extension("top.jsonl")).unwrap();
        assert_eq!(top(&folder), expected, "{}", folder.display());
    }
}

/// The most attacked people of a snapshot with the columns that every version has.
fn top(snapshot: &Path) -> String {
    let snapshot = snapshot.to_string_lossy();
    let arguments = ["top", "--limit", "10", "--format", "json", "--snapshot"];
    let outcome = program(arguments.into_iter().chain([&*snapshot])).succeed();
    let view: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let people = view["people"].as_array().unwrap();
    assert_eq!(people.len(), 10);
    let mut lines = String::new();
    for person in people {
        let columns = ["rank", "email", "level", "score_micro", "signal_count"];
        let row: serde_json::Map<String, serde_json::Value> = columns
            .into_iter()
            .map(|column| (column.to_owned(), person[column].clone()))
            .collect();
        lines += &serde_json::Value::Object(row).to_string();
        lines += "\n";
    }
    lines
}

/// Writes fixtures; `cargo xtask fixtures` runs it. Never a part of the usual tests.
#[test]
#[ignore = "writes the fixtures: cargo xtask fixtures"]
fn write_fixtures() {
    let replace = std::env::var_os("ATTACK_FACTOR_BLESS").is_some();
    let mut written = BTreeSet::new();
    for table in tables::ALL {
        let folder = table_folder(table);
        let path = folder.join(format!("{}.parquet", table.name));
        if path.exists() && !replace {
            continue;
        }
        std::fs::create_dir_all(&folder).unwrap();
        let _ = std::fs::remove_file(&path);
        let rows = fixture_rows(table);
        let metadata = Metadata::new().with_formula("af-1");
        table_file::write(&path, table, [rows.clone()], &metadata).unwrap();
        std::fs::write(path.with_extension("jsonl"), json_lines(&rows)).unwrap();
        written.insert(path);
    }
    let folder = snapshot_folder();
    if !folder.exists() || replace {
        let work = tempfile::tempdir().unwrap();
        program(["demo"]).inside(work.path()).succeed();
        let snapshot = latest_snapshot(&work.path().join("attack-factor-demo"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for entry in std::fs::read_dir(snapshot).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
        std::fs::write(folder.with_extension("top.jsonl"), top(&folder)).unwrap();
        written.insert(folder);
    }
    for path in written {
        eprintln!("wrote {}", path.display());
    }
}
