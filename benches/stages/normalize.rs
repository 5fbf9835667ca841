//! Raw events → identity events on disk, beside parsing alone, and writing them beside handing the
//! same bytes to the disk.
//!
//! The log is the demo's, repeated with other ids, people and instants. The floor of normalizing is a
//! typed, borrowing reader of the main fields that makes no columns; skipping the text unread shows
//! what the reader itself costs.

use std::borrow::Cow;
use std::hint::black_box;
use std::io::{Read, Write};
use std::path::Path;

use af_engine::input::Input;
use af_engine::normalize::{NormalizeOptions, okta};
use af_engine::progress::Silent;
use af_model::tables::identity_events;
use af_model::{HashKey, UtcMillis};
use af_okta::Normalizer;
use af_store::{Metadata, Store, sorted_batches, table_file};
use arrow::array::RecordBatch;
use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use rayon::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::input::key;

/// How often the demo's log is repeated: some 28,000 events.
const REPEATS: usize = 5;

/// Events of one batch, as a task of the pipeline makes them.
const BATCH_EVENTS: usize = 512;

/// The main fields of an event, as a reader would declare them who wants nothing else.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is read is the work")]
struct Typed<'a> {
    #[serde(borrow)]
    uuid: Cow<'a, str>,
    #[serde(borrow)]
    published: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    severity: Option<Cow<'a, str>>,
    #[serde(borrow)]
    display_message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    actor: Option<Entity<'a>>,
    #[serde(borrow)]
    client: Option<Client<'a>>,
    #[serde(borrow)]
    outcome: Option<Outcome<'a>>,
    #[serde(borrow)]
    target: Option<Vec<Entity<'a>>>,
    #[serde(borrow)]
    transaction: Option<Identified<'a>>,
    #[serde(borrow)]
    debug_context: Option<DebugContext<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is read is the work")]
struct Entity<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    alternate_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    display_name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is read is the work")]
struct Client<'a> {
    #[serde(borrow)]
    ip_address: Option<Cow<'a, str>>,
    #[serde(borrow)]
    zone: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "what is read is the work")]
struct Outcome<'a> {
    #[serde(borrow)]
    result: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "what is read is the work")]
struct Identified<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is read is the work")]
struct DebugContext<'a> {
    #[serde(borrow)]
    debug_data: Option<DebugData<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is read is the work")]
struct DebugData<'a> {
    #[serde(borrow)]
    request_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    risk: Option<Cow<'a, str>>,
}

/// The demo's log, over and over: every time other event ids and other people, a minute later.
fn log() -> String {
    let mut demo = String::new();
    flate2::read::GzDecoder::new(&include_bytes!("../../data/samples/demo/events.ndjson.gz")[..])
        .read_to_string(&mut demo)
        .expect("the demo's events");
    let repeats = (0..REPEATS).map(|repeat| {
        demo.replace("\"uuid\":\"", &format!("\"uuid\":\"{repeat}-"))
            .replace("\"00u", &format!("\"00u{repeat}"))
    });
    repeats.collect()
}

fn batches(log: &str, key: &HashKey) -> Vec<RecordBatch> {
    let normalizer = Normalizer::new("bench", None, known_at(), key);
    let lines: Vec<&str> = log.lines().collect();
    lines
        .par_chunks(BATCH_EVENTS)
        .map(|lines| {
            let mut rows = identity_events::Builder::with_capacity(lines.len());
            for line in lines {
                normalizer.events(line.as_bytes(), |found| {
                    rows.append(found.outcome.as_ref().expect("the demo's events are sound"));
                });
            }
            rows.finish()
        })
        .collect()
}

fn known_at() -> UtcMillis {
    UtcMillis::parse("2026-11-22T00:00:00Z").expect("an instant")
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let log = log();
    let key = key();
    let folder = tempfile::tempdir().expect("a folder");
    let mut group = criterion.benchmark_group("normalize");
    group
        .throughput(Throughput::Bytes(log.len() as u64))
        .sample_size(10);
    parsing(&mut group, &log, &key);
    pipeline(&mut group, &log, &key, folder.path());
    group.finish();

    let mut group = criterion.benchmark_group("write_events");
    let events = batches(&log, &key);
    let rows: usize = events.iter().map(RecordBatch::num_rows).sum();
    group
        .throughput(Throughput::Elements(rows as u64))
        .sample_size(10);
    writing(&mut group, &events, folder.path());
    group.finish();
}

/// All on the threads of the pool, as the pipeline parses.
fn parsing(group: &mut BenchmarkGroup<'_, WallTime>, log: &str, key: &HashKey) {
    let lines: Vec<&str> = log.lines().collect();
    group.bench_function("28k_okta_events_to_batches", |bencher| {
        bencher.iter(|| black_box(batches(log, key)));
    });
    group.bench_function("28k_okta_events_to_rows", |bencher| {
        let normalizer = Normalizer::new("bench", None, known_at(), key);
        let is_row = |line: &&&str| normalizer.event(line.as_bytes()).is_ok();
        bencher.iter(|| black_box(lines.par_iter().filter(is_row).count()));
    });
    group.bench_function("floor_json_typed_and_borrowed", |bencher| {
        let is_event = |line: &&&str| serde_json::from_str::<Typed<'_>>(line).is_ok();
        bencher.iter(|| black_box(lines.par_iter().filter(is_event).count()));
    });
    group.bench_function("floor_json_skipped_unread", |bencher| {
        let is_whole = |line: &&&str| serde_json::from_str::<IgnoredAny>(line).is_ok();
        bencher.iter(|| black_box(lines.par_iter().filter(is_whole).count()));
    });
}

/// From a file of lines to day files that are on disk.
fn pipeline(group: &mut BenchmarkGroup<'_, WallTime>, log: &str, key: &HashKey, folder: &Path) {
    let input = folder.join("log.ndjson");
    fs_err::write(&input, log).expect("written");
    let inputs = [Input::from_argument(input)];
    let options = NormalizeOptions {
        tenant: "bench".to_owned(),
        integration: None,
        ingested_at: known_at(),
        buffer_bytes: 512 << 20,
    };
    group.bench_function("28k_okta_events_to_day_files", |bencher| {
        bencher.iter_batched(
            || tempfile::tempdir_in(folder).expect("a folder"),
            |place| {
                let store = Store::create_or_open(&place.path().join("store")).expect("a store");
                let lock = store.lock().expect("nobody else writes");
                let target = Some((&store, &lock));
                let report = okta(target, key, &inputs, &options, &Silent).expect("normalized");
                assert_eq!(report.account.quarantined, 0);
                drop(lock);
                place
            },
            criterion::BatchSize::PerIteration,
        );
    });
}

fn writing(group: &mut BenchmarkGroup<'_, WallTime>, events: &[RecordBatch], folder: &Path) {
    let table = &identity_events::TABLE;
    let sorted: Vec<RecordBatch> = sorted_batches(events.to_vec(), table)
        .expect("sortable")
        .map(|batch| batch.expect("sorted"))
        .collect();
    let path = folder.join("events.parquet");
    let clear = || {
        let _ = fs_err::remove_file(&path);
    };
    group.bench_function("28k_events_sorted", |bencher| {
        bencher.iter(|| {
            let sorted = sorted_batches(events.to_vec(), table).expect("sortable");
            black_box(
                sorted
                    .map(|batch| batch.expect("sorted").num_rows())
                    .sum::<usize>(),
            )
        });
    });
    group.bench_function("28k_sorted_events_to_a_file", |bencher| {
        bencher.iter_batched(
            clear,
            |()| table_file::write(&path, table, sorted.iter().cloned(), &Metadata::new()),
            criterion::BatchSize::PerIteration,
        );
    });
    clear();
    table_file::write(&path, table, sorted, &Metadata::new()).expect("written");
    let bytes = fs_err::read(&path).expect("readable");
    group.bench_function("floor_the_same_bytes_from_memory", |bencher| {
        bencher.iter_batched(
            clear,
            |()| {
                let mut file = fs_err::File::create(&path).expect("created");
                file.write_all(&bytes).expect("written");
                file.sync_all().expect("synced");
            },
            criterion::BatchSize::PerIteration,
        );
    });
}
