//! The saturation table: `POW[i] = i^-1.5` and its running sum, in units of 2^-40 (af-1 §2.4).

use std::sync::LazyLock;

/// One, in the fixed-point unit of the saturation and decay tables.
pub(crate) const ONE: u64 = 1 << 40;

/// The last repetition that still adds anything. Beyond it a repetition is worth less than a
/// millionth of the first.
pub(crate) const LAST: usize = 10_000;

static SUMS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut sum = 0;
    std::iter::once(0)
        .chain((1..=10_000).map(|repetition| {
            sum += power(repetition);
            sum
        }))
        .collect()
});

/// `POW[i] = ONE² // isqrt(i³ · ONE²)`: what the i-th repetition of one family and day is worth,
/// `i` from 1 to 10,000, in units of 2^-40.
///
/// `i³ · ONE²` is at most 10^12 · 2^80 < 2^120.
fn power(repetition: u128) -> u64 {
    let one = u128::from(ONE);
    let root = (repetition.pow(3) * one * one).isqrt();
    u64::try_from(one * one / root).expect("a root of at least 2^40 leaves at most 2^40")
}

/// `PS[0..=10000]`, the running sums of the saturation table in units of 2^-40, `PS[0] = 0`.
///
/// The last is 2,850,347,384,201, which is 2.592 · 2^40; no configuration can exceed ζ(1.5).
/// Computed once, on first use, in about two milliseconds.
pub(crate) fn power_sums() -> &'static [u64] {
    &SUMS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_powers_are_those_of_the_worked_example() {
        let powers: Vec<u64> = (1..=4).map(power).collect();
        assert_eq!(
            powers,
            [
                1_099_511_627_776,
                388_736_063_996,
                211_601_111_424,
                137_438_953_472
            ]
        );
    }

    #[test]
    fn powers_fall_and_sums_stay_below_zeta() {
        let sums = power_sums();
        assert_eq!(sums.len(), LAST + 1);
        assert_eq!(sums[0], 0);
        for window in sums.windows(3) {
            assert!(window[2] - window[1] <= window[1] - window[0]);
            assert!(window[2] > window[1]);
        }
        // 10,000^1.5 = 10^6, and 2^40 / 10^6 = 1,099,511.6.
        assert_eq!(sums[LAST] - sums[LAST - 1], 1_099_511);
        assert_eq!(sums[LAST], 2_850_347_384_201);
        // ζ(1.5) = 2.612375…
        assert!(u128::from(sums[LAST]) * 1_000_000 < u128::from(ONE) * 2_612_375);
    }
}
