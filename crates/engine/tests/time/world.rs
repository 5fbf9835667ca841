//! A store that receives things as they become known, and what its snapshots say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use af_engine::Silent;
use af_engine::input::Input;
use af_engine::normalize::{self, NormalizeOptions};
use af_engine::pipeline::{RunFacts, ScoreReport, StoreJob, score_store};
use af_engine::tally::AskedCut;
use af_model::tables::{self, attack_signals, directory, retractions};
use af_model::{HashKey, Params, Person, UtcDay, UtcMillis};
use af_rules::RuleSet;
use af_store::{Partitioned, Snapshot, Store};
use af_testkit::oracle::OracleSignal;
use serde_json::Value;

pub(crate) const DAY: i64 = 86_400_000;

/// What arrives at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrival {
    pub(crate) signals: Vec<OracleSignal>,
    pub(crate) retractions: Vec<retractions::Row>,
    pub(crate) people: Vec<Person>,
    pub(crate) imported_at: UtcMillis,
    /// Raw events.
    pub(crate) events: Vec<Value>,
}

/// A store with everything that a run needs.
pub(crate) struct World<'r> {
    folder: tempfile::TempDir,
    pub(crate) store: Store,
    key: HashKey,
    rules: &'r RuleSet,
    params: Params,
    arrived: usize,
}

impl<'r> World<'r> {
    pub(crate) fn new(rules: &'r RuleSet, params: &Params) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("store")).unwrap();
        let key = HashKey::new([7; 32]);
        let lock = store.lock().unwrap();
        store.hash_key(&lock, || *key.as_bytes()).unwrap();
        Self {
            folder,
            store,
            key,
            rules,
            params: params.clone(),
            arrived: 0,
        }
    }

    pub(crate) fn receive(&mut self, arrival: &Arrival) {
        let lock = self.store.lock().unwrap();
        self.arrived += 1;
        let mut days: BTreeMap<UtcDay, Vec<attack_signals::Row<'_>>> = BTreeMap::new();
        for signal in &arrival.signals {
            days.entry(signal.time.day())
                .or_default()
                .push(signal.row());
        }
        for (day, rows) in days {
            let batch = attack_signals::batch(&rows);
            let sorted = af_store::sorted_batch(&batch, &attack_signals::TABLE).unwrap();
            let name = format!("arrival{}", self.arrived);
            self.store
                .add_day_file(&lock, Partitioned::Signals, day, &name, [sorted])
                .unwrap();
        }
        if !arrival.retractions.is_empty() {
            let batch = retractions::batch(&arrival.retractions);
            let sorted = af_store::sorted_batch(&batch, &retractions::TABLE).unwrap();
            self.store.add_retractions(&lock, [sorted]).unwrap();
        }
        if !arrival.people.is_empty() {
            let batch = directory::batch(&arrival.people);
            let sorted = af_store::sorted_batch(&batch, &directory::TABLE).unwrap();
            self.store
                .add_directory(&lock, arrival.imported_at, [sorted])
                .unwrap();
        }
        if !arrival.events.is_empty() {
            let file = self.folder.path().join(format!("{}.ndjson", self.arrived));
            let lines: Vec<String> = arrival.events.iter().map(Value::to_string).collect();
            fs_err::write(&file, lines.join("\n")).unwrap();
            let options = NormalizeOptions {
                tenant: "acme".to_owned(),
                integration: Some(format!("org{}", arrival.imported_at.0 / DAY % 2)),
                ingested_at: arrival.imported_at,
                buffer_bytes: 1 << 20,
            };
            let inputs = [Input::File(file)];
            let into = Some((&self.store, &lock));
            let report = normalize::okta(into, &self.key, &inputs, &options, &Silent).unwrap();
            assert_eq!(report.account.normalized, arrival.events.len() as u64);
        }
    }

    pub(crate) fn score(&self, as_of: UtcMillis, known_at: UtcMillis) -> ScoreReport {
        self.score_asked(AskedCut {
            as_of: Some(as_of),
            known_at: Some(known_at),
        })
    }

    pub(crate) fn score_asked(&self, asked: AskedCut) -> ScoreReport {
        let lock = self.store.lock().unwrap();
        let job = StoreJob {
            store: &self.store,
            lock: &lock,
            key: &self.key,
            rules: self.rules,
        };
        let run = RunFacts {
            program: "test".to_owned(),
            started_at: UtcMillis(self.arrived.try_into().unwrap()),
        };
        score_store(&job, &self.params, asked, &run, &Silent).unwrap()
    }
}

pub(crate) fn no_rules() -> &'static RuleSet {
    static NONE: OnceLock<RuleSet> = OnceLock::new();
    NONE.get_or_init(|| RuleSet::load(std::iter::empty()).unwrap())
}

pub(crate) fn shipped_rules() -> &'static RuleSet {
    static SHIPPED: OnceLock<RuleSet> = OnceLock::new();
    SHIPPED.get_or_init(|| RuleSet::load(af_rules::shipped().into_iter()).unwrap())
}

/// What a snapshot says: the bytes of its tables, their rows without `known_at`, and its manifest
/// without what tells runs apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) known_at: UtcMillis,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) rows: Vec<String>,
    pub(crate) manifest: Value,
}

pub(crate) fn said(folder: &Path) -> Said {
    let snapshot = Snapshot::open(folder).unwrap();
    let mut manifest = serde_json::to_value(snapshot.manifest()).unwrap();
    for history in ["run", "revision", "supersedes"] {
        manifest.as_object_mut().unwrap().remove(history).unwrap();
    }
    let rows = tables::SNAPSHOT.into_iter().map(|table| {
        let rows = snapshot.table(table).unwrap();
        let hash = af_store::content_hash(table, rows, &["known_at"]).unwrap();
        hash.to_string()
    });
    Said {
        known_at: snapshot.manifest().known_at,
        rows: rows.collect(),
        manifest,
        files: files(folder)
            .into_iter()
            .filter(|(name, _)| name.ends_with(".parquet"))
            .collect(),
    }
}

pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs_err::read(entry.path()).unwrap())
        })
        .collect()
}
