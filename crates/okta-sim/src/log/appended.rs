//! Events that somebody added while the org was running.

use std::sync::{Arc, RwLock};

use super::index::{Order, Position};

/// Numbers of added events begin here, so that they come after all others of their instant.
const FIRST_NUMBER: u64 = 1 << 48;

/// One added event.
#[derive(Clone, Debug)]
pub(crate) struct Added {
    pub(crate) published: i64,
    pub(crate) persisted: i64,
    pub(crate) json: Arc<[u8]>,
}

/// The added events, in memory: tests add few.
#[derive(Debug, Default)]
pub(crate) struct Appended(RwLock<Vec<Added>>);

impl Appended {
    /// Adds events. They are made while nobody reads: a cursor that was handed out before lies before
    /// them, because the clock is asked after every reader that does not see them.
    pub(crate) fn add(&self, make: impl FnOnce() -> Vec<Added>) {
        let mut added = self.0.write().expect("nobody panics with added events");
        let new = make();
        added.extend(new);
    }

    /// Those between two positions, both excluded, in an order.
    pub(crate) fn between(
        &self,
        order: Order,
        after: Position,
        before: Position,
    ) -> Vec<(Position, Added)> {
        let added = self.0.read().expect("nobody panics with added events");
        let mut found: Vec<(Position, Added)> = (FIRST_NUMBER..)
            .zip(added.iter())
            .map(|(number, added)| {
                let millis = match order {
                    Order::Published => added.published,
                    Order::Persisted => added.persisted,
                };
                (Position { millis, number }, added)
            })
            .filter(|(position, _)| after < *position && *position < before)
            .map(|(position, added)| (position, added.clone()))
            .collect();
        found.sort_unstable_by_key(|(position, _)| *position);
        found
    }
}
