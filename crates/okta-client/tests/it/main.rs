//! The client against servers on loopback that answer as they are told.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod auth;
mod auth_keys;
mod auth_refusals;
mod check;
mod http;
mod http_limits;
mod inventory;
mod inventory_faults;
mod inventory_org;
mod jwt;
mod log;
mod recorded;
mod scripted;
