//! When what is read becomes known: the clock says, but the store never forgets what it knew.
//!
//! A snapshot is named by what was known at an instant (`known_at`). If a clock that jumped back
//! stamped new rows with an instant that lies before what the store already holds, they would slip
//! into a past that was published without them, and a newer directory would lose against an older
//! one. So an instant that comes from the clock never goes backwards ([`not_before`]). An instant
//! that a person gives is taken as it is: imports of old exports say when they were known.

use af_model::UtcMillis;
use af_store::{Commit, Store, WriteLock};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The state document with the latest instant at which something became known.
pub const KNOWN_STATE: &str = "known";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// Events and rejects.
    events: Option<UtcMillis>,
    /// Versions of the directory.
    people: Option<UtcMillis>,
}

/// An instant for what becomes known now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    /// The instant to write down.
    pub at: UtcMillis,
    /// What the store knew already, if the clock lies before it.
    pub clock_is_behind: Option<UtcMillis>,
}

impl Instant {
    fn new(clock: UtcMillis, earliest: Option<UtcMillis>, known: Option<UtcMillis>) -> Self {
        Self {
            at: earliest.map_or(clock, |earliest| clock.max(earliest)),
            clock_is_behind: known.filter(|known| clock < *known),
        }
    }
}

/// The instant at which events become known that are read when the clock says `clock`.
///
/// # Errors
/// The store cannot be read.
pub fn not_before(store: &Store, clock: UtcMillis) -> Result<Instant, Error> {
    let known: Known = store.read_state(KNOWN_STATE)?.unwrap_or_default();
    let latest = known.events.max(known.people);
    Ok(Instant::new(clock, latest, latest))
}

/// As [`not_before`] for a version of the directory: of two versions of one instant neither is the
/// later one, so it comes at least a millisecond after the last.
///
/// # Errors
/// As [`not_before`].
pub fn not_before_people(store: &Store, clock: UtcMillis) -> Result<Instant, Error> {
    let known: Known = store.read_state(KNOWN_STATE)?.unwrap_or_default();
    let after = known.people.map(|at| UtcMillis(at.0.saturating_add(1)));
    Ok(Instant::new(
        clock,
        known.events.max(after),
        known.events.max(known.people),
    ))
}

/// Remembers, together with the rows themselves, when they became known.
pub(crate) fn remember(store: &Store, commit: &mut Commit<'_>, at: UtcMillis) -> Result<(), Error> {
    let mut known: Known = store.read_state(KNOWN_STATE)?.unwrap_or_default();
    if known.events < Some(at) {
        known.events = Some(at);
        commit.write_state(KNOWN_STATE, &known)?;
    }
    Ok(())
}

/// Remembers when a version of the directory became known.
pub(crate) fn remember_people(store: &Store, lock: &WriteLock, at: UtcMillis) -> Result<(), Error> {
    let mut known: Known = store.read_state(KNOWN_STATE)?.unwrap_or_default();
    if known.people < Some(at) {
        known.people = Some(at);
        store.write_state(lock, KNOWN_STATE, &known)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumped_back_does_not_take_knowledge_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        let at = |clock| not_before(&store, UtcMillis(clock)).unwrap();
        let people_at = |clock| not_before_people(&store, UtcMillis(clock)).unwrap();
        assert_eq!((at(5).at, at(5).clock_is_behind), (UtcMillis(5), None));
        let mut commit = store.begin_commit(&lock);
        remember(&store, &mut commit, UtcMillis(100)).unwrap();
        commit.commit().unwrap();
        remember_people(&store, &lock, UtcMillis(200)).unwrap();
        assert_eq!(at(150).at, UtcMillis(200));
        assert_eq!(at(150).clock_is_behind, Some(UtcMillis(200)));
        assert_eq!(
            (at(201).at, at(201).clock_is_behind),
            (UtcMillis(201), None)
        );
        // A second version at the same instant comes after the first, and that is no fault of the clock.
        assert_eq!(people_at(200).at, UtcMillis(201));
        assert_eq!(people_at(200).clock_is_behind, None);
        assert_eq!(people_at(50).clock_is_behind, Some(UtcMillis(200)));
        // An old export says when it was known; that takes nothing back either.
        let mut commit = store.begin_commit(&lock);
        remember(&store, &mut commit, UtcMillis(7)).unwrap();
        commit.commit().unwrap();
        assert_eq!(at(150).at, UtcMillis(200));
    }
}
