//! The history: days that were over before the first contact, several side by side.

use af_model::UtcDay;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::error::{Error, ErrorKind};
use crate::http::Link;
use crate::progress::News;

use super::cursor::{Day, day_stream};
use super::patience::Patience;
use super::request::{KEPT_AS_IT_IS, Page, Reply, is_hopeless, no_list};
use super::session::{Session, is_of_one_stream};
use super::start::earliest_askable;
use super::visited::Visited;

/// How many empty pages of a day are followed one after the other.
const MOST_EMPTY: u32 = 100;

/// How many days may fail before the first one that does not: more is no matter of single days.
const MOST_FAILED: usize = 5;

/// What is remembered about fetching a day, beside its cursor.
#[derive(Default)]
struct Course {
    visited: Visited,
    empty: u32,
    /// Whether it was begun anew and got nowhere since.
    is_fruitless: bool,
}

impl Session<'_> {
    /// Fetches all days that are not here yet.
    ///
    /// # Errors
    /// What ends the other streams too.
    pub(super) async fn history(&self) -> Result<(), Error> {
        let mut patience = Patience::default();
        loop {
            let Err(error) = self.round().await else {
                return Ok(());
            };
            if error.kind() == ErrorKind::Stopped {
                return Err(error);
            }
            self.state().history_fails = true;
            if self.options.follow.is_none() {
                return self.remember(error);
            }
            self.recover(error, &mut patience).await?;
        }
    }

    /// Tries every open day once. A day that Okta cannot answer for does not keep the others from
    /// being tried; a service that does not answer does.
    async fn round(&self) -> Result<(), Error> {
        let open: Vec<UtcDay> = self
            .state()
            .cursor()
            .open_days
            .iter()
            .map(|open| open.date)
            .collect();
        let mut waiting = open.into_iter();
        let mut running: FuturesUnordered<_> = waiting
            .by_ref()
            .take(self.options.parallel_days.max(1))
            .map(|day| self.day(day))
            .collect();
        let mut first_failure = None;
        let (mut here, mut failed) = (0, 0);
        while let Some(done) = running.next().await {
            match done {
                Ok(()) => here += 1,
                Err(error) if is_of_one_stream(&error) => {
                    failed += 1;
                    if here == 0 && failed >= MOST_FAILED {
                        return Err(error);
                    }
                    first_failure.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
            if let Some(day) = waiting.next() {
                running.push(self.day(day));
            }
        }
        if let Some(error) = first_failure {
            return Err(error);
        }
        self.change(|state| state.history_fails = false)?;
        self.say_if_caught_up()?;
        Ok(())
    }

    /// Fetches one day to its end.
    async fn day(&self, day: UtcDay) -> Result<(), Error> {
        let mut course = Course::default();
        loop {
            let Some(open) = self.state().cursor().day(day).cloned() else {
                return Ok(());
            };
            let get = if let Some(link) = &open.next {
                Self::follow(link)
            } else {
                let since = open.since.max(earliest_askable(self.server_now()));
                if since >= open.until {
                    self.tell(&News::Warning(&format!(
                        "{day} is older than what Okta lets anybody ask for; left out"
                    )));
                    return self.change(|state| state.cursor().close_day(day));
                }
                self.first(since, Some(open.until))
            };
            match self.ask(&get).await? {
                Reply::Page(page)
                    if page.is_unreadable && !is_hopeless(&page, open.unreadable_since) =>
                {
                    self.change(|state| {
                        if let Some(open) = state.cursor().day_mut(day) {
                            open.unreadable_since.get_or_insert(page.now);
                        }
                    })?;
                    return Err(no_list());
                }
                Reply::Page(page) => self.take(&open, &page, &mut course)?,
                Reply::Refused { status, code } => {
                    if course.is_fruitless {
                        return Err(refused(day, status, code.as_deref()));
                    }
                    course = Course {
                        is_fruitless: true,
                        ..Course::default()
                    };
                    self.change(|state| {
                        let cursor = state.cursor();
                        cursor.restarts += 1;
                        if let Some(open) = cursor.day_mut(day) {
                            open.next = None;
                        }
                    })?;
                    self.tell(&News::Warning(&format!(
                        "Okta refused a link to the next page of {day}; fetching that day once more"
                    )));
                }
            }
        }
    }

    /// Lands a page of a day and moves its cursor; the last page closes the day.
    fn take(&self, open: &Day, page: &Page, course: &mut Course) -> Result<(), Error> {
        if page.is_unreadable {
            self.tell(&News::Warning(KEPT_AS_IT_IS));
        }
        if page.next.is_none() && !page.has_links {
            // Okta links every page, be it to itself: this one lost its links on the way.
            let message = format!("fetch {}: an answer holds no link at all", open.date);
            return Err(Error::new(ErrorKind::NotOkta, message)
                .with_hint("is something between us and Okta that changes headers?"));
        }
        course.empty = if page.is_empty { course.empty + 1 } else { 0 };
        if let Some(link) = &open.next {
            course.is_fruitless = false;
            course.visited.note(link);
        }
        if let Some(next) = &page.next {
            check_leads_on(open.date, next, course)?;
        }
        let number = open.pages + u64::from(!page.is_empty);
        let advance = |state: &mut super::state::State| match &page.next {
            None => state.cursor().close_day(open.date),
            Some(next) => {
                if let Some(open) = state.cursor().day_mut(open.date) {
                    open.pages = number;
                    open.next = Some(next.clone());
                    open.unreadable_since = None;
                }
            }
        };
        if page.is_empty {
            self.change(advance)
        } else {
            self.land(&day_stream(open.date), number, page, advance)
        }
    }
}

fn check_leads_on(day: UtcDay, next: &Link, course: &Course) -> Result<(), Error> {
    let problem = if course.visited.has(next) {
        "the link to the next page was followed before"
    } else if course.empty > MOST_EMPTY {
        "it goes on and on without events"
    } else {
        return Ok(());
    };
    let message = format!("fetch {day}: the log turns in circles: {problem}");
    Err(Error::new(ErrorKind::NotOkta, message)
        .with_hint("if this goes on, something between us and Okta changes its answers"))
}

fn refused(day: UtcDay, status: u16, code: Option<&str>) -> Error {
    let message = format!("fetch {day}: the link to its next page was refused, and a new one too");
    Error::new(ErrorKind::Refused, message)
        .with_hint("try again later; nothing is lost as long as Okta keeps it")
        .with_answer(status, code)
}
