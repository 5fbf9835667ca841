//! The live stream: what Okta stored since, in its order, without end.

use std::time::Duration;

use af_model::UtcMillis;

use crate::error::{Error, ErrorKind};
use crate::http::Link;
use crate::progress::News;

use super::cursor::Live;
use super::patience::{Patience, doubled, jittered};
use super::request::{FIRST_PAUSE, KEPT_AS_IT_IS, Page, Reply, is_hopeless, no_list};
use super::session::{Session, blocking};
use super::start::{earliest_askable, earliest_kept};

/// What one request of the live stream came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// There may be more.
    More,
    /// There is nothing more for now.
    CaughtUp,
    /// The answer does not say where to go on. Its events are here; asking again may help.
    Astray(&'static str),
}

/// How often that is asked again before it is a failure.
const MOST_ASTRAY: u32 = 3;

impl Session<'_> {
    /// Polls until caught up; for ever when the pull follows. `first` is what the first request came
    /// to, if it was made already.
    ///
    /// # Errors
    /// What ends the other streams too.
    pub(super) async fn live(&self, first: Option<Turn>) -> Result<(), Error> {
        let mut patience = Patience::default();
        let mut made = first;
        let mut astray = 0;
        loop {
            let turn = match made.take() {
                Some(turn) => Ok(turn),
                None => self.turn().await,
            };
            astray = match turn {
                Ok(Turn::Astray(_)) => astray + 1,
                _ => 0,
            };
            let turn = match turn {
                Ok(Turn::Astray(problem)) if astray > MOST_ASTRAY => Err(leads_nowhere(problem)),
                turn => turn,
            };
            match (turn, self.options.follow) {
                (Ok(Turn::More), _) => {}
                (Ok(Turn::Astray(_)), _) => {
                    let longest = self.client.options().longest_backoff;
                    let time = jittered(doubled(FIRST_PAUSE, astray).min(longest));
                    self.pause("repeating after an answer that leads nowhere", time)
                        .await?;
                }
                (Ok(Turn::CaughtUp), None) => return Ok(()),
                (Ok(Turn::CaughtUp), Some(pause)) => {
                    self.pause("nothing new", pause.max(Duration::from_millis(1)))
                        .await?;
                }
                (Err(error), None) => return self.remember(error),
                (Err(error), Some(_)) => self.recover(error, &mut patience).await?,
            }
        }
    }

    /// Makes one request of the live stream.
    ///
    /// # Errors
    /// As [`ErrorKind`] says; the cursor is where it was.
    pub(super) async fn turn(&self) -> Result<Turn, Error> {
        let live = self.state().cursor().live.clone();
        let get = match &live.next {
            Some(link) => Self::follow(link),
            None => self.first(self.askable(live.since), None),
        };
        let page = match self.ask(&get).await? {
            Reply::Page(page) => page,
            Reply::Refused { status, code } => {
                self.begin_anew(&live, status, code.as_deref())?;
                return Ok(Turn::More);
            }
        };
        if page.is_unreadable {
            if !is_hopeless(&page, live.unreadable_since) {
                self.change(|state| {
                    let since = &mut state.cursor().live.unreadable_since;
                    since.get_or_insert(page.now);
                })?;
                return Err(no_list());
            }
            self.tell(&News::Warning(KEPT_AS_IT_IS));
        }
        let next = match self.next_of(&live, &page) {
            Ok(next) => next,
            Err(problem) => {
                // Its events are here all the same; the cursor stays, and the next try replaces it.
                if !page.is_empty {
                    let (stream, number) = (live.stream(), live.pages + 1);
                    blocking(|| self.feed.land(&stream, number, &page.body))?;
                }
                return Ok(Turn::Astray(problem));
            }
        };
        let caught_up_at = self.end_reached(&page);
        if page.is_empty {
            self.change(|state| {
                let cursor = state.cursor();
                cursor.live.next = Some(next);
                cursor.live.unreadable_since = None;
                state.note_turn(&live, &page, caught_up_at);
            })?;
        } else {
            self.land(&live.stream(), live.pages + 1, &page, |state| {
                let cursor = state.cursor();
                cursor.live.next = Some(next);
                cursor.live.pages = live.pages + 1;
                cursor.live.unreadable_since = None;
                cursor.live.last_published = live.last_published.max(page.facts.last_published());
                state.note_turn(&live, &page, caught_up_at);
            })?;
        }
        self.say_if_caught_up()?;
        Ok(match caught_up_at {
            Some(_) => Turn::CaughtUp,
            None => Turn::More,
        })
    }

    /// The link to go on with, or why there is none that leads on.
    fn next_of(&self, live: &Live, page: &Page) -> Result<Link, &'static str> {
        let Some(next) = &page.next else {
            return Err("the live log ended: an answer holds no link to what comes next");
        };
        let is_circle = live.next.as_ref() == Some(next) || self.state().visited.has(next);
        if is_circle && !page.is_empty {
            return Err(
                "the live log turns in circles: the link to what comes next was followed before",
            );
        }
        Ok(next.clone())
    }

    /// When the end was reached, if it was: the answer is empty; or it is not full and holds something
    /// that happened after the pull began, so that everything stored before has been given. Whoever
    /// asks a busy org again at once gets a few events each time, for ever; so whoever follows pauses
    /// after any answer that is not full.
    fn end_reached(&self, page: &Page) -> Option<UtcMillis> {
        if page.is_empty {
            return Some(page.now);
        }
        let recent = match self.options.follow {
            None => self.began_at(),
            Some(pause) => {
                let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
                UtcMillis(page.now.0.saturating_sub(pause))
            }
        };
        let is_full = page.facts.events >= u64::from(self.page_size());
        let is_recent = page.facts.span.is_some_and(|(_, last)| last >= recent);
        let is_end = !is_full && (is_recent || self.options.follow.is_some());
        is_end.then_some(recent)
    }

    /// Begins the next stream because a link was refused.
    fn begin_anew(&self, live: &Live, status: u16, code: Option<&str>) -> Result<(), Error> {
        let said = match code {
            Some(code) => format!("{status}, {code}"),
            None => status.to_string(),
        };
        // The next try, if there is one, may begin anew again.
        if std::mem::take(&mut self.state().is_fruitless) {
            let message =
                format!("go on: the link to the next page was refused ({said}), and a new one too");
            return Err(Error::new(ErrorKind::Refused, message)
                .with_hint("try again later; nothing is lost as long as Okta keeps it")
                .with_answer(status, code));
        }
        let wanted = self.state().cursor().since;
        let anew = live.anew(self.feed, wanted)?;
        let since = anew.since;
        self.change(|state| {
            let cursor = state.cursor();
            cursor.live = anew;
            cursor.restarts += 1;
            state.visited.clear();
            state.is_fruitless = true;
        })?;
        self.tell(&News::Warning(&format!(
            "Okta refused the link to the next page ({said}); going on from {since}, with some events \
             once more"
        )));
        Ok(())
    }

    /// Moves a start that nobody may ask for any more, and says what is missing because of it.
    fn askable(&self, since: UtcMillis) -> UtcMillis {
        let now = self.server_now();
        let kept = earliest_kept(now);
        if since < kept {
            self.tell(&News::Warning(&format!(
                "fetching stood still since {since}, and Okta keeps events from {kept} on: what lies \
                 between may be missing"
            )));
        }
        since.max(earliest_askable(now))
    }
}

fn leads_nowhere(problem: &str) -> Error {
    Error::new(ErrorKind::NotOkta, format!("go on: {problem}"))
        .with_hint("if this goes on, something between us and Okta changes its answers")
}

impl super::state::State {
    /// Notes that a request of the live stream was answered.
    fn note_turn(&mut self, before: &Live, page: &Page, end: Option<UtcMillis>) {
        self.caught_up_at = end;
        if let Some(link) = before.next.as_ref().filter(|_| !page.is_empty) {
            self.visited.note(link);
        }
        // A link that works, or an event that is newer than all before: the stream leads on.
        if before.next.is_some() || page.facts.last_published() > before.last_published {
            self.is_fruitless = false;
        }
    }
}
