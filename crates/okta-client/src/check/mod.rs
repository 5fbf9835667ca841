//! What a credential can do, in plain words.
//!
//! | finding | what is looked at |
//! |---|---|
//! | `address` | whether an Okta org answers there |
//! | `clock` | our clock against Okta's; signed assertions fail beyond five minutes |
//! | `credential` | whether it is accepted |
//! | `okta.….read` | one call with `limit=1` for every scope |
//! | `admin_role` | whether there is an admin role behind the scopes |
//! | `system_log` | how old its newest event is |
//! | `rate_limit` | calls a minute, and how many of them are ours |
//!
//! Nothing is written. Where one thing makes the others meaningless, they are not looked at, and say
//! so: only what was seen to be missing is called missing.

mod lack;
mod look;
mod report;
mod system_log;

pub(crate) use lack::Lack;
pub use look::check;
pub use report::{CheckReport, Finding, State};
