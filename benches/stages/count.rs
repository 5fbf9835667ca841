//! Attack signals → counts, beside decoding the same columns.

use std::hint::black_box;

use af_count::{Counted, Counter, Cut, PeopleIndex, Retractions};
use criterion::{Criterion, Throughput};

use crate::input::{SIGNALS, as_of, key, people, read, write_signals};

pub(crate) fn bench(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("signals.parquet");
    write_signals(&path);
    let index = PeopleIndex::new(people(), &key());
    let mut group = criterion.benchmark_group("count");
    group
        .throughput(Throughput::Elements(SIGNALS))
        .sample_size(10);
    group.bench_function("sorted_500k_signals_20k_people", |bencher| {
        bencher.iter(|| black_box(count(&path, &index)));
    });
    group.bench_function("floor_decode_the_same_columns", |bencher| {
        bencher.iter(|| black_box(read(&path).map(|batch| batch.num_rows()).sum::<usize>()));
    });
    group.finish();
}

/// What counts of a file.
pub(crate) fn count(path: &std::path::Path, index: &PeopleIndex) -> Counted {
    let key = key();
    let cut = cut();
    let retractions = Retractions::default();
    let mut counter = Counter::new(index, &retractions, cut, &key);
    for batch in read(path) {
        counter.push(&batch).expect("the bench keeps the contract");
    }
    counter.finish()
}

pub(crate) fn cut() -> Cut {
    Cut {
        as_of: as_of(),
        known_at: as_of(),
    }
}
