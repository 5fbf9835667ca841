//! `verify` with the real binary: what it prints, and how it ends.

use std::path::Path;
use std::sync::Arc;

use af_model::tables::{bucket_counts, component_scores};
use arrow::array::{ArrayRef, AsArray, Int32Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use super::support::{latest_snapshot, program, table};

fn demo(folder: &Path) -> std::path::PathBuf {
    program(["demo"]).inside(folder).succeed();
    folder.join("attack-factor-demo")
}

/// Writes a table of a snapshot as somebody else's program would, and says so in the manifest.
fn replace(snapshot: &Path, name: &str, batch: &RecordBatch) {
    let path = snapshot.join(format!("{name}.parquet"));
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let path = snapshot.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for file in manifest["files"].as_array_mut().unwrap() {
        if file["path"] == format!("{name}.parquet") {
            file["bytes"] = bytes.len().into();
            file["rows"] = batch.num_rows().into();
            file["blake3"] = blake3::hash(&bytes).to_string().into();
        }
    }
    std::fs::write(&path, manifest.to_string()).unwrap();
}

#[test]
fn the_demo_verifies_as_a_store_and_as_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let store = demo(folder.path());
    let snapshot = latest_snapshot(&store);
    for place in [&store, &snapshot] {
        let outcome = program([Path::new("verify"), place]).succeed();
        assert!(outcome.stdout.contains(" ok "), "{}", outcome.stdout);
        assert!(
            outcome.stderr.contains("7 files match their checksums"),
            "{}",
            outcome.stderr
        );
    }
    let outcome = program(["verify", "attack-factor-demo", "--all", "--format", "json"])
        .inside(folder.path())
        .succeed();
    let views: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(views.as_array().unwrap().len(), 1);
    assert_eq!(views[0]["passed"], true);
    assert_eq!(views[0]["as_of"], "2026-11-20T23:59:59.999Z");
}

#[test]
fn counts_from_another_engine_verify_too() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = latest_snapshot(&demo(folder.path()));
    let ours = table(&snapshot, &bucket_counts::TABLE);
    let foreign: Vec<(String, ArrayRef)> = ours
        .schema()
        .fields()
        .iter()
        .zip(ours.columns())
        .map(|(field, column)| {
            let column: ArrayRef = match field.data_type() {
                DataType::Utf8 => cast(column, &DataType::LargeUtf8).unwrap(),
                DataType::Int64 => {
                    let counts = column.as_primitive::<Int64Type>().iter();
                    let narrow = counts.map(|n| n.map(|n| i32::try_from(n).unwrap()));
                    Arc::new(narrow.collect::<Int32Array>())
                }
                _ => Arc::clone(column),
            };
            (field.name().clone(), column)
        })
        .collect();
    let foreign = RecordBatch::try_from_iter(foreign).unwrap();
    replace(&snapshot, "bucket_counts", &foreign);
    program([Path::new("verify"), &snapshot]).succeed();
}

#[test]
fn a_changed_cell_is_four_and_named_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let store = demo(folder.path());
    let snapshot = latest_snapshot(&store);
    let mut rows = component_scores::rows(&table(&snapshot, &component_scores::TABLE)).unwrap();
    rows[7].baseline_micro += 1;
    let (user, found) = (rows[7].user_uid.clone(), rows[7].baseline_micro.to_string());
    replace(
        &snapshot,
        "component_scores",
        &component_scores::batch(&rows),
    );
    for format in ["table", "json", "jsonl", "csv"] {
        let outcome = program(["verify", "attack-factor-demo", "--format", format])
            .inside(folder.path())
            .run();
        assert_eq!(outcome.code, 4, "{}", outcome.stderr);
        for word in ["component_scores", "baseline_micro", &user, &found] {
            assert!(
                outcome.stdout.contains(word),
                "{format}: {}",
                outcome.stdout
            );
        }
        assert!(
            outcome.stderr.contains("1 place is not"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn a_snapshot_that_is_not_there_is_three_and_a_broken_manifest_four() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = program(["verify", "."]).inside(folder.path()).run();
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    std::fs::write(folder.path().join("manifest.json"), "[").unwrap();
    let outcome = program(["verify", "."]).inside(folder.path()).run();
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    assert!(
        outcome.stdout.contains("manifest.json"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_snapshot_of_an_earlier_version_still_verifies() {
    let snapshot =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snapshot-v1");
    program(["verify", snapshot.to_str().unwrap()]).succeed();
}
