//! Baselines, odds, scores, levels, ranks (§2.6 to §2.10).

use af_model::{Params, ScoreLevel};

/// What one person's load means among colleagues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odds {
    /// What colleagues carry on average, in micro-points.
    pub baseline_micro: u128,
    /// Load over yardstick, in billionths.
    pub odds_nano: u128,
    /// How far colleagues set the yardstick, in millionths.
    pub relative_weight_micro: u128,
    /// The pseudo-counted number of colleagues m, for asking again with another load.
    colleagues: u128,
    /// The yardstick times m, in micro-points.
    yardstick: u128,
}

impl Odds {
    /// The odds of `own` micro-points against the loads of the others, each of them counted.
    ///
    /// With nobody else and no pseudo-colleagues m would be zero; it cancels where S is zero, so it
    /// is taken as one.
    ///
    /// # Panics
    /// When parameters were not checked.
    pub fn of(own: u128, others: &[u128], params: &Params) -> Self {
        let positive = |value: i64| u128::try_from(value).expect("checked parameters");
        let cap = positive(params.cap);
        let lambda = positive(params.lambda_micro());
        let q = positive(params.q);
        let n = others.len() as u128 + 1;
        let capped_sum = if n == 1 {
            0
        } else {
            let total: u128 = others.iter().sum::<u128>() + own;
            let largest_other = others.iter().copied().max().unwrap_or(0);
            let tau = (cap * lambda).max(cap * (total - own - largest_other) / (n - 1));
            others.iter().map(|&load| load.min(tau)).sum()
        };
        let colleagues = (n - 1 + positive(params.kappa)).max(1);
        let yardstick = lambda * colleagues + q * capped_sum;
        Self {
            baseline_micro: capped_sum / colleagues,
            odds_nano: own * colleagues * 1_000_000_000 / yardstick,
            relative_weight_micro: 1_000_000 * q * capped_sum / yardstick,
            colleagues,
            yardstick,
        }
    }

    /// The odds of another load of the same person: the others stay as they are.
    pub fn with_load(&self, own: u128) -> u128 {
        own * self.colleagues * 1_000_000_000 / self.yardstick
    }
}

/// The weighted sum of the components' odds in billionths; each pair is a weight in per mille and
/// odds.
///
/// # Panics
/// When a weight is negative, which checked parameters are not.
pub fn combine(parts: &[(i64, u128)]) -> u128 {
    let sum: u128 = parts
        .iter()
        .map(|&(weight, odds)| u128::try_from(weight).expect("weights are not negative") * odds)
        .sum();
    sum / 1000
}

/// The score of some odds, in millionths.
///
/// # Panics
/// Never: the score is below ten for any odds.
pub fn score_micro(odds_nano: u128) -> i64 {
    let score = 10_000_000 * odds_nano / (1_000_000_000 + odds_nano);
    i64::try_from(score).expect("a score is below ten")
}

/// The score in one word.
pub fn level(score_micro: i64, odds_nano: u128) -> ScoreLevel {
    if odds_nano == 0 {
        return ScoreLevel::None;
    }
    match score_micro / 2_000_000 {
        0 => ScoreLevel::VeryLow,
        1 => ScoreLevel::Low,
        2 => ScoreLevel::Medium,
        3 => ScoreLevel::High,
        _ => ScoreLevel::VeryHigh,
    }
}

/// Where some odds stand among those of the whole population, the person's own included: rank,
/// percentile, and the percentage of the others below.
///
/// # Panics
/// Never: a count of people fits an i64.
#[expect(
    clippy::cast_precision_loss,
    reason = "the formula divides two counts as f64; both are far below 2^53"
)]
pub fn standing(odds_nano: u128, population: &[u128]) -> (i64, f64, Option<f64>) {
    let n = population.len();
    let above = population
        .iter()
        .filter(|&&other| other > odds_nano)
        .count();
    let below = population
        .iter()
        .filter(|&&other| other < odds_nano)
        .count();
    let below_or_equal = n - above;
    let rank = 1 + i64::try_from(above).expect("a count of people");
    let percentile = (50 * (below + below_or_equal)) as f64 / n as f64;
    let pct_below = (n > 1).then(|| (100 * below) as f64 / (n - 1) as f64);
    (rank, percentile, pct_below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_organization_is_an_absolute_scale() {
        let params = Params::default();
        for n in [1, 2, 20, 300] {
            let others = vec![0; n - 1];
            let score = |points: u128| {
                score_micro(Odds::of(points * 1_000_000, &others, &params).odds_nano)
            };
            // 3/9 → 10·(1/3)/(4/3) = 2.5 (floored odds cost the last micro), 9/9 → 5, 27/9 → 7.5.
            assert_eq!(
                [score(3), score(9), score(27)],
                [2_499_999, 5_000_000, 7_500_000]
            );
        }
    }

    #[test]
    fn one_outlier_costs_the_same_however_large() {
        // tau = max(90, …) points: S = 90, m = 24, odds = 9·24/(9·24 + 3·90) = 216/486.
        for outlier in [300, 10_000] {
            let mut others = vec![0; 19];
            others[7] = outlier * 1_000_000;
            let odds = Odds::of(9_000_000, &others, &Params::default());
            assert_eq!(odds.odds_nano, 444_444_444);
            assert_eq!(score_micro(odds.odds_nano), 3_076_923);
        }
    }

    #[test]
    fn nobody_else_and_no_pseudo_colleagues_is_no_division_by_zero() {
        let params = Params {
            kappa: 0,
            ..Params::default()
        };
        assert_eq!(Odds::of(9_000_000, &[], &params).odds_nano, 1_000_000_000);
    }

    #[test]
    fn equal_odds_share_the_middle_of_their_ranks() {
        assert_eq!(standing(5, &[5]), (1, 50.0, None));
        // Two of four above nobody: below 0, below or equal 2 → 50·2/4.
        assert_eq!(standing(0, &[0, 0, 1, 2]), (3, 25.0, Some(0.0)));
        assert_eq!(standing(2, &[0, 0, 1, 2]), (1, 87.5, Some(100.0)));
    }
}
