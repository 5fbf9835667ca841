//! Who holds a key, and which of several holders a signal means (af-1 §3).

use af_model::{Person, UtcMillis};

use super::index::Resolution;

/// How somebody holds a key, in the order in which kinds are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeyKind {
    Login,
    Email,
    Alias,
}

impl KeyKind {
    const ORDER: [Self; 3] = [Self::Login, Self::Email, Self::Alias];
}

/// One person holding one key. Ordered by kind, then person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holding {
    pub(crate) kind: KeyKind,
    /// Position in the index's people.
    pub(crate) person: u32,
    /// First instant of an alias; null for logins and e-mails, which are held without bounds.
    pub(crate) from: Option<UtcMillis>,
    /// First instant at which an alias is held no longer.
    pub(crate) to: Option<UtcMillis>,
}

impl Holding {
    /// Whether it is held for a time only.
    pub(crate) fn is_bounded(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    fn holds_at(&self, time: UtcMillis) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }
}

/// Decides among the holders of one key: the first kind with a holder at `time` decides. `None`
/// when nobody holds it. Clears `steady` as soon as another time might give another answer.
///
/// `holdings` is sorted; people who do not exist at `as_of` hold nothing.
pub(crate) fn decide(
    holdings: &[Holding],
    people: &[Person],
    time: UtcMillis,
    as_of: UtcMillis,
    steady: &mut bool,
) -> Option<Resolution> {
    KeyKind::ORDER.into_iter().find_map(|kind| {
        let of_kind = holdings
            .iter()
            .filter(|holding| holding.kind == kind)
            .filter(|holding| people[holding.person as usize].exists_at(as_of));
        if of_kind.clone().any(Holding::is_bounded) {
            *steady = false;
        }
        // Holdings are sorted by person, so that one who holds a key twice stands side by side.
        let mut previous = None;
        let holders = of_kind
            .filter(|holding| holding.holds_at(time))
            .map(|holding| holding.person)
            .filter(move |&person| previous.replace(person) != Some(person));
        let mut two = holders.clone();
        match (two.next(), two.next()) {
            (None, _) => None,
            (Some(person), None) => Some(Resolution::Person(person)),
            (Some(_), Some(_)) => {
                *steady = false;
                Some(one_of_several(holders, people, time))
            }
        }
    })
}

/// One key, several people: the sole one who is not deprovisioned, from their creation on; else the
/// only one whose time at the account contains the signal's; else nobody, because we never guess.
fn one_of_several(
    holders: impl Iterator<Item = u32> + Clone,
    people: &[Person],
    time: UtcMillis,
) -> Resolution {
    let person = |&index: &u32| &people[index as usize];
    let staying = only(
        holders
            .clone()
            .filter(|index| !person(index).is_deprovisioned()),
    )
    .filter(|index| person(index).created.is_none_or(|created| created <= time));
    staying
        .or_else(|| only(holders.filter(|index| person(index).held_account_at(time))))
        .map_or(Resolution::Ambiguous, Resolution::Person)
}

fn only(mut items: impl Iterator<Item = u32>) -> Option<u32> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}
