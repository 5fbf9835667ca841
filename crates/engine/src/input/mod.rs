//! Bytes in: whatever a user has on disk or on standard input, cut into single events.
//!
//! [`open`](open::open) undoes compression by looking at the content, [`Splitter`] finds the events
//! of NDJSON, of JSON arrays and of pretty-printed documents. Both stream: memory is one chunk,
//! whatever the size of the file.

pub mod open;
pub mod split;

pub use open::{Input, open};
pub use split::{Chunk, Fault, MAX_EVENT_BYTES, Piece, Splitter};
