//! What was taken back: events, signals and incidents that turned out to be no attack.

use std::cmp::Reverse;
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
        let mut tenants: HashMap<String, Targets> = HashMap::new();
        for ((tenant_uid, kind, target_uid), statement) in statements(rows, known_at) {
            if statement.retracts {
                let targets = tenants.entry_ref(tenant_uid).or_default();
                targets.of(kind).insert(target_uid.as_bytes().into());
            }
        }
        let ignored = rows.iter().filter(|row| read(row).is_none()).count() as u64;
        Self { tenants, ignored }
    }

    /// Whether a signal is retracted by its own name, its incident's, or all of its events'.
    ///
    /// ```
    /// use af_count::Retractions;
    /// use af_model::{UtcMillis, tables::retractions::Row};
    /// let row = Row {
    ///     tenant_uid: "acme".into(), target_kind: "event".into(), target_uid: "e1".into(),
    ///     action: "retract".into(), ingested_at: UtcMillis(7), reason: None, by: None,
    /// };
    /// let retracted = |at: i64, events: [&str; 2]| {
    ///     let retractions = Retractions::new(std::slice::from_ref(&row), UtcMillis(at));
    ///     retractions.retract("acme", "s1", None, events.into_iter())
    /// };
    /// assert!(retracted(7, ["e1", "e1"]));
    /// assert!(!retracted(6, ["e1", "e1"]));
    /// assert!(!retracted(7, ["e1", "e2"]));
    /// ```
    pub fn retract<'e>(
        &self,
        tenant_uid: &str,
        signal_uid: &str,
        incident_uid: Option<&str>,
        event_uids: impl Iterator<Item = &'e str>,
    ) -> bool {
        self.of_tenant(tenant_uid).is_some_and(|targets| {
            targets.retract(
                signal_uid.as_bytes(),
                incident_uid
                    .filter(|uid| !uid.trim().is_empty())
                    .map(str::as_bytes),
                event_uids.map(str::as_bytes),
            )
        })
    }

    /// Whether any event is retracted: only then the events behind a signal are looked at.
    pub fn name_events(&self) -> bool {
        self.tenants
            .values()
            .any(|targets| !targets.events.is_empty())
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

/// What a statement speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetKind {
    /// One event; a signal dies when all of its events are retracted.
    Event,
    /// One signal.
    Signal,
    /// All signals of one incident.
    Incident,
}

impl TargetKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Event, Self::Signal, Self::Incident];

    /// The word in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Signal => "signal",
            Self::Incident => "incident",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let is_it = |kind: &Self| kind.as_str().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(is_it)
    }
}

/// The statement that holds about one target.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'r> {
    /// The row that makes it.
    pub row: &'r retractions::Row,
    /// Whether it takes back; false when it restores.
    pub retracts: bool,
}

/// Tenant, kind and id of what a statement is about.
pub type Target<'r> = (&'r str, TargetKind, &'r str);

/// For every target the statement that holds at an instant: the latest with
/// `ingested_at <= known_at`; on equal times a retraction beats a restoration.
pub fn statements(
    rows: &[retractions::Row],
    known_at: UtcMillis,
) -> BTreeMap<Target<'_>, Statement<'_>> {
    let mut latest: BTreeMap<Target<'_>, Statement<'_>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.ingested_at <= known_at) {
        let Some((kind, retracts)) = read(row) else {
            continue;
        };
        let statement = Statement { row, retracts };
        // Among statements that say the same at the same instant the smallest words are shown.
        let strength = |of: &Statement<'_>| {
            let words = (of.row.reason.clone(), of.row.by.clone());
            (of.row.ingested_at, of.retracts, Reverse(words))
        };
        latest
            .entry((&row.tenant_uid, kind, &row.target_uid))
            .and_modify(|holds| {
                if strength(&statement) > strength(holds) {
                    *holds = statement;
                }
            })
            .or_insert(statement);
    }
    latest
}

/// What a row speaks of and whether it retracts; `None` for words that nobody knows.
fn read(row: &retractions::Row) -> Option<(TargetKind, bool)> {
    Some((
        TargetKind::parse(&row.target_kind)?,
        parse_action(&row.action)?,
    ))
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
