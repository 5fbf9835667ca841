//! What time it is, in the org and in the world.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::options::Time;

/// The world's clock, in milliseconds since 1970 UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulator plays somebody else's server, which has a clock of its own"
)]
pub(crate) fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

/// The org's clock. It never goes back.
#[derive(Debug)]
pub(crate) struct Clock {
    speed: i64,
    started_wall: i64,
    /// Where it started, moved on by whoever moved it.
    origin: Mutex<i64>,
}

impl Clock {
    pub(crate) fn new(time: Time) -> Self {
        let wall = wall_millis();
        let (origin, speed) = match time {
            Time::Runs { from, speed } => (from.unwrap_or(wall), i64::from(speed)),
            Time::Stands(at) => (at, 0),
        };
        Self {
            speed,
            started_wall: wall,
            origin: Mutex::new(origin),
        }
    }

    fn elapsed(&self) -> i64 {
        (wall_millis() - self.started_wall)
            .max(0)
            .saturating_mul(self.speed)
    }

    /// The org's now, in milliseconds since 1970 UTC.
    pub(crate) fn now(&self) -> i64 {
        let origin = *self.origin.lock().expect("nobody panics with the clock");
        origin.saturating_add(self.elapsed())
    }

    /// Moves it on.
    pub(crate) fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let mut origin = self.origin.lock().expect("nobody panics with the clock");
        *origin = origin.saturating_add(by);
    }

    /// Moves it to an instant; false if that is past.
    pub(crate) fn set(&self, to: i64) -> bool {
        let elapsed = self.elapsed();
        let mut origin = self.origin.lock().expect("nobody panics with the clock");
        if to < origin.saturating_add(elapsed) {
            return false;
        }
        *origin = to - elapsed;
        true
    }
}
