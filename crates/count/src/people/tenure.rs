//! When people had their accounts: all that the join asks of a person beside their keys.

use af_model::{Person, UtcMillis};

use crate::interner::position;

/// The tenures of everybody, by position.
#[derive(Debug, Default)]
pub(crate) struct Tenures {
    /// Milliseconds; the least for somebody who always was.
    created: Vec<i64>,
    /// Of those who left, ascending: who, and when in milliseconds.
    left: Vec<(u32, i64)>,
    is_deprovisioned: Vec<bool>,
}

impl Tenures {
    pub(super) fn push(&mut self, person: &Person) {
        let created = person.created.map_or(i64::MIN, |created| created.0);
        let left = person.deactivated.map(|left| left.0);
        self.append(created, left, person.is_deprovisioned());
    }

    /// Appends one of another list.
    pub(super) fn push_from(&mut self, other: &Self, place: u32) {
        let (created, left, is_deprovisioned) = other.of(place);
        self.append(created, left, is_deprovisioned);
    }

    fn append(&mut self, created: i64, left: Option<i64>, is_deprovisioned: bool) {
        let place = position(self.created.len());
        self.created.push(created);
        self.left.extend(left.map(|left| (place, left)));
        self.is_deprovisioned.push(is_deprovisioned);
    }

    /// Gives back what was reserved and not used.
    pub(super) fn shrink(&mut self) {
        self.created.shrink_to_fit();
        self.left.shrink_to_fit();
        self.is_deprovisioned.shrink_to_fit();
    }

    pub(super) fn reserve(&mut self, people: usize) {
        self.created.reserve_exact(people);
        self.is_deprovisioned.reserve_exact(people);
    }

    /// [`Person::exists_at`].
    #[inline]
    pub(crate) fn exists_at(&self, person: u32, as_of: UtcMillis) -> bool {
        self.created[person as usize] <= as_of.0
    }

    /// [`Person::held_account_at`].
    pub(crate) fn held_account_at(&self, person: u32, time: UtcMillis) -> bool {
        self.exists_at(person, time) && self.left(person).is_none_or(|left| time.0 < left)
    }

    fn left(&self, person: u32) -> Option<i64> {
        let place = self.left.binary_search_by_key(&person, |&(who, _)| who);
        place.ok().map(|place| self.left[place].1)
    }

    /// [`Person::is_deprovisioned`].
    pub(crate) fn is_deprovisioned(&self, person: u32) -> bool {
        self.is_deprovisioned[person as usize]
    }

    /// All of it, to be told from another.
    pub(crate) fn of(&self, person: u32) -> (i64, Option<i64>, bool) {
        let created = self.created[person as usize];
        (created, self.left(person), self.is_deprovisioned(person))
    }
}
