//! A share of every rate limit, kept by all clones of a client together.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::bucket::Bucket;
use super::head::Head;
use super::waits::until_reset;

/// Two answers whose windows end this close together (seconds) speak of the same window.
const SAME_WINDOW: i64 = 2;

/// What is known about the windows of every bucket.
#[derive(Debug)]
pub(super) struct Budget {
    rate_percent: u64,
    longest: Duration,
    buckets: [State; Bucket::COUNT],
}

#[derive(Debug, Default)]
struct State {
    window: Mutex<Window>,
    changed: Notify,
}

/// The current window of one bucket.
#[derive(Debug, Default)]
struct Window {
    limits: Limits,
    in_flight: u64,
    /// Somebody was told to wait until then.
    blocked_until: Option<Instant>,
    /// The end of the wait that was announced last, so that many who wait are one news.
    announced: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Limits {
    /// Nobody answered yet. One call goes first and learns.
    #[default]
    Unknown,
    /// Answers say nothing about limits.
    Unsaid,
    Said {
        limit: u64,
        used: u64,
        reset: i64,
        ends: Instant,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Go,
    WaitUntil(Instant),
    /// An answer that is on its way decides.
    AwaitAnswer,
}

impl Window {
    fn judge(&self, now: Instant, rate_percent: u64) -> Verdict {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Verdict::WaitUntil(until);
        }
        match self.limits {
            Limits::Unknown if self.in_flight == 0 => Verdict::Go,
            Limits::Unknown => Verdict::AwaitAnswer,
            Limits::Unsaid => Verdict::Go,
            Limits::Said {
                limit, used, ends, ..
            } => {
                let is_over = now >= ends;
                let used = if is_over { 0 } else { used };
                // One call a window is always ours, or a small limit would stop us for good.
                let ours = (limit.saturating_mul(rate_percent) / 100).max(1);
                if used.saturating_add(self.in_flight) < ours {
                    Verdict::Go
                } else if is_over {
                    Verdict::AwaitAnswer
                } else {
                    Verdict::WaitUntil(ends)
                }
            }
        }
    }

    fn learn(&mut self, head: &Head, arrived: Instant, longest: Duration) {
        let (Some((remaining, limit)), Some(reset)) = (head.budget(), head.reset) else {
            if matches!(self.limits, Limits::Unknown) {
                self.limits = Limits::Unsaid;
            }
            return;
        };
        if limit == 0 {
            // This is how too many calls at one time look; no window is meant.
            return;
        }
        let mut used = limit.saturating_sub(remaining);
        let rest = until_reset(head).unwrap_or(Duration::from_mins(1));
        let mut ends = arrived + rest.min(longest);
        if let Limits::Said {
            used: known,
            reset: current,
            ends: known_ends,
            ..
        } = self.limits
        {
            let later = reset.saturating_sub(current);
            if later < -SAME_WINDOW && known_ends > arrived {
                return;
            }
            // Answers overtake each other; the one that counted most is the youngest. The server's
            // clock tells whole seconds, so every answer puts the same end a little elsewhere.
            if later <= SAME_WINDOW && known_ends > arrived {
                used = used.max(known);
                ends = ends.min(known_ends);
            }
        }
        self.limits = Limits::Said {
            limit,
            used,
            reset,
            ends,
        };
    }
}

impl Budget {
    pub(super) fn new(rate_percent: u8, longest: Duration) -> Self {
        Self {
            rate_percent: u64::from(rate_percent.clamp(1, 100)),
            longest,
            buckets: std::array::from_fn(|_| State::default()),
        }
    }

    fn state(&self, bucket: Bucket) -> &State {
        &self.buckets[bucket.index()]
    }

    /// Waits until a call may be made. `announce` hears the length of every wait that nobody else
    /// announced, `waited` how long it took in the end.
    pub(super) async fn admit(
        &self,
        bucket: Bucket,
        announce: impl Fn(Duration),
        waited: impl Fn(Duration),
    ) -> Permit<'_> {
        let state = self.state(bucket);
        let mut ours: Option<(Instant, Instant)> = None;
        loop {
            let changed = state.changed.notified();
            tokio::pin!(changed);
            // From here on a change wakes us, also one before we begin to wait.
            changed.as_mut().enable();
            let now = Instant::now();
            let verdict = {
                let mut window = state.window();
                let verdict = window.judge(now, self.rate_percent);
                match verdict {
                    Verdict::Go => window.in_flight += 1,
                    Verdict::WaitUntil(until) if window.announced != Some(until) => {
                        window.announced = Some(until);
                        if let Some((since, _)) = ours.replace((now, until)) {
                            waited(now - since);
                        }
                        announce(until - now);
                    }
                    _ => {}
                }
                verdict
            };
            match verdict {
                Verdict::Go => {
                    if let Some((since, _)) = ours {
                        waited(now - since);
                    }
                    return Permit {
                        budget: self,
                        bucket,
                    };
                }
                Verdict::WaitUntil(until) => {
                    tokio::select! {
                        () = sleep_until(until) => {}
                        () = changed => {}
                    }
                }
                Verdict::AwaitAnswer => changed.await,
            }
        }
    }

    /// Nobody calls before this time is over.
    pub(super) fn block(&self, bucket: Bucket, wait: Duration) {
        let until = Instant::now() + wait;
        let state = self.state(bucket);
        {
            let mut window = state.window();
            window.blocked_until = window.blocked_until.max(Some(until));
        }
        state.changed.notify_waiters();
    }
}

impl State {
    /// Nothing that happens under the lock can leave it half done.
    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is being made. Dropped, it is over, answered or not.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    budget: &'a Budget,
    bucket: Bucket,
}

impl Permit<'_> {
    /// Notes what the answer says about the window.
    pub(super) fn learn(&self, head: &Head) {
        let longest = self.budget.longest;
        self.budget
            .state(self.bucket)
            .window()
            .learn(head, Instant::now(), longest);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let state = self.budget.state(self.bucket);
        state.window().in_flight -= 1;
        state.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use af_model::UtcMillis;

    const LONGEST: Duration = Duration::from_mins(2);
    const DATE: i64 = 1_700_000_000;

    fn head(limit: u64, remaining: u64, reset: i64) -> Head {
        Head {
            limit: Some(limit),
            remaining: Some(remaining),
            reset: Some(reset),
            date: Some(UtcMillis(DATE * 1000)),
            ..Head::default()
        }
    }

    /// A window that learned these answers, all of which arrived at `now`.
    fn window(now: Instant, answers: &[Head]) -> Window {
        let mut window = Window::default();
        for answer in answers {
            window.learn(answer, now, LONGEST);
        }
        window
    }

    #[test]
    fn half_of_the_limit_is_used_and_then_the_window_is_waited_for() {
        let now = Instant::now();
        // 120 calls a minute, half of them ours: the 60th is the last one.
        let after = |used: u64| window(now, &[head(120, 120 - used, DATE + 30)]).judge(now, 50);
        assert_eq!(after(59), Verdict::Go);
        // 30 s until the reset, and one on top.
        assert_eq!(after(60), Verdict::WaitUntil(now + Duration::from_secs(31)));
        assert_eq!(
            after(120),
            Verdict::WaitUntil(now + Duration::from_secs(31))
        );
    }

    #[test]
    fn calls_on_their_way_count_as_used() {
        let now = Instant::now();
        let mut window = window(now, &[head(120, 70, DATE + 30)]);
        window.in_flight = 9;
        assert_eq!(window.judge(now, 50), Verdict::Go);
        window.in_flight = 10;
        assert_eq!(
            window.judge(now, 50),
            Verdict::WaitUntil(now + Duration::from_secs(31))
        );
    }

    #[test]
    fn when_a_window_is_over_its_share_begins_anew() {
        let now = Instant::now();
        let mut window = window(now, &[head(120, 0, DATE + 30)]);
        let later = now + Duration::from_secs(31);
        assert_eq!(window.judge(later, 50), Verdict::Go);
        window.in_flight = 60;
        assert_eq!(window.judge(later, 50), Verdict::AwaitAnswer);
    }

    #[test]
    fn the_smallest_share_is_one_call() {
        let now = Instant::now();
        assert_eq!(
            window(now, &[head(20, 20, DATE + 30)]).judge(now, 1),
            Verdict::Go
        );
        assert_ne!(
            window(now, &[head(20, 19, DATE + 30)]).judge(now, 1),
            Verdict::Go
        );
    }

    #[test]
    fn the_first_call_goes_alone() {
        let now = Instant::now();
        let mut window = Window::default();
        assert_eq!(window.judge(now, 50), Verdict::Go);
        window.in_flight = 1;
        assert_eq!(window.judge(now, 50), Verdict::AwaitAnswer);
        window.learn(&Head::default(), now, LONGEST);
        assert_eq!(window.judge(now, 50), Verdict::Go);
    }

    #[test]
    fn answers_that_overtake_each_other_never_give_calls_back() {
        let now = Instant::now();
        let full = head(120, 60, DATE + 30);
        let older = head(120, 90, DATE + 30);
        let last_window = head(120, 119, DATE - 30);
        let next_window = head(120, 119, DATE + 90);
        assert_ne!(
            window(now, &[full.clone(), older]).judge(now, 50),
            Verdict::Go
        );
        assert_ne!(
            window(now, &[full.clone(), last_window]).judge(now, 50),
            Verdict::Go
        );
        assert_eq!(
            window(now, &[full, next_window]).judge(now, 50),
            Verdict::Go
        );
    }

    #[test]
    fn a_window_ends_when_its_first_answer_says() {
        let now = Instant::now();
        let mut window = window(now, &[head(120, 70, DATE + 30)]);
        window.learn(
            &head(120, 0, DATE + 31),
            now + Duration::from_millis(900),
            LONGEST,
        );
        let later = now + Duration::from_secs(1);
        assert_eq!(
            window.judge(later, 50),
            Verdict::WaitUntil(now + Duration::from_secs(31))
        );
    }

    #[test]
    fn a_block_holds_whatever_the_window_says() {
        let now = Instant::now();
        let mut window = window(now, &[head(120, 120, DATE + 30)]);
        let until = now + Duration::from_secs(5);
        window.blocked_until = Some(until);
        assert_eq!(window.judge(now, 50), Verdict::WaitUntil(until));
        assert_eq!(window.judge(until, 50), Verdict::Go);
    }

    #[test]
    fn a_reset_in_the_far_future_is_cut() {
        let now = Instant::now();
        let window = window(now, &[head(120, 0, i64::MAX / 2000)]);
        assert_eq!(window.judge(now, 50), Verdict::WaitUntil(now + LONGEST));
    }

    #[test]
    fn limits_of_zero_say_nothing_about_a_window() {
        let now = Instant::now();
        let window = window(now, &[head(120, 119, DATE + 30), head(0, 0, DATE + 30)]);
        assert_eq!(window.judge(now, 50), Verdict::Go);
    }
}
