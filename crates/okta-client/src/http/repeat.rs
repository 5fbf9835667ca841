//! How often a call is repeated, and when it is given up.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::head::Head;
use super::transport::{Broken, Wire};
use super::waits::{Limited, backoff, chance, limited};
use crate::error::{Error, ErrorKind};

/// Answers "too many calls" that one call takes. Okta's windows are a minute, so this is far more
/// than a busy org needs, and an end for a service that never lets us in.
const LIMITED_AT_MOST: u32 = 10;

const RETRY_FOR: HeaderName = HeaderName::from_static("x-okta-retry-for");
const RETRY_COUNT: HeaderName = HeaderName::from_static("x-okta-retry-count");

/// The patience that is left with one call.
pub(crate) struct Patience<'a> {
    wire: &'a Wire,
    /// What is called, as it may be shown.
    what: String,
    failures: u32,
    limited: u32,
    repetitions: u32,
    first_request: Option<String>,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(wire: &'a Wire, what: String) -> Self {
        Self {
            wire,
            what,
            failures: 0,
            limited: 0,
            repetitions: 0,
            first_request: None,
        }
    }

    /// How often the call was repeated so far.
    pub(crate) fn is_repeating(&self) -> bool {
        self.repetitions > 0
    }

    /// The call is about to be repeated because of this answer.
    pub(crate) fn repeats(&mut self, head: Option<&Head>) {
        self.repetitions += 1;
        if self.first_request.is_none() {
            self.first_request = head.and_then(|head| head.request_id.clone());
        }
    }

    /// Tells Okta which failed request this one stands for.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let Some(first) = &self.first_request else {
            return;
        };
        if let Ok(first) = HeaderValue::from_str(first) {
            headers.insert(RETRY_FOR, first);
            headers.insert(RETRY_COUNT, HeaderValue::from(self.repetitions));
        }
    }

    /// There was no answer: waits, or gives up.
    pub(crate) async fn broken(&mut self, broken: Broken) -> Result<(), Error> {
        match broken {
            Broken::Lasting(error) => Err(error),
            Broken::Passing(why) => {
                let error =
                    Error::new(ErrorKind::Unavailable, format!("read {}: {why}", self.what))
                        .with_hint(
                            "check the network between this machine and Okta, and status.okta.com",
                        );
                self.failed(&format!("repeating after: {why}"), None, error)
                    .await
            }
        }
    }

    /// The service failed: waits, or gives up with this error.
    pub(crate) async fn failed(
        &mut self,
        why: &str,
        head: Option<&Head>,
        error: Error,
    ) -> Result<(), Error> {
        let options = &self.wire.options;
        if self.failures >= options.repeats {
            return Err(error.after_tries(self.failures + 1));
        }
        self.failures += 1;
        self.repeats(head);
        let asked = head.and_then(|head| head.retry_after).unwrap_or_default();
        let wait = backoff(self.failures, options.longest_backoff, chance())
            .max(asked.min(options.longest_limit_wait));
        self.wire.pause(why, wait).await;
        Ok(())
    }

    /// The answer was "too many calls": how long to keep away, or gives up. A pause because of too
    /// many calls at one time is already over when this returns.
    pub(crate) async fn limited(&mut self, head: &Head) -> Result<Option<Duration>, Error> {
        self.wire.counters.limited();
        if self.limited >= LIMITED_AT_MOST {
            return Err(Error::new(
                ErrorKind::RateLimited,
                format!("read {}: Okta answered 429, too many calls", self.what),
            )
            .with_hint(
                "others use up the org's rate limit; lower rate_percent, or ask Okta for more",
            )
            .with_answer(429, Some("E0000047"))
            .after_tries(self.limited + 1));
        }
        self.limited += 1;
        self.repeats(Some(head));
        let options = &self.wire.options;
        match limited(head, options.longest_limit_wait) {
            Limited::Window(wait) => Ok(Some(wait)),
            Limited::Concurrency => {
                let wait = backoff(self.limited, options.longest_backoff, chance());
                self.wire.pause("too many calls at one time", wait).await;
                Ok(None)
            }
        }
    }
}
