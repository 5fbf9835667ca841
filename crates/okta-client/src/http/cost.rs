//! What calls cost, counted by many at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use af_model::feed::Cost;

/// Counters that clones of a client share.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    calls: AtomicU64,
    repeated: AtomicU64,
    limited: AtomicU64,
    waited_millis: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn call(&self, is_repetition: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.repeated
            .fetch_add(is_repetition.into(), Ordering::Relaxed);
    }

    pub(crate) fn limited(&self) {
        self.limited.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn waited(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.waited_millis.fetch_add(millis, Ordering::Relaxed);
    }

    pub(crate) fn bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Cost {
        Cost {
            calls: self.calls.load(Ordering::Relaxed),
            repeated: self.repeated.load(Ordering::Relaxed),
            limited: self.limited.load(Ordering::Relaxed),
            waited_millis: self.waited_millis.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}
