//! What goes wrong on command.

mod rules;

use serde::{Deserialize, Serialize};

pub use rules::{Faults, RandomFaults, Rule};

/// One thing that goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429: the window's calls are used up; it ends in so many seconds.
    RateLimit {
        /// Until the window ends.
        seconds: u32,
    },
    /// 429: too many calls at the same time. Limit and rest are 0.
    ConcurrencyLimit,
    /// 429 without any header about limits.
    RateLimitWithoutHeaders,
    /// 429 with every header about limits twice, for two limits; the nearer end is in so many
    /// seconds, the other a minute later.
    RateLimitTwice {
        /// Until the nearer window ends.
        seconds: u32,
    },
    /// 429 with `Retry-After` and nothing else.
    RetryAfter {
        /// What it says.
        seconds: u32,
    },
    /// This status, with Okta's body where it has one: 500, 502, 503, 504, 501.
    Status {
        /// The status.
        status: u16,
    },
    /// The body takes so long, in ten pieces.
    Slow {
        /// For all of it.
        millis: u64,
    },
    /// The body ends in the middle and the connection breaks.
    Cut,
    /// The connection breaks before an answer.
    Drop,
    /// 200 with half of the JSON.
    BrokenJson,
    /// 200 with a page for signing in, as proxies send it.
    LoginPage,
    /// The last events of the page before come again. Log only.
    Repeat {
        /// How many.
        events: usize,
    },
    /// The events of the page change places. Log only.
    Shuffle,
    /// Every access token ends before this call.
    ExpireTokens,
    /// Every nonce is forgotten and this call must be made again with a new one.
    NewNonce,
    /// 403 `E0000006`.
    Forbidden,
    /// 401 `E0000015`: the org does not have this.
    NotEnabled,
    /// 404 `E0000007`.
    NotFound,
    /// 400 `E0000001`, as if rules or parameters were refused.
    BadRequest,
    /// 400 for a call that follows a `next` link.
    StaleCursor,
    /// The `next` link leads somewhere else.
    HostileNext {
        /// Scheme, host and port.
        to: String,
    },
    /// 302 to somewhere else.
    Redirect {
        /// Scheme, host and port.
        to: String,
    },
}

impl Fault {
    /// A `next` link to a host that is not there.
    pub fn hostile_next() -> Self {
        Self::HostileNext {
            to: "https://collector.example".to_owned(),
        }
    }

    /// A redirect to a host that is not there.
    pub fn redirect() -> Self {
        Self::Redirect {
            to: "https://collector.example".to_owned(),
        }
    }
}
