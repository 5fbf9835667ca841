//! From people, one at a time, to the index of their keys: nobody needs to hold all people for it.

use af_model::key::normalize_key;
use af_model::{HashKey, Person, UtcMillis};
use hashbrown::{DefaultHashBuilder, HashMap};
use rayon::prelude::*;

use super::decide::PROVIDER;
use super::holder::{Holding, KeyKind, Kinds};
use super::index::PeopleIndex;
use super::keys::TenantKeys;
use super::tenure::Tenures;
use crate::interner::position;
use crate::texts::TextList;

/// Collects people and their keys.
pub struct IndexBuilder {
    hash_key: HashKey,
    tenants: HashMap<String, Draft>,
}

/// One tenant's people while they are collected. People are told by the order in which they came.
#[derive(Default)]
struct Draft {
    uids: TextList,
    tenures: Tenures,
    /// Keys that are held without bounds, by whom and as what.
    texts: TextList,
    held: Vec<(u32, Kinds)>,
    /// Keys that are held for a time.
    bounded_texts: TextList,
    bounded: Vec<Holding>,
}

/// Where the people of a draft stand among all.
struct Placed {
    tenant_uid: String,
    draft: Draft,
    /// The place in the draft of the row that stands for each person, in the order of ids.
    standing: Vec<u32>,
    /// By place in the draft: the person, counted from the tenant's first.
    person: Vec<u32>,
}

impl IndexBuilder {
    /// Nobody yet.
    pub fn new(key: &HashKey) -> Self {
        Self {
            hash_key: key.clone(),
            tenants: HashMap::new(),
        }
    }

    /// Adds a person. Of several rows of one (tenant, user id) the one that was added last stands for the
    /// person, and the keys of all remain that person's.
    ///
    /// # Panics
    /// With 2^32 people or keys of one tenant, which no memory holds.
    pub fn add(&mut self, person: &Person) {
        let draft = self.tenants.entry_ref(person.tenant_uid.as_str());
        draft.or_default().add(person);
    }

    /// Everybody's keys.
    ///
    /// # Panics
    /// With 2^32 people or keys of one tenant, which no memory holds.
    pub fn finish(self) -> PeopleIndex {
        let hasher = DefaultHashBuilder::default();
        let mut drafts: Vec<(String, Draft)> = self.tenants.into_iter().collect();
        drafts.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        let placed: Vec<Placed> = drafts
            .into_par_iter()
            .map(|(tenant_uid, draft)| draft.place(tenant_uid))
            .collect();
        let rows: usize = placed.iter().map(|tenant| tenant.person.len()).sum();
        let people: usize = placed.iter().map(|tenant| tenant.standing.len()).sum();
        let (mut uids, mut tenures) = (TextList::default(), Tenures::default());
        tenures.reserve(people);
        for Placed {
            draft, standing, ..
        } in &placed
        {
            for &place in standing {
                uids.push(draft.uids.get(place));
                tenures.push_from(&draft.tenures, place);
            }
        }
        uids.shrink();
        let mut next = 0;
        let with_first: Vec<(Placed, u32)> = placed
            .into_iter()
            .map(|tenant| {
                let first = next;
                next += position(tenant.standing.len());
                (tenant, first)
            })
            .collect();
        let tenants: Vec<(String, TenantKeys)> = with_first
            .into_par_iter()
            .with_max_len(1)
            .map(|(tenant, first)| tenant.keys(&uids, first, &self.hash_key, &hasher))
            .collect();
        PeopleIndex {
            tenants: tenants.into_iter().collect(),
            uids,
            tenures,
            hash_key: self.hash_key,
            hasher,
            repeated: (rows - people) as u64,
        }
    }
}

impl Draft {
    fn add(&mut self, person: &Person) {
        let place = self.uids.push(&person.user_uid);
        self.tenures.push(person);
        let email = normalize_key(&person.email);
        let login = person.login.as_deref().map(normalize_key);
        if login.as_ref() == Some(&email) {
            self.hold(&email, place, &[KeyKind::Login, KeyKind::Email]);
        } else {
            self.hold(&email, place, &[KeyKind::Email]);
            if let Some(login) = login {
                self.hold(&login, place, &[KeyKind::Login]);
            }
        }
        for alias in person.aliases.iter().flatten() {
            let key = normalize_key(&alias.key);
            let holding = Holding {
                from: alias.valid_from.unwrap_or(UtcMillis(i64::MIN)),
                to: alias.valid_to.unwrap_or(UtcMillis(i64::MAX)),
                ..Holding::unbounded(KeyKind::Alias, place)
            };
            if !holding.is_bounded() {
                self.hold(&key, place, &[KeyKind::Alias]);
            } else if is_key(&key) {
                self.bounded_texts.push(&key);
                self.bounded.push(holding);
            }
        }
    }

    fn hold(&mut self, key: &str, person: u32, kinds: &[KeyKind]) {
        if is_key(key) {
            self.texts.push(key);
            self.held.push((person, kinds.iter().copied().collect()));
        }
    }

    /// Sorts people by id. Of rows of one person the last stands.
    fn place(self, tenant_uid: String) -> Placed {
        let rows = position(self.uids.len());
        let uid = |place: u32| self.uids.get(place);
        let mut order: Vec<u32> = (0..rows).collect();
        if !order.is_sorted_by(|&left, &right| uid(left) < uid(right)) {
            order.sort_by(|&left, &right| uid(left).cmp(uid(right)));
        }
        let mut person = vec![0; order.len()];
        let mut standing = Vec::new();
        for of_person in order.chunk_by(|&left, &right| uid(left) == uid(right)) {
            for &place in of_person {
                person[place as usize] = position(standing.len());
            }
            standing.extend(of_person.last());
        }
        Placed {
            tenant_uid,
            draft: self,
            standing,
            person,
        }
    }
}

impl Placed {
    fn keys(
        self,
        uids: &TextList,
        first: u32,
        key: &HashKey,
        hasher: &DefaultHashBuilder,
    ) -> (String, TenantKeys) {
        let Draft {
            texts,
            held,
            bounded_texts,
            bounded,
            ..
        } = &self.draft;
        let person = |place: u32| first + self.person[place as usize];
        let mut holdings: Vec<(&str, Holding)> = Vec::with_capacity(held.len() + bounded.len());
        for (text, &(place, kinds)) in texts.iter().zip(held) {
            let kinds = kinds.iter();
            holdings.extend(kinds.map(|kind| (text, Holding::unbounded(kind, person(place)))));
        }
        for (text, holding) in bounded_texts.iter().zip(bounded) {
            let person = person(holding.person);
            holdings.push((text, Holding { person, ..*holding }));
        }
        let people = (uids, first, position(self.standing.len()));
        let keys = TenantKeys::new(&self.tenant_uid, people, holdings, key, hasher);
        (self.tenant_uid, keys)
    }
}

/// Whether anybody may hold it: nobody holds a blank key, or the provider's own.
fn is_key(key: &str) -> bool {
    !key.is_empty() && key != PROVIDER
}
