//! The simulator over HTTP, as a client sees it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod access;
mod client;
mod faults;
mod inventory;
mod jose;
mod log;
mod possession;
mod world;
