//! Signals as batches, in another order and cut at other places for every seed.

use af_model::tables::attack_signals;
use arrow::array::RecordBatch;

use super::dice::Random;
use crate::oracle::OracleSignal;

/// The most rows of one batch.
const LARGEST_BATCH: usize = 97;

/// The signals in the order of a seed.
pub fn shuffled(signals: &[OracleSignal], seed: u64) -> Vec<&OracleSignal> {
    let mut random = Random::new(seed);
    let mut order: Vec<&OracleSignal> = signals.iter().collect();
    for end in (1..order.len()).rev() {
        order.swap(end, random.below(end + 1));
    }
    order
}

/// The signals as batches of `attack_signals`, shuffled and split by a seed. Some batches are empty;
/// there is always at least one.
pub fn to_batches(signals: &[OracleSignal], seed: u64) -> Vec<RecordBatch> {
    let mut random = Random::new(!seed);
    let order = shuffled(signals, seed);
    let mut rest = order.as_slice();
    let mut batches = Vec::new();
    loop {
        let (batch, left) = rest.split_at(random.below(LARGEST_BATCH + 1).min(rest.len()));
        let rows: Vec<attack_signals::Row<'_>> = batch.iter().map(|signal| signal.row()).collect();
        batches.push(attack_signals::batch(&rows));
        rest = left;
        if rest.is_empty() {
            return batches;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Size, organization};
    use super::*;

    #[test]
    fn batches_hold_every_row_once_in_an_order_of_their_own() {
        let input = organization(
            3,
            Size {
                people: 5,
                signals: 300,
            },
        );
        let uids = |seed: u64| -> Vec<(String, i64)> {
            to_batches(&input.signals, seed)
                .iter()
                .flat_map(|batch| {
                    (0..batch.num_rows()).map(|row| {
                        let row = attack_signals::row(batch, row);
                        (row.signal_uid.to_string(), row.time.0)
                    })
                })
                .collect()
        };
        assert_eq!(uids(1), uids(1));
        assert_ne!(uids(1), uids(2));
        let mut expected: Vec<(String, i64)> = input
            .signals
            .iter()
            .map(|signal| (signal.signal_uid.clone(), signal.time.0))
            .collect();
        let mut found = uids(1);
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        assert_eq!(to_batches(&[], 1).len(), 1);
    }
}
