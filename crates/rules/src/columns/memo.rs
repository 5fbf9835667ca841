//! What rules have asked a batch already, so that the next one gets the answer for nothing.
//!
//! Answers follow from the batch alone: whichever rule or thread asks first, the result is the same.

use std::hash::Hash;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use af_model::HexHash;
use hashbrown::HashMap;

use crate::columns::groups::Groups;
use crate::columns::rows::Rows;

/// The answers about one batch.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    /// The rows of a column by value.
    pub(crate) groups: Shelf<&'static str, Groups>,
    /// The rows of a column that have one of the chosen values, or, if the flag says so, none.
    pub(crate) chosen: Shelf<(&'static str, bool, Vec<bool>), Rows>,
    /// What an item says about each value of a column of few values.
    pub(crate) answers: Shelf<HexHash, Answers>,
    /// What an item says about each row of any other column.
    pub(crate) asked: Shelf<HexHash, Asked>,
}

/// Things made when they are asked for first.
#[derive(Debug)]
pub(crate) struct Shelf<K, V>(Mutex<HashMap<K, Arc<OnceLock<Arc<V>>>>>);

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V> Shelf<K, V> {
    /// The thing of that key; `make` makes it if it is not there, while only those wait who want the
    /// same.
    pub(crate) fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        let place = Arc::clone(unpoisoned(&self.0).entry(key).or_default());
        Arc::clone(place.get_or_init(|| Arc::new(make())))
    }
}

/// Yes or no for every value of a column, each asked at most once but for two threads at a time.
#[derive(Debug)]
pub(crate) struct Answers(Vec<AtomicU8>);

const YES: u8 = 1;
const NO: u8 = 2;

impl Answers {
    /// Nothing known about so many values.
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count).map(|_| AtomicU8::new(0)).collect())
    }

    /// The answer about one value.
    pub(crate) fn of(&self, code: usize, ask: impl FnOnce() -> bool) -> bool {
        match self.0[code].load(Ordering::Relaxed) {
            YES => true,
            NO => false,
            _ => {
                let answer = ask();
                let known = if answer { YES } else { NO };
                self.0[code].store(known, Ordering::Relaxed);
                answer
            }
        }
    }
}

/// The rows that somebody asked about, and which of them were found.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<Option<(Rows, Rows)>>);

impl Asked {
    /// The rows of `alive` for which `holds`; it is asked only about rows that nobody asked about.
    pub(crate) fn among(&self, alive: &Rows, holds: impl FnMut(usize) -> bool) -> Rows {
        let mut known = unpoisoned(&self.0);
        let Some((asked, found)) = known.as_mut() else {
            let found = alive.filter(holds);
            *known = Some((alive.clone(), found.clone()));
            return found;
        };
        let new = alive.without(asked);
        if !new.is_empty() {
            *found = found.or(&new.filter(holds));
            *asked = asked.or(&new);
        }
        alive.and(found)
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("who panics with the lock ends the run")
}
