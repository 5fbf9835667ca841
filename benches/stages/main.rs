//! Each stage of the pipeline beside its floor, in one run. Names say size and shape; seeds are fixed.
//!
//! `cargo bench --bench stages [filter]` prints times; what counts is the ratio of a stage to the floor
//! named beside it.

use criterion::{criterion_group, criterion_main};

mod count;
mod counts;
mod detect;
mod events;
mod explain;
mod input;
mod normalize;
mod publish;
mod published;
mod rules;
mod score;

criterion_group!(
    stages,
    normalize::bench,
    rules::bench,
    detect::bench,
    count::bench,
    score::bench,
    publish::bench,
    explain::bench
);
criterion_main!(stages);
