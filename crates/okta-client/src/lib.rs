//! Fetches the System Log and the inventory of an Okta org into the feeds of a store.
//!
//! * [`Origin`] is where a credential may be sent, and nowhere else; [`Credential`] proves who we are.
//! * [`http::Client`] makes one call with everything that belongs to it: proof of identity, rate
//!   limits, repetition, the guard of the origin.
//! * [`log`] polls the System Log and backfills its history; [`inventory`] takes users, groups,
//!   applications and the rest; [`check`] says in plain words what a credential can and cannot do.
//!
//! What is fetched lands in [`af_store::feed`] as received; turning it into rows is the pipeline's
//! work. Nothing here reads the environment (only reqwest looks there for the proxy of the machine, and not
//! for a simulator); the clock is an argument.

pub mod auth;
pub mod check;
mod error;
pub mod http;
pub mod inventory;
pub mod log;
mod note;
mod origin;
pub mod progress;
mod scope;
mod stop;

pub use auth::{Credential, SigningKey};
pub use error::{Error, ErrorKind};
pub use http::{Client, ClientOptions};
pub use note::{Wanted, note_failure};
pub use origin::{Allow, Origin};
pub use progress::{News, Progress, Silent};
pub use scope::Scope;
pub use stop::{Stop, Stopper};

use std::sync::Arc;

/// What time it is. An argument, so that tests may choose.
pub type Clock = Arc<dyn Fn() -> af_model::UtcMillis + Send + Sync>;
