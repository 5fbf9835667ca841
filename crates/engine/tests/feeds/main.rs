//! What was fetched and waits is input of a run: pages become events, inventories people.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod pages;
mod people;
mod state;
mod world;
