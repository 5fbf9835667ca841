//! The log being written, and where its ids come from.

use af_model::UtcMillis;
use af_testkit::generate::Random;

use super::cast::{Member, cast, okta_id};
use super::event::{Event, Principal};

/// The events so far.
pub(crate) struct Log {
    pub(crate) cast: Vec<Member>,
    random: Random,
    events: Vec<Event>,
}

impl Log {
    /// An empty log of the whole cast.
    pub(crate) fn new() -> Self {
        Self {
            cast: cast(),
            random: Random::new(0),
            events: Vec::new(),
        }
    }

    /// Starts a chapter with random numbers of its own, so that a change of one story leaves all
    /// others as they were.
    pub(crate) fn chapter(&mut self, name: &str) {
        let mut seed = [0; 8];
        seed.copy_from_slice(&blake3::hash(name.as_bytes()).as_bytes()[..8]);
        self.random = Random::new(u64::from_le_bytes(seed));
    }

    /// Adds an event a few milliseconds beside its time, and gives it its id.
    pub(crate) fn add(&mut self, mut event: Event) {
        event.published = UtcMillis(event.published.0 + self.below(900));
        let (high, low) = (self.random.next_u64(), self.random.next_u64());
        event.uuid = format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        );
        self.events.push(event);
    }

    /// A number from zero below the bound.
    pub(crate) fn below(&mut self, bound: usize) -> i64 {
        i64::try_from(self.random.below(bound)).expect("a small bound")
    }

    /// True so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    /// A new id of a session.
    pub(crate) fn session(&mut self) -> String {
        format!(
            "idx{}",
            &okta_id("", &format!("{:016x}", self.random.next_u64()))
        )
    }

    /// A new id of a request, or of whatever has 32 hexadecimal digits.
    pub(crate) fn hex(&mut self) -> String {
        format!(
            "{:016x}{:016x}",
            self.random.next_u64(),
            self.random.next_u64()
        )
    }

    /// The actor or target that an account is.
    pub(crate) fn user(&self, number: usize) -> Principal {
        Principal::user(&self.cast[number])
    }

    /// Id and type of the last events added.
    pub(crate) fn last(&self, count: usize) -> Vec<(String, &'static str)> {
        let from = self.events.len().saturating_sub(count);
        self.events[from..]
            .iter()
            .map(|event| (event.uuid.clone(), event.event_type))
            .collect()
    }

    /// Every event in the order in which it was published.
    pub(crate) fn into_events(mut self) -> Vec<Event> {
        self.events
            .sort_by(|a, b| (a.published, &a.uuid).cmp(&(b.published, &b.uuid)));
        self.events
    }
}
