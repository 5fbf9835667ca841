//! Which signals are looked at: contract, duplicates, cuts, retractions, window (§2.1, §5).

use std::collections::BTreeMap;

use af_model::name::{check_tenant, check_term};
use af_model::tables::retractions;
use af_model::{HexHash, Level, UtcMillis};

use super::OracleSignal;

/// Signals younger than this many days count.
const WINDOW_DAYS: i64 = 90;

/// A signal may lie this far after its ingestion before its clock is called wrong.
const SKEW_MILLIS: i64 = 10 * 60 * 1000;

/// The tenant under which rows are counted whose own tenant is no valid name. A hostile name is
/// never echoed.
pub const INVALID_TENANT: &str = "invalid";

/// Why a signal is not joined to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Later than `as_of`.
    Future,
    /// Named by a retraction.
    Retracted,
    /// Outside the window.
    TooOld,
}

/// The tenant a row is accounted under.
pub fn account_tenant(signal: &OracleSignal) -> &str {
    if check_tenant(&signal.tenant_uid).is_ok() {
        &signal.tenant_uid
    } else {
        INVALID_TENANT
    }
}

/// Whether a row says that it became known after an instant. One that names no instant of the
/// calendar says nothing: it breaks the contract.
pub fn becomes_known_after(signal: &OracleSignal, known_at: UtcMillis) -> bool {
    signal
        .ingested_at
        .is_some_and(|at| at > known_at && UtcMillis::checked(at.0).is_ok())
}

/// Whether a row breaks the contract: no such level, no such name, no such time, or a clock that
/// runs more than ten minutes ahead of the ingestion. A row without a subject breaks nothing: it is
/// unmatched for want of a key.
pub fn breaks_contract(signal: &OracleSignal) -> bool {
    let skewed = signal
        .ingested_at
        .is_some_and(|ingested_at| signal.time.0 > ingested_at.0 + SKEW_MILLIS);
    check_tenant(&signal.tenant_uid).is_err()
        || check_term(&signal.component, "component").is_err()
        || check_term(&signal.family, "family").is_err()
        || signal.level.parse::<Level>().is_err()
        || UtcMillis::checked(signal.time.0).is_err()
        || signal
            .ingested_at
            .is_some_and(|at| UtcMillis::checked(at.0).is_err())
        || skewed
}

/// What remains of rows that share tenant, source, id and UTC day.
#[derive(Debug, Default)]
pub struct Deduplicated<'a> {
    /// One row for each key.
    pub kept: Vec<&'a OracleSignal>,
    /// The rows dropped.
    pub dropped: Vec<&'a OracleSignal>,
    /// Of the dropped, those that differ from the kept row in more than `ingested_at`, by tenant.
    pub conflicts: BTreeMap<String, u64>,
}

/// Keeps of each (tenant, source, id, UTC day) the row with the earliest `ingested_at` (null is known from
/// the start, hence earliest), then the one with the smallest content hash.
///
/// Which hash that is the formula leaves open, so rows that tie on `ingested_at` and differ in
/// content are outside what two implementations can be compared on; the generators make none.
pub fn deduplicate<'a>(signals: &[&'a OracleSignal]) -> Deduplicated<'a> {
    let mut by_key: BTreeMap<_, Vec<&OracleSignal>> = BTreeMap::new();
    for &signal in signals {
        by_key
            .entry((
                &signal.tenant_uid,
                &signal.source,
                &signal.signal_uid,
                signal.time.day(),
            ))
            .or_default()
            .push(signal);
    }
    let mut result = Deduplicated::default();
    for (_, mut rows) in by_key {
        rows.sort_by_key(|row| (row.ingested_at, content_hash(row)));
        let kept = rows[0];
        result.kept.push(kept);
        for row in &rows[1..] {
            result.dropped.push(row);
            if content(row) != content(kept) {
                *result.conflicts.entry(row.tenant_uid.clone()).or_default() += 1;
            }
        }
    }
    result
}

/// What figures are made of.
fn content(signal: &OracleSignal) -> OracleSignal {
    OracleSignal {
        ingested_at: None,
        rule_version: None,
        event_uids: None,
        attack_techniques: None,
        ..signal.clone()
    }
}

fn content_hash(signal: &OracleSignal) -> HexHash {
    HexHash::of_parts([format!("{:?}", content(signal)).as_str()])
}

/// The first reason of time or retraction that keeps a signal out that is known at `known_at`.
pub fn refusal(
    signal: &OracleSignal,
    as_of: UtcMillis,
    known_at: UtcMillis,
    retractions: &[retractions::Row],
) -> Option<Refusal> {
    if signal.time > as_of {
        return Some(Refusal::Future);
    }
    if is_retracted(signal, known_at, retractions) {
        return Some(Refusal::Retracted);
    }
    if as_of.day().days_since(signal.time.day()) >= WINDOW_DAYS {
        return Some(Refusal::TooOld);
    }
    None
}

/// Whether a signal is dead: it or its incident is named, or it has events and all are named.
fn is_retracted(
    signal: &OracleSignal,
    known_at: UtcMillis,
    retractions: &[retractions::Row],
) -> bool {
    let dead = |kind: &str, uid: &str| {
        stands_retracted(&signal.tenant_uid, kind, uid, known_at, retractions)
    };
    let incident = signal.incident_uid.as_deref().filter(|uid| !uid.is_empty());
    let events = signal.event_uids.as_deref().unwrap_or_default();
    dead("signal", &signal.signal_uid)
        || incident.is_some_and(|uid| dead("incident", uid))
        || (!events.is_empty() && events.iter().all(|uid| dead("event", uid)))
}

/// Whether the latest statement about something, among those known, retracts it. Of two statements
/// of the same instant the retraction holds.
fn stands_retracted(
    tenant: &str,
    kind: &str,
    uid: &str,
    known_at: UtcMillis,
    retractions: &[retractions::Row],
) -> bool {
    retractions
        .iter()
        .filter(|row| {
            row.tenant_uid == tenant
                && row.target_kind == kind
                && row.target_uid == uid
                && row.ingested_at <= known_at
                && (row.action == "retract" || row.action == "restore")
        })
        .max_by_key(|row| (row.ingested_at, row.action == "retract"))
        .is_some_and(|row| row.action == "retract")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UtcMillis = UtcMillis(1_795_176_000_000); // 2026-11-20T12:00:00Z

    fn signal(uid: &str) -> OracleSignal {
        OracleSignal::new("acme", uid, NOON)
    }

    #[test]
    fn ten_minutes_ahead_is_tolerated_and_a_millisecond_more_is_not() {
        let mut row = signal("s");
        row.ingested_at = Some(UtcMillis(NOON.0 - SKEW_MILLIS));
        assert!(!breaks_contract(&row));
        row.ingested_at = Some(UtcMillis(NOON.0 - SKEW_MILLIS - 1));
        assert!(breaks_contract(&row));
    }

    #[test]
    fn the_earliest_known_copy_is_kept_and_a_changed_copy_is_a_conflict() {
        let mut first = signal("s");
        first.ingested_at = Some(NOON);
        let mut again = first.clone();
        again.ingested_at = Some(UtcMillis(NOON.0 + 1));
        let mut changed = again.clone();
        changed.level = "critical".to_owned();
        let result = deduplicate(&[&changed, &again, &first]);
        assert_eq!(result.kept, [&first]);
        assert_eq!(result.dropped.len(), 2);
        assert_eq!(result.conflicts["acme"], 1);
    }

    #[test]
    fn a_signal_of_two_events_dies_with_the_second() {
        let mut row = signal("s");
        row.event_uids = Some(vec!["e1".to_owned(), "e2".to_owned()]);
        let statement = |uid: &str, action: &str, at: i64| retractions::Row {
            tenant_uid: "acme".to_owned(),
            target_kind: "event".to_owned(),
            target_uid: uid.to_owned(),
            action: action.to_owned(),
            ingested_at: UtcMillis(at),
            reason: None,
            by: None,
        };
        let mut said = vec![statement("e1", "retract", 1)];
        assert_eq!(refusal(&row, NOON, NOON, &said), None);
        said.push(statement("e2", "retract", 2));
        assert_eq!(refusal(&row, NOON, NOON, &said), Some(Refusal::Retracted));
        // Not yet said at an earlier known_at.
        assert_eq!(refusal(&row, NOON, UtcMillis(1), &said), None);
        said.push(statement("e2", "restore", 2));
        assert_eq!(refusal(&row, NOON, NOON, &said), Some(Refusal::Retracted));
        said.push(statement("e2", "restore", 3));
        assert_eq!(refusal(&row, NOON, NOON, &said), None);
    }

    #[test]
    fn the_window_is_ninety_days_by_the_calendar() {
        let mut row = signal("s");
        row.time = UtcMillis(NOON.day().start().0 - 89 * 86_400_000);
        assert_eq!(refusal(&row, NOON, NOON, &[]), None);
        row.time = UtcMillis(row.time.0 - 1);
        assert_eq!(refusal(&row, NOON, NOON, &[]), Some(Refusal::TooOld));
        row.time = UtcMillis(NOON.0 + 1);
        assert_eq!(refusal(&row, NOON, NOON, &[]), Some(Refusal::Future));
    }
}
