//! End to end: the real binary, whole files, one run each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests write the files they hand to the program"
)]

mod demo;
mod docs;
mod exit_codes;
mod fixture_rows;
mod golden;
mod normalize;
mod old_tables;
mod polars_query;
mod readme;
mod render;
mod samples;
mod score_files;
mod separation;
mod support;
mod users;
