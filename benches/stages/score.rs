//! Counts → scores, ranks and attribution.

use std::hint::black_box;

use af_count::PeopleIndex;
use af_engine::assemble::{Stamp, assemble};
use af_model::Params;
use criterion::{Criterion, Throughput};

use crate::count::{count, cut};
use crate::input::{PEOPLE, key, people, write_signals};

pub(crate) fn bench(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("signals.parquet");
    write_signals(&path);
    let index = PeopleIndex::new(people(), &key());
    let counted = count(&path, &index);
    let params = Params::default();
    let stamp = Stamp {
        cut: cut(),
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
