//! Rate limits: windows a bucket, and calls at the same time.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::clock::wall_millis;
use crate::route::Bucket;

/// What is left of a limit after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Milliseconds until the window ends.
    pub(crate) resets_in: i64,
    /// Whether the call was one too many.
    pub(crate) exceeded: bool,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends: i64,
    used: u32,
}

/// The limits of the org.
#[derive(Debug)]
pub(crate) struct Limits {
    logs_per_minute: u32,
    window: i64,
    windows: Mutex<BTreeMap<Bucket, Window>>,
    concurrency: u32,
    running: AtomicU32,
}

/// A call that is being answered.
#[derive(Debug)]
pub(crate) struct Running<'a>(&'a Limits);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Limits {
    pub(crate) fn new(logs_per_minute: u32, window: std::time::Duration, concurrency: u32) -> Self {
        Self {
            logs_per_minute,
            window: i64::try_from(window.as_millis()).unwrap_or(i64::MAX).max(1),
            windows: Mutex::new(BTreeMap::new()),
            concurrency,
            running: AtomicU32::new(0),
        }
    }

    /// A call begins; none when too many are under way.
    pub(crate) fn enter(&self) -> Option<Running<'_>> {
        let before = self.running.fetch_add(1, Ordering::AcqRel);
        let running = Running(self);
        (before < self.concurrency).then_some(running)
    }

    /// Counts a call. Windows begin with their first call, so they follow no minute of any clock.
    pub(crate) fn count(&self, bucket: Bucket) -> Left {
        self.count_at(bucket, wall_millis())
    }

    fn count_at(&self, bucket: Bucket, now: i64) -> Left {
        let limit = bucket.limit(self.logs_per_minute);
        let mut windows = self.windows.lock().expect("nobody panics with the limits");
        let window = windows.entry(bucket).or_insert(Window { ends: 0, used: 0 });
        if now >= window.ends {
            *window = Window {
                ends: now.saturating_add(self.window),
                used: 0,
            };
        }
        let exceeded = window.used >= limit;
        if !exceeded {
            window.used += 1;
        }
        Left {
            limit,
            remaining: limit - window.used,
            resets_in: window.ends - now,
            exceeded,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_window_begins_with_its_first_call_and_lets_so_many_through() {
        let limits = Limits::new(2, Duration::from_mins(1), 75);
        let left = |now| {
            let left = limits.count_at(Bucket::Logs, now);
            (left.remaining, left.resets_in, left.exceeded)
        };
        assert_eq!(left(1_500), (1, 60_000, false));
        assert_eq!(left(31_500), (0, 30_000, false));
        assert_eq!(left(61_499), (0, 1, true));
        assert_eq!(left(61_500), (1, 60_000, false));
    }

    #[test]
    fn buckets_do_not_touch_each_other() {
        let limits = Limits::new(1, Duration::from_mins(1), 75);
        assert!(!limits.count_at(Bucket::Logs, 0).exceeded);
        assert!(limits.count_at(Bucket::Logs, 1).exceeded);
        let users = limits.count_at(Bucket::Users, 2);
        assert_eq!((users.limit, users.remaining), (5, 4));
    }

    #[test]
    fn only_so_many_calls_run_at_once() {
        let limits = Limits::new(1, Duration::from_mins(1), 2);
        let first = limits.enter();
        let second = limits.enter();
        assert!(first.is_some() && second.is_some() && limits.enter().is_none());
        drop(first);
        assert!(limits.enter().is_some());
    }
}
