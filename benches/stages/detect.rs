//! Identity events → attack signals on disk, beside decoding the columns that rules read.

use std::hint::black_box;

use af_engine::{Silent, detect};
use af_model::tables::identity_events::TABLE;
use af_rules::{RuleSet, shipped};
use af_store::{Partitioned, Scan, Store, TableFile};
use criterion::{BatchSize, Criterion, Throughput};
use rayon::prelude::*;

use crate::events::write_days;

const DAYS: usize = 2;
const EVENTS_A_DAY: usize = 250_000;

pub(crate) fn bench(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::create_or_open(folder.path()).expect("a new store");
    write_days(&store, DAYS, EVENTS_A_DAY);
    let lock = store.lock().expect("nobody else writes");
    let rules = RuleSet::load(shipped().into_iter()).expect("the shipped rules load");
    let files = files(&store);
    let read = rules.reads().columns();
    let mut group = criterion.benchmark_group("detect");
    group
        .throughput(Throughput::Elements((DAYS * EVENTS_A_DAY) as u64))
        .sample_size(10);
    group.bench_function("all_shipped_rules_2_days_of_250k_events", |bencher| {
        bencher.iter_batched(
            || forget(&store),
            |()| black_box(detect::detect(&store, &lock, &rules, &Silent)).expect("detected"),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("floor_decode_the_columns_that_rules_read", |bencher| {
        bencher.iter(|| black_box(decode(&files, Some(&read))));
    });
    group.bench_function("decode_all_columns", |bencher| {
        bencher.iter(|| black_box(decode(&files, None)));
    });
    group.finish();
}

/// Every day is new again.
fn forget(store: &Store) {
    for gone in [
        store.root().join("signals"),
        store.state_dir().join("detect.json"),
    ] {
        let removed = if gone.is_dir() {
            std::fs::remove_dir_all(&gone)
        } else {
            std::fs::remove_file(&gone)
        };
        // Before the first run there is nothing.
        removed.unwrap_or_default();
    }
}

fn files(store: &Store) -> Vec<TableFile> {
    let days = store.days(Partitioned::Events).expect("readable");
    days.into_iter()
        .flat_map(|day| {
            let paths = store.day_files(Partitioned::Events, day);
            paths.expect("readable")
        })
        .map(|path| TableFile::open(&path, &TABLE).expect("ours"))
        .collect()
}

/// Decodes row groups by all threads, as the stage does, and keeps nothing.
fn decode(files: &[TableFile], columns: Option<&[&str]>) -> usize {
    let groups: Vec<(&TableFile, usize)> = files
        .iter()
        .flat_map(|file| (0..file.row_groups()).map(move |group| (file, group)))
        .collect();
    groups
        .into_par_iter()
        .map(|(file, group)| {
            let batches = file.read_row_groups(group..group + 1, columns, Scan::Dictionaries);
            batches
                .expect("readable")
                .map(|batch| batch.expect("decodable").num_rows())
                .sum::<usize>()
        })
        .sum()
}
