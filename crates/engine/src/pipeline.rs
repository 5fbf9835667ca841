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

use std::path::{Path, PathBuf};

use af_directory::ImportOptions;
use af_model::accounting::{EventAccount, PerTenant};
use af_model::manifest::{DirectoryVersion, Manifest};
use af_model::tables::retractions;
use af_model::{HashKey, Params, UtcMillis};
use af_rules::RuleSet;
use af_store::{Partitioned, Scan, Store, WriteLock, table_file};

use crate::assemble::{self, Stamp};
use crate::detect::{self, DetectReport};
use crate::error::{Error, ErrorKind};
use crate::people;
use crate::progress::Progress;
use crate::publish::{Facts, entries, publish, tenant_entries, unchanged};
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
