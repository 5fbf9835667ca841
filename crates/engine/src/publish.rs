//! From tables to a snapshot: what the manifest says, and whether there is anything new to say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use af_count::Counted;
use af_model::accounting::{EventAccount, PerTenant};
use af_model::manifest::{
    DirectoryVersion, Feed, FileEntry, IntegrationState, Manifest, RuleChanges, Run, TenantEntry,
    TenantRun,
};
use af_model::tables::{self, attack_signals};
use af_model::{FORMULA, Params};
use af_store::{Metadata, OpenTables, Publication, Snapshot};

use crate::assemble::{Assembly, CountsByTenant, Population, SnapshotTables, Stamp, TableSink};
use crate::detect::Detected;
use crate::error::Error;
use crate::pipeline::{LeftOut, RunFacts, ScoreReport};

/// Tables on their way into a publication.
#[derive(Debug)]
struct Files {
    open: OpenTables,
}

impl TableSink for Files {
    fn take(&mut self, tables: SnapshotTables) -> Result<(), Error> {
        Ok(self.open.encode(tables.snapshot_parts())?)
    }

    fn settle(&mut self) -> Result<(), Error> {
        Ok(self.open.write_encoded()?)
    }
}

/// Scores everybody and writes the tables of a snapshot, which is then to be published or dropped.
/// Returned are the tenants whose counts the kernel refuses; no row of theirs was written.
pub(crate) fn write<'a, 'c>(
    publication: &mut Publication<'_>,
    assembly: &Assembly<'a>,
    tenants: impl IntoIterator<Item = &'a str>,
    left_out: &LeftOut,
    counts: &mut dyn CountsByTenant<'c>,
) -> Result<LeftOut, Error> {
    let metadata = Metadata::new().with_formula(FORMULA);
    let open = publication.open_tables(&tables::SNAPSHOT, &metadata)?;
    let mut files = Files { open };
    let refused = assembly.run(tenants, left_out, counts, &mut files)?;
    publication.add_tables(files.open)?;
    Ok(refused)
}

/// The report of a snapshot that has the rows just written already, `known_at` aside, and none that
/// was known later than `stamp`.
pub(crate) fn unchanged(
    snapshot: &Path,
    written: &Publication<'_>,
    stamp: &Stamp,
) -> Result<Option<ScoreReport>, Error> {
    let stored = Snapshot::open(snapshot)?;
    let manifest = stored.manifest();
    if manifest.known_at > stamp.cut.known_at
        || manifest.config_hash != stamp.config_hash
        || manifest.rules_hash != stamp.rules_hash
        || !written.same_rows_as(&stored, &["known_at"])?
    {
        return Ok(None);
    }
    Ok(Some(report(snapshot.to_owned(), false, manifest.clone())))
}

/// Publishes what was written together with the manifest.
pub(crate) fn publish(
    publication: Publication<'_>,
    facts: Facts<'_>,
) -> Result<ScoreReport, Error> {
    let seen = facts.seen.clone();
    let manifest = facts.manifest(publication.files());
    let published = publication.publish(manifest)?;
    Ok(ScoreReport {
        seen,
        ..report(published.path, true, published.manifest)
    })
}

fn report(snapshot: PathBuf, published: bool, manifest: Manifest) -> ScoreReport {
    ScoreReport {
        snapshot,
        published,
        manifest,
        seen: PerTenant::new(),
        tenants: PerTenant::new(),
        left_out: LeftOut::new(),
        detected: None,
    }
}

/// What goes into the manifest beside the files.
pub(crate) struct Facts<'a> {
    pub(crate) params: &'a Params,
    pub(crate) stamp: &'a Stamp,
    pub(crate) directories: Vec<DirectoryVersion>,
    pub(crate) inputs: Vec<FileEntry>,
    pub(crate) tenants: PerTenant<TenantEntry>,
    pub(crate) seen: PerTenant<TenantRun>,
    pub(crate) left_out: LeftOut,
    pub(crate) rule_changes: RuleChanges,
    pub(crate) integrations: Vec<IntegrationState>,
    pub(crate) run: &'a RunFacts,
}

impl Facts<'_> {
    /// The manifest; what only the store knows (revision, files, versions) it fills in itself.
    fn manifest(mut self, files: &[FileEntry]) -> Manifest {
        self.inputs.sort();
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
            rule_changes: self.rule_changes,
            tables: BTreeMap::new(),
            directories: self.directories,
            files: Vec::new(),
            tenants: self.tenants,
            left_out: self.left_out,
            erased: 0,
            run: Run::default(),
        };
        manifest.run = Run {
            id: run_id(files, self.run),
            program: self.run.program.clone(),
            started_at: Some(self.run.started_at),
            inputs: self.inputs,
            tenants: self.seen,
            integrations: self.integrations,
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

/// What the manifest says of every tenant of whom anything was known at the cut.
pub(crate) fn tenant_entries(
    counted: &Counted,
    population: &Population,
    event_feeds: PerTenant<Feed>,
) -> PerTenant<TenantEntry> {
    let mut entries = PerTenant::<TenantEntry>::new();
    for (tenant, counts) in &counted.tenants {
        let account = counts.account.at_cut();
        if account.signals_read == 0 {
            continue;
        }
        let entry = entries.entry(tenant.clone()).or_default();
        entry.signals = account;
        entry.conflicts = counts.conflicts;
        entry.feeds = counts.feeds.clone();
    }
    for (tenant, population) in population {
        entries.entry(tenant.clone()).or_default().population = population.clone();
    }
    // Events are the feed of the identity component, also when no rule found an attack in them.
    for (tenant, heard) in event_feeds {
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
    for entry in entries.values_mut() {
        entry.warnings = warnings(entry);
    }
    entries
}

/// What the run saw of every tenant, whenever it became known; of those left out not their signals.
pub(crate) fn tenant_runs(
    counted: &Counted,
    left_out: &LeftOut,
    store: Option<(&Detected, &PerTenant<EventAccount>)>,
) -> PerTenant<TenantRun> {
    let mut runs = PerTenant::<TenantRun>::new();
    for (tenant, counts) in &counted.tenants {
        if !left_out.contains_key(tenant) {
            runs.entry(tenant.clone()).or_default().signals = counts.account;
        }
    }
    let Some((detected, events)) = store else {
        return runs;
    };
    for (tenant, account) in events {
        runs.entry(tenant.clone()).or_default().events = Some(*account);
    }
    for (tenant, classes) in detected.classes() {
        let run = runs.entry(tenant).or_default();
        run.classes = Some(classes);
        if classes.unknown_type > 0 {
            let n = classes.unknown_type;
            run.warnings.push(format!(
                "{n} events of types that the catalogue does not know"
            ));
        }
    }
    runs
}

fn warnings(entry: &TenantEntry) -> Vec<String> {
    let mut warnings = Vec::new();
    if entry.population.is_empty() {
        warnings.push("no people: import the directory of this organization".to_owned());
    }
    if entry.feeds.is_empty() {
        warnings.push("no feed: no event and no signal was read, so every score is 0".to_owned());
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

/// Name, size and checksum of every file that is read; a damaged one is found here, before it is
/// decoded.
pub(crate) fn entries(files: &[PathBuf]) -> Result<Vec<FileEntry>, Error> {
    files
        .iter()
        .map(|path| {
            let found = af_store::checked(path)?;
            let rows = af_store::TableFile::open(path, &attack_signals::TABLE)?.rows();
            Ok(FileEntry {
                path: entry_path(path),
                rows,
                bytes: found.bytes,
                blake3: found.blake3,
            })
        })
        .collect()
}

/// A file as a manifest names it. A day's folder tells signal files of one name apart.
pub(crate) fn entry_path(path: &Path) -> String {
    let parts: Vec<_> = path.components().rev().take(2).collect();
    let day = parts.get(1).map(|part| part.as_os_str().to_string_lossy());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match day.filter(|day| day.starts_with("day=")) {
        Some(day) => format!("{day}/{name}"),
        None => name.into_owned(),
    }
}
