//! Telling people and logs how fetching goes, one line for every integration.
//!
//! On a terminal each integration has a line on standard error that is drawn anew once a second at
//! the most. Elsewhere, and with JSON logs, it is events of `tracing`: warnings at once, figures at
//! most every ten seconds. Standard output is never touched.

use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use af_model::UtcMillis;
use af_okta_client::log::PullReport;
use af_okta_client::{News, Progress};
use af_store::feed::FeedName;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::spans;
use crate::{clock, logging};

/// How often a line is drawn anew, and how often figures go into a log.
const DRAW_EVERY: Duration = Duration::from_secs(1);
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Where the lines stand.
#[derive(Clone)]
pub(crate) struct Board {
    lines: Option<MultiProgress>,
}

impl Board {
    /// A board, without lines when the user wants quiet or nobody watches.
    pub(crate) fn new(quiet: bool) -> Self {
        let shown = !quiet && !logging::is_json() && io::stderr().is_terminal();
        Self {
            lines: shown
                .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(1))),
        }
    }

    /// Whoever watches one integration.
    pub(crate) fn watch(&self, feed: &FeedName) -> Arc<Watch> {
        let line = self.lines.as_ref().map(|lines| {
            let style = ProgressStyle::with_template("{spinner} {prefix}  {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let line = ProgressBar::new_spinner()
                .with_style(style)
                .with_prefix(format!("{}/{}", feed.tenant, feed.integration));
            lines.add(line)
        });
        Arc::new(Watch {
            board: self.clone(),
            feed: feed.clone(),
            line,
            state: Mutex::new(State::new(clock::moment())),
        })
    }
}

/// Watches one integration.
pub(crate) struct Watch {
    board: Board,
    feed: FeedName,
    line: Option<ProgressBar>,
    state: Mutex<State>,
}

/// What was heard so far.
#[derive(Debug)]
struct State {
    since: Instant,
    /// When the line was drawn last, or the figures logged.
    told: Option<Instant>,
    events: u64,
    pages: u64,
    bytes: u64,
    last_event: Option<UtcMillis>,
    budget: Option<(u64, u64)>,
    caught_up: bool,
    waiting: Option<String>,
    step: Option<(String, u64)>,
}

impl State {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            told: None,
            events: 0,
            pages: 0,
            bytes: 0,
            last_event: None,
            budget: None,
            caught_up: false,
            waiting: None,
            step: None,
        }
    }

    fn hear(&mut self, news: &News<'_>) {
        match news {
            News::Page {
                events,
                bytes,
                last_event,
                budget,
                ..
            } => {
                self.events += events;
                self.pages += 1;
                self.bytes += bytes;
                self.last_event = self.last_event.max(*last_event);
                self.budget = budget.or(self.budget);
                self.caught_up = false;
                self.waiting = None;
            }
            News::CaughtUp => {
                self.caught_up = true;
                self.waiting = None;
            }
            News::Step {
                step,
                objects,
                done,
            } => {
                self.step = (!done).then(|| ((*step).to_owned(), *objects));
                self.waiting = None;
            }
            News::Waiting { why, time } => {
                let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
                // Nobody can read what lasts less than a second.
                self.waiting =
                    (millis >= 1000).then(|| format!("waits {} ({why})", spans::words(millis)));
            }
            News::Warning(_) => {}
        }
    }

    /// Events a second since the watch began.
    fn rate(&self, now: Instant) -> u64 {
        rate(self.events, now.saturating_duration_since(self.since))
    }

    /// The line of an integration, without its name.
    fn line(&self, now: Instant, clock: UtcMillis) -> String {
        let mut parts = Vec::new();
        if let Some((step, objects)) = &self.step {
            parts.push(format!("{step} {objects}"));
        } else {
            parts.push(format!("{} events", self.events));
            parts.push(format!("{}/s", self.rate(now)));
        }
        if let Some((left, limit)) = self.budget {
            parts.push(format!("budget {left} of {limit}"));
        }
        if self.caught_up {
            parts.push("caught up".to_owned());
        } else if let Some(last) = self.last_event {
            parts.push(format!("{} behind", spans::words(clock.0 - last.0)));
        }
        parts.extend(self.waiting.clone());
        parts.join("  ")
    }
}

/// Events a second.
pub(crate) fn rate(events: u64, took: Duration) -> u64 {
    let millis = took.as_millis().max(1);
    u64::try_from(u128::from(events) * 1000 / millis).unwrap_or(u64::MAX)
}

impl Watch {
    /// Everything that was pulled while it watched, however often that began anew.
    pub(crate) fn total(&self, caught_up: bool) -> PullReport {
        let state = self.state();
        PullReport {
            events: state.events,
            pages: state.pages,
            span: None,
            caught_up,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere may poison the lock; figures are worth showing all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        if let Some(line) = &self.line {
            line.finish_and_clear();
        }
    }

    /// Says something a user should read.
    pub(crate) fn warn(&self, warning: &str) {
        let say = || {
            tracing::warn!(
                stage = "fetch",
                tenant = self.feed.tenant,
                integration = self.feed.integration,
                "{warning}"
            );
        };
        match &self.board.lines {
            Some(lines) => lines.suspend(say),
            None => say(),
        }
    }

    fn log(&self, state: &State, now: Instant) {
        let lag_seconds = state
            .last_event
            .filter(|_| !state.caught_up)
            .map(|last| (clock::now().0 - last.0).max(0) / 1000);
        tracing::info!(
            stage = "fetch",
            tenant = self.feed.tenant,
            integration = self.feed.integration,
            events = state.events,
            pages = state.pages,
            bytes = state.bytes,
            events_per_second = state.rate(now),
            budget_left = state.budget.map(|(left, _)| left),
            budget = state.budget.map(|(_, limit)| limit),
            lag_seconds,
            caught_up = state.caught_up,
            "{}",
            state.line(now, clock::now())
        );
    }
}

impl Progress for Watch {
    fn tell(&self, news: &News<'_>) {
        if let News::Warning(warning) = news {
            self.warn(warning);
            return;
        }
        let now = clock::moment();
        let mut state = self.state();
        state.hear(news);
        let every = if self.line.is_some() {
            DRAW_EVERY
        } else {
            LOG_EVERY
        };
        // What is waited for is said before the wait, not after it.
        let is_pause = matches!(news, News::Waiting { time, .. } if *time >= every);
        let told = state.told.unwrap_or(state.since);
        if !is_pause && now.saturating_duration_since(told) < every {
            return;
        }
        state.told = Some(now);
        match &self.line {
            Some(line) => {
                line.set_message(state.line(now, clock::now()));
                line.tick();
            }
            None => self.log(&state, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(events: u64, last: i64, budget: Option<(u64, u64)>) -> News<'static> {
        News::Page {
            stream: "live-1",
            events,
            bytes: 10,
            last_event: Some(UtcMillis(last)),
            budget,
        }
    }

    #[test]
    fn a_line_tells_events_speed_budget_and_lag() {
        let start = clock::moment();
        let mut state = State::new(start);
        state.hear(&page(1_000, 60_000, Some((43, 60))));
        // An older page does not take the lag back, nor does one without a budget lose it.
        state.hear(&page(500, 30_000, None));
        let later = start + Duration::from_secs(3);
        let line = state.line(later, UtcMillis(360_000));
        assert_eq!(line, "1500 events  500/s  budget 43 of 60  5 min behind");
        state.hear(&News::Waiting {
            why: "rate limit",
            time: Duration::from_secs(12),
        });
        assert!(
            state
                .line(later, UtcMillis(360_000))
                .ends_with("5 min behind  waits 12 s (rate limit)")
        );
        state.hear(&News::CaughtUp);
        assert_eq!(
            state.line(later, UtcMillis(360_000)),
            "1500 events  500/s  budget 43 of 60  caught up"
        );
    }

    #[test]
    fn a_step_of_an_inventory_takes_the_place_of_events_until_it_is_done() {
        let start = clock::moment();
        let mut state = State::new(start);
        let step = |done| News::Step {
            step: "groups",
            objects: 12,
            done,
        };
        state.hear(&step(false));
        assert_eq!(state.line(start, UtcMillis(0)), "groups 12");
        state.hear(&step(true));
        assert_eq!(state.line(start, UtcMillis(0)), "0 events  0/s");
    }

    #[test]
    fn a_rate_is_per_second_and_never_divides_by_nothing() {
        assert_eq!(rate(1_500, Duration::from_millis(500)), 3_000);
        assert_eq!(rate(7, Duration::ZERO), 7_000);
        assert_eq!(rate(u64::MAX, Duration::ZERO), u64::MAX);
    }
}
