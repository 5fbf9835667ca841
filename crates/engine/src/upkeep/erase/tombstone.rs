//! What a store remembers of people who were erased: keyed hashes, when and why.

use std::collections::{BTreeMap, BTreeSet};

use af_model::accounting::PerTenant;
use af_model::key::normalize_key;
use af_model::{HashKey, UtcMillis};
use af_store::{Store, WriteLock};
use serde::{Deserialize, Serialize};

use super::Erasing;
use crate::error::Error;

/// The state document's name.
const STATE: &str = "erased";

/// Everybody who was erased from a store, without a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    tenants: PerTenant<OfTenant>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct OfTenant {
    people: Vec<Tombstone>,
    /// Events of people whose tombstones were lifted: they stay erased.
    #[serde(default)]
    lifted_events: u64,
}

/// One person who was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Keyed hash of the user id, as in `tombstones` of snapshots.
    pub person: String,
    /// Keyed hashes of every key.
    pub keys: BTreeSet<String>,
    /// When.
    pub erased_at: UtcMillis,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Events that left the store.
    pub events: u64,
}

impl Erased {
    /// What a store remembers; nobody at first.
    ///
    /// # Errors
    /// The document cannot be read.
    pub fn read(store: &Store) -> Result<Self, Error> {
        Ok(store.read_state(STATE)?.unwrap_or_default())
    }

    /// The tombstone of whoever had this user id, login, e-mail address or alias.
    pub fn find(&self, key: &HashKey, tenant: &str, person: &str) -> Option<&Tombstone> {
        let hashes = hashes_of(key, tenant, person);
        let people = &self.tenants.get(tenant)?.people;
        people
            .iter()
            .find(|tombstone| hashes.iter().any(|hash| tombstone.keys.contains(hash)))
    }

    /// The hashes of everybody's keys, by tenant.
    pub(in crate::upkeep) fn hashes(&self) -> BTreeMap<String, BTreeSet<String>> {
        let tenants = self.tenants.iter().filter(|(_, of)| !of.people.is_empty());
        tenants
            .map(|(tenant, of)| {
                let keys = of.people.iter().flat_map(|tombstone| &tombstone.keys);
                (tenant.clone(), keys.cloned().collect())
            })
            .collect()
    }

    /// How many events of a tenant were erased.
    pub(in crate::upkeep) fn events(&self, tenant: &str) -> u64 {
        self.tenants.get(tenant).map_or(0, |of| {
            let people = of.people.iter().map(|tombstone| tombstone.events);
            of.lifted_events + people.sum::<u64>()
        })
    }

    /// Sets the tombstone, or adds to the one that stands from an earlier erasure. Once is enough:
    /// told of the same erasure again, it changes nothing.
    pub(super) fn remember(
        store: &Store,
        lock: &WriteLock,
        key: &HashKey,
        erasing: &Erasing,
    ) -> Result<(), Error> {
        let mut erased = Self::read(store)?;
        let identity = &erasing.identity;
        let person = identity.person_hash(key);
        let tenant = identity.tenant().to_owned();
        let people = &mut erased.tenants.entry(tenant).or_default().people;
        let mut stone = Tombstone {
            person,
            keys: identity.hashes(key),
            erased_at: erasing.at,
            reason: erasing.reason.clone(),
            events: erasing.events,
        };
        match people.binary_search_by(|known| known.person.cmp(&stone.person)) {
            Ok(place) if people[place].erased_at == erasing.at => return Ok(()),
            Ok(place) => {
                let known = &mut people[place];
                stone.keys.append(&mut known.keys);
                stone.events += known.events;
                stone.reason = stone.reason.or(known.reason.take());
                *known = stone;
            }
            Err(place) => people.insert(place, stone),
        }
        Ok(store.write_state(lock, STATE, &erased)?)
    }

    /// Removes the tombstone of whoever had this key, so that imports take them in again. What was
    /// erased does not come back. Returns when they had been erased; none when they were not.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn lift(
        store: &Store,
        lock: Option<&WriteLock>,
        key: &HashKey,
        tenant: &str,
        person: &str,
    ) -> Result<Option<UtcMillis>, Error> {
        let mut erased = Self::read(store)?;
        let Some(found) = erased.find(key, tenant, person).cloned() else {
            return Ok(None);
        };
        if let (Some(lock), Some(of)) = (lock, erased.tenants.get_mut(tenant)) {
            of.people
                .retain(|tombstone| tombstone.person != found.person);
            of.lifted_events += found.events;
            store.write_state(lock, STATE, &erased)?;
        }
        Ok(Some(found.erased_at))
    }
}

/// The hashes under which a text may be remembered: as a user id and as any other key.
fn hashes_of(key: &HashKey, tenant: &str, text: &str) -> [String; 2] {
    [text.trim(), &*normalize_key(text)].map(|text| key.identifier(tenant, text).to_string())
}
