//! Which blocks make up a score, exactly (§2.11).

use af_model::{Level, Params, UtcDay};

use super::arithmetic::{block_values, bucket_load};
use super::collapse::{Bucket, BucketKey};
use super::output::OracleBlock;
use super::score::{Odds, combine, score_micro};

/// What the split of one person's score starts from.
#[derive(Debug)]
pub struct Scored<'a> {
    /// The person.
    pub user_uid: &'a str,
    /// The score to be split, in millionths.
    pub score_micro: i64,
    /// Component, weight in per mille, load in micro-points and odds, by component.
    pub components: Vec<(&'a str, i64, u128, Odds)>,
    /// The person's buckets, by component, family and day.
    pub buckets: Vec<(&'a BucketKey, &'a Bucket)>,
}

/// Splits a score over components, buckets and blocks. The score shares add up to the score, and
/// the load shares of a component to its load.
///
/// # Panics
/// When a bucket lies outside the window, or parameters were not checked.
pub fn attribute(scored: &Scored<'_>, as_of: UtcDay, params: &Params) -> Vec<OracleBlock> {
    let weights: Vec<u128> = scored
        .components
        .iter()
        .map(|(_, weight, _, odds)| {
            u128::try_from(*weight).expect("weights are not negative") * odds.odds_nano
        })
        .collect();
    let parts = largest_remainder(micro(scored.score_micro), &weights);
    let mut blocks = Vec::new();
    for (index, &(component, ..)) in scored.components.iter().enumerate() {
        let buckets: Vec<&(&BucketKey, &Bucket)> = scored
            .buckets
            .iter()
            .filter(|(key, _)| key.1 == component)
            .collect();
        let loads: Vec<u128> = buckets
            .iter()
            .map(|(key, bucket)| bucket_load(bucket.counts, as_of.days_since(key.3), params))
            .collect();
        let shares = largest_remainder(parts[index], &loads);
        for ((key, bucket), (load, share)) in buckets.iter().zip(loads.iter().zip(shares)) {
            let values = block_values(bucket.counts, params);
            let load_shares = largest_remainder(*load, &values);
            let score_shares = largest_remainder(share, &values);
            for level in Level::DESCENDING {
                let n = bucket.counts[level.slot()];
                if n == 0 {
                    continue;
                }
                let mut left = bucket.counts;
                left[level.slot()] = 0;
                let lost = load - bucket_load(left, as_of.days_since(key.3), params);
                let mut signal_uids: Vec<String> = bucket
                    .incidents
                    .iter()
                    .filter(|incident| incident.level == level)
                    .map(|incident| incident.signal_uid.clone())
                    .collect();
                signal_uids.sort();
                blocks.push(OracleBlock {
                    user_uid: scored.user_uid.to_owned(),
                    component: component.to_owned(),
                    family: key.2.clone(),
                    day: key.3,
                    level,
                    n,
                    load_share_micro: signed(load_shares[level.slot()]),
                    score_share_micro: signed(score_shares[level.slot()]),
                    without_micro: scored.score_micro - score_without(scored, index, lost),
                    signal_uids,
                });
            }
        }
    }
    blocks
}

/// The score of the same person with less load in one component. Colleagues leave the person out,
/// so their yardstick stays.
fn score_without(scored: &Scored<'_>, component: usize, lost: u128) -> i64 {
    let parts: Vec<(i64, u128)> = scored
        .components
        .iter()
        .enumerate()
        .map(|(index, &(_, weight, load, odds))| {
            let left = if index == component {
                load - lost
            } else {
                load
            };
            (weight, odds.with_load(left))
        })
        .collect();
    score_micro(combine(&parts))
}

/// Splits `total` in proportion to `weights`: everybody gets the whole part of the share, what is
/// left over goes one by one to the largest remainders, the earlier on a tie.
///
/// # Panics
/// When a product of total and weight leaves 128 bits.
pub fn largest_remainder(total: u128, weights: &[u128]) -> Vec<u128> {
    let sum: u128 = weights.iter().sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let mut shares: Vec<u128> = weights.iter().map(|weight| total * weight / sum).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&index| {
        let remainder = total * weights[index] % sum;
        (std::cmp::Reverse(remainder), index)
    });
    let missing = total - shares.iter().sum::<u128>();
    for &index in by_remainder
        .iter()
        .take(usize::try_from(missing).expect("below the count"))
    {
        shares[index] += 1;
    }
    shares
}

fn micro(figure: i64) -> u128 {
    u128::try_from(figure).expect("scores are not negative")
}

fn signed(figure: u128) -> i64 {
    i64::try_from(figure).expect("shares of scores and loads fit an i64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_over_goes_to_the_largest_remainders() {
        // 10 in thirds: 3 each, remainders equal, the first gets the tenth.
        assert_eq!(largest_remainder(10, &[1, 1, 1]), [4, 3, 3]);
        // 10 as 1 : 5 : 0 → 1.67 and 8.33, the first has the larger remainder.
        assert_eq!(largest_remainder(10, &[1, 5, 0]), [2, 8, 0]);
        assert_eq!(largest_remainder(0, &[0, 0]), [0, 0]);
    }
}
