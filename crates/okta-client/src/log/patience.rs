//! How long to wait, and waiting.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, ErrorKind};
use crate::progress::News;

use super::session::Session;

/// The longest pause between two tries of a pull that follows.
const LONGEST: Duration = Duration::from_mins(5);

/// Pauses that double from one failure to the next, as long as nothing succeeds in between.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failures: u32,
    answers: u64,
}

impl Patience {
    /// The next pause: `first`, doubled for every failure since an answer came, at most 5 minutes.
    pub(super) fn next(&mut self, first: Duration, answers: u64) -> Duration {
        if answers != self.answers {
            self.answers = answers;
            self.failures = 0;
        }
        let pause = doubled(first, self.failures).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        pause
    }
}

/// `first` doubled so many times.
pub(super) fn doubled(first: Duration, times: u32) -> Duration {
    // Never nothing: whoever waits must not turn in circles.
    let first = first.max(Duration::from_millis(1));
    first.saturating_mul(2_u32.saturating_pow(times.min(20)))
}

/// Between half of a time and all of it, by chance: many who failed together come back apart.
pub(super) fn jittered(time: Duration) -> Duration {
    let mut byte = [u8::MAX];
    // Without a source of randomness the waits are merely less spread out.
    let _ = SystemRandom::new().fill(&mut byte);
    time / 2 + (time / 2) * u32::from(byte[0]) / u32::from(u8::MAX)
}

impl Session<'_> {
    /// Waits, unless asked to stop.
    ///
    /// # Errors
    /// [`ErrorKind::Stopped`].
    pub(super) async fn pause(&self, why: &str, time: Duration) -> Result<(), Error> {
        self.tell(&News::Waiting { why, time });
        let stop = &self.client.options().stop;
        tokio::select! {
            biased;
            () = stop.asked() => Err(stopped()),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }
}

pub(super) fn stopped() -> Error {
    Error::new(ErrorKind::Stopped, "go on: we were asked to stop")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes_and_begin_anew_after_an_answer() {
        let mut patience = Patience::default();
        let first = Duration::from_secs(30);
        let mut seconds = |answers| patience.next(first, answers).as_secs();
        let failing: Vec<u64> = (0..6).map(|_| seconds(0)).collect();
        assert_eq!(failing, [30, 60, 120, 240, 300, 300]);
        assert_eq!(seconds(1), 30);
        assert_eq!(seconds(1), 60);
        assert_eq!(seconds(2), 30);
    }

    #[test]
    fn a_pause_is_never_nothing_nor_more_than_it_should_be() {
        assert_eq!(doubled(Duration::ZERO, 0), Duration::from_millis(1));
        assert!(doubled(Duration::MAX, u32::MAX) >= Duration::from_hours(1));
        for _ in 0..100 {
            let time = jittered(Duration::from_secs(8));
            assert!((4..=8).contains(&time.as_secs()), "{time:?}");
        }
    }
}
