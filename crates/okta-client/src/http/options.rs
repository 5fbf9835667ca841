//! How a client behaves.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Clock;
use crate::auth::Credential;
use crate::origin::Origin;
use crate::progress::{Progress, Silent};
use crate::stop::Stop;

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

impl ClientOptions {
    /// The defaults: half of every rate limit, five repetitions with at most 30 s between them,
    /// at most two minutes for a rate limit (its windows are one minute), one minute for a call
    /// (Okta gives up after half a minute), answers up to 64 MiB, nobody who watches or stops.
    pub fn new(origin: Origin, credential: Credential, clock: Clock) -> Self {
        Self {
            origin,
            credential,
            rate_percent: 50,
            repeats: 5,
            longest_backoff: Duration::from_secs(30),
            longest_limit_wait: Duration::from_mins(2),
            timeout: Duration::from_mins(1),
            largest_answer: 64 << 20,
            clock,
            progress: Arc::new(Silent),
            stop: Stop::never(),
        }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("origin", &self.origin)
            .field("credential", &self.credential)
            .field("rate_percent", &self.rate_percent)
            .field("repeats", &self.repeats)
            .finish_non_exhaustive()
    }
}
