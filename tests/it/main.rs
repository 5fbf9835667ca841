//! End to end: the real binary, whole files, one run each.

mod demo;
mod exit_codes;
mod golden;
mod normalize;
mod polars_query;
mod render;
mod samples;
mod score_files;
mod support;
mod users;
