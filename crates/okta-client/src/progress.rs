//! What whoever watches may want to know while we fetch.

use std::time::Duration;

use af_model::UtcMillis;

/// Something happened.
#[derive(Clone, Debug)]
pub enum News<'a> {
    /// A page of the System Log landed.
    Page {
        /// Its stream.
        stream: &'a str,
        /// Events in it.
        events: u64,
        /// Bytes of it.
        bytes: u64,
        /// The greatest `published` so far.
        last_event: Option<UtcMillis>,
        /// Calls left in the current window, of how many.
        budget: Option<(u64, u64)>,
    },
    /// Nothing more is there for now.
    CaughtUp,
    /// A step of the inventory has so many objects.
    Step {
        /// Its name.
        step: &'a str,
        /// Objects so far.
        objects: u64,
        /// Whether it is done.
        done: bool,
    },
    /// We wait.
    Waiting {
        /// Why: `rate limit`, `repeating after 503`, `nothing new`.
        why: &'a str,
        /// How long.
        time: Duration,
    },
    /// Something a user should read.
    Warning(&'a str),
}

/// Whoever watches.
pub trait Progress: Send + Sync {
    /// Hears the news of one integration.
    fn tell(&self, news: &News<'_>);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _: &News<'_>) {}
}
