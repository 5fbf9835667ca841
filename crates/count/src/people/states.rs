//! What the keys of a directory stand for, in a form that outlives the run: two directories in which a
//! key stands for the same find the same people by it.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use af_model::UtcMillis;
use af_model::key::SubjectRef;
use rayon::prelude::*;

use super::hashed::parse_hash;
use super::holder::Holding;
use super::index::PeopleIndex;
use super::keys::Holders;
use super::subject::Subject;

/// A key and what it stands for, as numbers; sorted by key. Keys that stand for nobody are absent.
pub type KeyStates = Vec<(u64, u64)>;

/// Keys that stand for something else than before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedKeys(HashSet<u64>);

impl ChangedKeys {
    /// Compares two directories.
    pub fn between(before: &KeyStates, now: &KeyStates) -> Self {
        let mut changed = HashSet::new();
        let (mut old, mut new) = (before.iter().peekable(), now.iter().peekable());
        loop {
            match (old.peek(), new.peek()) {
                (None, None) => return Self(changed),
                (Some(one), Some(another)) if one == another => {
                    old.next();
                    new.next();
                }
                (Some(one), another) if another.is_none_or(|another| one < another) => {
                    changed.insert(one.0);
                    old.next();
                }
                (_, another) => {
                    changed.extend(another.map(|another| another.0));
                    new.next();
                }
            }
        }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the names of a subject is among them.
    pub fn name(&self, tenant_uid: &str, subject: Subject<'_>) -> bool {
        subject.names().any(|name| {
            let number = match &name {
                SubjectRef::Uid(uid) => uid_number(tenant_uid, uid),
                SubjectRef::Login(key) | SubjectRef::Email(key) => text_number(tenant_uid, key),
                SubjectRef::Hashed(text) => match parse_hash(text) {
                    Some(hash) => hash_number(tenant_uid, &hash.0),
                    None => return false,
                },
            };
            self.0.contains(&number)
        })
    }
}

impl PeopleIndex {
    /// What every key stands for among the people who exist at `as_of`.
    pub fn key_states(&self, as_of: UtcMillis) -> KeyStates {
        let mut states: KeyStates = self
            .tenants()
            .into_par_iter()
            .flat_map_iter(|(tenant, keys)| {
                let mut states = Vec::new();
                for person in keys.people() {
                    if self.tenures().exists_at(person, as_of) {
                        states.push((uid_number(tenant, self.user_uid(person)), 0));
                    }
                }
                for (text, holders) in keys.texts() {
                    if let Some(state) = self.state_of(&holders, as_of) {
                        let hash = self.hash_key().identifier(tenant, text);
                        states.push((text_number(tenant, text), state));
                        states.push((hash_number(tenant, &hash.0), state));
                    }
                }
                states
            })
            .collect();
        states.par_sort_unstable();
        states
    }

    /// What the holders of a key are to a signal; `None` for nobody. What tells several holders apart
    /// matters only where there are several.
    fn state_of(&self, holders: &Holders<'_>, as_of: UtcMillis) -> Option<u64> {
        let tenures = self.tenures();
        let mut hasher = DefaultHasher::new();
        let mut is_held = false;
        let mut add = |holding: &Holding, is_shared: bool| {
            if !tenures.exists_at(holding.person, as_of) {
                return;
            }
            is_held = true;
            let uid = self.user_uid(holding.person);
            (holding.kind, uid, holding.from, holding.to).hash(&mut hasher);
            if is_shared {
                tenures.of(holding.person).hash(&mut hasher);
            }
        };
        match holders {
            Holders::Sole(person, kinds) => {
                for kind in kinds.iter() {
                    add(&Holding::unbounded(kind, *person), false);
                }
            }
            Holders::Shared(holdings) => {
                for holding in *holdings {
                    add(holding, true);
                }
            }
        }
        is_held.then(|| hasher.finish())
    }
}

fn uid_number(tenant_uid: &str, uid: &str) -> u64 {
    number(0, tenant_uid, uid.as_bytes())
}

fn text_number(tenant_uid: &str, key: &str) -> u64 {
    number(1, tenant_uid, key.as_bytes())
}

fn hash_number(tenant_uid: &str, hash: &[u8]) -> u64 {
    number(2, tenant_uid, hash)
}

fn number(kind: u8, tenant_uid: &str, key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, tenant_uid, key).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{KEY, at, person};
    use af_model::Person;

    fn changed(before: Vec<Person>, now: Vec<Person>, names: &[&str]) -> Vec<bool> {
        let as_of = at("2026-11-20");
        let states = |people| PeopleIndex::new(people, &KEY).key_states(as_of);
        let changed = ChangedKeys::between(&states(before), &states(now));
        names
            .iter()
            .map(|name| {
                let subject = Subject {
                    subject_ref: Some(name),
                    ..Subject::default()
                };
                changed.name("acme", subject)
            })
            .collect()
    }

    const NAMES: [&str; 3] = ["uid:a", "email:Ana@acme.example", "email:bob@acme.example"];

    #[test]
    fn a_new_colleague_changes_their_own_names_only() {
        let ana = person("a", "ana@acme.example");
        let bob = person("b", "bob@acme.example");
        let both = vec![bob.clone(), ana.clone()];
        assert_eq!(
            changed(vec![bob.clone()], both.clone(), &NAMES),
            [true, true, false]
        );
        assert_eq!(
            changed(both.clone(), vec![bob], &NAMES),
            [true, true, false]
        );
        assert_eq!(changed(both.clone(), both, &NAMES), [false, false, false]);
    }

    #[test]
    fn what_no_join_asks_for_changes_nothing_and_a_new_holder_does() {
        let ana = person("a", "ana@acme.example");
        let mut moved = ana.clone();
        moved.department = Some("sales".to_owned());
        moved.status = Some("DEPROVISIONED".to_owned());
        assert_eq!(
            changed(vec![ana.clone()], vec![moved.clone()], &NAMES),
            [false; 3]
        );
        // As soon as somebody else holds the address, who left when decides.
        let heir = person("c", "ana@acme.example");
        let before = vec![ana, heir.clone()];
        assert_eq!(
            changed(before, vec![moved, heir], &NAMES),
            [false, true, false]
        );
    }

    #[test]
    fn a_name_that_is_hashed_changes_with_the_name() {
        let hashed = format!("h:{}", KEY.identifier("acme", "ana@acme.example"));
        let ana = person("a", "ana@acme.example");
        assert_eq!(
            changed(vec![], vec![ana], &[&hashed, "h:nothing"]),
            [true, false]
        );
    }

    #[test]
    fn somebody_who_comes_later_is_nobody_yet() {
        let mut ana = person("a", "ana@acme.example");
        ana.created = Some(at("2026-11-21"));
        assert_eq!(changed(vec![], vec![ana], &NAMES), [false; 3]);
    }
}
