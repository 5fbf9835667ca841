//! One call to Okta's API, with everything that belongs to it.
//!
//! [`Client::get`] admits a call to the budget of its rate limit (`budget`), signs it
//! ([`crate::auth`]), makes it (`transport`), and judges what came back (`head`, `refusal`):
//! an answer, a failure that is repeated (`waits`), or one that is not.

mod bucket;
mod budget;
mod call;
mod client;
mod cost;
mod head;
mod link;
mod options;
pub(crate) mod refusal;
pub(crate) mod repeat;
pub(crate) mod transport;
mod waits;

pub use call::{Answer, Get, Link, Target};
pub use client::Client;
pub use options::ClientOptions;
