//! Rules over batches of events: what fires, what it is taken for, and what it says.

mod support;

mod cases;
mod classify;
mod columnar;
mod correlations;
mod guard_cases;
mod load;
mod samples;
mod shipped;
mod shipped_lock;
mod transactions;
mod tuning;
