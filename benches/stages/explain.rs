//! What a reader of a snapshot waits for, beside decoding the rows it needs.

use criterion::Criterion;

pub(crate) fn bench(_criterion: &mut Criterion) {}
