//! The thirty days of the demo. Nothing here knows what time it is.

use af_model::{UtcDay, UtcMillis};

/// Days of the demo.
pub(crate) const DAYS: i32 = 30;

const SECOND: i64 = 1000;

/// An instant written as `2026-11-10 19:04:11`, UTC.
pub(crate) fn moment(text: &str) -> UtcMillis {
    UtcMillis::parse(text).expect("the demo's own instants are written well")
}

/// The days of the demo, oldest first.
pub(crate) fn days() -> impl Iterator<Item = UtcDay> {
    let first = moment("2026-10-22 00:00:00").day();
    (0..DAYS).map(move |day| UtcDay(first.0 + day))
}

/// Whether people work that day: Monday to Friday.
pub(crate) fn is_working_day(day: UtcDay) -> bool {
    // Day 0 of the epoch was a Thursday, 3 counted from Monday.
    (day.0 + 3).rem_euclid(7) < 5
}

/// Later by so many seconds.
pub(crate) fn later(at: UtcMillis, seconds: i64) -> UtcMillis {
    UtcMillis(at.0 + seconds * SECOND)
}
