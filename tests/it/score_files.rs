//! `score --signals`: anybody's signals and people, without a store, to the last digit.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use af_model::tables::{attack_signals, component_scores, unmatched_signals, user_scores};
use af_model::{UtcMillis, time::DAY_MILLIS};
use arrow::array::{ArrayRef, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ArrowWriter;

use super::support::{Outcome, fingerprints, program, table};

/// One signal of the worked example.
pub(crate) struct Sample {
    pub(crate) email: String,
    pub(crate) component: &'static str,
    pub(crate) family: &'static str,
    pub(crate) level: &'static str,
    pub(crate) days_ago: i64,
}

/// The worked example of the formula's text: 20 people, five of them told apart.
pub(crate) fn worked_example() -> Vec<Sample> {
    let sample = |email: &str, component, family, level, days_ago| Sample {
        email: format!("{email}@example.com"),
        component,
        family,
        level,
        days_ago,
    };
    let mut samples = vec![
        sample("ana", "identity", "credential_attack", "high", 0),
        sample("ana", "identity", "credential_attack", "medium", 0),
        sample("ana", "identity", "credential_leak", "high", 14),
        sample("bob", "identity", "credential_attack", "medium", 7),
        sample("cho", "identity", "mfa_attack", "high", 28),
    ];
    samples.extend((0..40).map(|_| sample("ana", "identity", "credential_attack", "low", 0)));
    samples.extend((0..10).map(|day| sample("dee", "email", "phishing", "medium", day)));
    for name in quiet_people() {
        samples.push(sample(&name, "email", "phishing", "low", 0));
        samples.push(sample(&name, "email", "phishing", "low", 7));
    }
    samples
}

fn quiet_people() -> Vec<String> {
    (0..16)
        .map(|n| {
            if n == 0 {
                "eli".to_owned()
            } else {
                format!("quiet{n:02}")
            }
        })
        .collect()
}

fn as_of() -> UtcMillis {
    UtcMillis::parse_cut("2026-11-20").unwrap()
}

fn batch(samples: &[Sample]) -> RecordBatch {
    let mut builder = attack_signals::Builder::default();
    for (n, sample) in samples.iter().enumerate() {
        let text = Cow::Borrowed::<str>;
        builder.append(&attack_signals::Row {
            tenant_uid: text("acme"),
            signal_uid: Cow::Owned(format!("s{n:03}")),
            time: UtcMillis(as_of().0 - sample.days_ago * DAY_MILLIS),
            ingested_at: None,
            subject_ref: None,
            subject_uid: None,
            subject_login: None,
            subject_email: Some(text(&sample.email)),
            component: text(sample.component),
            family: text(sample.family),
            level: text(sample.level),
            rule_id: text("rule"),
            rule_version: None,
            incident_uid: None,
            event_uids: None,
            source: text("gateway"),
            integration: None,
            attack_techniques: None,
        });
    }
    builder.finish()
}

fn write(path: &Path, batch: &RecordBatch) {
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn people(folder: &Path) {
    let mut csv = "E-Mail;Name\n".to_owned();
    let names = ["ana", "bob", "cho", "dee"].map(str::to_owned);
    for name in names.into_iter().chain(quiet_people()) {
        csv += &name.to_uppercase();
        csv += "@Example.com;";
        csv += &name;
        csv += "\n";
    }
    std::fs::write(folder.join("people.csv"), csv).unwrap();
}

fn score(folder: &Path, signals: &[&str]) -> Outcome {
    let mut arguments = vec!["score", "--signals"];
    arguments.extend(signals);
    arguments.extend([
        "--users",
        "people.csv",
        "--tenant",
        "acme",
        "--out",
        "out",
        "--as-of",
        "2026-11-20",
    ]);
    program(arguments).inside(folder).run()
}

#[test]
fn the_worked_example_comes_out_to_the_last_digit() {
    let folder = tempfile::tempdir().unwrap();
    people(folder.path());
    write(
        &folder.path().join("signals.parquet"),
        &batch(&worked_example()),
    );
    let outcome = score(folder.path(), &["signals.parquet"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let out = folder.path().join("out");
    let users = user_scores::rows(&table(&out, &user_scores::TABLE)).unwrap();
    let components = component_scores::rows(&table(&out, &component_scores::TABLE)).unwrap();
    assert_eq!(users.len(), 20);
    // user, component, load, baseline, odds, score, level, rank, percentile, relative weight
    let expected = [
        (
            "dee",
            "email",
            24_251_797,
            1_138_070,
            1_953_551_059,
            6_614_245,
            "high",
            1,
            97.5,
            275_024,
        ),
        (
            "ana",
            "identity",
            15_512_701,
            182_138,
            1_624_976_601,
            6_190_442,
            "high",
            2,
            92.5,
            57_237,
        ),
        (
            "cho",
            "identity",
            2_250_000,
            734_750,
            200_816_607,
            1_672_333,
            "very_low",
            3,
            87.5,
            196_733,
        ),
        (
            "bob",
            "identity",
            2_121_320,
            740_112,
            189_060_264,
            1_589_997,
            "very_low",
            4,
            82.5,
            197_885,
        ),
        (
            "eli",
            "email",
            1_707_106,
            2_077_432,
            112_071_465,
            1_007_772,
            "very_low",
            5,
            40.0,
            409_150,
        ),
    ];
    for (name, component, load, baseline, odds, micro, level, rank, percentile, relative) in
        expected
    {
        let email = format!("{name}@example.com");
        let user = users.iter().find(|row| row.email == email).unwrap();
        assert_eq!(
            (
                user.score_micro,
                user.level.as_str(),
                user.rank,
                user.percentile
            ),
            (micro, level, Some(rank), Some(percentile)),
            "{name}"
        );
        let row = components
            .iter()
            .find(|row| row.user_uid == user.user_uid && row.component == component)
            .unwrap();
        assert_eq!(
            (
                row.load_micro,
                row.baseline_micro,
                row.odds_nano,
                row.relative_weight_micro
            ),
            (load, baseline, odds, relative),
            "{name}"
        );
    }
}

#[test]
fn files_of_any_writer_in_any_order_give_the_same_bytes() {
    let whole = batch(&worked_example());
    let foreign: Vec<(String, ArrayRef)> = whole
        .schema()
        .fields()
        .iter()
        .zip(whole.columns())
        .filter(|(_, column)| column.null_count() < column.len())
        .map(|(field, column)| {
            let column = match field.data_type() {
                DataType::Utf8 => cast(column, &DataType::Utf8View).unwrap(),
                DataType::Timestamp(..) => {
                    let millis = cast(column, &DataType::Int64).unwrap();
                    let micros: TimestampMicrosecondArray =
                        arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(&millis)
                            .iter()
                            .map(|at| at.map(|at| at * 1000))
                            .collect();
                    Arc::new(micros)
                }
                _ => Arc::clone(column),
            };
            (field.name().clone(), column)
        })
        .collect();
    assert!(
        foreign
            .iter()
            .any(|(_, column)| column.as_any().is::<StringViewArray>())
    );
    let foreign = RecordBatch::try_from_iter(foreign).unwrap();
    let outs: Vec<_> = [false, true]
        .into_iter()
        .map(|split| {
            let folder = tempfile::tempdir().unwrap();
            people(folder.path());
            let mut files = vec!["b.parquet"];
            if split {
                let half = foreign.num_rows() / 2;
                write(
                    &folder.path().join("b.parquet"),
                    &foreign.slice(half, foreign.num_rows() - half),
                );
                write(
                    &folder.path().join("a.parquet"),
                    &foreign.slice(0, half + 5),
                );
                files.push("a.parquet");
            } else {
                write(&folder.path().join("b.parquet"), &whole);
            }
            let outcome = score(folder.path(), &files);
            assert_eq!(outcome.code, 0, "{}", outcome.stderr);
            let mut found = fingerprints(&folder.path().join("out"));
            found.retain(|(name, _)| name.ends_with(".parquet"));
            found
        })
        .collect();
    assert_eq!(outs[0].len(), 7);
    assert_eq!(outs[0], outs[1]);
}

#[test]
fn a_folder_with_other_content_is_kept_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    people(folder.path());
    let samples = worked_example();
    write(&folder.path().join("signals.parquet"), &batch(&samples));
    assert_eq!(score(folder.path(), &["signals.parquet"]).code, 0);
    let before = fingerprints(&folder.path().join("out"));
    // The same again changes nothing and is a success.
    assert_eq!(score(folder.path(), &["signals.parquet"]).code, 0);
    write(
        &folder.path().join("signals.parquet"),
        &batch(&samples[1..]),
    );
    let refused = score(folder.path(), &["signals.parquet"]);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(fingerprints(&folder.path().join("out")), before);
}

#[test]
fn without_a_key_unmatched_identifiers_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    people(folder.path());
    let mut samples = worked_example();
    samples[0].email = "nobody-known@example.net".to_owned();
    write(&folder.path().join("signals.parquet"), &batch(&samples));
    assert_eq!(score(folder.path(), &["signals.parquet"]).code, 0);
    let out = folder.path().join("out");
    let rows = unmatched_signals::rows(&table(&out, &unmatched_signals::TABLE)).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].reason.as_str(), rows[0].n, &rows[0].subject_hash),
        ("no_match", 1, &None)
    );
    assert_eq!(
        super::support::files_holding(&out, "nobody-known"),
        Vec::<String>::new()
    );
}

/// A foreign batch: a column's cells replaced, everything nullable.
fn with_column(batch: &RecordBatch, name: &str, cells: &ArrayRef) -> RecordBatch {
    let fields = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            let column = if field.name() == name { cells } else { column };
            (field.name().clone(), Arc::clone(column), true)
        })
        .collect::<Vec<_>>();
    RecordBatch::try_from_iter_with_nullable(fields).unwrap()
}

#[test]
fn a_null_where_the_contract_forbids_one_costs_its_row_and_not_the_file() {
    let folder = tempfile::tempdir().unwrap();
    people(folder.path());
    let sound = batch(&worked_example());
    let rows = sound.num_rows();
    write(&folder.path().join("sound.parquet"), &sound);
    let mut levels = vec![None; 2];
    levels.resize(rows, Some("high"));
    let levels: ArrayRef = Arc::new(arrow::array::StringArray::from(levels));
    let ids = (0..rows).map(|n| (n != 5).then(|| format!("other{n}")));
    let ids: ArrayRef = Arc::new(ids.collect::<arrow::array::StringArray>());
    let broken = with_column(&with_column(&sound, "level", &levels), "signal_uid", &ids);
    // An instant that no calendar has belongs to one row, and says nothing about time.
    let mut instants = vec![None; rows];
    instants[7] = Some(i64::MAX);
    let instants: ArrayRef = Arc::new(arrow::array::TimestampSecondArray::from(instants));
    let broken = with_column(&broken, "ingested_at", &instants);
    write(&folder.path().join("broken.parquet"), &broken);
    let outcome = score(folder.path(), &["sound.parquet", "broken.parquet"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("4 signals break the contract"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_file_of_a_newer_table_version_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    people(folder.path());
    let path = folder.path().join("newer.parquet");
    let newer = |key: &str, value: &str| {
        parquet::file::metadata::KeyValue::new(key.to_owned(), value.to_owned())
    };
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_key_value_metadata(Some(vec![
            newer("attack_factor.table", "attack_signals"),
            newer("attack_factor.table_version", "99"),
        ]))
        .build();
    let file = std::fs::File::create(&path).unwrap();
    let sound = batch(&worked_example());
    let mut writer = ArrowWriter::try_new(file, sound.schema(), Some(properties)).unwrap();
    writer.write(&sound).unwrap();
    writer.close().unwrap();
    let outcome = score(folder.path(), &["newer.parquet"]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("version 99 of attack_signals"),
        "{}",
        outcome.stderr
    );
}
