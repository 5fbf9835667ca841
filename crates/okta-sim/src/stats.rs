//! What happened so far.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::Serialize;
use tokio::sync::watch;

/// What a simulator did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Calls by method and path, ids left out: `GET /api/v1/users/{id}`.
    pub calls: BTreeMap<String, u64>,
    /// Answers by status.
    pub answers: BTreeMap<u16, u64>,
    /// Access tokens given out.
    pub tokens_issued: u64,
    /// Events in answers, repeated ones too.
    pub events_served: u64,
    /// Calls that a fault struck.
    pub faults: u64,
}

impl Stats {
    /// All calls together, without those that command the simulator.
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }
}

type Watcher = Box<dyn Fn(u64, &str) + Send + Sync>;

/// Counts, and tells.
pub(crate) struct Counters {
    stats: Mutex<Stats>,
    calls: watch::Sender<u64>,
    watcher: Mutex<Option<Watcher>>,
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counters").finish_non_exhaustive()
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            stats: Mutex::default(),
            calls: watch::Sender::new(0),
            watcher: Mutex::default(),
        }
    }
}

impl Counters {
    /// A call arrived; its number, counted from 1.
    pub(crate) fn arrived(&self, method: &str, template: &str) -> u64 {
        *self
            .lock()
            .calls
            .entry(format!("{method} {template}"))
            .or_default() += 1;
        let mut number = 0;
        self.calls.send_modify(|calls| {
            *calls += 1;
            number = *calls;
        });
        let watcher = self.watcher.lock().expect("a watcher does not panic");
        if let Some(watcher) = watcher.as_ref() {
            watcher(number, template);
        }
        number
    }

    pub(crate) fn answered(&self, status: u16, events: usize, token: bool) {
        let mut stats = self.lock();
        *stats.answers.entry(status).or_default() += 1;
        stats.events_served += u64::try_from(events).unwrap_or(0);
        stats.tokens_issued += u64::from(token);
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lock().clone()
    }

    /// The number of calls, as it grows.
    pub(crate) fn calls(&self) -> watch::Receiver<u64> {
        self.calls.subscribe()
    }

    pub(crate) fn watch(&self, watcher: Watcher) {
        *self.watcher.lock().expect("a watcher does not panic") = Some(watcher);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Stats> {
        self.stats.lock().expect("nobody panics with the counts")
    }
}
