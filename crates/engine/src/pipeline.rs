//! The way the data goes, top to bottom.
//!
//! ```text
//! raw events ─ normalize ─► identity_events ─ detect ─► attack_signals ┐
//!                                              directory of people ────┤
//!                                                                  tally ─► bucket_counts
//!                                                                assemble ─► the snapshot's tables
//!                                                                 publish ─► the snapshot
//! ```
//!
//! [`score_store`] walks it from the events of a store, [`score_files`] from anybody's signals.
//! One direction, no way back: each arrow is a table with a written contract.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use af_count::{Counted, PeopleIndex};
use af_directory::ImportOptions;
use af_model::accounting::{EventAccount, PerTenant};
use af_model::manifest::{DirectoryVersion, FileEntry, Manifest, Run, TenantEntry};
use af_model::tables::{self, retractions};
use af_model::{FORMULA, HashKey, Params, UtcMillis};
use af_rules::RuleSet;
use af_store::table_file::{self, Scan};
use af_store::{Partitioned, Store, WriteLock};

use crate::assemble::{self, SnapshotTables, Stamp};
use crate::detect::{self, DetectReport, Detected};
use crate::error::{Error, ErrorKind};
use crate::people;
use crate::progress::Progress;
use crate::tally::{self, AskedCut, Cut};

/// The state document that sums up what every `normalize` read.
pub const EVENTS_STATE: &str = "events";

/// Who runs the pipeline and when; goes into the manifest and nowhere else.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// Version of the program.
    pub program: String,
    /// When the run started.
    pub started_at: UtcMillis,
}

/// What a scoring run did.
#[derive(Debug)]
pub struct ScoreReport {
    /// The snapshot's folder.
    pub snapshot: PathBuf,
    /// Whether it was published now; false when an equal one was there already.
    pub published: bool,
    /// What the snapshot says of itself.
    pub manifest: Manifest,
    /// What detection did, when the run started from a store.
    pub detected: Option<DetectReport>,
}

/// Scores a store: brings its signals up to date, then counts, scores and publishes.
///
/// If the latest snapshot of the same `as_of` has the same rows (its `known_at` aside), nothing is
/// published and that one is reported.
///
/// # Errors
/// The store cannot be read or written; nothing tells the point in time; an account does not close.
pub fn score_store(
    store: &Store,
    lock: &WriteLock,
    key: &HashKey,
    rules: &RuleSet,
    params: &Params,
    asked: AskedCut,
    run: &RunFacts,
    progress: &dyn Progress,
) -> Result<ScoreReport, Error> {
    // events → signals
    let detection = detect::detect(store, lock, rules, progress)?;
    let events: PerTenant<EventAccount> = store.read_state(EVENTS_STATE)?.unwrap_or_default();

    // the cut, and what counts at it
    let all_signals = signal_files(store, |_| true)?;
    let latest = tally::latest_ingested(&all_signals)?;
    let cut = tally::fix_cut(asked, latest, detection.detected.latest_ingested())?;
    let window = assemble::window_start(cut.as_of)..=cut.as_of.day();
    let signals = signal_files(store, |day| window.contains(&day))?;
    let (people, directories) = people::people_at(store, cut.known_at)?;
    let retracted = retractions_of(store)?;

    // signals + people → counts → scores
    let index = PeopleIndex::new(people, key);
    let counted = tally::count(&signals, &index, &retracted, cut, key, progress)?;
    let stamp = Stamp {
        cut,
        config_hash: params.config_hash().to_string(),
        rules_hash: Some(rules.hash().to_string()),
    };
    progress.begin("scoring people", None);
    let tables = assemble::assemble(&index, &counted, params, &stamp)?;
    progress.end();

    // scores → snapshot
    let mut inputs = Vec::new();
    for path in &signals {
        inputs.push(table_file::entry(path, store.root())?);
    }
    let facts = Facts {
        params,
        stamp: &stamp,
        directories,
        inputs,
        tenants: tenant_entries(&counted, &tables, Some((&detection.detected, &events))),
        run,
    };
    if let Some(snapshot) = unchanged(store, cut, &tables)? {
        let manifest = af_store::Snapshot::open(&snapshot)?.manifest()?;
        return Ok(ScoreReport { snapshot, published: false, manifest, detected: Some(detection) });
    }
    progress.begin("publishing", None);
    let mut publication = store.begin_snapshot(lock, cut.as_of)?;
    let mut files = Vec::new();
    for (table, batch) in tables::SNAPSHOT.into_iter().zip(tables.batches()) {
        files.push(publication.write(table, std::iter::once(batch))?);
    }
    let published = publication.publish(|revision, supersedes| {
        facts.manifest(files, revision, supersedes)
    })?;
    progress.end();
    Ok(ScoreReport {
        snapshot: published.path,
        published: true,
        manifest: published.manifest,
        detected: Some(detection),
    })
}

/// Where [`score_files`] reads and writes.
#[derive(Clone, Debug)]
pub struct FilesJob<'a> {
    /// Signal files from anybody.
    pub signals: &'a [PathBuf],
    /// The file of people and how to read it.
    pub users: (&'a Path, &'a ImportOptions),
    /// The folder that receives the tables.
    pub out: &'a Path,
    /// Whether what is in `out` may be replaced.
    pub force: bool,
    /// The key of hashed names; without it unmatched identifiers are left out.
    pub key: Option<&'a HashKey>,
}

/// Scores anybody's signals against a file of people, without a store.
///
/// # Errors
/// As [`score_store`]; also when `out` holds something else and may not be replaced.
pub fn score_files(
    job: &FilesJob<'_>,
    params: &Params,
    asked: AskedCut,
    run: &RunFacts,
    progress: &dyn Progress,
) -> Result<ScoreReport, Error> {
    for path in job.signals {
        if !path.exists() {
            let message = format!("read signals from {}: no such file", path.display());
            return Err(Error::new(ErrorKind::NoInput, message));
        }
    }
    let (users, options) = job.users;
    let imported = people::read_people(users, options)?;
    let latest = tally::latest_ingested(job.signals)?;
    let cut = tally::fix_cut(asked, latest, None)?;

    // A key of zeros matches no hashed name; what it hashes is dropped below.
    let no_key = HashKey::new([0; 32]);
    let key = job.key.unwrap_or(&no_key);
    let people_n = imported.people.len() as u64;
    let index = PeopleIndex::new(imported.people, key);
    let mut counted = tally::count(job.signals, &index, &[], cut, key, progress)?;
    if job.key.is_none() {
        counted.drop_subject_hashes();
    }
    let stamp = Stamp { cut, config_hash: params.config_hash().to_string(), rules_hash: None };
    progress.begin("scoring people", None);
    let tables = assemble::assemble(&index, &counted, params, &stamp)?;
    progress.end();

    let mut inputs = Vec::new();
    for path in job.signals {
        inputs.push(table_file::entry(path, path.parent().unwrap_or(Path::new("")))?);
    }
    let facts = Facts {
        params,
        stamp: &stamp,
        directories: vec![DirectoryVersion {
            tenant_uid: options.tenant.clone().unwrap_or_default(),
            source: Some(options.source.clone()),
            imported_at: options.imported_at,
            file: users.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            people: people_n,
        }],
        inputs,
        tenants: tenant_entries(&counted, &tables, None),
        run,
    };
    if same_tables(job.out, &tables)? {
        let manifest = af_store::Snapshot::open(job.out)?.manifest()?;
        let snapshot = job.out.to_owned();
        return Ok(ScoreReport { snapshot, published: false, manifest, detected: None });
    }
    let mut publication = af_store::begin_folder(job.out, job.force)?;
    let mut files = Vec::new();
    for (table, batch) in tables::SNAPSHOT.into_iter().zip(tables.batches()) {
        files.push(publication.write(table, std::iter::once(batch))?);
    }
    let published = publication.publish(|revision, supersedes| {
        facts.manifest(files, revision, supersedes)
    })?;
    Ok(ScoreReport {
        snapshot: published.path,
        published: true,
        manifest: published.manifest,
        detected: None,
    })
}

/// What goes into the manifest beside the files.
struct Facts<'a> {
    params: &'a Params,
    stamp: &'a Stamp,
    directories: Vec<DirectoryVersion>,
    inputs: Vec<FileEntry>,
    tenants: PerTenant<TenantEntry>,
    run: &'a RunFacts,
}

impl Facts<'_> {
    fn manifest(self, files: Vec<FileEntry>, revision: u32, supersedes: Option<String>) -> Manifest {
        let mut manifest = Manifest {
            manifest_version: 1,
            as_of: self.stamp.cut.as_of,
            known_at: self.stamp.cut.known_at,
            revision,
            supersedes,
            formula: FORMULA.to_owned(),
            params: self.params.clone(),
            config_hash: self.stamp.config_hash.clone(),
            rules_hash: self.stamp.rules_hash.clone(),
            tables: tables::SNAPSHOT
                .iter()
                .map(|table| (table.name.to_owned(), table.version))
                .collect(),
            directories: self.directories,
            inputs: self.inputs,
            files,
            tenants: self.tenants,
            left_out: BTreeMap::new(),
            run: Run::default(),
        };
        manifest.inputs.sort();
        manifest.run = Run {
            id: run_id(&manifest, self.run),
            program: self.run.program.clone(),
            started_at: Some(self.run.started_at),
            finished_at: None,
        };
        manifest
    }
}

/// An id that tells runs apart: what was computed and when it was started.
fn run_id(manifest: &Manifest, run: &RunFacts) -> String {
    let checksums = manifest.files.iter().map(|file| file.blake3.as_str());
    let started = run.started_at.to_string();
    af_model::HexHash::of_parts(checksums.chain([started.as_str()])).to_string()
}

fn tenant_entries(
    counted: &Counted,
    tables: &SnapshotTables,
    store: Option<(&Detected, &PerTenant<EventAccount>)>,
) -> PerTenant<TenantEntry> {
    let mut entries = PerTenant::<TenantEntry>::new();
    for (tenant, counts) in &counted.tenants {
        let entry = entries.entry(tenant.clone()).or_default();
        entry.signals = counts.account;
        entry.conflicts = counts.conflicts;
        entry.feeds = counts.feeds.clone();
    }
    for (tenant, population) in &tables.population {
        entries.entry(tenant.clone()).or_default().population = population.clone();
    }
    if let Some((detected, events)) = store {
        for (tenant, classes) in detected.classes() {
            entries.entry(tenant).or_default().classes = Some(classes);
        }
        for (tenant, account) in events {
            entries.entry(tenant.clone()).or_default().events = Some(*account);
        }
        // Events are the feed of the identity component, also when no rule found an attack in them.
        for (tenant, heard) in detected.feeds() {
            let feed =
                entries.entry(tenant).or_default().feeds.entry("identity".to_owned()).or_default();
            feed.first = [feed.first, heard.first].into_iter().flatten().min();
            feed.last = feed.last.max(heard.last);
            feed.integrations.extend(heard.integrations);
            feed.integrations.sort_unstable();
            feed.integrations.dedup();
        }
    }
    for entry in entries.values_mut() {
        entry.warnings = warnings(entry);
    }
    entries
}

fn warnings(entry: &TenantEntry) -> Vec<String> {
    let mut warnings = Vec::new();
    if entry.population.is_empty() {
        warnings.push("no people: import the directory of this organization".to_owned());
    }
    if entry.feeds.is_empty() {
        warnings.push("no feed: no event and no signal was read, so every score is 0".to_owned());
    }
    if let Some(classes) = entry.classes
        && classes.unknown_type > 0
    {
        let n = classes.unknown_type;
        warnings.push(format!("{n} events of types that the catalogue does not know"));
    }
    let account = entry.signals;
    if account.unmatched * 10 > account.unmatched + account.collapsed + account.scored {
        warnings.push(format!(
            "{} of the signals within the window belong to nobody in the directory",
            account.unmatched
        ));
    }
    if account.quarantined > 0 {
        warnings.push(format!("{} signals break the contract", account.quarantined));
    }
    warnings
}

fn signal_files(
    store: &Store,
    wanted: impl Fn(af_model::UtcDay) -> bool,
) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for day in store.days(Partitioned::Signals)? {
        if wanted(day) {
            files.append(&mut store.day_files(Partitioned::Signals, day)?);
        }
    }
    Ok(files)
}

fn retractions_of(store: &Store) -> Result<Vec<retractions::Row>, Error> {
    let mut rows = Vec::new();
    for path in store.retractions()? {
        for batch in table_file::read(&path, &retractions::TABLE, None, Scan::File)? {
            let found = retractions::rows(&batch?).map_err(|error| {
                Error::new(ErrorKind::Io, format!("read {}: {error}", path.display()))
            })?;
            rows.extend(found);
        }
    }
    Ok(rows)
}

/// The latest snapshot of this `as_of`, if its rows equal the new ones but for `known_at`.
fn unchanged(store: &Store, cut: Cut, tables: &SnapshotTables) -> Result<Option<PathBuf>, Error> {
    match store.latest_of(cut.as_of)? {
        Some(path) if same_tables(&path, tables)? => Ok(Some(path)),
        _ => Ok(None),
    }
}

fn same_tables(folder: &Path, tables: &SnapshotTables) -> Result<bool, Error> {
    for (table, batch) in tables::SNAPSHOT.into_iter().zip(tables.batches()) {
        let path = folder.join(format!("{}.parquet", table.name));
        if !path.exists() {
            return Ok(false);
        }
        let ignored = ["known_at"];
        let stored = table_file::read(&path, table, None, Scan::File)?;
        let new = af_store::content_hash(table, [Ok(batch)], &ignored)?;
        if af_store::content_hash(table, stored, &ignored)? != new {
            return Ok(false);
        }
    }
    Ok(true)
}
