//! Rules over batches of events: what fires, what it is taken for, and what it says.

mod support;

mod cases;
mod classify;
mod columnar;
mod load;
mod samples;
mod shipped;
