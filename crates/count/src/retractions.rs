//! What was taken back: events, signals and incidents that turned out to be no attack.

use std::collections::BTreeMap;

use af_model::UtcMillis;
use af_model::tables::retractions;
use hashbrown::{HashMap, HashSet};

/// What is retracted as known at one instant.
///
/// For every target the latest statement with `ingested_at <= known_at` holds; on equal times a
/// retraction beats a restoration. A statement about an incident speaks of all its signals, on every
/// day; one about an event kills a signal only when all events of the signal are retracted. Targets
/// of different kinds are independent: restoring a signal does not restore its incident.
#[derive(Default)]
pub struct Retractions {
    tenants: HashMap<String, Targets>,
    ignored: u64,
}

impl Retractions {
    /// Reads statements in any order.
    ///
    /// `target_kind` is event, signal or incident and `action` retract or restore, in any case; rows
    /// that say anything else are [counted](Retractions::ignored) and change nothing.
    pub fn new(rows: &[retractions::Row], known_at: UtcMillis) -> Self {
        let mut latest = BTreeMap::new();
        let mut ignored = 0;
        for row in rows {
            let (Some(kind), Some(is_retraction)) = (
                TargetKind::parse(&row.target_kind),
                parse_action(&row.action),
            ) else {
                ignored += 1;
                continue;
            };
            if row.ingested_at > known_at {
                continue;
            }
            let target = (row.tenant_uid.as_str(), kind, row.target_uid.as_str());
            let statement = (row.ingested_at, is_retraction);
            let holds = latest.entry(target).or_insert(statement);
            *holds = statement.max(*holds);
        }
        let mut tenants: HashMap<String, Targets> = HashMap::new();
        for ((tenant_uid, kind, target_uid), (_, is_retraction)) in latest {
            if is_retraction {
                let targets = tenants.entry_ref(tenant_uid).or_default();
                targets.of(kind).insert(target_uid.as_bytes().into());
            }
        }
        Self { tenants, ignored }
    }

    /// Statements of an unknown kind or action.
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }

    pub(crate) fn of_tenant(&self, tenant_uid: &str) -> Option<&Targets> {
        self.tenants.get(tenant_uid)
    }
}

/// The retracted targets of one tenant.
#[derive(Default)]
pub(crate) struct Targets {
    events: HashSet<Box<[u8]>>,
    signals: HashSet<Box<[u8]>>,
    incidents: HashSet<Box<[u8]>>,
}

impl Targets {
    /// Whether a signal is retracted by its own name, its incident's, or all of its events'.
    pub(crate) fn retract<'e>(
        &self,
        signal_uid: &[u8],
        incident_uid: Option<&[u8]>,
        event_uids: impl Iterator<Item = &'e [u8]>,
    ) -> bool {
        if self.signals.contains(signal_uid)
            || incident_uid.is_some_and(|uid| self.incidents.contains(uid))
        {
            return true;
        }
        if self.events.is_empty() {
            return false;
        }
        let mut events = event_uids.peekable();
        events.peek().is_some() && events.all(|uid| self.events.contains(uid))
    }

    fn of(&mut self, kind: TargetKind) -> &mut HashSet<Box<[u8]>> {
        match kind {
            TargetKind::Event => &mut self.events,
            TargetKind::Signal => &mut self.signals,
            TargetKind::Incident => &mut self.incidents,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TargetKind {
    Event,
    Signal,
    Incident,
}

impl TargetKind {
    fn parse(text: &str) -> Option<Self> {
        [
            ("event", Self::Event),
            ("signal", Self::Signal),
            ("incident", Self::Incident),
        ]
        .into_iter()
        .find_map(|(name, kind)| name.eq_ignore_ascii_case(text).then_some(kind))
    }
}

/// Whether the action retracts; `None` for an unknown one.
fn parse_action(text: &str) -> Option<bool> {
    [("retract", true), ("restore", false)]
        .into_iter()
        .find_map(|(name, retracts)| name.eq_ignore_ascii_case(text).then_some(retracts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(kind: &str, uid: &str, action: &str, ingested_at: i64) -> retractions::Row {
        retractions::Row {
            tenant_uid: "acme".to_owned(),
            target_kind: kind.to_owned(),
            target_uid: uid.to_owned(),
            action: action.to_owned(),
            ingested_at: UtcMillis(ingested_at),
            reason: None,
            by: None,
        }
    }

    fn retracted(rows: &[retractions::Row], known_at: i64) -> bool {
        let retractions = Retractions::new(rows, UtcMillis(known_at));
        retractions.of_tenant("acme").is_some_and(|targets| {
            targets.retract(b"s1", Some(b"i1"), [&b"e1"[..], &b"e2"[..]].into_iter())
        })
    }

    #[test]
    fn the_latest_known_statement_holds() {
        let rows = [
            statement("signal", "s1", "restore", 20),
            statement("signal", "s1", "retract", 10),
            statement("signal", "s1", "retract", 30),
        ];
        assert!(!retracted(&rows, 9));
        assert!(retracted(&rows, 10));
        assert!(retracted(&rows, 19));
        assert!(!retracted(&rows, 20));
        assert!(retracted(&rows, 30));
    }

    #[test]
    fn a_retraction_beats_a_restoration_of_the_same_instant() {
        let mut rows = [
            statement("signal", "s1", "retract", 10),
            statement("signal", "s1", "restore", 10),
        ];
        assert!(retracted(&rows, 10));
        rows.reverse();
        assert!(retracted(&rows, 10));
    }

    #[test]
    fn a_signal_dies_by_its_incident_or_by_all_of_its_events() {
        assert!(retracted(&[statement("Incident", "i1", "RETRACT", 1)], 1));
        assert!(!retracted(&[statement("incident", "s1", "retract", 1)], 1));
        let first = statement("event", "e1", "retract", 1);
        let second = statement("event", "e2", "retract", 1);
        assert!(!retracted(std::slice::from_ref(&first), 1));
        assert!(retracted(&[first, second], 1));
    }

    #[test]
    fn a_signal_without_events_survives_any_event() {
        let rows = [statement("event", "e1", "retract", 1)];
        let retractions = Retractions::new(&rows, UtcMillis(1));
        let targets = retractions.of_tenant("acme").unwrap();
        assert!(!targets.retract(b"s1", None, std::iter::empty()));
        assert!(retractions.of_tenant("other").is_none());
    }

    #[test]
    fn an_unknown_statement_is_counted_and_changes_nothing() {
        let rows = [
            statement("person", "s1", "retract", 1),
            statement("signal", "s1", "delete", 1),
        ];
        assert!(!retracted(&rows, 1));
        assert_eq!(Retractions::new(&rows, UtcMillis(1)).ignored(), 2);
    }
}
