//! Rules over batches of events: what fires, what it is taken for, and what it says.

mod support;

mod classify;
mod columnar;
mod load;
mod shipped;
