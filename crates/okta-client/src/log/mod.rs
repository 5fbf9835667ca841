//! The System Log: what is new, and the history before it.

use std::time::Duration;

use af_model::UtcMillis;
pub use af_model::feed::Start;
use af_store::feed::Feed;

use crate::error::Error;
use crate::http::Client;

/// How the log is pulled.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// From when on, for a feed that begins.
    pub start: Start,
    /// Days of history that are fetched side by side.
    pub parallel_days: usize,
    /// Events of a page.
    pub page_size: u32,
    /// Goes on until asked to stop, with this pause after an empty page; none = until caught up.
    pub follow: Option<Duration>,
}

/// What a pull did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullReport {
    /// Events landed.
    pub events: u64,
    /// Pages landed.
    pub pages: u64,
    /// The first and the last `published` of them.
    pub span: Option<(UtcMillis, UtcMillis)>,
    /// Whether everything up to now is here.
    pub caught_up: bool,
}

/// Pulls the System Log into a feed. The feed's status is kept current, also when it fails.
///
/// # Errors
/// As [`crate::ErrorKind`] says; what landed until then stays, and the next pull goes on from there.
/// Being asked to stop is no failure.
pub async fn pull(
    _client: &Client,
    _feed: &Feed,
    _options: &PullOptions,
) -> Result<PullReport, Error> {
    todo!()
}
