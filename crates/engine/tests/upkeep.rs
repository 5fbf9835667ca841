//! Compacting, purging and erasing, on whole stores: what leaves, what stays, and what is the same
//! afterwards.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod upkeep {
    mod cast;
    mod compact;
    mod erase;
    mod feeds;
    mod look;
    mod purge;
}
