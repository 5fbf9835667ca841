//! The System Log: what is new, and the history before it.
//!
//! * The **live stream** polls: Okta gives events in the order in which it stored them, so one that
//!   is late is not missed. It begins at the server's clock at first contact, and every answer holds
//!   the link to what comes next (`live`).
//! * The **history** before that is asked for by UTC day, several days side by side, the newest first
//!   (`history`). An event of that time that Okta stores later comes with the live stream.
//!
//! Every page lands in the feed, synced, before the cursor that points behind it is written
//! (`session`); so whatever ends a process, the next pull asks again for what did not land, and
//! replaces a page that did. A link that Okta does not accept any more begins a stream anew with an
//! overlap. What comes twice is dropped by its event id when pages are taken in.

mod cursor;
mod history;
mod live;
mod page;
mod patience;
mod request;
mod session;
mod start;
mod state;
mod visited;

use std::time::Duration;

use af_model::UtcMillis;
pub use af_model::feed::Start;
use af_store::feed::Feed;

use crate::error::{Error, ErrorKind};
use crate::http::Client;
use session::Session;

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
/// Without [`PullOptions::follow`] it ends when an answer is empty, or when one that is not full holds
/// nothing but events from after the pull began: a busy org never has nothing to say. Following, a
/// failure that may heal by waiting ends nothing: it is noted and tried again, with growing pauses.
///
/// Holds one page per stream in memory.
///
/// # Errors
/// As [`crate::ErrorKind`] says; what landed until then stays, and the next pull goes on from there.
/// Being asked to stop is no failure.
pub async fn pull(
    client: &Client,
    feed: &Feed,
    options: &PullOptions,
) -> Result<PullReport, Error> {
    let session = Session::open(client, feed, options)?;
    let outcome = match session.run().await {
        Ok(()) => session.remembered().map_or(Ok(()), Err),
        Err(error) if error.kind() == ErrorKind::Stopped => Ok(()),
        Err(error) => Err(error),
    };
    session.close(outcome)
}
