//! From people, one at a time, to the index of their keys: nobody needs to hold all people for it.

use af_model::key::normalize_key;
use af_model::{HashKey, Person, UtcMillis};
use hashbrown::{DefaultHashBuilder, HashMap};
use rayon::prelude::*;

use super::decide::PROVIDER;
use super::grouped::Grouped;
use super::holder::{Holding, KeyKind, Kinds};
use super::index::PeopleIndex;
use super::keys::TenantKeys;
use super::tenure::Tenures;
use crate::interner::position;
use crate::texts::TextList;

/// Collects people and their keys: columns of everybody, so that their memory is a few large pieces, which go back
/// as a whole. Rows are told by the order in which they came.
pub struct IndexBuilder {
    hash_key: HashKey,
    tenants: HashMap<String, u32>,
    /// By row: its tenant.
    tenant_of: Vec<u32>,
    uids: TextList,
    tenures: Tenures,
    /// Keys that are held without bounds, by whom and as what.
    texts: TextList,
    held: Vec<(u32, Kinds)>,
    /// Keys that are held for a time; their people are rows.
    bounded_texts: TextList,
    bounded: Vec<Holding>,
}

/// Rows in the order of tenants and ids.
struct Placed {
    /// Sorted, with the first of their people.
    tenants: Vec<(String, u32)>,
    /// By the number of a tenant while it was collected: its place among the sorted.
    rank: Vec<u32>,
    /// By row: the person.
    person: Vec<u32>,
    /// By person: the row that stands for them.
    standing: Vec<u32>,
}

impl IndexBuilder {
    /// Nobody yet.
    pub fn new(key: &HashKey) -> Self {
        Self {
            hash_key: key.clone(),
            tenants: HashMap::new(),
            tenant_of: Vec::new(),
            uids: TextList::default(),
            tenures: Tenures::default(),
            texts: TextList::default(),
            held: Vec::new(),
            bounded_texts: TextList::default(),
            bounded: Vec::new(),
        }
    }

    /// Adds a person. Of several rows of one (tenant, user id) the one that was added last stands for the
    /// person, and the keys of all remain that person's.
    ///
    /// # Panics
    /// With 2^32 people or keys, which no memory holds.
    pub fn add(&mut self, person: &Person) {
        let new = position(self.tenants.len());
        let tenant = self.tenants.entry_ref(person.tenant_uid.as_str());
        self.tenant_of.push(*tenant.or_insert(new));
        let row = self.uids.push(&person.user_uid);
        self.tenures.push(person);
        let email = normalize_key(&person.email);
        let login = person.login.as_deref().map(normalize_key);
        if login.as_ref() == Some(&email) {
            self.hold(&email, row, &[KeyKind::Login, KeyKind::Email]);
        } else {
            self.hold(&email, row, &[KeyKind::Email]);
            if let Some(login) = login {
                self.hold(&login, row, &[KeyKind::Login]);
            }
        }
        for alias in person.aliases.iter().flatten() {
            let key = normalize_key(&alias.key);
            let holding = Holding {
                from: alias.valid_from.unwrap_or(UtcMillis(i64::MIN)),
                to: alias.valid_to.unwrap_or(UtcMillis(i64::MAX)),
                ..Holding::unbounded(KeyKind::Alias, row)
            };
            if !holding.is_bounded() {
                self.hold(&key, row, &[KeyKind::Alias]);
            } else if is_key(&key) {
                self.bounded_texts.push(&key);
                self.bounded.push(holding);
            }
        }
    }

    fn hold(&mut self, key: &str, row: u32, kinds: &[KeyKind]) {
        if is_key(key) {
            self.texts.push(key);
            self.held.push((row, kinds.iter().copied().collect()));
        }
    }

    /// Everybody's keys.
    ///
    /// # Panics
    /// With 2^32 people or keys, which no memory holds.
    pub fn finish(mut self) -> PeopleIndex {
        let hasher = DefaultHashBuilder::default();
        let placed = self.place();
        let repeated = placed.person.len() - placed.standing.len();
        let (uids, tenures) = self.standing(&placed.standing);
        let people = placed.standing.len();
        let rank_of = |row: u32| placed.rank[self.tenant_of[row as usize] as usize];
        let tenants = placed.tenants.len();
        let held = self.held.iter().map(|&(row, _)| rank_of(row));
        let held = Grouped::new(held, tenants);
        let bounded = self.bounded.iter().map(|holding| rank_of(holding.person));
        let bounded = Grouped::new(bounded, tenants);
        let places = (0_u32..).zip(&placed.tenants);
        let places: Vec<(u32, &(String, u32))> = places.collect();
        let tenants: Vec<(String, TenantKeys)> = places
            .into_par_iter()
            .with_max_len(1)
            .map(|(place, (tenant, first))| {
                let next = placed.tenants.get(place as usize + 1);
                let end = next.map_or(position(people), |(_, first)| *first);
                let mut holdings: Vec<(&str, Holding)> = Vec::new();
                for &number in held.of(place) {
                    let (row, kinds) = self.held[number as usize];
                    let (text, person) = (self.texts.get(number), placed.person[row as usize]);
                    let of_kind = |kind| (text, Holding::unbounded(kind, person));
                    holdings.extend(kinds.iter().map(of_kind));
                }
                for &number in bounded.of(place) {
                    let holding = self.bounded[number as usize];
                    let person = placed.person[holding.person as usize];
                    let text = self.bounded_texts.get(number);
                    holdings.push((text, Holding { person, ..holding }));
                }
                let people = (&uids, *first, end - first);
                let keys = TenantKeys::new(tenant, people, holdings, &self.hash_key, &hasher);
                (tenant.clone(), keys)
            })
            .collect();
        PeopleIndex {
            tenants: tenants.into_iter().collect(),
            uids,
            tenures,
            hash_key: self.hash_key,
            hasher,
            repeated: repeated as u64,
        }
    }

    /// Sorts rows by tenant and id. Of rows of one person the last stands.
    fn place(&mut self) -> Placed {
        let tenants = std::mem::take(&mut self.tenants).into_iter();
        let mut tenants: Vec<(String, u32)> = tenants.collect();
        tenants.sort_unstable();
        let mut rank = vec![0; tenants.len()];
        for (place, (_, number)) in (0_u32..).zip(&tenants) {
            rank[*number as usize] = place;
        }
        let key = |row: u32| {
            let tenant = rank[self.tenant_of[row as usize] as usize];
            (tenant, self.uids.get(row))
        };
        let mut order: Vec<u32> = (0..position(self.tenant_of.len())).collect();
        if !order.is_sorted_by(|&left, &right| key(left) < key(right)) {
            order.par_sort_unstable_by_key(|&row| (key(row), row));
        }
        let mut person = vec![0; order.len()];
        let mut standing = Vec::with_capacity(order.len());
        let mut last_rank = None;
        for of_person in order.chunk_by(|&left, &right| key(left) == key(right)) {
            let number = position(standing.len());
            for &row in of_person {
                person[row as usize] = number;
            }
            let (rank, _) = key(of_person[0]);
            if last_rank != Some(rank) {
                last_rank = Some(rank);
                tenants[rank as usize].1 = number;
            }
            standing.extend(of_person.last());
        }
        Placed {
            tenants,
            rank,
            person,
            standing,
        }
    }

    /// Ids and tenures by person. Rows that came in their order, each of somebody else, are that already.
    fn standing(&mut self, standing: &[u32]) -> (TextList, Tenures) {
        let (uids, tenures) = (
            std::mem::take(&mut self.uids),
            std::mem::take(&mut self.tenures),
        );
        let (mut of_person, mut tenures_of) = (TextList::default(), Tenures::default());
        if standing.len() == uids.len() && standing.is_sorted() {
            (of_person, tenures_of) = (uids, tenures);
        } else {
            tenures_of.reserve(standing.len());
            for &row in standing {
                of_person.push(uids.get(row));
                tenures_of.push_from(&tenures, row);
            }
        }
        of_person.shrink();
        tenures_of.shrink();
        (of_person, tenures_of)
    }
}

/// Whether anybody may hold it: nobody holds a blank key, or the provider's own.
fn is_key(key: &str) -> bool {
    !key.is_empty() && key != PROVIDER
}
