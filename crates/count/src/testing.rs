//! Sample rows for unit tests.

use af_model::tables::attack_signals;
use af_model::{HashKey, Person, UtcMillis};

/// The key of every keyed hash in the tests.
pub(crate) const KEY: HashKey = HashKey::new([7; 32]);

/// An instant, or the last millisecond of a day.
pub(crate) fn at(text: &str) -> UtcMillis {
    UtcMillis::parse_cut(text).unwrap()
}

/// A person of tenant `acme`.
pub(crate) fn person(user_uid: &str, email: &str) -> Person {
    Person::new("acme", user_uid, email)
}

/// A high phishing signal of tenant `acme` on 2026-11-20 at 08:00.
pub(crate) fn signal(signal_uid: &str, email: &str) -> attack_signals::Row<'static> {
    attack_signals::Row {
        tenant_uid: "acme".into(),
        signal_uid: signal_uid.to_owned().into(),
        time: at("2026-11-20T08:00:00Z"),
        ingested_at: None,
        subject_ref: None,
        subject_uid: None,
        subject_login: None,
        subject_email: Some(email.to_owned().into()),
        component: "email".into(),
        family: "phishing".into(),
        level: "high".into(),
        rule_id: "r1".into(),
        rule_version: None,
        incident_uid: None,
        event_uids: None,
        source: "gateway".into(),
        integration: None,
        attack_techniques: None,
    }
}
