//! How long to wait before a call is repeated. Pure functions: nothing here sleeps.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::head::Head;

/// The wait when a rate limit says nothing that can be understood: its windows are a minute.
const UNKNOWN_WINDOW: Duration = Duration::from_mins(1);

/// Okta begins the next window at a whole second of its own clock.
const MARGIN: Duration = Duration::from_secs(1);

/// The first wait after a failure; it doubles from one to the next.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);

/// What an answer 429 asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limited {
    /// The window is used up: nobody may call until it is over.
    Window(Duration),
    /// Too many calls at one time: a short pause will do.
    Concurrency,
}

/// Reads an answer 429. Both instants are the server's, so a wrong clock of ours does not matter.
pub(super) fn limited(head: &Head, longest: Duration) -> Limited {
    if head.limit == Some(0) && head.remaining == Some(0) {
        return Limited::Concurrency;
    }
    let wait = head
        .retry_after
        .or_else(|| until_reset(head))
        .unwrap_or(UNKNOWN_WINDOW);
    Limited::Window(wait.max(MARGIN).min(longest))
}

/// From the answer until the next window, with a second on top; none when one of the two instants
/// is missing.
pub(super) fn until_reset(head: &Head) -> Option<Duration> {
    let millis = head
        .reset?
        .checked_mul(1000)?
        .checked_sub(head.date?.0)?
        .max(0);
    Some(Duration::from_millis(millis.unsigned_abs()) + MARGIN)
}

/// The wait before repetition `repetition` (1, 2, …): doubling from half a second up to `longest`,
/// of which at least half is waited and the rest is left to chance, so that many clients that
/// failed together do not come back together.
pub(super) fn backoff(repetition: u32, longest: Duration, chance: u64) -> Duration {
    let doublings = repetition.saturating_sub(1).min(20);
    let full = FIRST_BACKOFF.saturating_mul(1 << doublings).min(longest);
    let half = full / 2;
    let spread = u64::try_from(full.saturating_sub(half).as_millis()).unwrap_or(u64::MAX);
    half + Duration::from_millis(chance % spread.saturating_add(1))
}

/// A number that nobody can tell beforehand.
pub(super) fn chance() -> u64 {
    let mut bytes = [0; 8];
    // Without a source of randomness the waits are merely less spread out.
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use af_model::UtcMillis;

    const LONGEST: Duration = Duration::from_mins(2);

    fn head(limit: u64, remaining: u64, reset: Option<i64>, date: Option<i64>) -> Head {
        Head {
            limit: Some(limit),
            remaining: Some(remaining),
            reset,
            date: date.map(UtcMillis),
            ..Head::default()
        }
    }

    #[test]
    fn a_window_is_waited_for_by_the_clock_of_the_server() {
        // 1,700,000,060 s − 1,700,000,018.0 s = 42 s, and one on top.
        let answer = head(60, 0, Some(1_700_000_060), Some(1_700_000_018_000));
        assert_eq!(
            limited(&answer, LONGEST),
            Limited::Window(Duration::from_secs(43))
        );
    }

    #[test]
    fn a_window_that_is_over_costs_a_second() {
        let answer = head(60, 0, Some(1_700_000_000), Some(1_700_000_018_000));
        assert_eq!(
            limited(&answer, LONGEST),
            Limited::Window(Duration::from_secs(1))
        );
    }

    #[test]
    fn what_cannot_be_understood_costs_a_minute_at_most() {
        for answer in [
            Head::default(),
            head(60, 0, None, Some(0)),
            head(60, 0, Some(1_700_000_000), None),
            head(60, 0, Some(i64::MAX), Some(0)),
            head(60, 0, Some(i64::MIN), Some(i64::MAX)),
        ] {
            assert_eq!(
                limited(&answer, LONGEST),
                Limited::Window(Duration::from_mins(1))
            );
        }
        assert_eq!(
            limited(&Head::default(), Duration::from_secs(5)),
            Limited::Window(Duration::from_secs(5))
        );
    }

    #[test]
    fn a_reset_in_the_far_future_is_cut() {
        let answer = head(60, 0, Some(1_800_000_000), Some(1_700_000_000_000));
        assert_eq!(limited(&answer, LONGEST), Limited::Window(LONGEST));
    }

    #[test]
    fn retry_after_wins() {
        let answer = Head {
            retry_after: Some(Duration::from_secs(3)),
            ..head(60, 0, Some(1_700_000_060), Some(1_700_000_000_000))
        };
        assert_eq!(
            limited(&answer, LONGEST),
            Limited::Window(Duration::from_secs(3))
        );
    }

    #[test]
    fn no_limit_at_all_means_too_many_calls_at_one_time() {
        let answer = head(0, 0, Some(1_700_000_060), Some(1_700_000_000_000));
        assert_eq!(limited(&answer, LONGEST), Limited::Concurrency);
    }

    #[test]
    fn back_off_doubles_up_to_its_cap_and_half_of_it_is_chance() {
        let longest = Duration::from_secs(3);
        let range = |repetition| {
            (
                backoff(repetition, longest, 0).as_millis(),
                // The remainder of a division by spread + 1 is at most the spread.
                (0..4000)
                    .map(|chance| backoff(repetition, longest, chance).as_millis())
                    .max()
                    .unwrap(),
            )
        };
        assert_eq!(range(1), (250, 500));
        assert_eq!(range(2), (500, 1000));
        assert_eq!(range(3), (1000, 2000));
        assert_eq!(range(4), (1500, 3000));
        assert_eq!(range(u32::MAX), (1500, 3000));
        assert_eq!(backoff(9, Duration::ZERO, u64::MAX), Duration::ZERO);
        assert!(backoff(40, Duration::MAX, u64::MAX) < Duration::MAX);
    }
}
