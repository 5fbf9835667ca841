//! The formula's constants, saturation and decay, computed from their definitions (§2.4, §2.5).

use std::cmp::Ordering;
use std::sync::LazyLock;

use af_model::{Level, Params};

/// The scale of the fixed-point constants.
pub const ONE: u128 = 1 << 40;

/// Ranks beyond this one add nothing.
const LAST_RANK: u64 = 10_000;

/// `PS[n]`: the sum of the first n powers, `POW[i] = ONE² // isqrt(i³·ONE²)`.
static POWER_SUMS: LazyLock<Vec<u128>> = LazyLock::new(|| {
    let mut sums = vec![0];
    for i in 1..=u128::from(LAST_RANK) {
        let power = (ONE * ONE) / isqrt(i * i * i * ONE * ONE);
        sums.push(sums[sums.len() - 1] + power);
    }
    sums
});

/// `DEC[d]`: the largest x with `x^14 <= ONE^14 >> d`, for the 90 ages of the window.
static DECAYS: LazyLock<Vec<u128>> = LazyLock::new(|| (0..90).map(decay_by_definition).collect());

/// The sum of the first `n` powers, in units of 2^-40.
///
/// # Panics
/// Never: the table is as long as `n` can be.
pub fn power_sum(n: u64) -> u128 {
    let n = n.min(LAST_RANK);
    POWER_SUMS[usize::try_from(n).expect("at most 10,000")]
}

/// The factor by which points have decayed at an age in days, in units of 2^-40.
///
/// # Panics
/// When the age is not 0 to 89.
pub fn decay(age: i64) -> u128 {
    DECAYS[usize::try_from(age).expect("admitted signals are 0 to 89 days old")]
}

/// What each level of a bucket is worth before decay, critical first, in micro-points times 2^40.
///
/// # Panics
/// When the points are negative, which checked parameters are not.
pub fn block_values(counts: [u64; 4], params: &Params) -> [u128; 4] {
    let mut k = 0_u64;
    Level::DESCENDING.map(|level| {
        let n = counts[level.slot()];
        let points = u128::try_from(params.points_micro(level)).expect("points are positive");
        let value = points * (power_sum(k + n) - power_sum(k));
        k += n;
        value
    })
}

/// A bucket's part of a load, in micro-points, rounded down.
///
/// # Panics
/// When the age is not 0 to 89.
pub fn bucket_load(counts: [u64; 4], age: i64, params: &Params) -> u128 {
    let value: u128 = block_values(counts, params).iter().sum();
    (value * decay(age)) >> 80
}

/// The largest x with `x² <= n`, found bit by bit.
fn isqrt(n: u128) -> u128 {
    let mut root = 0_u128;
    for bit in (0..64).rev() {
        let candidate = root | (1 << bit);
        if candidate
            .checked_mul(candidate)
            .is_some_and(|square| square <= n)
        {
            root = candidate;
        }
    }
    root
}

fn decay_by_definition(days: usize) -> u128 {
    // ONE^14 = 2^560, and shifting it right by d < 90 loses no bit.
    let limit = power_of_two(560 - days);
    let mut x = 0_u64;
    for bit in (0..=40).rev() {
        let candidate = x | (1 << bit);
        if compare(&to_the_14th(candidate), &limit) != Ordering::Greater {
            x = candidate;
        }
    }
    u128::from(x)
}

// Big numbers: digits to base 2^32, lowest first, no zeros at the top.

fn to_the_14th(x: u64) -> Vec<u32> {
    let mut product = vec![1];
    for _ in 0..14 {
        product = times(&product, x);
    }
    product
}

fn times(digits: &[u32], factor: u64) -> Vec<u32> {
    let mut result = Vec::new();
    let mut carry = 0_u128;
    for &digit in digits {
        carry += u128::from(digit) * u128::from(factor);
        result.push(low_digit(carry));
        carry >>= 32;
    }
    while carry > 0 {
        result.push(low_digit(carry));
        carry >>= 32;
    }
    while result.last() == Some(&0) {
        result.pop();
    }
    result
}

fn low_digit(number: u128) -> u32 {
    u32::try_from(number & u128::from(u32::MAX)).expect("masked to 32 bits")
}

fn power_of_two(exponent: usize) -> Vec<u32> {
    let mut digits = vec![0; exponent / 32];
    digits.push(1 << (exponent % 32));
    digits
}

fn compare(a: &[u32], b: &[u32]) -> Ordering {
    a.len()
        .cmp(&b.len())
        .then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_those_of_the_text() {
        let powers: Vec<u128> = (1..=4).map(|i| power_sum(i) - power_sum(i - 1)).collect();
        assert_eq!(
            powers,
            [
                1_099_511_627_776,
                388_736_063_996,
                211_601_111_424,
                137_438_953_472
            ]
        );
        assert_eq!(
            [0, 1, 7, 14, 89].map(decay),
            [
                1_099_511_627_776,
                1_046_399_886_833,
                777_472_127_993,
                549_755_813_888,
                13_412_481_620
            ]
        );
    }

    #[test]
    fn ten_thousand_lows_weigh_less_than_a_medium() {
        let params = Params::default();
        let lows = bucket_load([0, 0, 0, 10_000], 0, &params);
        assert!(lows < bucket_load([0, 0, 1, 0], 0, &params));
        assert_eq!(lows, bucket_load([0, 0, 0, 20_000], 0, &params));
    }

    #[test]
    fn a_lower_level_starts_where_the_higher_one_ended() {
        // 1 high and 1 medium: 9·1 + 3·0.353553390… = 10.060660… points.
        let params = Params::default();
        assert_eq!(bucket_load([0, 1, 1, 0], 0, &params), 10_060_660);
    }

    #[test]
    fn roots_are_exact_at_their_edges() {
        assert_eq!(
            isqrt(u128::from(u64::MAX) * u128::from(u64::MAX)),
            u128::from(u64::MAX)
        );
        assert_eq!(isqrt(99), 9);
        assert_eq!(isqrt(100), 10);
    }
}
