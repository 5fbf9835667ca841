//! Attack signals: whom they name, and their rows.

use std::borrow::Cow;

use af_model::key::{SubjectRef, normalize_key};
use af_model::tables::attack_signals::{Builder, Row};
use af_model::{HexHash, Level, UtcMillis};
use arrow::array::{Int64Array, RecordBatch, TimestampMillisecondArray};

use crate::columns::{Column, Frame};
use crate::incident::Incidents;
use crate::rule::{Rule, Subject};

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
    pub(crate) uid: Option<&'a str>,
    pub(crate) login: Option<Cow<'a, str>>,
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
            Subject::Victim => self.victim(row),
            // Where the normalizer attributed the event to its actor, its judgement stands.
            Subject::Operator if self.attribution.text(row) == Some("actor") => self.victim(row),
            Subject::Operator => self.operator(row),
        }
    }

    fn victim(&self, row: usize) -> Named<'a> {
        let (uid, login) = (self.uid.text(row), self.login.text(row));
        let reference = self.reference.text(row).map(Cow::Borrowed).or_else(|| {
            SubjectRef::first_of(uid, login, None).map(|subject| Cow::Owned(subject.to_string()))
        });
        Named {
            reference,
            uid,
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
            uid,
            login,
        }
    }
}

/// One attack found: the row, the rule that speaks for it, and how hard it was.
pub(crate) struct Attack<'a> {
    pub(crate) row: usize,
    pub(crate) rule: &'a Rule,
    pub(crate) level: Level,
    pub(crate) named: Named<'a>,
}

/// The signals of a batch, in the order of the attacks, as `attack_signals` in file schema.
pub(crate) fn signals(frame: &Frame, attacks: &[Attack<'_>]) -> RecordBatch {
    let incidents = Incidents::of(frame, attacks.iter().map(|attack| attack.row));
    let tenant = frame.text_column("tenant_uid");
    let event = frame.text_column("metadata_uid");
    let integration = frame.text_column("integration");
    let time = frame.instant_column("time");
    let ingested = frame.instant_column("ingested_at");
    let mut builder = Builder::default();
    for attack in attacks {
        let (row, rule) = (attack.row, attack.rule);
        let tenant_uid = required(&tenant, row);
        let event_uid = required(&event, row);
        let reference = attack.named.reference.as_deref();
        let uid = signal_uid(tenant_uid, SOURCE, &rule.id, &[event_uid], reference);
        builder.append(&Row {
            tenant_uid: tenant_uid.into(),
            signal_uid: uid.to_string().into(),
            time: instant(time, row),
            ingested_at: Some(instant(ingested, row)),
            subject_ref: reference.map(Cow::Borrowed),
            subject_uid: attack.named.uid.map(Cow::Borrowed),
            subject_login: attack.named.login.as_deref().map(Cow::Borrowed),
            subject_email: None,
            component: rule.component.as_str().into(),
            family: rule.family.as_str().into(),
            level: attack.level.as_str().into(),
            rule_id: rule.id.as_str().into(),
            rule_version: rule.version.as_deref().map(Cow::Borrowed),
            incident_uid: incidents.name(&rule.incident, row).map(Cow::Owned),
            event_uids: Some(vec![event_uid.into()]),
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

/// The text of a column that the contract requires. Dictionaries of foreign files may hide a null
/// behind a valid key; it reads as empty.
pub(crate) fn required<'a>(column: &Column<'a>, row: usize) -> &'a str {
    column.text(row).unwrap_or_default()
}

fn instant(column: &TimestampMillisecondArray, row: usize) -> UtcMillis {
    UtcMillis(column.value(row))
}
