//! Identity events → attack signals, beside decoding the columns that rules read.

use criterion::Criterion;

pub(crate) fn bench(_criterion: &mut Criterion) {}
