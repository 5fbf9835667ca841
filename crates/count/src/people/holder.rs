//! Who holds a key, and which of several holders a signal means (af-1 §3).

use af_model::UtcMillis;

use super::decide::Resolution;
use super::tenure::Tenures;

/// How somebody holds a key, in the order in which kinds are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeyKind {
    Login,
    Email,
    Alias,
}

impl KeyKind {
    pub(super) const ORDER: [Self; 3] = [Self::Login, Self::Email, Self::Alias];
}

/// Some kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    /// They, in their order.
    pub(crate) fn iter(self) -> impl Iterator<Item = KeyKind> {
        let kinds = KeyKind::ORDER.into_iter();
        kinds.filter(move |&kind| self.0 & bit(kind) != 0)
    }
}

impl FromIterator<KeyKind> for Kinds {
    fn from_iter<I: IntoIterator<Item = KeyKind>>(kinds: I) -> Self {
        let bits = kinds.into_iter().map(bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

fn bit(kind: KeyKind) -> u8 {
    1 << kind as u8
}

/// One person holding one key. Ordered by kind, then person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holding {
    pub(crate) kind: KeyKind,
    /// The position in the index.
    pub(crate) person: u32,
    /// First instant of an alias; the least for logins and e-mails, which are held without bounds.
    pub(crate) from: UtcMillis,
    /// First instant at which an alias is held no longer; the greatest for never.
    pub(crate) to: UtcMillis,
}

impl Holding {
    /// A key that is held without bounds.
    pub(crate) fn unbounded(kind: KeyKind, person: u32) -> Self {
        Self {
            kind,
            person,
            from: UtcMillis(i64::MIN),
            to: UtcMillis(i64::MAX),
        }
    }

    /// Whether it is held for a time only.
    pub(crate) fn is_bounded(&self) -> bool {
        self.from.0 != i64::MIN || self.to.0 != i64::MAX
    }

    fn holds_at(&self, time: UtcMillis) -> bool {
        self.from <= time && time < self.to
    }
}

/// Decides among the holders of one key: the first kind with a holder at `time` decides. `None`
/// when nobody holds it. Clears `steady` as soon as another time might give another answer.
///
/// `holdings` is sorted; people who do not exist at `as_of` hold nothing.
pub(crate) fn decide(
    holdings: &[Holding],
    tenures: &Tenures,
    time: UtcMillis,
    as_of: UtcMillis,
    steady: &mut bool,
) -> Option<Resolution> {
    KeyKind::ORDER.into_iter().find_map(|kind| {
        let of_kind = holdings
            .iter()
            .filter(|holding| holding.kind == kind)
            .filter(|holding| tenures.exists_at(holding.person, as_of));
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
                Some(one_of_several(holders, tenures, time))
            }
        }
    })
}

/// One key, several people: the sole one who is not deprovisioned, from their creation on; else the
/// only one whose time at the account contains the signal's; else nobody, because we never guess.
fn one_of_several(
    holders: impl Iterator<Item = u32> + Clone,
    tenures: &Tenures,
    time: UtcMillis,
) -> Resolution {
    let staying = holders
        .clone()
        .filter(|&person| !tenures.is_deprovisioned(person));
    let staying = only(staying).filter(|&person| tenures.exists_at(person, time));
    staying
        .or_else(|| only(holders.filter(|&person| tenures.held_account_at(person, time))))
        .map_or(Resolution::Ambiguous, Resolution::Person)
}

fn only(mut items: impl Iterator<Item = u32>) -> Option<u32> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}
