//! One pull: what its streams share, and the order in which things become lasting.

use std::sync::{Mutex, MutexGuard, PoisonError};

use af_model::UtcMillis;
use af_model::feed::FeedStatus;
use af_store::feed::{Feed, STATUS};
use futures_util::future::try_join;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::error::{Error, ErrorKind};
use crate::http::Client;
use crate::progress::News;

use super::PullOptions;
use super::cursor::{CURSOR, Cursor};
use super::live::Turn;
use super::patience::Patience;
use super::request::Page;
use super::start::decide;
use super::state::State;

/// One pull.
pub(super) struct Session<'a> {
    pub(super) client: &'a Client,
    pub(super) feed: &'a Feed,
    pub(super) options: &'a PullOptions,
    state: Mutex<State>,
}

impl<'a> Session<'a> {
    /// Reads how far earlier pulls came.
    ///
    /// # Errors
    /// When a document is damaged or of a newer program; the status says so where it can.
    pub(super) fn open(
        client: &'a Client,
        feed: &'a Feed,
        options: &'a PullOptions,
    ) -> Result<Self, Error> {
        let status: FeedStatus = feed.read(STATUS)?.unwrap_or_default();
        let session = Self {
            client,
            feed,
            options,
            state: Mutex::new(State::new(status.log, client.cost())),
        };
        match Cursor::read(feed) {
            Ok(mut cursor) => {
                let origin = &client.options().origin;
                let has_moved = match &mut cursor {
                    Some(cursor) => cursor.forget_foreign_links(feed, origin)?,
                    None => false,
                };
                let mut state = session.state();
                state.cursor = cursor;
                state.show_history();
                drop(state);
                if has_moved {
                    session.tell(&News::Warning(&format!(
                        "the org has another address than before, {origin}: going on there, with some \
                         events once more"
                    )));
                }
                Ok(session)
            }
            Err(error) => {
                let _ = session.note_failure(&error);
                Err(error)
            }
        }
    }

    /// Fetches until caught up, or until asked to stop.
    ///
    /// # Errors
    /// What cannot be waited for, [`ErrorKind::Stopped`] among it.
    pub(super) async fn run(&self) -> Result<(), Error> {
        let mut patience = Patience::default();
        let first = loop {
            match self.begin().await {
                Ok(first) => break first,
                Err(error) => self.recover(error, &mut patience).await?,
            }
        };
        try_join(self.live(first), self.history()).await.map(|_| ())
    }

    /// Decides where the feed begins, and makes the live stream's first request, so that it is under
    /// way before any history is asked for.
    async fn begin(&self) -> Result<Option<Turn>, Error> {
        if self.state().cursor.is_none() {
            let now = self.server_clock().await?;
            let beginning = decide(self.options.start, now, &self.state().log);
            let cursor = Cursor::begin(
                self.feed,
                beginning.since,
                beginning.until,
                beginning.live_since,
            )?;
            if let Some(warning) = &beginning.warning {
                self.tell(&News::Warning(warning));
            }
            self.change(|state| {
                state.log.since = Some(cursor.since);
                state.cursor = Some(cursor);
                state.show_history();
            })?;
        }
        let is_under_way = self.state().cursor().live.next.is_some();
        if is_under_way {
            return Ok(None);
        }
        self.turn().await.map(Some)
    }

    /// Lands a page, then moves the cursor behind it.
    ///
    /// # Errors
    /// When the store cannot take them; the cursor on disk is then still before the page.
    pub(super) fn land(
        &self,
        stream: &str,
        number: u64,
        page: &Page,
        advance: impl FnOnce(&mut State),
    ) -> Result<(), Error> {
        let last_event = blocking(|| {
            self.feed.land(stream, number, &page.body)?;
            let mut state = self.state();
            advance(&mut state);
            self.feed.write(CURSOR, state.cursor())?;
            state.count(&page.facts);
            state.succeed();
            state.show_history();
            self.write_status(&mut state, false)?;
            Ok::<_, Error>(state.log.last_event)
        })?;
        self.tell(&News::Page {
            stream,
            events: page.facts.events,
            bytes: page.body.len() as u64,
            last_event,
            budget: page.budget,
        });
        Ok(())
    }

    /// Changes what the streams share and makes it last.
    ///
    /// # Errors
    /// When the store cannot take it.
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) -> Result<(), Error> {
        blocking(|| {
            let mut state = self.state();
            let before = state.cursor.clone();
            change(&mut state);
            if state.cursor != before {
                self.feed.write(CURSOR, state.cursor())?;
            }
            state.succeed();
            state.show_history();
            self.write_status(&mut state, false)
        })
    }

    /// Says once that everything is here, when it is.
    ///
    /// # Errors
    /// When the store cannot take the status.
    pub(super) fn say_if_caught_up(&self) -> Result<(), Error> {
        let mut state = self.state();
        let is_news = state.is_caught_up() && !std::mem::replace(&mut state.is_said, true);
        if !is_news {
            return Ok(());
        }
        // Whoever looks at the status now should see it, also within the second after the last page.
        blocking(|| {
            state.show_history();
            self.write_status(&mut state, true)
        })?;
        drop(state);
        self.tell(&News::CaughtUp);
        Ok(())
    }

    /// Notes a failure that may heal by waiting and waits, when the pull follows; otherwise gives it
    /// back.
    pub(super) async fn recover(&self, error: Error, patience: &mut Patience) -> Result<(), Error> {
        if self.options.follow.is_none() || !may_heal(&error) {
            return Err(error);
        }
        blocking(|| self.note_failure(&error))?;
        self.tell(&News::Warning(&format!("{error}; trying again")));
        let first = self.client.options().longest_backoff;
        let answers = self.state().answers;
        let pause = patience.next(first, answers);
        self.pause("trying again after a failure", pause).await
    }

    /// Remembers a failure of one stream that says nothing about the others; gives any other back.
    pub(super) fn remember(&self, error: Error) -> Result<(), Error> {
        if !is_of_one_stream(&error) {
            return Err(error);
        }
        self.state().remembered.get_or_insert(error);
        Ok(())
    }

    /// The first of those.
    pub(super) fn remembered(&self) -> Option<Error> {
        self.state().remembered.take()
    }

    pub(super) fn tell(&self, news: &News<'_>) {
        self.client.options().progress.tell(news);
    }

    pub(super) fn note_attempt(&self) {
        let now = self.our_now();
        self.state().log.attempted_at = Some(now);
    }

    /// Notes the server's clock of the first answer of this pull.
    pub(super) fn note_clock(&self, now: UtcMillis) {
        self.state().began_at.get_or_insert(now);
    }

    /// The server's clock when this pull began.
    pub(super) fn began_at(&self) -> UtcMillis {
        let began = self.state().began_at;
        began.unwrap_or_else(|| self.server_now())
    }

    /// The server's clock, as far as its answers have told.
    pub(super) fn server_now(&self) -> UtcMillis {
        let skew = self.client.clock_skew_millis().unwrap_or(0);
        UtcMillis(self.our_now().0.saturating_add(skew))
    }

    pub(super) fn our_now(&self) -> UtcMillis {
        (self.client.options().clock)()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether waiting may help. What a user must change, or the store, it does not help.
fn may_heal(error: &Error) -> bool {
    error.kind() != ErrorKind::ForeignLink && is_of_one_stream(error)
        || matches!(
            error.kind(),
            ErrorKind::RateLimited | ErrorKind::Unavailable
        )
}

/// Whether a failure lies in what was asked, rather than in the way to the service. An answer 500 is
/// how Okta says that a query took it too long.
pub(super) fn is_of_one_stream(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Refused | ErrorKind::NotFound | ErrorKind::NotOkta | ErrorKind::ForeignLink => {
            true
        }
        ErrorKind::Unavailable => error.status() == Some(500),
        _ => false,
    }
}

/// Runs what writes and syncs, so that other tasks of a runtime with several threads go on.
pub(super) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
