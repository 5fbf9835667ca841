//! Attack signals: whom they name, and their rows.

use std::borrow::Cow;

use af_model::key::{SubjectRef, normalize_key};
use af_model::tables::attack_signals::{Builder, Row};
use af_model::{HexHash, Level, UtcMillis};
use arrow::array::{Int64Array, RecordBatch, TimestampMillisecondArray};

use crate::columns::frame::{Column, Frame};
use crate::detect::incident::Incidents;
use crate::rule::{IncidentKey, Rule, Subject};

/// Who produced the signals: the product of every rule's log source.
pub(crate) const SOURCE: &str = "okta";

/// OCSF's number for an actor that is a person.
const USER: i64 = 1;

/// The principal of Okta itself, which is never a person.
const SYSTEM: &str = "system@okta.com";

/// The id of a signal: the same tenant, source, rule, events and subject give the same id, in any
/// order of the events.
///
/// ```
/// use af_rules::signal_uid;
/// let id = signal_uid("acme", "okta", "rule", &["e2", "e1"], Some("uid:00u1"));
/// assert_eq!(id, signal_uid("acme", "okta", "rule", &["e1", "e2"], Some("uid:00u1")));
/// assert_ne!(id, signal_uid("acme", "okta", "rule", &["e1", "e2"], None));
/// ```
pub fn signal_uid(
    tenant_uid: &str,
    source: &str,
    rule_id: &str,
    event_uids: &[&str],
    subject_ref: Option<&str>,
) -> HexHash {
    let mut events = event_uids.to_vec();
    events.sort_unstable();
    let parts = [tenant_uid, source, rule_id]
        .into_iter()
        .chain(events)
        .chain([subject_ref.unwrap_or_default()]);
    HexHash::of_parts(parts)
}

/// Whom a signal names. All parts are null when the event names nobody; the count stage calls such
/// a signal `no_key`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named<'a> {
    pub(crate) reference: Option<Cow<'a, str>>,
    pub(crate) uid: Option<Cow<'a, str>>,
    pub(crate) login: Option<Cow<'a, str>>,
}

impl Named<'_> {
    /// The same, on its own.
    pub(crate) fn into_owned(self) -> Named<'static> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Named {
            reference: owned(self.reference),
            uid: owned(self.uid),
            login: owned(self.login),
        }
    }
}

/// The columns that name people.
pub(crate) struct People<'a> {
    reference: Column<'a>,
    uid: Column<'a>,
    login: Column<'a>,
    attribution: Column<'a>,
    actor_uid: Column<'a>,
    actor_name: Column<'a>,
    actor_type: &'a Int64Array,
}

impl<'a> People<'a> {
    pub(crate) fn of(frame: &'a Frame) -> Self {
        Self {
            reference: frame.text_column("subject_ref"),
            uid: frame.text_column("user_uid"),
            login: frame.text_column("user_name"),
            attribution: frame.text_column("attribution_method"),
            actor_uid: frame.text_column("actor_user_uid"),
            actor_name: frame.text_column("actor_user_name"),
            actor_type: frame.int_column("actor_user_type_id"),
        }
    }

    pub(crate) fn named(&self, subject: Subject, row: usize) -> Named<'a> {
        match subject {
            Subject::Victim | Subject::AllInGroup => self.victim(row),
            // Where the normalizer attributed the event to its actor, its judgement stands.
            Subject::Operator if self.attribution.text(row) == Some("actor") => self.victim(row),
            Subject::Operator => self.operator(row),
        }
    }

    /// Whether the event is about nobody by itself.
    pub(crate) fn is_nobody(&self, row: usize) -> bool {
        self.reference.text(row).is_none() && self.victim(row).reference.is_none()
    }

    fn victim(&self, row: usize) -> Named<'a> {
        let (uid, login) = (self.uid.text(row), self.login.text(row));
        let reference = self.reference.text(row).map(Cow::Borrowed).or_else(|| {
            SubjectRef::first_of(uid, login, None).map(|subject| Cow::Owned(subject.to_string()))
        });
        Named {
            reference,
            uid: uid.map(Cow::Borrowed),
            login: login.map(Cow::Borrowed),
        }
    }

    fn operator(&self, row: usize) -> Named<'a> {
        let name = self.actor_name.text(row);
        if self.actor_type.value(row) != USER || name == Some(SYSTEM) {
            return Named::default();
        }
        let uid = self.actor_uid.text(row);
        // A name that nobody known typed is kept as its keyed hash and is no login.
        let hashed = name.filter(|name| name.starts_with("h:"));
        let login = name.filter(|_| hashed.is_none()).map(normalize_key);
        let reference = match (uid, &login, hashed) {
            (Some(uid), ..) => Some(Cow::Owned(SubjectRef::Uid(uid.into()).to_string())),
            (None, Some(login), _) => Some(Cow::Owned(
                SubjectRef::Login(login.as_ref().into()).to_string(),
            )),
            (None, None, hashed) => hashed.map(Cow::Borrowed),
        };
        Named {
            reference,
            uid: uid.map(Cow::Borrowed),
            login,
        }
    }
}

/// One attack found: the row, the rule that speaks for it, and how hard it was.
pub(crate) struct Attack<'a> {
    /// The event, or the last one of the window.
    pub(crate) row: usize,
    pub(crate) rule: &'a Rule,
    pub(crate) level: Level,
    pub(crate) named: Named<'a>,
    /// Since when it is known that this person was attacked.
    pub(crate) known_at: UtcMillis,
    /// What a correlation found; none for rules about one event.
    pub(crate) window: Option<Evidence<'a>>,
}

/// The window behind a finding.
pub(crate) struct Evidence<'a> {
    /// Ids of the events behind it.
    pub(crate) events: Vec<&'a str>,
    /// Hash of the group.
    pub(crate) group: u128,
}

/// The signals of a batch, in the order of the attacks, as `attack_signals` in file schema.
pub(crate) fn signals(frame: &Frame, attacks: &[Attack<'_>]) -> RecordBatch {
    let incidents = Incidents::of(frame, attacks.iter().map(|attack| attack.row));
    let tenant = frame.text_column("tenant_uid");
    let event = frame.text_column("metadata_uid");
    let integration = frame.text_column("integration");
    let time = frame.instant_column("time");
    let mut builder = Builder::default();
    for attack in attacks {
        let (row, rule) = (attack.row, attack.rule);
        let tenant_uid = required(&tenant, row);
        let own = [required(&event, row)];
        let events = match &attack.window {
            Some(window) => window.events.as_slice(),
            None => own.as_slice(),
        };
        let reference = attack.named.reference.as_deref();
        let uid = signal_uid(tenant_uid, SOURCE, &rule.id, events, reference);
        let incident = rule
            .incident
            .iter()
            .find_map(|key| match (key, &attack.window) {
                (IncidentKey::Group, window) => {
                    let window = window.as_ref()?;
                    Some(group_incident(&rule.id, window.group, instant(time, row)))
                }
                (key, _) => incidents.name(*key, row),
            });
        builder.append(&Row {
            tenant_uid: tenant_uid.into(),
            signal_uid: uid.to_string().into(),
            time: instant(time, row),
            ingested_at: Some(attack.known_at),
            subject_ref: reference.map(Cow::Borrowed),
            subject_uid: attack.named.uid.as_deref().map(Cow::Borrowed),
            subject_login: attack.named.login.as_deref().map(Cow::Borrowed),
            subject_email: None,
            component: rule.component.as_str().into(),
            family: rule.family.as_str().into(),
            level: attack.level.as_str().into(),
            rule_id: rule.id.as_str().into(),
            rule_version: rule.version.as_deref().map(Cow::Borrowed),
            incident_uid: incident.map(Cow::Owned),
            event_uids: Some(listed(events)),
            source: SOURCE.into(),
            integration: integration.text(row).map(Cow::Borrowed),
            attack_techniques: Some(
                rule.techniques
                    .iter()
                    .map(|technique| technique.as_str().into())
                    .collect(),
            ),
        });
    }
    builder.finish()
}

/// What one group went through on one UTC day is one incident for everybody in it.
fn group_incident(rule_id: &str, group: u128, time: UtcMillis) -> String {
    let (group, day) = (format!("{group:032x}"), time.day().to_string());
    let hash = HexHash::of_parts([rule_id, group.as_str(), day.as_str()]);
    format!("{}:{hash}", IncidentKey::Group)
}

/// Event ids as they stand in a signal, sorted.
fn listed<'e>(events: &[&'e str]) -> Vec<Cow<'e, str>> {
    let mut listed: Vec<Cow<'_, str>> = events.iter().map(|&event| event.into()).collect();
    listed.sort_unstable();
    listed
}

/// The text of a column that the contract requires. Dictionaries of foreign files may hide a null
/// behind a valid key; it reads as empty.
pub(crate) fn required<'a>(column: &Column<'a>, row: usize) -> &'a str {
    column.text(row).unwrap_or_default()
}

fn instant(column: &TimestampMillisecondArray, row: usize) -> UtcMillis {
    UtcMillis(column.value(row))
}
