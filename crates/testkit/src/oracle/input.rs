//! What the oracle is given: plain rows.

use std::borrow::Cow;

use af_model::tables::{attack_signals, retractions};
use af_model::{HashKey, Params, Person, UtcMillis};

/// Everything a score depends on.
#[derive(Clone, Debug)]
pub struct OracleInput {
    /// Attack signals of all tenants in any order, duplicates and broken rows included.
    pub signals: Vec<OracleSignal>,
    /// The directories of all tenants.
    pub people: Vec<Person>,
    /// What turned out not to be an attack.
    pub retractions: Vec<retractions::Row>,
    /// Signals up to this instant count.
    pub as_of: UtcMillis,
    /// What was known at this instant counts.
    pub known_at: UtcMillis,
    /// The configurable parameters.
    pub params: Params,
    /// The key of the keyed hashes.
    pub key: HashKey,
}

/// One row of `attack_signals`, owned; the columns mean what the table's contract says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the columns are documented in the table's contract"
)]
pub struct OracleSignal {
    pub tenant_uid: String,
    pub signal_uid: String,
    pub time: UtcMillis,
    pub ingested_at: Option<UtcMillis>,
    pub subject_ref: Option<String>,
    pub subject_uid: Option<String>,
    pub subject_login: Option<String>,
    pub subject_email: Option<String>,
    pub component: String,
    pub family: String,
    pub level: String,
    pub rule_id: String,
    pub rule_version: Option<String>,
    pub incident_uid: Option<String>,
    pub event_uids: Option<Vec<String>>,
    pub source: String,
    pub integration: Option<String>,
    pub attack_techniques: Option<Vec<String>>,
}

impl OracleSignal {
    /// A signal with nothing but what the contract requires: level low, rule `rule`, source
    /// `source`, no subject.
    pub fn new(tenant_uid: &str, signal_uid: &str, time: UtcMillis) -> Self {
        Self {
            tenant_uid: tenant_uid.to_owned(),
            signal_uid: signal_uid.to_owned(),
            time,
            ingested_at: None,
            subject_ref: None,
            subject_uid: None,
            subject_login: None,
            subject_email: None,
            component: "identity".to_owned(),
            family: "credential_attack".to_owned(),
            level: "low".to_owned(),
            rule_id: "rule".to_owned(),
            rule_version: None,
            incident_uid: None,
            event_uids: None,
            source: "source".to_owned(),
            integration: None,
            attack_techniques: None,
        }
    }

    /// The signal as a row of its table, borrowing the text.
    pub fn row(&self) -> attack_signals::Row<'_> {
        let text = |text: &Option<String>| text.clone().map(Cow::Owned);
        let list = |list: &Option<Vec<String>>| {
            list.clone()
                .map(|items| items.into_iter().map(Cow::Owned).collect())
        };
        attack_signals::Row {
            tenant_uid: Cow::Borrowed(&self.tenant_uid),
            signal_uid: Cow::Borrowed(&self.signal_uid),
            time: self.time,
            ingested_at: self.ingested_at,
            subject_ref: text(&self.subject_ref),
            subject_uid: text(&self.subject_uid),
            subject_login: text(&self.subject_login),
            subject_email: text(&self.subject_email),
            component: Cow::Borrowed(&self.component),
            family: Cow::Borrowed(&self.family),
            level: Cow::Borrowed(&self.level),
            rule_id: Cow::Borrowed(&self.rule_id),
            rule_version: text(&self.rule_version),
            incident_uid: text(&self.incident_uid),
            event_uids: list(&self.event_uids),
            source: Cow::Borrowed(&self.source),
            integration: text(&self.integration),
            attack_techniques: list(&self.attack_techniques),
        }
    }
}
