//! Each stage of the pipeline beside its floor, in one run. Names say size and shape; seeds are fixed.
//!
//! `cargo bench` prints times; what counts is the ratio of a stage to the floor named beside it.

use std::borrow::Cow;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;

use af_count::{Counter, Cut, PeopleIndex, Retractions};
use af_engine::assemble::{Stamp, assemble};
use af_model::tables::attack_signals;
use af_model::time::DAY_MILLIS;
use af_model::{HashKey, Params, Person, UtcMillis};
use af_okta::Normalizer;
use af_store::{Metadata, Scan, table_file};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;

const PEOPLE: u64 = 20_000;
const SIGNALS: u64 = 500_000;

fn as_of() -> UtcMillis {
    UtcMillis::parse_cut("2026-11-20").expect("a date")
}

fn key() -> HashKey {
    HashKey::new([7; 32])
}

/// Splitmix64: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn people() -> Vec<Person> {
    (0..PEOPLE)
        .map(|n| {
            let login = format!("person{n}@example.com");
            Person {
                login: Some(login.clone()),
                ..Person::new("bench", &format!("00u{n:017}"), &login)
            }
        })
        .collect()
}

/// Signals of 90 days, one person in a hundred hot, one in fifty nobody's, sorted as a partition is.
fn write_signals(path: &Path) {
    let mut dice = Dice(42);
    let mut builder = attack_signals::Builder::default();
    for n in 0..SIGNALS {
        let hot = dice.below(10) < 3;
        let person = if hot {
            dice.below(PEOPLE / 100)
        } else {
            dice.below(PEOPLE)
        };
        let email = match dice.below(50) {
            0 => format!("nobody{person}@example.net"),
            _ => format!("person{person}@example.com"),
        };
        let level = ["low", "low", "low", "medium", "medium", "high", "critical"];
        let text = Cow::Borrowed::<str>;
        builder.append(&attack_signals::Row {
            tenant_uid: text("bench"),
            signal_uid: Cow::Owned(format!("{n:032x}")),
            time: UtcMillis(as_of().0 - 1000 * i64::try_from(dice.below(7_776_000)).unwrap_or(0)),
            ingested_at: Some(as_of()),
            subject_ref: Some(Cow::Owned(format!("email:{email}"))),
            subject_uid: None,
            subject_login: None,
            subject_email: Some(Cow::Owned(email)),
            component: text(
                ["identity", "email", "malware"][usize::try_from(dice.below(3)).unwrap_or(0)],
            ),
            family: text("credential_attack"),
            level: text(level[usize::try_from(dice.below(7)).unwrap_or(0)]),
            rule_id: text("rule"),
            rule_version: None,
            incident_uid: Some(Cow::Owned(format!("i{}", n / 3))),
            event_uids: None,
            source: text("bench"),
            integration: None,
            attack_techniques: None,
        });
    }
    let table = &attack_signals::TABLE;
    let sorted = af_store::sorted_batch(&builder.finish(), table).expect("sortable");
    table_file::write(path, table, [sorted], &Metadata::new()).expect("written");
}

fn normalize(criterion: &mut Criterion) {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&include_bytes!("../data/samples/demo/events.ndjson.gz")[..])
        .read_to_string(&mut text)
        .expect("the demo's events");
    let lines: Vec<&str> = text.lines().collect();
    let key = key();
    let normalizer = Normalizer::new("bench", None, UtcMillis(as_of().0 + DAY_MILLIS), &key);
    let mut group = criterion.benchmark_group("normalize");
    group
        .throughput(Throughput::Bytes(text.len() as u64))
        .sample_size(20);
    group.bench_function("okta_demo_log", |bencher| {
        bencher.iter(|| {
            let rows = lines
                .iter()
                .filter(|line| normalizer.event(line.as_bytes()).is_ok())
                .count();
            black_box(rows)
        });
    });
    group.bench_function("floor_json_skipped_unread", |bencher| {
        bencher.iter(|| {
            let whole = lines
                .iter()
                .filter(|line| serde_json::from_str::<IgnoredAny>(line).is_ok());
            black_box(whole.count())
        });
    });
    group.finish();
}

fn count_and_score(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("signals.parquet");
    write_signals(&path);
    let index = PeopleIndex::new(people(), &key());
    let cut = Cut {
        as_of: as_of(),
        known_at: as_of(),
    };
    let count = || {
        let key = key();
        let mut counter = Counter::new(&index, Retractions::new(&[], cut.known_at), cut, &key);
        for batch in read(&path) {
            counter.push(&batch).expect("the bench keeps the contract");
        }
        counter.finish()
    };
    let mut group = criterion.benchmark_group("count");
    group
        .throughput(Throughput::Elements(SIGNALS))
        .sample_size(10);
    group.bench_function("sorted_500k_signals_20k_people", |bencher| {
        bencher.iter(|| black_box(count()));
    });
    group.bench_function("floor_decode_the_same_columns", |bencher| {
        bencher.iter(|| black_box(read(&path).map(|batch| batch.num_rows()).sum::<usize>()));
    });
    group.finish();

    let counted = count();
    let params = Params::default();
    let stamp = Stamp {
        cut,
        config_hash: params.config_hash().to_string(),
        rules_hash: None,
    };
    let mut group = criterion.benchmark_group("score");
    group
        .throughput(Throughput::Elements(PEOPLE))
        .sample_size(10);
    group.bench_function("20k_people_3_components_with_attribution", |bencher| {
        bencher.iter(|| black_box(assemble(&index, &counted, &params, &stamp).expect("scored")));
    });
    group.finish();
}

fn read(path: &Path) -> impl Iterator<Item = arrow::array::RecordBatch> {
    table_file::read(path, &attack_signals::TABLE, None, Scan::Dictionaries)
        .expect("readable")
        .map(|batch| batch.expect("decodable"))
}

criterion_group!(stages, normalize, count_and_score);
criterion_main!(stages);
