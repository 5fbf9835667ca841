//! The simulation's calendar.

use af_model::{UtcDay, UtcMillis};

use super::places::Place;

pub(super) const SECOND: i64 = 1000;
pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 3600;

/// 2026-08-24, a Monday.
pub(super) const FIRST: UtcDay = UtcDay(20_689);

/// The UTC day of a day of the simulation, counted from 0.
pub(super) fn utc_day(day: i32) -> UtcDay {
    UtcDay(FIRST.0 + day)
}

/// An instant by local clock: seconds after local midnight.
pub(super) fn local(day: i32, place: &Place, seconds: i64) -> UtcMillis {
    later(
        utc_day(day).start(),
        seconds - place.offset_minutes * MINUTE,
    )
}

/// Later by so many seconds.
pub(super) fn later(at: UtcMillis, seconds: i64) -> UtcMillis {
    UtcMillis(at.0 + seconds * SECOND)
}

/// Monday to Friday.
pub(super) fn is_working_day(day: i32) -> bool {
    day.rem_euclid(7) < 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_day_is_a_monday() {
        assert_eq!(FIRST, UtcDay::parse("2026-08-24").unwrap());
        // Day 0 of the epoch was a Thursday, 3 counted from Monday.
        assert_eq!((FIRST.0 + 3).rem_euclid(7), 0);
    }
}
