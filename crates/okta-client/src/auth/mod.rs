//! Proving who we are.
//!
//! A [`Credential`] is what the user gave. `Auth` makes of it a `Ticket` for a scope (the API token,
//! or an access token from its cache) and signs requests with it.

mod credential;
mod dpop;
mod grant;
mod jwk;
mod jwt;
mod key;
mod oauth_error;
mod pem;
mod random;
mod ticket;

pub use credential::Credential;
pub use key::SigningKey;
pub(crate) use ticket::{Auth, Ticket};
