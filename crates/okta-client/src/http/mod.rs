//! One call to Okta's API, with everything that belongs to it.

use std::sync::Arc;
use std::time::Duration;

use af_model::UtcMillis;
use af_model::feed::Cost;

use crate::auth::Credential;
use crate::error::Error;
use crate::origin::Origin;
use crate::progress::Progress;
use crate::scope::Scope;
use crate::stop::Stop;
use crate::Clock;

/// How a client behaves.
#[derive(Clone)]
pub struct ClientOptions {
    /// Where it may send anything.
    pub origin: Origin,
    /// How it proves who it is.
    pub credential: Credential,
    /// The share of a rate limit that it uses up at the most, in per cent.
    pub rate_percent: u8,
    /// How often one call is repeated after a failure of the service or the network.
    pub repeats: u32,
    /// The longest single wait before a repetition. A rate limit is waited for as long as Okta says,
    /// but not beyond [`ClientOptions::longest_limit_wait`].
    pub longest_backoff: Duration,
    /// The longest wait for one rate limit.
    pub longest_limit_wait: Duration,
    /// How long a call may take, body included.
    pub timeout: Duration,
    /// The largest answer that is read.
    pub largest_answer: usize,
    /// What time it is.
    pub clock: Clock,
    /// Who watches.
    pub progress: Arc<dyn Progress>,
    /// Who may ask to stop.
    pub stop: Stop,
}

/// A client of one org. Cheap to clone; clones share the token cache, the budget and the counters.
#[derive(Clone)]
pub struct Client {}

/// A call: always GET.
#[derive(Clone, Debug)]
pub struct Get {
    /// Path, e.g. `/api/v1/logs`, or a link that Okta gave.
    pub target: Target,
    /// What it needs to be allowed.
    pub scope: Scope,
    /// Statuses besides 2xx that are an answer rather than a failure, e.g. 404.
    pub accepts: &'static [u16],
    /// Another `Content-Type` header than none; Okta's way to ask for less.
    pub content_type: Option<&'static str>,
}

/// Where a call goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// A path of the API with its query.
    Path(String, Vec<(String, String)>),
    /// A link that Okta gave; followed only within the origin.
    Link(Link),
}

/// A link that Okta gave: opaque, and never printed.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Link(String);

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link(…)")
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status: 2xx, or one that the call accepts.
    pub status: u16,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// The link to the next page, already known to stay within the origin.
    pub next: Option<Link>,
    /// The server's clock.
    pub date: Option<UtcMillis>,
    /// Okta's error code, when the status is none of success.
    pub code: Option<String>,
    /// Calls left in the window, of how many.
    pub budget: Option<(u64, u64)>,
}

impl Get {
    /// A call of a path.
    pub fn path(path: impl Into<String>, scope: Scope) -> Self {
        Self {
            target: Target::Path(path.into(), Vec::new()),
            scope,
            accepts: &[],
            content_type: None,
        }
    }

    /// A call of a link.
    pub fn link(link: Link, scope: Scope) -> Self {
        Self {
            target: Target::Link(link),
            scope,
            accepts: &[],
            content_type: None,
        }
    }

    /// Adds a parameter of the query; none on a link, which is complete.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Target::Path(_, query) = &mut self.target {
            query.push((name.to_owned(), value.into()));
        }
        self
    }

    /// Takes these statuses for an answer.
    #[must_use]
    pub fn accepts(mut self, statuses: &'static [u16]) -> Self {
        self.accepts = statuses;
        self
    }
}

impl Client {
    /// Makes a client; calls nobody.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(_options: ClientOptions) -> Result<Self, Error> {
        todo!()
    }

    /// Makes a call, however often it takes.
    ///
    /// # Errors
    /// As [`crate::ErrorKind`] says.
    pub async fn get(&self, _call: &Get) -> Result<Answer, Error> {
        todo!()
    }

    /// How it behaves.
    pub fn options(&self) -> &ClientOptions {
        todo!()
    }

    /// What its calls cost so far.
    pub fn cost(&self) -> Cost {
        todo!()
    }

    /// The server's clock minus ours, in milliseconds, as far as an answer has told.
    pub fn clock_skew_millis(&self) -> Option<i64> {
        todo!()
    }
}
