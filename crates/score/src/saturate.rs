//! Saturation: repeats of one family on one day count less and less (af-1 §2.4).

use crate::power::{LAST, power_sums};

/// What each level of a bucket adds, in micro-points of 2^-40: `points_micro · ΔPS`, in the order of
/// [`af_model::Level::slot`].
///
/// The levels are walked from critical to low over one running number of repetitions, so a bucket's
/// weightiest signals come first and count most. Repetitions beyond 10,000 add nothing. Any count is
/// fine; each result is at most 10^15 · 2.6 · 2^40 < 2^92.
pub(crate) fn level_points(counts: &[u64; 4], points_micro: &[u64; 4]) -> [u128; 4] {
    let sums = power_sums();
    let mut walked = 0;
    let mut result = [0; 4];
    for slot in 0..4 {
        if counts[slot] == 0 {
            continue;
        }
        let step = usize::try_from(counts[slot]).map_or(LAST, |count| count.min(LAST));
        let reached = (walked + step).min(LAST);
        let added = sums[reached] - sums[walked];
        result[slot] = u128::from(points_micro[slot]) * u128::from(added);
        walked = reached;
    }
    result
}

/// `B`, the saturated points of a bucket, in micro-points of 2^-40; below 2^92, as every repetition
/// counts once and none is worth more than the largest points.
pub(crate) fn saturated(counts: &[u64; 4], points_micro: &[u64; 4]) -> u128 {
    level_points(counts, points_micro).into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::power::ONE;

    const POINTS: [u64; 4] = [27_000_000, 9_000_000, 3_000_000, 1_000_000];

    #[test]
    fn one_signal_is_worth_its_points() {
        for slot in 0..4 {
            let mut counts = [0; 4];
            counts[slot] = 1;
            let expected = u128::from(POINTS[slot]) * u128::from(ONE);
            assert_eq!(saturated(&counts, &POINTS), expected);
        }
    }

    #[test]
    fn lower_levels_continue_where_higher_ones_stopped() {
        // 1 high at repetition 1, 1 medium at repetition 2, 40 low at repetitions 3 to 42:
        // 9·10^6·POW[1] + 3·10^6·POW[2] + 10^6·(PS[42] − PS[2]), worked out by hand in §4.
        assert_eq!(
            saturated(&[0, 1, 1, 40], &POINTS),
            12_108_593_287_913_000_000
        );
        assert_eq!(
            level_points(&[0, 1, 1, 40], &POINTS)[2],
            3_000_000 * 388_736_063_996
        );
    }

    #[test]
    fn beyond_ten_thousand_repetitions_nothing_is_added_and_nothing_overflows() {
        let full = saturated(&[0, 0, 0, 10_000], &POINTS);
        assert_eq!(full, 2_850_347_384_201_000_000);
        for count in [10_001, 1 << 40, u64::MAX] {
            assert_eq!(saturated(&[0, 0, 0, count], &POINTS), full);
        }
        assert_eq!(
            level_points(&[u64::MAX, u64::MAX, 1, 1], &POINTS)[1..],
            [0, 0, 0]
        );
    }
}
