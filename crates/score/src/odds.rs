//! From a load and its yardstick to odds, and from odds to a score (af-1 §2.6 to §2.8).

use crate::scale::Scale;

/// What one person's load in one component is measured with: everything about the *others*.
///
/// Bounds for loads below 2^64, at most 2^32 people and checked parameters: S < 2^96, m < 2^33,
/// `lambda_micro·m` < 2^73, `q·S` < 2^106. So `x·m·10^9` and `10^6·q·S` stay below 2^127.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Yardstick {
    colleagues_micro: u128,
    colleagues: u128,
    relative: u128,
    denominator: u128,
}

impl Yardstick {
    /// A yardstick from S, the capped sum of the others' loads, and their number, which is n − 1.
    pub(crate) fn new(colleagues_micro: u128, others: u64, scale: &Scale) -> Self {
        // Only one person alone with kappa = 0 has m = 0. S is 0 there and m cancels out of the odds,
        // so 1 says the same as any other number: the scale is the absolute one.
        let colleagues = (u128::from(others) + scale.kappa).max(1);
        let relative = scale.q * colleagues_micro;
        Self {
            colleagues_micro,
            colleagues,
            relative,
            denominator: scale.lambda_micro * colleagues + relative,
        }
    }

    /// `S // m`: what colleagues carry on average, pseudo-colleagues included, in micro-points.
    pub fn baseline_micro(&self) -> u128 {
        self.colleagues_micro / self.colleagues
    }

    /// `(x·m·10^9) // (lambda_micro·m + q·S)`: the odds of a load of x micro-points, in nano.
    /// At most `1000·x / lambda`.
    pub fn odds_nano(&self, load_micro: u64) -> u128 {
        if load_micro == 0 {
            return 0;
        }
        u128::from(load_micro) * self.colleagues * 1_000_000_000 / self.denominator
    }

    /// `(10^6·q·S) // den`: how far colleagues rather than the absolute scale set the yardstick, in
    /// micro, 0 to below 10^6.
    pub fn relative_weight_micro(&self) -> u128 {
        if self.relative == 0 {
            return 0;
        }
        1_000_000 * self.relative / self.denominator
    }

    /// The smallest load in micro-points whose odds reach `odds_nano`; `None` when it leaves 128 bits.
    ///
    /// `(x·m·10^9) // den >= odds` holds exactly when `x >= odds·den / (m·10^9)`. The quotient is
    /// taken apart as `den = whole·(m·10^9) + part` so that no product needs more than 128 bits for
    /// odds below 2^64: `part` < `m·10^9` < 2^63.
    pub(crate) fn load_for_odds(&self, odds_nano: u64) -> Option<u128> {
        let unit = self.colleagues * 1_000_000_000;
        let (whole, part) = (self.denominator / unit, self.denominator % unit);
        let odds = u128::from(odds_nano);
        odds.checked_mul(whole)?
            .checked_add((odds * part).div_ceil(unit))
    }
}

/// `(10^7·O) // (10^9 + O)`: the score of odds in nano, in micro, 0 to 9,999,999.
///
/// ```
/// assert_eq!(af_score::score_of_odds(0), 0);
/// assert_eq!(af_score::score_of_odds(1_000_000_000), 5_000_000); // as attacked as the yardstick
/// assert_eq!(af_score::score_of_odds(u64::MAX), 9_999_999);
/// ```
pub fn score_of_odds(odds_nano: u64) -> u64 {
    if let Some(product) = odds_nano.checked_mul(10_000_000) {
        return product / (1_000_000_000 + odds_nano);
    }
    let odds = u128::from(odds_nano);
    narrow(10_000_000 * odds / (1_000_000_000 + odds))
}

/// The smallest odds in nano whose score reaches `score_micro`, for scores below 10^7.
///
/// `10^7·O >= F·(10^9 + O)` holds exactly when `O >= F·10^9 / (10^7 − F)`.
pub(crate) fn odds_for_score(score_micro: u64) -> u64 {
    (score_micro * 1_000_000_000).div_ceil(10_000_000 - score_micro)
}

/// A score, which stays below 10^7.
fn narrow(score: u128) -> u64 {
    u64::try_from(score).expect("the score stays below 10^7")
}

/// A figure as its Int64 column holds it.
///
/// # Panics
/// Never for an organization that was scored: loads are checked so that every figure fits.
pub(crate) fn figure(value: u128) -> i64 {
    i64::try_from(value).expect("loads are checked so that every figure fits 64 bits")
}

/// A figure known to be no less than zero, for calculating on.
pub(crate) fn unsigned(figure: i64) -> u64 {
    u64::try_from(figure).expect("figures of the formula are never negative")
}

#[cfg(test)]
mod tests {
    use super::*;
    use af_model::Params;

    fn scale() -> Scale {
        Scale::new(&Params::default()).unwrap()
    }

    #[test]
    fn a_quiet_organization_is_the_absolute_scale() {
        for others in [0, 1, 19, 999_999] {
            let yardstick = Yardstick::new(0, others, &scale());
            // Odds 3/9, 9/9, 27/9: scores 2.5, 5.0, 7.5.
            let score = |load| score_of_odds(u64::try_from(yardstick.odds_nano(load)).unwrap());
            assert_eq!(score(3_000_000), 2_499_999, "3/9 has no exact end in nano");
            assert_eq!(score(9_000_000), 5_000_000);
            assert_eq!(score(27_000_000), 7_500_000);
            assert_eq!(yardstick.relative_weight_micro(), 0);
        }
    }

    #[test]
    fn an_outlier_halves_the_score_of_a_fresh_high_no_further() {
        // 20 people, 9 points against one outlier capped at 10·9 = 90 points:
        // m = 24, den = 9·24 + 3·90 = 486, odds = 9·24/486 = 0.444…, score = 3.0769…
        let yardstick = Yardstick::new(90_000_000, 19, &scale());
        assert_eq!(yardstick.odds_nano(9_000_000), 444_444_444);
        assert_eq!(score_of_odds(444_444_444), 3_076_923);
        // 3·90/486 = 0.5555…
        assert_eq!(yardstick.relative_weight_micro(), 555_555);
        // 90/24 = 3.75
        assert_eq!(yardstick.baseline_micro(), 3_750_000);
    }

    #[test]
    fn the_widest_operands_stay_within_128_bits() {
        let params = Params {
            lambda: 1_000_000,
            q: 1000,
            kappa: 1_000_000,
            ..Params::default()
        };
        let scale = Scale::new(&params).unwrap();
        let people = u64::from(u32::MAX);
        let all = u128::from(people) * u128::from(u64::MAX);
        let yardstick = Yardstick::new(all, people, &scale);
        assert!(yardstick.odds_nano(u64::MAX) > 0);
        assert_eq!(yardstick.relative_weight_micro(), 999_999);
        // S / m is 2^64 · 4294967295 / 4295967295, below the largest load.
        assert!(yardstick.baseline_micro() < u128::from(u64::MAX));
    }

    #[test]
    fn the_smallest_odds_of_a_score_are_the_smallest() {
        for score in [1, 2_000_000, 4_000_000, 6_000_000, 8_000_000, 9_999_999] {
            let odds = odds_for_score(score);
            assert!(score_of_odds(odds) >= score);
            assert!(score_of_odds(odds - 1) < score);
        }
        // 4/6 = 0.666…, rounded up; 8/2 = 4.
        assert_eq!(odds_for_score(4_000_000), 666_666_667);
        assert_eq!(odds_for_score(8_000_000), 4_000_000_000);
    }

    #[test]
    fn the_smallest_load_of_odds_is_the_smallest() {
        for colleagues_micro in [0, 1, 90_000_000, 123_456_789_012] {
            let yardstick = Yardstick::new(colleagues_micro, 19, &scale());
            for odds in [1, 250_000_000, 666_666_667, 4_000_000_000] {
                let load = u64::try_from(yardstick.load_for_odds(odds).unwrap()).unwrap();
                assert!(yardstick.odds_nano(load) >= u128::from(odds));
                assert!(yardstick.odds_nano(load - 1) < u128::from(odds));
            }
        }
    }
}
