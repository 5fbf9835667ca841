//! Time travel on whole stores: what was published for one `known_at` stays the answer for it,
//! whatever becomes known later and in whatever order it arrives (formula §6.16 and §6.17).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod cases;
mod events;
mod history;
mod signals;
mod world;
