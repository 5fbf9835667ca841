//! Bytes in: whatever a user has on disk or on standard input, cut into single events.
//!
//! [`open`](open::open) undoes compression by looking at the content, [`Splitter`] finds the events
//! of NDJSON, of JSON arrays and of pretty-printed documents. Both stream: memory is one chunk,
//! whatever the size of the file. What decompresses beyond [`MAX_EXPANSION`] times its size is
//! stopped there.

mod bomb;
pub mod open;
mod scan;
pub mod split;

pub use bomb::{FREE_BYTES, MAX_EXPANSION};
pub use open::{Input, open};
pub use split::{Chunk, Fault, MAX_EVENT_BYTES, Piece, Splitter};
