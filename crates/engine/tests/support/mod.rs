//! Published snapshots to look at again, and ways to spoil them.

use std::path::Path;

use af_directory::ImportOptions;
use af_engine::Silent;
use af_engine::files::{self, Input};
use af_engine::pipeline::RunFacts;
use af_engine::tally::AskedCut;
use af_model::contract::Table;
use af_model::manifest::Manifest;
use af_model::tables::{
    attack_signals, bucket_counts, component_scores, directory, group_index, org_summary,
    signal_attribution, tombstones, user_scores,
};
use af_model::{Params, Person, UtcMillis};
use af_store::{Metadata, Snapshot, table_file};
use af_testkit::oracle::{OracleInput, OracleSignal};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

/// Scores signals against people into the folder `out`, as `score --signals` does. The directory
/// counts as imported at `imported_at`.
pub(crate) fn publish(input: &OracleInput, imported_at: Option<UtcMillis>, out: &Path) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.parquet");
    write(&users, &directory::TABLE, &directory::batch(&input.people));
    let signals = folder.path().join("signals.parquet");
    let rows: Vec<attack_signals::Row<'_>> = input.signals.iter().map(OracleSignal::row).collect();
    write(
        &signals,
        &attack_signals::TABLE,
        &attack_signals::batch(&rows),
    );
    let options = ImportOptions {
        tenant: None,
        source: "test".to_owned(),
        imported_at,
        map: Vec::new(),
    };
    let files = Input {
        signals: &[signals],
        users: &users,
        options: &options,
        key: Some(&input.key),
    };
    let run = RunFacts {
        program: "test".to_owned(),
        started_at: UtcMillis(0),
    };
    let asked = AskedCut {
        as_of: Some(input.as_of),
        known_at: Some(input.known_at),
    };
    files::score(files, out, false, &input.params, asked, &run, &Silent).unwrap();
    Snapshot::open(out).unwrap()
}

fn write(path: &Path, table: &'static Table, batch: &RecordBatch) {
    let sorted = af_store::sorted_batch(batch, table).unwrap();
    table_file::write(path, table, [sorted], &Metadata::new()).unwrap();
}

/// An organization without anything: fill in what the test is about.
pub(crate) fn empty(as_of: &str) -> OracleInput {
    let as_of = UtcMillis::parse_cut(as_of).unwrap();
    OracleInput {
        signals: Vec::new(),
        people: Vec::new(),
        retractions: Vec::new(),
        as_of,
        known_at: as_of,
        params: Params::default(),
        key: af_model::HashKey::new([7; 32]),
    }
}

/// Somebody of `acme`.
pub(crate) fn person(uid: &str) -> Person {
    Person::new("acme", uid, &format!("{uid}@example.com"))
}

/// One attack on somebody of `acme`.
pub(crate) fn attack(id: &str, uid: &str, level: &str, time: &str) -> OracleSignal {
    let time = UtcMillis::parse(time).unwrap();
    OracleSignal {
        subject_uid: Some(uid.to_owned()),
        level: level.to_owned(),
        ..OracleSignal::new("acme", id, time)
    }
}

/// All rows of one table.
pub(crate) fn table(folder: &Path, table: &'static Table) -> RecordBatch {
    let snapshot = Snapshot::open(folder).unwrap();
    let batches: Vec<RecordBatch> = snapshot.table(table).unwrap().map(Result::unwrap).collect();
    concat_batches(&table.file_schema(), &batches).unwrap()
}

/// Replaces one table and says so in the manifest: what a careful forger would do.
pub(crate) fn forge(folder: &Path, table: &'static Table, batch: RecordBatch) {
    let path = folder.join(format!("{}.parquet", table.name));
    if path.exists() {
        fs_err::remove_file(&path).unwrap();
    }
    let metadata = Metadata::new().with_formula(af_model::FORMULA);
    let entry = table_file::write(&path, table, [batch], &metadata).unwrap();
    edit_manifest(folder, |manifest| {
        manifest.files.retain(|file| file.path != entry.path);
        manifest.files.push(entry);
        manifest.files.sort();
        manifest.tables.insert(table.name.to_owned(), table.version);
    });
}

/// Changes the manifest.
pub(crate) fn edit_manifest(folder: &Path, edit: impl FnOnce(&mut Manifest)) {
    let mut manifest = Snapshot::open(folder).unwrap().manifest().clone();
    edit(&mut manifest);
    let text = serde_json::to_vec(&manifest).unwrap();
    fs_err::write(folder.join("manifest.json"), text).unwrap();
}

/// Takes a person's rows out of every table and leaves tombstones: loads, odds and score as they were.
pub(crate) fn erase(folder: &Path, uid: &str) {
    let users = user_scores::rows(&table(folder, &user_scores::TABLE)).unwrap();
    let gone = users
        .iter()
        .find(|row| row.user_uid == uid)
        .unwrap()
        .clone();
    let rest: Vec<_> = users
        .into_iter()
        .filter(|row| row.user_uid != uid)
        .collect();
    let components = component_scores::rows(&table(folder, &component_scores::TABLE)).unwrap();
    let (own, others): (Vec<_>, Vec<_>) =
        components.into_iter().partition(|row| row.user_uid == uid);
    let stone = |component: Option<&str>, load_micro, odds_nano, score_micro| tombstones::Row {
        tenant_uid: gone.tenant_uid.clone(),
        as_of: gone.as_of,
        known_at: gone.known_at,
        person_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        erased_at: UtcMillis(gone.known_at.0 + 1),
        population: gone.population.clone(),
        in_population: gone.in_population,
        component: component.map(str::to_owned),
        load_micro,
        odds_nano,
        score_micro,
    };
    let sum = own.iter().map(|row| row.load_micro).sum();
    let mut stones = vec![stone(None, sum, gone.odds_nano, gone.score_micro)];
    stones.extend(own.iter().map(|row| {
        stone(
            Some(&row.component),
            row.load_micro,
            row.odds_nano,
            row.score_micro,
        )
    }));
    let buckets = bucket_counts::rows(&table(folder, &bucket_counts::TABLE)).unwrap();
    let buckets: Vec<_> = buckets
        .into_iter()
        .filter(|row| row.user_uid != uid)
        .collect();
    let blocks = signal_attribution::rows(&table(folder, &signal_attribution::TABLE)).unwrap();
    let blocks: Vec<_> = blocks
        .into_iter()
        .filter(|row| row.user_uid != uid)
        .collect();
    // The group without the person, leaning on the organization's published mean.
    let summary = org_summary::rows(&table(folder, &org_summary::TABLE)).unwrap();
    let organization_mean = summary[0].mean_score_micro;
    let mut groups = group_index::rows(&table(folder, &group_index::TABLE)).unwrap();
    let scores: Vec<i64> = rest.iter().map(|row| row.score_micro).collect();
    let (n, total): (i64, i64) = (i64::try_from(scores.len()).unwrap(), scores.iter().sum());
    let spread = n * scores.iter().map(|s| s * s).sum::<i64>() - total * total;
    let group = &mut groups[0];
    group.n = n;
    group.mean_score_micro = total / n;
    group.sd_score_micro = (spread / (n * n)).isqrt();
    group.shrunk_mean_micro = (total + 5 * organization_mean) / (n + 5);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "small figures"
    )]
    let bound = {
        let sd = (spread as f64).sqrt() / n as f64;
        (total as f64 / n as f64 - 1.65 * sd / (n as f64).sqrt()).max(0.0) as i64
    };
    group.lower_bound_micro = bound;
    forge(folder, &user_scores::TABLE, user_scores::batch(&rest));
    forge(
        folder,
        &component_scores::TABLE,
        component_scores::batch(&others),
    );
    forge(
        folder,
        &bucket_counts::TABLE,
        bucket_counts::batch(&buckets),
    );
    forge(
        folder,
        &signal_attribution::TABLE,
        signal_attribution::batch(&blocks),
    );
    forge(folder, &group_index::TABLE, group_index::batch(&groups));
    forge(folder, &tombstones::TABLE, tombstones::batch(&stones));
}
