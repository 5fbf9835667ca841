//! Everybody's keys, looked up once per distinct subject.

use std::cmp::Ordering;
use std::sync::OnceLock;

use af_model::key::{SubjectRef, normalize_key};
use af_model::{HashKey, HexHash, Person, UtcMillis};
use hashbrown::HashMap;
use rayon::prelude::*;

use super::hashed::parse_hash;
use super::holder::{self, Holding, KeyKind};
use super::subject::Subject;

/// The name under which the identity provider itself acts.
const PROVIDER: &str = "system@okta.com";

/// Whom a signal hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// This person: a position in [`PeopleIndex::people`].
    Person(u32),
    /// Nothing names a subject.
    NoKey,
    /// Nobody of the tenant holds any of the names.
    NoMatch,
    /// Several people hold the deciding key and the signal's time does not tell them apart.
    Ambiguous,
    /// The identity provider itself.
    NotAPerson,
}

/// A resolution, and whether it is the same at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) resolution: Resolution,
    pub(crate) steady: bool,
}

/// Everybody's keys. Built once per run from all tenants' people.
pub struct PeopleIndex {
    people: Vec<Person>,
    /// When each of them was created, in milliseconds: [`Person::exists_at`] without the person.
    created: Vec<i64>,
    tenants: HashMap<String, TenantKeys>,
    hash_key: HashKey,
}

impl PeopleIndex {
    /// Indexes people by user id, login, e-mail and aliases, normalized and as keyed hashes.
    ///
    /// Several rows of one (tenant, user id), as two sources may import them, are one person: the
    /// row imported last stands for the person (later source name, then greater content, on equal
    /// times), and the logins, e-mails and aliases of the others remain that person's keys. The
    /// order of `people` does not matter. Blank keys are held by nobody.
    ///
    /// Costs O(n log n), spread over the threads; keys of a tenant are hashed when the first signal of it
    /// names somebody by hash.
    ///
    /// # Panics
    /// With 2^32 people or keys of one tenant, which no memory holds.
    pub fn new(mut people: Vec<Person>, key: &HashKey) -> Self {
        people.par_sort_unstable_by(version_order);
        let mut tenants = HashMap::new();
        let mut next = 0;
        for of_tenant in people.chunk_by(|left, right| left.tenant_uid == right.tenant_uid) {
            let mut draft = Draft::default();
            for versions in of_tenant.chunk_by(|left, right| left.user_uid == right.user_uid) {
                let index = u32::try_from(next).expect("fewer than 2^32 people fit into memory");
                for person in versions {
                    draft.add(person, index);
                }
                next += 1;
            }
            let tenant_uid = &of_tenant[0].tenant_uid;
            tenants.insert(tenant_uid.clone(), draft.finish(tenant_uid, key));
        }
        // In place: a second list of everybody would be most of the memory.
        people.dedup_by(|next, last| {
            let is_same = is_same_person(next, last);
            if is_same {
                std::mem::swap(next, last);
            }
            is_same
        });
        Self {
            created: people
                .iter()
                .map(|person| person.created.map_or(i64::MIN, |created| created.0))
                .collect(),
            people,
            tenants,
            hash_key: key.clone(),
        }
    }

    /// Everybody, sorted by (tenant, user id), each once.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The positions of a tenant's people by their ids; `None` for a tenant without people.
    pub fn positions_of(&self, tenant: &str) -> Option<impl Fn(&str) -> Option<u32>> {
        let uids = &self.tenants.get(tenant)?.uids;
        Some(|user_uid: &str| uids.get(user_uid).copied())
    }

    /// Whom a subject means at `time`, among the people who exist at `as_of` (af-1 §3).
    ///
    /// The user id is tried first, then the login, the e-mail and last the reference; the first of
    /// them that has a holder decides. A login, an e-mail or a hash is tried as login, then as
    /// e-mail, then as alias within the alias's validity.
    pub fn resolve(
        &self,
        tenant: &str,
        subject: &Subject<'_>,
        time: UtcMillis,
        as_of: UtcMillis,
    ) -> Resolution {
        let keys = self.keys_of(tenant);
        self.decide(tenant, keys, *subject, time, as_of).resolution
    }

    /// The key of hashed names.
    pub(super) fn hash_key(&self) -> &HashKey {
        &self.hash_key
    }

    /// Every tenant with its people's keys, in no order.
    pub(crate) fn tenants(&self) -> Vec<(&str, &TenantKeys)> {
        let tenants = self.tenants.iter();
        tenants
            .map(|(tenant, keys)| (tenant.as_str(), keys))
            .collect()
    }

    /// The keys of a tenant's people; looked up once for many signals.
    pub(crate) fn keys_of(&self, tenant: &str) -> Option<&TenantKeys> {
        self.tenants.get(tenant)
    }

    pub(crate) fn decide(
        &self,
        tenant: &str,
        keys: Option<&TenantKeys>,
        subject: Subject<'_>,
        time: UtcMillis,
        as_of: UtcMillis,
    ) -> Decision {
        let mut steady = true;
        let mut resolution = Resolution::NoKey;
        for name in subject.names() {
            resolution = Resolution::NoMatch;
            let holdings = match &name {
                SubjectRef::Uid(uid) => {
                    let holder = keys
                        .and_then(|keys| keys.uids.get(&**uid))
                        .filter(|&&index| self.created[index as usize] <= as_of.0);
                    if let Some(&index) = holder {
                        resolution = Resolution::Person(index);
                        break;
                    }
                    continue;
                }
                SubjectRef::Login(key) | SubjectRef::Email(key) => {
                    if key == PROVIDER {
                        resolution = Resolution::NotAPerson;
                        break;
                    }
                    keys.and_then(|keys| keys.by_text.get(&**key).map(|slot| (keys, *slot)))
                }
                SubjectRef::Hashed(text) => {
                    let Some(hash) = parse_hash(text) else {
                        continue;
                    };
                    let provider = keys.map_or_else(
                        || self.hash_key.identifier(tenant, PROVIDER),
                        |keys| keys.provider,
                    );
                    if hash == provider {
                        resolution = Resolution::NotAPerson;
                        break;
                    }
                    keys.and_then(|keys| {
                        let slot = keys.by_hash(tenant, &self.hash_key).get(&hash);
                        slot.map(|slot| (keys, *slot))
                    })
                }
            };
            let Some((keys, slot)) = holdings else {
                continue;
            };
            // Nearly every key is one person's login or e-mail, or both.
            if let Some(person) = slot.sole {
                if self.created[person as usize] <= as_of.0 {
                    resolution = Resolution::Person(person);
                    break;
                }
                continue;
            }
            let holdings = keys.holdings(slot);
            if let Some(found) = holder::decide(holdings, &self.people, time, as_of, &mut steady) {
                resolution = found;
                break;
            }
        }
        Decision { resolution, steady }
    }
}

/// The keys of one tenant.
pub(crate) struct TenantKeys {
    uids: HashMap<Box<str>, u32>,
    by_text: HashMap<Box<str>, Slot>,
    /// The same keys hashed, once somebody asks: most signals name nobody by hash.
    by_hash: OnceLock<HashMap<HexHash, Slot>>,
    holdings: Vec<Holding>,
    /// The provider's own name, hashed.
    provider: HexHash,
}

impl TenantKeys {
    /// Every user id and who has it, in no order.
    pub(crate) fn uids(&self) -> impl Iterator<Item = (&str, &u32)> {
        self.uids.iter().map(|(uid, person)| (&**uid, person))
    }

    /// Every login, e-mail and alias and who holds it, in no order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &[Holding])> {
        let texts = self.by_text.iter();
        texts.map(|(text, slot)| (&**text, self.holdings(*slot)))
    }

    /// The same, hashed with the index's key.
    pub(crate) fn hashes(
        &self,
        tenant_uid: &str,
        key: &HashKey,
    ) -> impl Iterator<Item = (&HexHash, &[Holding])> {
        let hashes = self.by_hash(tenant_uid, key).iter();
        hashes.map(|(hash, slot)| (hash, self.holdings(*slot)))
    }

    fn by_hash(&self, tenant_uid: &str, key: &HashKey) -> &HashMap<HexHash, Slot> {
        self.by_hash.get_or_init(|| {
            let keys = self.by_text.iter();
            keys.map(|(text, slot)| (key.identifier(tenant_uid, text), *slot))
                .collect()
        })
    }

    fn holdings(&self, slot: Slot) -> &[Holding] {
        &self.holdings[slot.start as usize..slot.end as usize]
    }
}

/// A range of a tenant's holdings: the holders of one key.
#[derive(Clone, Copy)]
struct Slot {
    start: u32,
    end: u32,
    /// The only person who holds the key, if they do so without bounds.
    sole: Option<u32>,
}

impl Slot {
    /// The slot of one holding.
    fn of(position: u32, holding: &Holding) -> Self {
        Self {
            start: position,
            end: position + 1,
            sole: (!holding.is_bounded()).then_some(holding.person),
        }
    }

    /// Takes in the next holding of the same key.
    fn extend(&mut self, holding: &Holding) {
        self.end += 1;
        self.sole = self
            .sole
            .filter(|&person| person == holding.person && !holding.is_bounded());
    }
}

/// A tenant's keys while they are collected.
#[derive(Default)]
struct Draft {
    uids: HashMap<Box<str>, u32>,
    holdings: Vec<(Box<str>, Holding)>,
}

impl Draft {
    fn add(&mut self, person: &Person, index: u32) {
        self.uids.insert(person.user_uid.as_str().into(), index);
        let mut hold = |text: &str, kind, from, to| {
            let key = normalize_key(text);
            if !key.is_empty() && key != PROVIDER {
                let holding = Holding {
                    kind,
                    person: index,
                    from,
                    to,
                };
                self.holdings.push((key.into(), holding));
            }
        };
        if let Some(login) = &person.login {
            hold(login, KeyKind::Login, None, None);
        }
        hold(&person.email, KeyKind::Email, None, None);
        for alias in person.aliases.iter().flatten() {
            hold(&alias.key, KeyKind::Alias, alias.valid_from, alias.valid_to);
        }
    }

    fn finish(mut self, tenant_uid: &str, key: &HashKey) -> TenantKeys {
        self.holdings.par_sort_unstable();
        self.holdings.dedup();
        let mut holdings = Vec::with_capacity(self.holdings.len());
        let mut slots: Vec<(Box<str>, Slot)> = Vec::new();
        for (text, holding) in self.holdings {
            match slots.last_mut() {
                Some((last, slot)) if *last == text => slot.extend(&holding),
                _ => {
                    let position = u32::try_from(holdings.len());
                    let position = position.expect("fewer than 2^32 keys fit into memory");
                    slots.push((text, Slot::of(position, &holding)));
                }
            }
            holdings.push(holding);
        }
        TenantKeys {
            uids: self.uids,
            by_hash: OnceLock::new(),
            by_text: slots.into_iter().collect(),
            holdings,
            provider: key.identifier(tenant_uid, PROVIDER),
        }
    }
}

fn is_same_person(left: &Person, right: &Person) -> bool {
    left.tenant_uid == right.tenant_uid && left.user_uid == right.user_uid
}

/// By person, and the version of a person that counts last.
fn version_order(left: &Person, right: &Person) -> Ordering {
    (
        &left.tenant_uid,
        &left.user_uid,
        left.imported_at,
        &left.source,
    )
        .cmp(&(
            &right.tenant_uid,
            &right.user_uid,
            right.imported_at,
            &right.source,
        ))
        // Rows that agree in all of this are rare; their whole content decides.
        .then_with(|| format!("{left:?}").cmp(&format!("{right:?}")))
}

#[cfg(test)]
mod tests;
