//! The run itself: every tenant's news, then one snapshot.

use std::cell::RefCell;

use af_model::accounting::PerTenant;
use af_model::manifest::{IntegrationState, TenantEntry};
use af_model::{HashKey, ScoreLevel, UtcMillis};
use af_rules::RuleSet;
use af_store::{Partitioned, Store, WriteLock};

use super::gates::{self, GateCheck};
use super::health;
use super::ingest::Ingest;
use super::orphans;
use super::report::{RunReport, TenantReport, TenantResult};
use super::seen::{self, InputsSeen};
use super::threshold::at_or_above;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::pipeline::{self, LeftOut, RunFacts, Scored, Scoring, StoreJob, Verdict};
use crate::progress::Progress;
use crate::tally::AskedCut;

/// What a run works on.
#[derive(Clone, Copy, Debug)]
pub struct RunJob<'a> {
    /// What to do.
    pub config: &'a Config,
    /// The store.
    pub store: &'a Store,
    /// The proof that nobody else writes to it.
    pub lock: &'a WriteLock,
    /// The store's key of hashed names.
    pub key: &'a HashKey,
    /// The rules that find attacks.
    pub rules: &'a RuleSet,
    /// How to do it.
    pub options: &'a RunOptions,
}

/// How a run is done.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The point in time asked for. Left open, it is the day of [`RunOptions::ingested_at`]: a night
    /// without news makes attacks older all the same, and two runs of one day answer one question.
    pub asked: AskedCut,
    /// When new input became known; ages of feeds are measured against it, unless a `known_at` is
    /// asked for.
    pub ingested_at: UtcMillis,
    /// Who runs and when.
    pub run: RunFacts,
    /// Whether the gates hold.
    pub strict: bool,
    /// Whether files are read again that were read before.
    pub reread: bool,
    /// The level that nobody should reach.
    pub fail_on: Option<ScoreLevel>,
}

impl RunOptions {
    /// The point in time the run is for.
    pub(super) fn cut(&self) -> AskedCut {
        match self.asked {
            AskedCut {
                as_of: None,
                known_at: None,
            } => AskedCut {
                as_of: Some(self.ingested_at.day().end()),
                known_at: None,
            },
            asked => asked,
        }
    }
}

/// Does everything the configuration says.
///
/// # Errors
/// The store cannot be read or written; the configuration names no tenant; nothing was ever read
/// ([`ErrorKind::NoInput`]). A tenant's own failure is in the report.
pub fn execute(job: &RunJob<'_>, progress: &dyn Progress) -> Result<RunReport, Error> {
    let options = job.options;
    if job.config.tenants.is_empty() {
        return Err(
            Error::new(ErrorKind::Usage, "run: the configuration names no tenant")
                .with_hint("attack-factor config show --example prints a starter file"),
        );
    }
    let mut report = RunReport {
        warnings: orphans::look(job)?,
        ..RunReport::default()
    };

    // news of every tenant
    let mut ingest = Ingest {
        job,
        seen: read_seen(job.store)?,
        progress,
    };
    for tenant in &job.config.tenants {
        let mut found = TenantReport::default();
        let mut states = health::look(job, tenant, &mut found)?;
        report.integrations.append(&mut states);
        if let Some(reason) = ingest.tenant(tenant, &mut found)? {
            report.left_out.insert(tenant.name.clone(), reason);
        }
        report.tenants.insert(tenant.name.clone(), found);
    }
    for tenant in report.tenants.values() {
        let people = tenant.people.iter().filter(|source| source.read);
        report.files_read += people.map(|source| source.files).sum::<u64>();
        report.files_read += tenant
            .events
            .iter()
            .map(|source| source.files_read)
            .sum::<u64>();
    }
    // An org that was asked and had no event to give is an answer, too.
    let was_asked = report
        .integrations
        .iter()
        .any(|state| state.caught_up_at.is_some());
    if !was_asked && nothing_to_score(job)? {
        return nothing(report);
    }

    // signals, counts, scores, snapshot
    let integrations = report.integrations.clone();
    let checks: RefCell<Vec<GateCheck>> = RefCell::default();
    let gate = |entries: &PerTenant<TenantEntry>, left_out: &LeftOut| {
        if !options.strict {
            return Verdict::default();
        }
        let now = options.asked.known_at.unwrap_or(options.ingested_at);
        let judged = gates::Judged {
            config: job.config,
            seen: &ingest.seen,
            integrations: &integrations,
            now,
        };
        let (found, verdict) = gates::judge(&judged, entries, left_out);
        checks.replace(found);
        verdict
    };
    let scoring = Scoring {
        params: &job.config.params,
        asked: options.cut(),
        run: &options.run,
        left_out: std::mem::take(&mut report.left_out),
        integrations: integrations.clone(),
        gate: &gate,
    };
    let store_job = StoreJob {
        store: job.store,
        lock: job.lock,
        key: job.key,
        rules: job.rules,
    };
    let scored = pipeline::score_store_gated(&store_job, scoring, progress)?;
    report.gates = checks.into_inner();
    finish(&mut report, scored);
    if report.snapshot.is_some() {
        let before = ingest.seen.clone();
        for (tenant, found) in &report.tenants {
            if found.result != TenantResult::LeftOut {
                ingest.seen.settle(tenant);
            }
        }
        if ingest.seen != before {
            ingest.remember()?;
        }
    }
    if let (Some(snapshot), Some(level)) = (&report.snapshot, options.fail_on) {
        report.threshold = Some(at_or_above(snapshot, level)?);
    }
    Ok(report)
}

/// What was read already.
pub(super) fn read_seen(store: &Store) -> Result<InputsSeen, Error> {
    Ok(store.read_state(seen::STATE)?.unwrap_or_default())
}

/// Whether there is neither an event nor a signal nor a point in time.
fn nothing_to_score(job: &RunJob<'_>) -> Result<bool, Error> {
    let asked = job.options.asked;
    Ok(asked.as_of.is_none()
        && asked.known_at.is_none()
        && job.store.days(Partitioned::Events)?.is_empty()
        && job.store.days(Partitioned::Signals)?.is_empty())
}

/// The end of a run that found nothing: a failure of all tenants, or no input.
fn nothing(mut report: RunReport) -> Result<RunReport, Error> {
    if report.left_out.is_empty() {
        return Err(never_read(&report.integrations));
    }
    report.refused = Some("publish: nothing was ever read".to_owned());
    mark(&mut report, TenantResult::NotPublished);
    Ok(report)
}

/// No event was ever read; of the orgs that are asked over the network, these never caught up.
fn never_read(integrations: &[IntegrationState]) -> Error {
    const NAMED: usize = 3;
    let message = "score anything: no event was ever read";
    if integrations.is_empty() {
        return Error::new(ErrorKind::NoInput, message).with_hint(
            "attack-factor config check says which patterns match nothing; with --as-of people are \
             scored without any event",
        );
    }
    let mut named: Vec<String> = integrations
        .iter()
        .take(NAMED)
        .map(|state| format!("{}/{}", state.tenant, state.integration))
        .collect();
    if integrations.len() > NAMED {
        named.push(format!("{} more", integrations.len() - NAMED));
    }
    let message = format!(
        "{message}; nothing was fetched to its end for {}",
        named.join(", ")
    );
    Error::new(ErrorKind::NoInput, message).with_hint(
        "attack-factor okta check says what is missing; with --as-of people are scored without any \
         event",
    )
}

fn finish(report: &mut RunReport, scored: Scored) {
    report.left_out = scored.left_out;
    report.refused = scored.refused;
    report.days_detected = scored.detected.days_detected;
    for (tenant, entry) in scored.tenants {
        let found = report.tenants.entry(tenant).or_default();
        found.warnings.extend(entry.warnings.iter().cloned());
        found.entry = Some(entry);
    }
    let result = match scored.report {
        None => TenantResult::NotPublished,
        Some(published) => {
            report.published = published.published;
            report.as_of = Some(published.manifest.as_of);
            report.known_at = Some(published.manifest.known_at);
            report.revision = Some(published.manifest.revision);
            report.snapshot = Some(published.snapshot);
            if published.published {
                TenantResult::Published
            } else {
                TenantResult::Unchanged
            }
        }
    };
    mark(report, result);
    for (tenant, found) in &report.tenants {
        for warning in found.entry.iter().flat_map(|entry| &entry.warnings) {
            tracing::warn!(stage = "score", tenant = tenant.as_str(), "{warning}");
        }
    }
}

fn mark(report: &mut RunReport, result: TenantResult) {
    for tenant in report.left_out.keys() {
        report.tenants.entry(tenant.clone()).or_default();
    }
    for (tenant, found) in &mut report.tenants {
        found.result = if report.left_out.contains_key(tenant) {
            TenantResult::LeftOut
        } else {
            result
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_never_fetched_from_is_named_and_the_hint_leads_there() {
        let hint = |error: &Error| error.hint().unwrap_or_default().to_owned();
        let files = never_read(&[]);
        assert!(hint(&files).contains("patterns"), "{files}");
        let states: Vec<IntegrationState> = ["a", "b", "c", "d", "e"]
            .map(|name| IntegrationState {
                tenant: "acme".to_owned(),
                integration: name.to_owned(),
                ..IntegrationState::default()
            })
            .into();
        let one = never_read(&states[..1]);
        assert_eq!(
            one.to_string(),
            "score anything: no event was ever read; nothing was fetched to its end for acme/a"
        );
        assert!(hint(&one).contains("okta check"), "{one}");
        let five = never_read(&states).to_string();
        assert!(five.ends_with("acme/a, acme/b, acme/c, 2 more"), "{five}");
    }
}
