//! End to end: the real binary, whole files, one run each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests write the files they hand to the program"
)]

mod backtest;
mod config;
mod count;
mod demo;
mod diff;
mod docs;
mod exit_codes;
mod explain;
mod explain_random;
mod faults;
mod fixture_rows;
mod golden;
mod hostile;
mod hostile_people;
mod labelled;
mod live;
mod logs;
mod normalize;
mod old_tables;
mod own_rules;
mod place;
mod polars_query;
mod readme;
mod render;
mod rule_lock;
mod run;
mod run_refuses;
mod samples;
mod score_files;
mod separation;
mod support;
mod time;
mod upkeep;
mod users;
mod verify;
mod wrappers;
