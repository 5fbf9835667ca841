//! Whose a signal is: the join of signals and people, asked one row at a time.

use af_count::{Cut, PeopleIndex, Resolution, Subject};
use af_model::tables::attack_signals;
use af_model::{HashKey, Person};

use crate::tally;

/// The people of one tenant with every key they are known by.
///
/// Answers for single rows what the count answers for whole files, with the same index; for the
/// reader who wants to see the signals behind one person's score.
pub struct Whose {
    index: PeopleIndex,
    cut: Cut,
    tenant_uid: String,
}

impl Whose {
    /// Indexes the people of a tenant, as known at the cut (see [`crate::people::people_at`]);
    /// people of other tenants are left out. Without a key, hashed names belong to nobody.
    pub fn new(people: &[Person], tenant_uid: &str, cut: Cut, key: Option<&HashKey>) -> Self {
        let own = people
            .iter()
            .filter(|person| person.tenant_uid == tenant_uid);
        Self {
            index: tally::index(own.cloned().collect(), key).0,
            cut,
            tenant_uid: tenant_uid.to_owned(),
        }
    }

    /// Whether a signal of the tenant hits this person (af-1 §3). Says nothing about whether it
    /// counts.
    pub fn is_of(&self, user_uid: &str, signal: &attack_signals::Row<'_>) -> bool {
        let subject = Subject {
            subject_ref: signal.subject_ref.as_deref(),
            uid: signal.subject_uid.as_deref(),
            login: signal.subject_login.as_deref(),
            email: signal.subject_email.as_deref(),
        };
        let found = self
            .index
            .resolve(&self.tenant_uid, &subject, signal.time, self.cut.as_of);
        match found {
            Resolution::Person(place) => self.index.user_uid(place) == user_uid,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use af_model::UtcMillis;

    #[test]
    fn a_hashed_name_is_somebodys_only_with_the_key_it_was_hashed_with() {
        let key = HashKey::new([7; 32]);
        let at = UtcMillis::parse("2026-11-20T08:00:00Z").unwrap();
        let cut = Cut {
            as_of: at,
            known_at: at,
        };
        let people = [
            Person::new("acme", "u1", "ana@example.com"),
            Person::new("other", "u1", "ana@example.com"),
        ];
        let hash = format!("h:{}", key.identifier("acme", "ana@example.com"));
        let signal = attack_signals::Row {
            tenant_uid: "acme".into(),
            signal_uid: "s".into(),
            time: at,
            ingested_at: None,
            subject_ref: Some(hash.into()),
            subject_uid: None,
            subject_login: None,
            subject_email: None,
            component: "identity".into(),
            family: "other".into(),
            level: "low".into(),
            rule_id: "r".into(),
            rule_version: None,
            incident_uid: None,
            event_uids: None,
            source: "s".into(),
            integration: None,
            attack_techniques: None,
        };
        let asked = |key: Option<&HashKey>| {
            let whose = Whose::new(&people, "acme", cut, key);
            (whose.is_of("u1", &signal), whose.is_of("u2", &signal))
        };
        assert_eq!(asked(Some(&key)), (true, false));
        assert_eq!(asked(Some(&HashKey::new([8; 32]))), (false, false));
        assert_eq!(asked(None), (false, false));
    }
}
