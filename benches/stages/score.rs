//! Counts → scores, ranks, attribution and all rows, beside looking at every count once.

use std::hint::black_box;

use af_engine::Error;
use af_engine::assemble::{SnapshotTables, TableSink};
use af_engine::pipeline::LeftOut;
use criterion::{Criterion, Throughput};

use crate::counts::Case;

/// Rows that are made and dropped.
struct Dropped;

impl TableSink for Dropped {
    fn take(&mut self, tables: SnapshotTables) -> Result<(), Error> {
        black_box(tables);
        Ok(())
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let case = Case::new();
    let assembly = case.assembly();
    let mut group = criterion.benchmark_group("score");
    group
        .throughput(Throughput::Elements(case.blocks()))
        .sample_size(10);
    group.bench_function(
        "20k_people_200_zipf_tenants_400k_blocks_to_rows",
        |bencher| {
            bencher.iter(|| case.run(&assembly, &LeftOut::new(), &mut Dropped));
        },
    );
    group.bench_function("floor_look_at_every_block", |bencher| {
        bencher.iter(|| {
            let blocks = case
                .counted
                .tenants
                .values()
                .flat_map(|counts| &counts.blocks);
            let sum: usize = blocks
                .map(|block| block.signal_uids.count() + block.component.len())
                .sum();
            black_box(sum)
        });
    });
    group.finish();
}
