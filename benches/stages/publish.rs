//! Counts → the files of a snapshot, beside writing the same rows from memory only.

use af_engine::Error;
use af_engine::assemble::{SnapshotTables, TableSink};
use af_engine::pipeline::LeftOut;
use af_model::FORMULA;
use af_model::tables::SNAPSHOT;
use af_store::{Metadata, OpenTables, Publication, begin_output};
use criterion::{Criterion, Throughput};

use crate::counts::Case;

/// Rows that go to files, as the pipeline's do.
struct Files(OpenTables);

impl TableSink for Files {
    fn take(&mut self, tables: SnapshotTables) -> Result<(), Error> {
        Ok(self.0.encode(tables.snapshot_parts())?)
    }

    fn settle(&mut self) -> Result<(), Error> {
        Ok(self.0.write_encoded()?)
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let case = Case::new();
    let assembly = case.assembly();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("snapshot");
    // Dropped unpublished, so that every round finds the disk as it was.
    let write = |fill: &dyn Fn(&mut Files)| {
        let mut publication: Publication<'_> = begin_output(&path, false).expect("a free place");
        let metadata = Metadata::new().with_formula(FORMULA);
        let open = publication.open_tables(&SNAPSHOT, &metadata);
        let mut files = Files(open.expect("new files"));
        fill(&mut files);
        publication.add_tables(files.0).expect("written");
    };
    let mut rows = SnapshotTables::default();
    case.run(&assembly, &LeftOut::new(), &mut rows);
    let mut group = criterion.benchmark_group("publish");
    group
        .throughput(Throughput::Elements(case.blocks()))
        .sample_size(10);
    group.bench_function(
        "20k_people_200_zipf_tenants_400k_blocks_to_files",
        |bencher| {
            bencher.iter(|| write(&|files| case.run(&assembly, &LeftOut::new(), files)));
        },
    );
    group.bench_function("floor_write_the_same_rows_from_memory", |bencher| {
        bencher.iter(|| {
            write(&|files| {
                files.take(rows.clone()).expect("encoded");
                files.settle().expect("written");
            });
        });
    });
    group.finish();
}
