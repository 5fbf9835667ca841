//! What the streams of a pull share, and the status that tells others about it.

use std::time::Duration;

use af_model::UtcMillis;
use af_model::feed::{Cost, FeedStatus, LogStatus};
use af_store::feed::STATUS;
use tokio::time::Instant;

use crate::error::Error;

use super::PullReport;
use super::cursor::Cursor;
use super::page::{Facts, joined};
use super::session::{Session, blocking};
use super::visited::Visited;

/// How often the status is written while all goes well.
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// What the streams share. Never locked while anything is waited for.
pub(super) struct State {
    /// None until the first contact.
    pub(super) cursor: Option<Cursor>,
    pub(super) log: LogStatus,
    pub(super) report: PullReport,
    /// Where the live stream has been.
    pub(super) visited: Visited,
    /// Whether the live stream was begun anew and got nowhere since.
    pub(super) is_fruitless: bool,
    /// When the live stream last had nothing more to give.
    pub(super) caught_up_at: Option<UtcMillis>,
    /// Whether that, with all of the history, was said.
    pub(super) is_said: bool,
    /// The server's clock when this pull began.
    pub(super) began_at: Option<UtcMillis>,
    /// Answers that could be used.
    pub(super) answers: u64,
    /// Whether days of history fail while the live stream may go on.
    pub(super) history_fails: bool,
    /// A failure that ended one stream and not the others.
    pub(super) remembered: Option<Error>,
    /// What was spent before this pull, by the status and by the client.
    spent: (Cost, Cost),
    written_at: Option<Instant>,
}

impl State {
    pub(super) fn new(log: LogStatus, spent: Cost) -> Self {
        Self {
            cursor: None,
            spent: (log.cost, spent),
            log,
            report: PullReport::default(),
            visited: Visited::default(),
            is_fruitless: false,
            caught_up_at: None,
            is_said: false,
            began_at: None,
            answers: 0,
            history_fails: false,
            remembered: None,
            written_at: None,
        }
    }

    /// How far we are.
    pub(super) fn cursor(&mut self) -> &mut Cursor {
        self.cursor
            .as_mut()
            .expect("streams run once there is a cursor")
    }

    /// Counts a page that landed.
    pub(super) fn count(&mut self, facts: &Facts) {
        self.is_said = false;
        self.log.pages += 1;
        self.log.events += facts.events;
        self.report.pages += 1;
        self.report.events += facts.events;
        self.report.span = joined(self.report.span, facts.span);
        self.log.last_event = self.log.last_event.max(facts.last_published());
    }

    /// Notes that an answer could be used.
    pub(super) fn succeed(&mut self) {
        self.answers += 1;
        if !self.history_fails {
            self.log.failing_since = None;
            self.log.problem = None;
        }
    }

    /// Brings the status in line with the cursor.
    pub(super) fn show_history(&mut self) {
        if let Some(cursor) = &self.cursor {
            self.log.since = Some(cursor.since);
            self.log.history_days = cursor.history_days;
            self.log.history_days_done = cursor
                .history_days
                .saturating_sub(cursor.open_days.len() as u64);
            self.log.restarts = cursor.restarts;
            // The status is written less often than the cursor: a killed process may have left it behind.
            let last = cursor.live.last_published;
            self.log.last_event = self.log.last_event.max(last);
        }
        if self.is_caught_up() {
            self.log.caught_up_at = self.log.caught_up_at.max(self.caught_up_at);
        }
    }

    /// Whether this pull saw the end of the live stream, and all of the history is here.
    pub(super) fn is_caught_up(&self) -> bool {
        let has_history = |cursor: &Cursor| cursor.open_days.is_empty();
        self.caught_up_at.is_some() && self.cursor.as_ref().is_some_and(has_history)
    }
}

impl Session<'_> {
    /// Writes down how it ended and says what was done.
    pub(super) fn close(&self, outcome: Result<(), Error>) -> Result<PullReport, Error> {
        blocking(|| match outcome {
            Ok(()) => {
                let mut state = self.state();
                self.write_status(&mut state, true)?;
                Ok(PullReport {
                    caught_up: state.is_caught_up(),
                    ..state.report.clone()
                })
            }
            Err(error) => {
                // Where the store fails, this fails as well; the first failure is the one to tell.
                let _ = self.note_failure(&error);
                Err(error)
            }
        })
    }

    /// Notes a failure in the status.
    pub(super) fn note_failure(&self, error: &Error) -> Result<(), Error> {
        let now = self.our_now();
        let mut state = self.state();
        state.log.failing_since.get_or_insert(now);
        state.log.problem = Some(error.problem());
        self.write_status(&mut state, true)
    }

    /// Writes the status, at most once a second unless it must be.
    pub(super) fn write_status(&self, state: &mut State, must: bool) -> Result<(), Error> {
        let is_due = state
            .written_at
            .is_none_or(|written| written.elapsed() >= STATUS_EVERY);
        if !must && !is_due {
            return Ok(());
        }
        let (before, at_start) = state.spent;
        state.log.cost = before;
        state.log.cost += spent_since(at_start, self.client.cost());
        let origin = self.client.options().origin.to_string();
        self.feed.update(STATUS, |status: &mut FeedStatus| {
            status.origin = origin;
            status.log = state.log.clone();
        })?;
        state.written_at = Some(Instant::now());
        Ok(())
    }
}

fn spent_since(before: Cost, now: Cost) -> Cost {
    Cost {
        calls: now.calls.saturating_sub(before.calls),
        repeated: now.repeated.saturating_sub(before.repeated),
        limited: now.limited.saturating_sub(before.limited),
        waited_millis: now.waited_millis.saturating_sub(before.waited_millis),
        bytes: now.bytes.saturating_sub(before.bytes),
    }
}
