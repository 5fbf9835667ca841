//! The tables of a snapshot → files, beside writing the same rows from memory.

use criterion::Criterion;

pub(crate) fn bench(_criterion: &mut Criterion) {}
