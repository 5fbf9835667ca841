//! The store's signals and events laid beside the snapshot's blocks.

use std::collections::{BTreeMap, BTreeSet};

use af_model::params::WINDOW_DAYS;
use af_model::tables::attack_signals;
use af_model::view::{
    Evidence, ExplainedBlock, ExplainedEvent, ExplainedIncident, ExplainedSignal, RetractedSignal,
};
use af_model::{Level, UtcDay};
use af_score::split_equally;
use af_store::{Error, Store};

use super::events;
use super::explanation::Explanation;
use super::incidents::{Incident, collapse};
use super::measure::Measure;
use super::retracted::Statements;
use super::signals::{self, Found, StoredSignal, Wanted};

/// A store, and who can tell whose a signal is.
///
/// The join of signals and people is not this crate's: whoever calls says, by the directory of the
/// snapshot, whether a row of `attack_signals` hits the person explained.
pub struct StoreEvidence<'a> {
    /// Where signals, events and retractions lie.
    pub store: &'a Store,
    /// Whether a signal of the person's tenant hits the person.
    pub is_theirs: &'a dyn Fn(&attack_signals::Row<'_>) -> bool,
}

pub(super) fn add_evidence(
    explanation: &mut Explanation,
    evidence: &StoreEvidence<'_>,
) -> Result<(), Error> {
    let view = &explanation.view;
    let tenant = view.person.tenant_uid.clone();
    let statements = Statements::read(evidence.store, &tenant, view.known_at)?;
    let days: Vec<UtcDay> = if statements.is_empty() {
        let days: BTreeSet<UtcDay> = view.blocks.iter().map(|block| block.day).collect();
        days.into_iter().collect()
    } else {
        let last = view.as_of.day();
        let span = i32::try_from(WINDOW_DAYS - 1).unwrap_or(i32::MAX);
        let first = UtcDay(last.0.saturating_sub(span));
        signals::days_within(evidence.store, first, last)?
    };
    let wanted = Wanted {
        tenant: &tenant,
        as_of: view.as_of,
        known_at: view.known_at,
        days,
        statements,
    };
    let found = signals::find(evidence, &wanted)?;
    let person = view.person.user_uid.clone();
    let events = events::find(evidence.store, &tenant, &person, event_uids(&found))?;
    lay_beside(explanation, found, &events);
    Ok(())
}

fn event_uids(found: &Found) -> events::Wanted {
    let mut wanted = events::Wanted::new();
    for signal in &found.counting {
        let uids = wanted.entry(signal.time.day()).or_default();
        uids.extend(signal.event_uids.iter().cloned());
    }
    wanted
}

/// Puts what was found under the blocks it belongs to, and counts what was not.
fn lay_beside(
    explanation: &mut Explanation,
    found: Found,
    events: &BTreeMap<String, ExplainedEvent>,
) {
    let Explanation { view, measure, .. } = explanation;
    let mut told = Evidence {
        store_read: true,
        days_read: found.days,
        signals: i64::try_from(found.counting.len()).unwrap_or(i64::MAX),
        known_later: found.known_later,
        ..Evidence::default()
    };
    let mut incidents = collapse(found.counting);
    for block in &mut view.blocks {
        let Ok(level) = block.level.parse::<Level>() else {
            continue;
        };
        let key = (
            block.component.clone(),
            block.family.clone(),
            block.day,
            level,
        );
        let of_block = incidents.remove(&key).unwrap_or_default();
        told.incidents_missing += open(block, of_block, level, measure, events);
    }
    let signals = view
        .blocks
        .iter()
        .flat_map(|block| &block.incidents)
        .flat_map(|incident| &incident.signals);
    for signal in signals {
        told.events += i64::try_from(signal.events.len()).unwrap_or(0);
        told.events_missing += i64::try_from(signal.events_missing.len()).unwrap_or(0);
    }
    // What the store has beside the snapshot's blocks does not count here; why is not known.
    let strange: usize = incidents.values().map(Vec::len).sum();
    view.notes.extend(notes(&told, strange));
    view.retracted = found.retracted.into_iter().map(retracted).collect();
    view.evidence = told;
}

/// Opens a block down to its events, if the store holds exactly its incidents; else shows those that
/// it holds among the ones the snapshot names. Returns how many are missing.
fn open(
    block: &mut ExplainedBlock,
    found: Vec<Incident>,
    level: Level,
    measure: &Measure,
    events: &BTreeMap<String, ExplainedEvent>,
) -> i64 {
    let what_if = WhatIf {
        measure,
        component: &block.component,
        family: &block.family,
        day: block.day,
        level,
    };
    let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let agrees = count == block.n
        && block.incidents.iter().zip(&found).all(|(named, found)| {
            found
                .first()
                .is_some_and(|s| s.signal_uid == named.signal_uid)
        });
    if agrees {
        let shares = split_equally(block.score_share_micro, found.len() as u64);
        let whole = found.into_iter().zip(shares);
        block.incidents = whole
            .map(|(incident, share)| what_if.incident(incident, share, events))
            .collect();
        block.incidents_unlisted = 0;
        // The rules of a block are those of the signals that stand for its incidents.
        let standing = block.incidents.iter().filter_map(|i| i.signals.first());
        let rule_ids: BTreeSet<String> = standing.map(|signal| signal.rule_id.clone()).collect();
        block.rule_ids = rule_ids.into_iter().collect();
        return 0;
    }
    let mut by_uid: BTreeMap<String, Incident> = found
        .into_iter()
        .filter_map(|incident| Some((incident.first()?.signal_uid.clone(), incident)))
        .collect();
    let mut missing = block.incidents_unlisted;
    for named in &mut block.incidents {
        match by_uid.remove(&named.signal_uid) {
            Some(incident) => {
                *named = what_if.incident(incident, named.score_share_micro, events);
            }
            None => missing += 1,
        }
    }
    missing
}

/// One block of one person, for asking what the score would be without parts of it.
struct WhatIf<'a> {
    measure: &'a Measure,
    component: &'a str,
    family: &'a str,
    day: UtcDay,
    level: Level,
}

impl WhatIf<'_> {
    /// The score with one incident of the block less, or instead with one of a lower level more.
    fn score_with_instead(&self, instead: Option<Level>) -> i64 {
        let measured = &self.measure.measured;
        let places = self.measure.places(self.component, self.family);
        let Some((component, family)) = places else {
            return measured.score_micro();
        };
        let key = (0, component, family, self.day);
        let buckets = measured.buckets();
        let Ok(found) = buckets.binary_search_by_key(&key, af_score::Bucket::key) else {
            return measured.score_micro();
        };
        let mut counts = buckets[found].counts;
        counts[self.level.slot()] = counts[self.level.slot()].saturating_sub(1);
        if let Some(level) = instead {
            counts[level.slot()] += 1;
        }
        measured.score_with_counts(component, family, self.day, counts)
    }

    fn incident(
        &self,
        incident: Incident,
        score_share_micro: i64,
        events: &BTreeMap<String, ExplainedEvent>,
    ) -> ExplainedIncident {
        let score = self.measure.measured.score_micro();
        let without = self.score_with_instead(None);
        let standing = incident.first();
        let signal_uid = standing.map(|s| s.signal_uid.clone()).unwrap_or_default();
        let incident_uid = standing.and_then(|s| s.incident_uid.clone());
        // Without the signal that stands for the incident the next one stands for it.
        let next = incident.get(1).map(|signal| signal.level);
        let without_first = self.score_with_instead(next);
        let signals = incident
            .into_iter()
            .enumerate()
            .map(|(place, signal)| {
                let without = if place == 0 { without_first } else { score };
                explained(signal, score, without, events)
            })
            .collect();
        ExplainedIncident {
            signal_uid,
            incident_uid,
            score_share_micro,
            without_micro: score - without,
            score_without_micro: without,
            signals,
        }
    }
}

fn explained(
    signal: StoredSignal,
    score: i64,
    without: i64,
    events: &BTreeMap<String, ExplainedEvent>,
) -> ExplainedSignal {
    let (mut held, mut missing) = (Vec::new(), Vec::new());
    for uid in signal.event_uids {
        match events.get(&uid) {
            Some(event) => held.push(event.clone()),
            None => missing.push(uid),
        }
    }
    held.sort_by(|left, right| (left.time, &left.event_uid).cmp(&(right.time, &right.event_uid)));
    ExplainedSignal {
        signal_uid: signal.signal_uid,
        time: signal.time,
        ingested_at: signal.ingested_at,
        level: signal.level.to_string(),
        rule_id: signal.rule_id,
        rule_version: signal.rule_version,
        source: signal.source,
        integration: signal.integration,
        subject_ref: signal.subject_ref,
        attack_techniques: signal.attack_techniques,
        without_micro: score - without,
        score_without_micro: without,
        events: held,
        events_missing: missing,
    }
}

fn retracted(
    (signal, statement): (StoredSignal, af_model::tables::retractions::Row),
) -> RetractedSignal {
    RetractedSignal {
        signal_uid: signal.signal_uid,
        time: signal.time,
        component: signal.component,
        family: signal.family,
        level: signal.level.to_string(),
        rule_id: signal.rule_id,
        target_kind: statement.target_kind,
        target_uid: statement.target_uid,
        retracted_at: statement.ingested_at,
        reason: statement.reason,
        by: statement.by,
    }
}

fn notes(told: &Evidence, strange: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if told.incidents_missing > 0 {
        notes.push(format!(
            "the store no longer holds the signals of {} incidents that count in this snapshot: \
             they were purged, or found again with other rules or ids",
            told.incidents_missing
        ));
    }
    if strange > 0 {
        notes.push(format!(
            "the store now holds {strange} further incidents of kinds and days that this snapshot \
             does not count"
        ));
    }
    if told.events_missing > 0 {
        notes.push(format!(
            "{} of the events behind the signals are not in the store",
            told.events_missing
        ));
    }
    if told.known_later > 0 {
        notes.push(format!(
            "{} signals about this person became known after this snapshot; a new score counts them",
            told.known_later
        ));
    }
    notes
}
