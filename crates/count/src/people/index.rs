//! Everybody's keys, looked up once per distinct subject.

use std::cmp::Ordering;

use af_model::{HashKey, Person, UtcMillis};
use hashbrown::{DefaultHashBuilder, HashMap};
use rayon::prelude::*;

use super::build::IndexBuilder;
use super::decide::{Resolution, Sought};
use super::keys::TenantKeys;
use super::subject::Subject;
use super::tenure::Tenures;
use crate::texts::TextList;

/// Everybody's keys. Built once per run from all tenants' people, whom it does not hold.
pub struct PeopleIndex {
    /// The ids of everybody, sorted by tenant and id: what a position stands for.
    pub(super) uids: TextList,
    pub(super) tenures: Tenures,
    pub(super) tenants: HashMap<String, TenantKeys>,
    pub(super) hash_key: HashKey,
    pub(super) hasher: DefaultHashBuilder,
    pub(super) repeated: u64,
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
    pub fn new(people: Vec<Person>, key: &HashKey) -> Self {
        Self::with_people(people, key).0
    }

    /// The same, and everybody sorted by (tenant, user id), each once: positions are theirs.
    ///
    /// # Panics
    /// As [`PeopleIndex::new`].
    pub fn with_people(mut people: Vec<Person>, key: &HashKey) -> (Self, Vec<Person>) {
        people.par_sort_unstable_by(version_order);
        let mut builder = IndexBuilder::new(key);
        for person in &people {
            builder.add(person);
        }
        let index = builder.finish();
        // In place: a second list of everybody would be most of the memory.
        people.dedup_by(|next, last| {
            let is_same = is_same_person(next, last);
            if is_same {
                std::mem::swap(next, last);
            }
            is_same
        });
        (index, people)
    }

    /// How many people there are.
    pub fn people(&self) -> usize {
        self.uids.len()
    }

    /// The id of the person at a position.
    ///
    /// # Panics
    /// When nobody has it.
    #[inline]
    pub fn user_uid(&self, person: u32) -> &str {
        self.uids.get(person)
    }

    /// How many of the rows that it was built from were about somebody of whom there was another row.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// The positions of a tenant's people by their ids; `None` for a tenant without people.
    pub fn positions_of(&self, tenant: &str) -> Option<impl Fn(&str) -> Option<u32>> {
        let keys = self.tenants.get(tenant)?;
        Some(|user_uid: &str| keys.uid(&self.uids, user_uid, &self.hasher))
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
        let sought = Sought {
            tenant,
            keys: self.keys_of(tenant),
            subject: *subject,
            time,
        };
        self.decide(sought, as_of).resolution
    }

    /// The key of hashed names.
    pub(super) fn hash_key(&self) -> &HashKey {
        &self.hash_key
    }

    /// When everybody had their accounts.
    pub(super) fn tenures(&self) -> &Tenures {
        &self.tenures
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
