//! Asking for one page.

use std::time::Duration;

use af_model::UtcMillis;

use crate::error::{Error, ErrorKind};
use crate::http::{Answer, Get, Link};
use crate::scope::Scope;

use super::page::{self, Facts};
use super::patience::{doubled, jittered, stopped};
use super::session::Session;

/// Where the log is.
const LOGS: &str = "/api/v1/logs";

/// What Okta gives at the most.
const LARGEST_PAGE: u32 = 1000;

/// What a link is answered with that Okta does not take any more.
const REFUSALS: &[u16] = &[400, 404, 410];

/// How often a page that is no JSON is asked for again.
const REPEATS: u32 = 3;

/// The first pause before that.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// How long a stream stands still before a page that cannot be read.
const HOPELESS_MILLIS: i64 = 3_600_000;

/// A page.
pub(super) struct Page {
    pub(super) body: Vec<u8>,
    pub(super) facts: Facts,
    /// Whether it has nothing to say.
    pub(super) is_empty: bool,
    /// Whether it is no list of events, again and again.
    pub(super) is_unreadable: bool,
    pub(super) next: Option<Link>,
    /// Whether the answer has any link.
    pub(super) has_links: bool,
    /// The server's clock.
    pub(super) now: UtcMillis,
    pub(super) budget: Option<(u64, u64)>,
}

/// What came of asking.
pub(super) enum Reply {
    Page(Page),
    /// The link is not taken any more.
    Refused {
        status: u16,
        code: Option<String>,
    },
}

impl Session<'_> {
    /// A request without a link: the first one of a stream.
    pub(super) fn first(&self, since: UtcMillis, until: Option<UtcMillis>) -> Get {
        let get = Get::path(LOGS, Scope::LogsRead)
            .query("sortOrder", "ASCENDING")
            .query("limit", self.page_size().to_string())
            .query("since", since.to_string());
        match until {
            Some(until) => get.query("until", until.to_string()),
            None => get,
        }
    }

    /// A request for what a link points to.
    pub(super) fn follow(link: &Link) -> Get {
        Get::link(link.clone(), Scope::LogsRead).accepts(REFUSALS)
    }

    pub(super) fn page_size(&self) -> u32 {
        self.options.page_size.clamp(1, LARGEST_PAGE)
    }

    /// Asks the server what time it is, by its way of answering.
    pub(super) async fn server_clock(&self) -> Result<UtcMillis, Error> {
        let get = Get::path(LOGS, Scope::LogsRead).query("limit", "1");
        let answer = self.get(&get).await?;
        Ok(self.now_of(&answer))
    }

    /// Asks for a page. One that is no JSON is asked for again a few times; after that it comes back
    /// as unreadable, if it says where to go on.
    ///
    /// # Errors
    /// As [`ErrorKind`] says.
    pub(super) async fn ask(&self, get: &Get) -> Result<Reply, Error> {
        let mut tries = 0;
        loop {
            let unreadable = match self.get(get).await {
                Ok(answer) if get.accepts.contains(&answer.status) => {
                    return Ok(Reply::Refused {
                        status: answer.status,
                        code: answer.code,
                    });
                }
                Ok(answer) => match self.looked_at(answer) {
                    Ok(page) => return Ok(Reply::Page(page)),
                    Err(answer) => Ok(answer),
                },
                Err(error) if is_unreadable(&error) => Err(error),
                Err(error) => return Err(error),
            };
            if tries == REPEATS {
                return self.unreadable(unreadable?).map(Reply::Page);
            }
            let longest = self.client.options().longest_backoff;
            let time = jittered(doubled(FIRST_PAUSE, tries).min(longest));
            self.pause("repeating after an answer that is no JSON", time)
                .await?;
            tries += 1;
        }
    }

    async fn get(&self, get: &Get) -> Result<Answer, Error> {
        self.note_attempt();
        let stop = &self.client.options().stop;
        let answer = tokio::select! {
            biased;
            () = stop.asked() => Err(stopped()),
            answer = self.client.get(get) => answer,
        }?;
        self.note_clock(self.now_of(&answer));
        Ok(answer)
    }

    fn now_of(&self, answer: &Answer) -> UtcMillis {
        answer.date.unwrap_or_else(|| self.server_now())
    }

    /// Looks at an answer; gives it back when it is no page.
    fn looked_at(&self, answer: Answer) -> Result<Page, Answer> {
        let now = self.now_of(&answer);
        // What claims to come from the future moves nothing: a restart would begin behind it.
        match page::look(&answer.body, now) {
            Some(facts) => Ok(Page {
                body: answer.body,
                is_empty: facts.events == 0,
                is_unreadable: false,
                facts,
                has_links: answer.has_links,
                next: answer.next,
                now,
                budget: answer.budget,
            }),
            None => Err(answer),
        }
    }

    fn unreadable(&self, answer: Answer) -> Result<Page, Error> {
        if answer.next.is_none() {
            return Err(no_list().with_answer(answer.status, None));
        }
        Ok(Page {
            now: self.now_of(&answer),
            body: answer.body,
            facts: Facts::default(),
            is_empty: false,
            is_unreadable: true,
            has_links: answer.has_links,
            next: answer.next,
            budget: answer.budget,
        })
    }
}

/// Whether a page that cannot be read is to be taken all the same, because its stream stands still
/// before it for so long: whoever takes it in refuses what cannot be read and says where it is, so
/// nothing that Okta answers stops a stream for good. Before that it may be something on the way that
/// will mend, and the events would be lost.
pub(super) fn is_hopeless(page: &Page, since: Option<UtcMillis>) -> bool {
    since.is_some_and(|since| page.now.0.saturating_sub(since.0) >= HOPELESS_MILLIS)
}

pub(super) fn no_list() -> Error {
    Error::new(
        ErrorKind::NotOkta,
        "read the log: the answer is no list of events, again and again",
    )
    .with_hint("if this goes on, something between us and Okta changes its answers")
}

pub(super) const KEPT_AS_IT_IS: &str = "an answer of the log was no list of events for an hour; it is \
                                        kept as it is, and what cannot be read of it will be counted \
                                        as refused";

/// Whether the client already saw that an answer of success is no JSON.
fn is_unreadable(error: &Error) -> bool {
    error.kind() == ErrorKind::NotOkta
        && error
            .status()
            .is_some_and(|status| (200..300).contains(&status))
}
