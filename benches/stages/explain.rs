//! What a reader of a snapshot waits for, beside decoding exactly the rows and columns it shows.

use std::hint::black_box;
use std::path::Path;

use af_model::contract::Table;
use af_model::tables::{component_scores, signal_attribution, user_scores};
use af_query::{Explanation, Found, TopQuery};
use af_store::{Key, Scan, Snapshot, TableFile};
use criterion::Criterion;

use crate::published::{publish, tenant, user};

/// Organizations in the snapshot, and people in all of them.
const TENANTS: u64 = 200;
const PEOPLE: u64 = 100_000;

pub(crate) fn bench(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("snapshot");
    publish(&path, TENANTS, PEOPLE);
    let snapshot = Snapshot::open(&path).expect("published");
    let (large, small) = (tenant(0), tenant(TENANTS - 1));

    let mut group = criterion.benchmark_group("top_of_100k_people_200_tenants");
    for (size, name) in [("17k", Some(&large)), ("85", Some(&small)), ("all", None)] {
        let query = TopQuery {
            tenant: name.cloned(),
            ..TopQuery::default()
        };
        group.bench_function(format!("{size}_people"), |bencher| {
            bencher.iter(|| black_box(af_query::top(&path, &query).expect("readable")));
        });
        let keys: Vec<Key> = name
            .iter()
            .map(|name| Key::of("tenant_uid", name))
            .collect();
        group.bench_function(
            format!("floor_{size}_people_decode_odds_and_ids"),
            |bencher| {
                let columns = ["user_uid", "odds_nano", "population", "in_population"];
                bencher.iter(|| black_box(decode(&path, &user_scores::TABLE, &keys, &columns)));
            },
        );
    }
    group.finish();

    let mut group = criterion.benchmark_group("explain_of_100k_people_200_tenants");
    for (size, name) in [("17k", &large), ("85", &small)] {
        let uid = user(0);
        let found = af_query::find(&path, &uid, Some(name), &[]).expect("readable");
        let Found::One(person) = found else {
            panic!("the tenant has this person");
        };
        group.bench_function(format!("one_of_{size}_people"), |bencher| {
            bencher.iter(|| black_box(Explanation::of(&snapshot, &person).expect("readable")));
        });
        let own = [Key::of("tenant_uid", name)];
        group.bench_function(format!("floor_{size}_people_decode_loads"), |bencher| {
            let columns = ["user_uid", "component", "load_micro"];
            bencher.iter(|| black_box(decode(&path, &component_scores::TABLE, &own, &columns)));
        });
        group.bench_function(format!("find_one_of_{size}_people_by_id"), |bencher| {
            bencher.iter(|| black_box(af_query::find(&path, &uid, Some(name), &[])));
        });
    }
    let person = [Key::of("tenant_uid", &large), Key::of("user_uid", &user(0))];
    group.bench_function("floor_open_and_decode_one_persons_blocks", |bencher| {
        let columns = ["component", "family", "score_share_micro"];
        bencher.iter(|| black_box(decode(&path, &signal_attribution::TABLE, &person, &columns)));
    });
    group.finish();
}

/// Opens a table and decodes columns of the rows that fit; says how many.
fn decode(snapshot: &Path, table: &'static Table, keys: &[Key], columns: &[&str]) -> usize {
    let path = snapshot.join(format!("{}.parquet", table.name));
    let file = TableFile::open(&path, table).expect("readable");
    let batches = file.read_where(keys, Some(columns), Scan::Dictionaries);
    let rows = batches
        .expect("readable")
        .map(|batch| batch.expect("decodable").num_rows());
    rows.sum()
}
