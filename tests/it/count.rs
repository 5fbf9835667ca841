//! `count`: anybody's signals into bucket counts, the same as a snapshot has them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

use af_model::tables::{attack_signals, bucket_counts};
use af_model::{UtcDay, UtcMillis};
use af_store::{Metadata, table_file};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::support::{program, table};

const TENANTS: u32 = 40;
const PEOPLE: u32 = 30;

fn day(back: i32) -> UtcDay {
    UtcDay(UtcDay::parse("2026-11-20").unwrap().0 - back)
}

/// A signal of one day: the number decides who is attacked, how and how hard.
fn signal(day: UtcDay, tenant: u32, number: u32) -> attack_signals::Row<'static> {
    let person = number * 7 % PEOPLE;
    let one_of =
        |texts: &[&'static str], place: u32| Cow::Borrowed(texts[place as usize % texts.len()]);
    attack_signals::Row {
        tenant_uid: format!("t{tenant:02}").into(),
        signal_uid: format!("s{number:05}").into(),
        time: UtcMillis(day.start().0 + i64::from(number) * 1_000),
        ingested_at: None,
        subject_ref: Some(format!("email:p{person:02}@t{tenant:02}.example").into()),
        subject_uid: None,
        subject_login: None,
        subject_email: None,
        component: one_of(&["email", "identity"], number),
        family: one_of(&["phishing", "credential_attack", "mfa_attack"], number),
        level: one_of(&["low", "medium", "high"], number / 3),
        rule_id: one_of(&["r1", "r2"], number),
        rule_version: None,
        incident_uid: number
            .is_multiple_of(4)
            .then(|| format!("i{}", number / 8).into()),
        event_uids: None,
        source: Cow::Borrowed("gateway"),
        integration: None,
        attack_techniques: None,
    }
}

/// Three days, each a file in the table's order with several batches and all tenants.
fn write_days(folder: &Path) -> Vec<String> {
    let files = [0, 1, 40].map(|back| {
        let mut rows: Vec<_> = (0..TENANTS)
            .flat_map(|tenant| (0..600).map(move |number| signal(day(back), tenant, number)))
            .collect();
        rows.sort_by(|a, b| {
            let key = |row: &attack_signals::Row<'static>| {
                (
                    row.tenant_uid.clone(),
                    row.subject_ref.clone(),
                    row.time,
                    row.signal_uid.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        let name = format!("{}.parquet", day(back));
        let batch = attack_signals::batch(&rows);
        let path = folder.join(&name);
        table_file::write(&path, &attack_signals::TABLE, [batch], &Metadata::new()).unwrap();
        name
    });
    files.to_vec()
}

fn write_people(folder: &Path, more: &str) {
    let mut csv = "tenant_uid,user_uid,email,last_login\n".to_owned();
    for tenant in 0..TENANTS {
        for person in 0..PEOPLE {
            writeln!(
                csv,
                "t{tenant:02},u{person:02},p{person:02}@t{tenant:02}.example,"
            )
            .unwrap();
        }
    }
    std::fs::write(folder.join("people.csv"), csv + more).unwrap();
}

/// The rows of `bucket_counts` as `count` writes them, and as `score` does; and what `count` says.
fn both(
    folder: &Path,
    signals: &[String],
) -> (Vec<bucket_counts::Row>, Vec<bucket_counts::Row>, String) {
    let run = |verb: &str| {
        let arguments = [
            verb,
            "--users",
            "people.csv",
            "--out",
            verb,
            "--as-of",
            "2026-11-20",
        ];
        let arguments = arguments.into_iter().chain(["--signals"]);
        let signals = signals.iter().map(String::as_str);
        program(arguments.chain(signals)).inside(folder).succeed()
    };
    let said = run("count").stderr;
    run("score");
    let mut counted = Vec::new();
    for entry in std::fs::read_dir(folder.join("count")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "parquet")
        {
            let batches =
                table_file::read(&path, &bucket_counts::TABLE, None, af_store::Scan::File);
            for batch in batches.unwrap() {
                counted.extend(bucket_counts::rows(&batch.unwrap()).unwrap());
            }
        }
    }
    let key = |row: &bucket_counts::Row| {
        (
            row.tenant_uid.clone(),
            row.user_uid.clone(),
            row.component.clone(),
            row.family.clone(),
            row.day,
        )
    };
    counted.sort_by_key(key);
    let of_snapshot = table(&folder.join("score"), &bucket_counts::TABLE);
    (counted, bucket_counts::rows(&of_snapshot).unwrap(), said)
}

#[test]
fn counts_of_days_are_those_of_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let files = write_days(folder.path());
    write_people(folder.path(), "");
    let (counted, of_snapshot, said) = both(folder.path(), &files);
    assert_eq!(counted.len(), (3 * TENANTS * PEOPLE) as usize);
    assert_eq!(counted, of_snapshot);
    assert!(!said.contains("no people"), "{said}");
}

#[test]
fn of_two_rows_about_a_person_the_same_one_counts_and_others_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let files = write_days(folder.path());
    // u03 signed in as p04 too, whose address is then shared; u29's address changed; and a row of nobody.
    let more =
        "t00,u03,p04@t00.example,2026-11-01\nt01,u29,new@t01.example,2026-11-01\nt01,u99,,\n";
    write_people(folder.path(), more);
    let (counted, of_snapshot, said) = both(folder.path(), &files);
    assert_eq!(counted, of_snapshot);
    let has = |tenant: &str, user: &str| {
        counted
            .iter()
            .any(|row| row.tenant_uid == tenant && row.user_uid == user)
    };
    assert!(has("t01", "u28") && !has("t01", "u29") && !has("t00", "u03"));
    assert!(
        said.contains("1 of 1203 rows of people.csv are no people"),
        "{said}"
    );
    assert!(said.contains("line 1204, no_email_and_no_login"), "{said}");
}

/// Rewrites a file so that it says of itself all that it said, while its second half comes first.
fn turn_around(path: &Path) {
    let before = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let said = before.metadata().file_metadata();
    let properties = WriterProperties::builder()
        .set_created_by(said.created_by().unwrap().to_owned())
        .set_key_value_metadata(said.key_value_metadata().cloned())
        .build();
    let batches = table_file::read(path, &attack_signals::TABLE, None, af_store::Scan::File);
    let batches: Vec<_> = batches.unwrap().map(Result::unwrap).collect();
    let schema = batches[0].schema();
    let all = arrow::compute::concat_batches(&schema, &batches).unwrap();
    let half = all.num_rows() / 2;
    std::fs::remove_file(path).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), schema, Some(properties)).unwrap();
    writer
        .write(&all.slice(half, all.num_rows() - half))
        .unwrap();
    writer.write(&all.slice(0, half)).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_file_that_is_not_in_the_order_that_it_claims_counts_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let files = write_days(folder.path());
    write_people(folder.path(), "");
    let (sorted, ..) = both(folder.path(), &files);
    for verb in ["count", "score"] {
        std::fs::remove_dir_all(folder.path().join(verb)).unwrap();
    }
    for file in &files {
        turn_around(&folder.path().join(file));
    }
    let (counted, of_snapshot, _) = both(folder.path(), &files);
    assert_eq!(counted, sorted);
    assert_eq!(of_snapshot, sorted);
}
