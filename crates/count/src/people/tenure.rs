//! When people had their accounts: all that the join asks of a person beside their keys.

use af_model::{Person, UtcMillis};

/// The tenures of everybody, by position.
#[derive(Debug, Default)]
pub(crate) struct Tenures {
    /// Milliseconds; the least for somebody who always was.
    created: Vec<i64>,
    /// Milliseconds; the greatest for somebody who never left.
    left: Vec<i64>,
    is_deprovisioned: Vec<bool>,
}

impl Tenures {
    pub(super) fn push(&mut self, person: &Person) {
        let created = person.created.map_or(i64::MIN, |created| created.0);
        let left = person.deactivated.map_or(i64::MAX, |left| left.0);
        self.created.push(created);
        self.left.push(left);
        self.is_deprovisioned.push(person.is_deprovisioned());
    }

    /// Appends one of another list.
    pub(super) fn push_from(&mut self, other: &Self, place: u32) {
        let place = place as usize;
        self.created.push(other.created[place]);
        self.left.push(other.left[place]);
        self.is_deprovisioned.push(other.is_deprovisioned[place]);
    }

    /// Gives back what was reserved and not used.
    pub(super) fn shrink(&mut self) {
        self.created.shrink_to_fit();
        self.left.shrink_to_fit();
        self.is_deprovisioned.shrink_to_fit();
    }

    pub(super) fn reserve(&mut self, people: usize) {
        self.created.reserve_exact(people);
        self.left.reserve_exact(people);
        self.is_deprovisioned.reserve_exact(people);
    }

    /// [`Person::exists_at`].
    #[inline]
    pub(crate) fn exists_at(&self, person: u32, as_of: UtcMillis) -> bool {
        self.created[person as usize] <= as_of.0
    }

    /// [`Person::held_account_at`].
    pub(crate) fn held_account_at(&self, person: u32, time: UtcMillis) -> bool {
        self.exists_at(person, time) && time.0 < self.left[person as usize]
    }

    /// [`Person::is_deprovisioned`].
    pub(crate) fn is_deprovisioned(&self, person: u32) -> bool {
        self.is_deprovisioned[person as usize]
    }

    /// All of it, to be told from another.
    pub(crate) fn of(&self, person: u32) -> (i64, i64, bool) {
        let place = person as usize;
        (
            self.created[place],
            self.left[place],
            self.is_deprovisioned[place],
        )
    }
}
