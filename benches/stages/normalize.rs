//! Raw events → identity events, beside parsing alone.

use std::hint::black_box;
use std::io::Read;

use af_model::UtcMillis;
use af_model::time::DAY_MILLIS;
use af_okta::Normalizer;
use criterion::{Criterion, Throughput};
use serde::de::IgnoredAny;

use crate::input::{as_of, key};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&include_bytes!("../../data/samples/demo/events.ndjson.gz")[..])
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
