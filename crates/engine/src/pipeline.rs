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
//! [`normalize::okta`](crate::normalize::okta) and [`score_store`] walk it in a store,
//! [`crate::files`] without one, from anybody's signals; [`crate::run`] does everything a configuration says.
//! One direction, no way back: each arrow is a table with a written contract.

use std::collections::BTreeMap;
use std::path::PathBuf;

use af_count::Retractions;
use af_model::accounting::{EventAccount, PerTenant};
use af_model::manifest::{IntegrationState, Manifest, TenantEntry, TenantRun};
use af_model::{HashKey, Params, UtcMillis};
use af_rules::RuleSet;
use af_store::{Partitioned, Store, WriteLock};

use crate::assemble::{self, Assembly, CountsByTenant, Roster, Stamp};
use crate::detect::{self, DetectReport};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;
use crate::publish::{self, Facts, publish, tenant_entries, tenant_runs, unchanged};
use crate::tally::{self, AskedCut, Counting, LatestKnown, StoreCount, StoreCounted};
use crate::{feedback, feeds, people, retract, timeline, upkeep};

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

/// Tenants that are left out of a snapshot, with the reason. What they published before stays.
pub type LeftOut = BTreeMap<String, String>;

/// What a scoring run did.
#[derive(Debug)]
pub struct ScoreReport {
    /// The snapshot's folder.
    pub snapshot: PathBuf,
    /// Whether it was published now; false when an equal one was there already.
    pub published: bool,
    /// What the snapshot says of itself.
    pub manifest: Manifest,
    /// What this run saw of every tenant, also when it published nothing.
    pub seen: PerTenant<TenantRun>,
    /// What counts of every tenant at the cut, also when nothing was published.
    pub tenants: PerTenant<TenantEntry>,
    /// Tenants that this run left out.
    pub left_out: LeftOut,
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

/// Scores a store: brings its signals and the retractions that follow from its events up to date,
/// then counts, scores and publishes.
///
/// If the snapshot that is the answer for this `as_of` and `known_at` so far has the same rows (the
/// `known_at` in them aside), nothing is published and that one is reported. A tenant whose account
/// does not close, or whose counts the kernel refuses, is left out and named; the others are published.
///
/// # Errors
/// The store cannot be read or written; nothing tells the point in time; every tenant is left out
/// ([`ErrorKind::Gate`]).
pub fn score_store(
    job: &StoreJob<'_>,
    params: &Params,
    asked: AskedCut,
    run: &RunFacts,
    progress: &dyn Progress,
) -> Result<ScoreReport, Error> {
    let scoring = Scoring {
        params,
        asked,
        run,
        left_out: LeftOut::new(),
        integrations: feeds::states(job.store)?,
        gate: &|_, _| Verdict::default(),
    };
    let scored = score_store_gated(job, scoring, progress)?;
    let left_out = scored.left_out;
    scored.report.ok_or_else(|| nothing_left(&left_out))
}

/// What a caller adds to a scoring run: who is left out from the start, and who is judged before
/// anything is published.
#[derive(Clone)]
pub struct Scoring<'a> {
    /// Parameters of the formula.
    pub params: &'a Params,
    /// The point in time asked for.
    pub asked: AskedCut,
    /// Who runs and when.
    pub run: &'a RunFacts,
    /// Tenants that failed before.
    pub left_out: LeftOut,
    /// How fetching fares; for the manifest.
    pub integrations: Vec<IntegrationState>,
    /// Judges the tenants that are about to be published; told who is left out already.
    pub gate: &'a dyn Fn(&PerTenant<TenantEntry>, &LeftOut) -> Verdict,
}

/// What a gate says.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Tenants to leave out.
    pub leave_out: LeftOut,
    /// Why nothing at all may be published.
    pub refuse: Option<String>,
}

/// How a gated scoring run ended.
#[derive(Debug)]
pub struct Scored {
    /// The snapshot; none when nothing may be published.
    pub report: Option<ScoreReport>,
    /// What was found about the tenants that were not left out.
    pub tenants: PerTenant<TenantEntry>,
    /// Who was left out, and why.
    pub left_out: LeftOut,
    /// Why nothing at all was published.
    pub refused: Option<String>,
    /// What detection did.
    pub detected: DetectReport,
}

/// As [`score_store`], with tenants that failed before and a gate in front of publishing.
///
/// # Errors
/// The store cannot be read or written; nothing tells the point in time. A damaged file of a day
/// ([`ErrorKind::Damaged`]) stops everything, because days hold all tenants.
pub fn score_store_gated(
    job: &StoreJob<'_>,
    scoring: Scoring<'_>,
    progress: &dyn Progress,
) -> Result<Scored, Error> {
    match score_once(job, scoring.clone(), progress) {
        // What is kept to save time is checked while it is read; nothing was published yet.
        Err(error) if error.kind() == ErrorKind::Derived => {
            tracing::warn!("{error}; counting all days again");
            job.store.remove_cache(job.lock)?;
            score_once(job, scoring, progress)
        }
        done => done,
    }
}

fn score_once(
    job: &StoreJob<'_>,
    scoring: Scoring<'_>,
    progress: &dyn Progress,
) -> Result<Scored, Error> {
    let StoreJob {
        store,
        lock,
        key,
        rules,
    } = *job;
    let Scoring {
        params,
        asked,
        run,
        mut left_out,
        integrations,
        gate,
    } = scoring;

    // events → signals
    let detection = detect::detect(store, lock, rules, progress).map_err(holds_all_tenants)?;
    left_out.append(&mut detection.detected.unclosed());
    let events: PerTenant<EventAccount> = store.read_state(EVENTS_STATE)?.unwrap_or_default();
    feedback::derive(store, lock)?;

    // the cut, and what counts at it
    let all_signals = signal_files(store, |_| true)?;
    let retracted = retract::statements(store)?;
    let said = retracted.iter().map(|row| row.ingested_at).max();
    let feed = tally::latest_ingested(&all_signals).map_err(holds_all_tenants)?;
    let latest = LatestKnown {
        feed: feed.max(detection.detected.latest_ingested()),
        corrections: said.max(people::latest_import(store)?),
    };
    let cut = tally::fix_cut(asked, latest)?;
    let window = assemble::window_start(cut.as_of)..=cut.as_of.day();
    let signals = signal_files(store, |day| window.contains(&day))?;
    let (people, mut directories) = people::people_at(store, cut.known_at)?;

    // signals + people → counts
    let (index, people) = tally::index(people, Some(key));
    let people = Roster::new(people);
    let retractions = Retractions::new(&retracted, cut.known_at);
    let counting = Counting {
        people: &index,
        retractions: &retractions,
        cut,
        key: Some(key),
    };
    let shelf = tally::shelf(store.root());
    let count = StoreCount {
        store,
        lock,
        counting,
        retracted: &retracted,
        shelf: &shelf,
    };
    let StoreCounted {
        counted,
        inputs,
        kept,
    } = tally::count_store(count, &signals, progress).map_err(holds_all_tenants)?;
    tracing::debug!(days = kept.len(), "counted before");
    let sums = counted.sums();
    left_out.append(&mut tally::unclosed(sums));
    let stamp = Stamp {
        cut,
        config_hash: params.config_hash().to_string(),
        rules_hash: Some(rules.hash().to_string()),
    };
    let assembly = Assembly {
        people: &people,
        params,
        stamp: &stamp,
    };
    let heard = timeline::feeds_at(store, &detection.detected, cut)?;
    let mut seen = tenant_runs(sums, &left_out, Some((&detection.detected, &events)));
    upkeep::note_removed(store, &mut seen)?;

    // counts → scores → tables, of nobody who does not pass
    let mut judged = Judged {
        tenants: tenant_entries(sums, &assembly.population(), heard),
        left_out,
    };
    let mut counts = counted.by_tenant()?;
    let mut written = None;
    let mut refused = judged.judge(gate);
    while refused.is_none() && written.is_none() {
        progress.begin("scoring people", None);
        let mut publication = store.begin_snapshot(lock, cut.as_of)?;
        let tenants = sums.tenants.keys().map(String::as_str);
        let mut kernel = publish::write(
            &mut publication,
            &assembly,
            tenants,
            &judged.left_out,
            &mut counts,
        )?;
        progress.end();
        written = Some(publication);
        if !kernel.is_empty() {
            // Gates are told of them too; whoever is left out for that has rows among those written.
            judged.left_out.append(&mut kernel);
            let before = judged.left_out.len();
            refused = judged.judge(gate);
            if judged.left_out.len() > before {
                written = None;
                counts.rewind()?;
            }
        }
    }
    let Judged { tenants, left_out } = judged;
    let (Some(written), None) = (written, &refused) else {
        return Ok(Scored {
            report: None,
            tenants,
            left_out,
            refused,
            detected: detection,
        });
    };
    directories.retain(|version| !left_out.contains_key(&version.tenant_uid));

    // tables → snapshot
    let facts = Facts {
        params,
        stamp: &stamp,
        directories,
        inputs,
        tenants: tenants.clone(),
        seen,
        left_out: left_out.clone(),
        rule_changes: rules.changes().clone(),
        integrations,
        run,
    };
    progress.begin("publishing", None);
    let before = store.answer(cut.as_of, cut.known_at)?;
    let same = match before {
        Some(id) => unchanged(&store.snapshot_dir(id), &written, &stamp)?.map(|same| (id, same)),
        None => None,
    };
    let report = match same {
        Some((id, report)) => {
            drop(written);
            store.confirm(lock, id, cut.known_at)?;
            ScoreReport {
                seen: facts.seen,
                ..report
            }
        }
        None => publish(written, facts)?,
    };
    progress.end();
    Ok(Scored {
        report: Some(ScoreReport {
            detected: Some(detection.clone()),
            tenants: tenants.clone(),
            left_out: left_out.clone(),
            ..report
        }),
        tenants,
        left_out,
        refused: None,
        detected: detection,
    })
}

/// Who is about to be published, and who is not.
struct Judged {
    tenants: PerTenant<TenantEntry>,
    left_out: LeftOut,
}

impl Judged {
    /// Asks the gate about those who are left; returned is why nothing at all may be published.
    fn judge(
        &mut self,
        gate: &dyn Fn(&PerTenant<TenantEntry>, &LeftOut) -> Verdict,
    ) -> Option<String> {
        let left_out = &self.left_out;
        self.tenants
            .retain(|tenant, _| !left_out.contains_key(tenant));
        let mut verdict = gate(&self.tenants, &self.left_out);
        self.left_out.append(&mut verdict.leave_out);
        let left_out = &self.left_out;
        self.tenants
            .retain(|tenant, _| !left_out.contains_key(tenant));
        let nobody = self.tenants.is_empty() && !self.left_out.is_empty();
        verdict
            .refuse
            .or_else(|| nobody.then(|| nothing_left(&self.left_out).to_string()))
    }
}

fn nothing_left(left_out: &LeftOut) -> Error {
    let reasons: Vec<String> = left_out
        .iter()
        .map(|(tenant, reason)| format!("{tenant}: {reason}"))
        .collect();
    let message = format!("publish: every tenant is left out: {}", reasons.join("; "));
    Error::new(ErrorKind::Gate, message).with_hint("earlier snapshots are untouched")
}

/// A damaged file cannot be blamed on one tenant, so none can be left out instead.
fn holds_all_tenants(error: Error) -> Error {
    if error.kind() != ErrorKind::Damaged {
        return error;
    }
    error.with_hint(
        "restore the file from a backup; without one, remove it and run again: signals are found anew, \
         events come back with `attack-factor run --reread` or `normalize`. A day holds all tenants, so \
         none could be left out and nothing was published",
    )
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
