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

use af_count::Counted;
use af_directory::ImportOptions;
use af_model::accounting::{EventAccount, PerTenant};
use af_model::manifest::{DirectoryVersion, FileEntry, Manifest, Run, TenantEntry};
use af_model::tables::{self, attack_signals, retractions};
use af_model::{FORMULA, HashKey, Params, UtcMillis};
use af_rules::RuleSet;
use af_store::{Metadata, Partitioned, Publication, Scan, Snapshot, Store, WriteLock, table_file};

use crate::assemble::{self, SnapshotTables, Stamp};
use crate::detect::{self, DetectReport, Detected};
use crate::error::{Error, ErrorKind};
use crate::people;
use crate::progress::Progress;
use crate::tally::{self, AskedCut};

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

/// What [`score_store`] works on.
#[derive(Clone, Copy, Debug)]
pub struct StoreJob<'a> {
    /// The store.
    pub store: &'a Store,
    /// The proof that nobody else writes to it.
    pub lock: &'a WriteLock,
    /// The store's key of hashed names.
    pub key: &'a HashKey,
    /// The rules that find attacks.
    pub rules: &'a RuleSet,
}

/// Scores a store: brings its signals up to date, then counts, scores and publishes.
///
/// If the latest snapshot of the same `as_of` has the same rows (its `known_at` aside), nothing is
/// published and that one is reported.
///
/// # Errors
/// The store cannot be read or written; nothing tells the point in time; an account does not close.
pub fn score_store(
    job: &StoreJob<'_>,
    params: &Params,
    asked: AskedCut,
    run: &RunFacts,
    progress: &dyn Progress,
) -> Result<ScoreReport, Error> {
    let StoreJob {
        store,
        lock,
        key,
        rules,
    } = *job;

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
    let index = tally::index(people, Some(key));
    let counted = tally::count(&signals, &index, &retracted, cut, Some(key), progress)?;
    let stamp = Stamp {
        cut,
        config_hash: params.config_hash().to_string(),
        rules_hash: Some(rules.hash().to_string()),
    };
    progress.begin("scoring people", None);
    let tables = assemble::assemble(&index, &counted, params, &stamp)?;
    progress.end();

    // scores → snapshot
    let facts = Facts {
        params,
        stamp: &stamp,
        directories,
        inputs: entries(&signals)?,
        tenants: tenant_entries(&counted, &tables, Some((&detection.detected, &events))),
        run,
    };
    let before = store.latest_of(cut.as_of)?.map(|id| store.snapshot_dir(id));
    let same = before
        .map(|path| unchanged(&path, &tables))
        .transpose()?
        .flatten();
    progress.begin("publishing", None);
    let report = match same {
        Some(report) => report,
        None => publish(store.begin_snapshot(lock, cut.as_of)?, &tables, facts)?,
    };
    progress.end();
    Ok(ScoreReport {
        detected: Some(detection),
        ..report
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

    let people_n = imported.people.len() as u64;
    let index = tally::index(imported.people, job.key);
    let counted = tally::count(job.signals, &index, &[], cut, job.key, progress)?;
    let stamp = Stamp {
        cut,
        config_hash: params.config_hash().to_string(),
        rules_hash: None,
    };
    progress.begin("scoring people", None);
    let tables = assemble::assemble(&index, &counted, params, &stamp)?;
    progress.end();

    let facts = Facts {
        params,
        stamp: &stamp,
        directories: vec![DirectoryVersion {
            tenant_uid: options.tenant.clone().unwrap_or_default(),
            source: Some(options.source.clone()),
            imported_at: options.imported_at,
            file: users
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            people: people_n,
        }],
        inputs: entries(job.signals)?,
        tenants: tenant_entries(&counted, &tables, None),
        run,
    };
    // What is there is looked at before it is replaced; a folder of anything else is no snapshot.
    if job.out.join("manifest.json").is_file()
        && let Some(report) = unchanged(job.out, &tables)?
    {
        return Ok(report);
    }
    publish(af_store::begin_output(job.out, job.force)?, &tables, facts)
}

/// The report of a snapshot that has the same rows already, `known_at` aside.
fn unchanged(snapshot: &Path, tables: &SnapshotTables) -> Result<Option<ScoreReport>, Error> {
    let stored = Snapshot::open(snapshot)?;
    for (table, batch) in tables::SNAPSHOT.into_iter().zip(tables.batches()) {
        let known = stored.manifest().files.iter().any(|file| {
            file.path.strip_suffix(".parquet") == Some(table.name)
                && file.rows == batch.num_rows() as u64
        });
        if !known {
            return Ok(None);
        }
        let ignored = ["known_at"];
        let before = af_store::content_hash(table, stored.table(table)?, &ignored)?;
        if before != af_store::content_hash(table, [Ok(batch)], &ignored)? {
            return Ok(None);
        }
    }
    Ok(Some(ScoreReport {
        snapshot: snapshot.to_owned(),
        published: false,
        manifest: stored.manifest().clone(),
        detected: None,
    }))
}

/// Writes the tables and publishes them together with the manifest.
fn publish(
    mut publication: Publication<'_>,
    tables: &SnapshotTables,
    facts: Facts<'_>,
) -> Result<ScoreReport, Error> {
    let metadata = Metadata::new().with_formula(FORMULA);
    for (table, batch) in tables::SNAPSHOT.into_iter().zip(tables.batches()) {
        publication.write(table, [batch], &metadata)?;
    }
    let manifest = facts.manifest(publication.files());
    let published = publication.publish(manifest)?;
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
    /// The manifest; what only the store knows (revision, files, versions) it fills in itself.
    fn manifest(self, files: &[FileEntry]) -> Manifest {
        let mut manifest = Manifest {
            manifest_version: 1,
            as_of: self.stamp.cut.as_of,
            known_at: self.stamp.cut.known_at,
            revision: 1,
            supersedes: None,
            formula: FORMULA.to_owned(),
            params: self.params.clone(),
            config_hash: self.stamp.config_hash.clone(),
            rules_hash: self.stamp.rules_hash.clone(),
            tables: BTreeMap::new(),
            directories: self.directories,
            inputs: self.inputs,
            files: Vec::new(),
            tenants: self.tenants,
            left_out: BTreeMap::new(),
            run: Run::default(),
        };
        manifest.inputs.sort();
        manifest.run = Run {
            id: run_id(files, self.run),
            program: self.run.program.clone(),
            started_at: Some(self.run.started_at),
            finished_at: None,
        };
        manifest
    }
}

/// An id that tells runs apart: what was computed and when it was started.
fn run_id(files: &[FileEntry], run: &RunFacts) -> String {
    let checksums = files.iter().map(|file| file.blake3.as_str());
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
            let feed = entries
                .entry(tenant)
                .or_default()
                .feeds
                .entry("identity".to_owned())
                .or_default();
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
        warnings.push(format!(
            "{n} events of types that the catalogue does not know"
        ));
    }
    let account = entry.signals;
    if account.unmatched * 10 > account.unmatched + account.collapsed + account.scored {
        warnings.push(format!(
            "{} of the signals within the window belong to nobody in the directory",
            account.unmatched
        ));
    }
    if account.quarantined > 0 {
        warnings.push(format!(
            "{} signals break the contract",
            account.quarantined
        ));
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

/// Name, size and checksum of every file that was read.
fn entries(files: &[PathBuf]) -> Result<Vec<FileEntry>, Error> {
    files
        .iter()
        .map(|path| {
            let found = af_store::checksum(path)?;
            let rows = af_store::TableFile::open(path, &attack_signals::TABLE)?.rows();
            // A day's folder tells signal files of one name apart.
            let parts: Vec<_> = path.components().rev().take(2).collect();
            let day = parts.get(1).map(|part| part.as_os_str().to_string_lossy());
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let path = match day.filter(|day| day.starts_with("day=")) {
                Some(day) => format!("{day}/{name}"),
                None => name.into_owned(),
            };
            Ok(FileEntry {
                path,
                rows,
                bytes: found.bytes,
                blake3: found.blake3,
            })
        })
        .collect()
}
