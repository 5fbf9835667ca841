//! Departments, locations and teams compared (af-1 §7).

use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::odds::figure;
use crate::organization::{place, size};

/// Groups of fewer people are left out: their figures would speak of single persons.
pub const LEAST_GROUP: usize = 5;

/// Weight of the organization's mean in a group's shrunk mean, in people.
const SHRINK: u128 = 5;

/// Figures of one group of at least [`LEAST_GROUP`] people, in micro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GroupFigures {
    /// People of the group.
    pub n: i64,
    /// Mean score, floored.
    pub mean_score_micro: i64,
    /// Standard deviation of the group as a population, floored.
    pub sd_score_micro: i64,
    /// (sum of scores + 5 · organization mean) / (n + 5), floored, from the floored organization mean.
    pub shrunk_mean_micro: i64,
    /// max(0, mean − 1.65 · sd / √n), floored once, at the end: mean and sd go in unrounded, so it may
    /// differ by some millionths from what the two columns beside it give.
    pub lower_bound_micro: i64,
}

/// Figures of groups of one population; none for a group that is too small.
///
/// `scores_of_population` are the scores in micro, 0 to below 10^7, of everybody in the population;
/// each group lists indices into them, each person once.
///
/// # Errors
/// [`ErrorKind::MemberRange`] for an index without a score.
///
/// # Panics
/// When a score is negative.
///
/// ```
/// use af_score::group_figures;
/// let scores = [2_000_000, 4_000_000, 4_000_000, 4_000_000, 6_000_000, 0];
/// let figures = group_figures(&scores, &[vec![0, 1, 2, 3, 4], vec![5]])?;
/// let group = figures[0].unwrap();
/// assert_eq!(group.mean_score_micro, 4_000_000);
/// assert_eq!(group.sd_score_micro, 1_264_911); // √(8/5) = 1.264911…
/// assert_eq!(figures[1], None); // one person is no group
/// # Ok::<(), af_score::Error>(())
/// ```
pub fn group_figures<G: AsRef<[u32]>>(
    scores_of_population: &[i64],
    groups: &[G],
) -> Result<Vec<Option<GroupFigures>>, Error> {
    let people = wide(scores_of_population.len()).max(1);
    let sum: u128 = scores_of_population
        .iter()
        .map(|&score| unsigned(score))
        .sum();
    let organization_mean = sum / people;
    groups
        .iter()
        .map(|group| of_group(scores_of_population, group.as_ref(), organization_mean))
        .collect()
}

/// Bounds for fewer than 2^32 people with scores below 2^24: Σ < 2^56, Σ of squares < 2^80,
/// `n·Σs²` < 2^112, and 27225 times that < 2^127.
fn of_group(
    scores: &[i64],
    group: &[u32],
    organization_mean: u128,
) -> Result<Option<GroupFigures>, Error> {
    let (mut sum, mut squares) = (0, 0);
    for &member in group {
        let score = scores
            .get(place(member))
            .copied()
            .map(unsigned)
            .ok_or_else(|| {
                Error::new(ErrorKind::MemberRange {
                    member,
                    members: scores.len(),
                })
            })?;
        sum += score;
        squares += score * score;
    }
    if group.len() < LEAST_GROUP {
        return Ok(None);
    }
    let n = wide(group.len());
    // n² times the variance, exact; never negative by Cauchy and Schwarz.
    let spread = n * squares - sum * sum;
    Ok(Some(GroupFigures {
        n: figure(n),
        mean_score_micro: figure(sum / n),
        // The root of a floor has the same floor as the root itself.
        sd_score_micro: figure((spread / (n * n)).isqrt()),
        shrunk_mean_micro: figure((sum + SHRINK * organization_mean) / (n + SHRINK)),
        lower_bound_micro: figure(lower_bound(n, sum, spread)),
    }))
}

/// The floor of `max(0, mean − 1.65·sd/√n)`, exactly.
///
/// With `sd = √spread / n` the deduction is `√(1.65²·spread / n) / n`. So the bound is
/// `(sum − t) / n` with `t = √(27225·spread / (10^4·n))`, and as `sum` is an integer its floor is that
/// of `(sum − ⌈t⌉) / n`. `⌈t⌉` is the smallest integer whose square reaches the radicand.
fn lower_bound(n: u128, sum: u128, spread: u128) -> u128 {
    let radicand = (27_225 * spread).div_ceil(10_000 * n);
    let root = radicand.isqrt();
    let deduction = root + u128::from(root * root < radicand);
    sum.saturating_sub(deduction) / n
}

fn unsigned(score: i64) -> u128 {
    u128::try_from(score).expect("scores are never negative")
}

fn wide(length: usize) -> u128 {
    u128::from(size(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_mean_of_a_small_group_leans_on_the_organization() {
        let mut scores = vec![0; 95];
        scores.extend([6_000_000, 6_000_000, 6_000_000, 6_000_000, 6_000_000]);
        let group: Vec<u32> = (95..100).collect();
        let figures = group_figures(&scores, &[group]).unwrap()[0].unwrap();
        assert_eq!(figures.mean_score_micro, 6_000_000);
        // Organization mean 30/100 = 0.3; (30 + 5·0.3)/10 = 3.15.
        assert_eq!(figures.shrunk_mean_micro, 3_150_000);
        // No spread, no deduction.
        assert_eq!(
            (figures.sd_score_micro, figures.lower_bound_micro),
            (0, 6_000_000)
        );
    }

    #[test]
    fn the_lower_bound_takes_off_its_deduction_and_stops_at_zero() {
        // 2, 4, 4, 4, 6: mean 4, variance 8/5; 1.65·√(8/5)/√5 = 1.65·√0.32 = 0.93338…;
        // 4 − 0.933380951… = 3.066619048…
        let scores = [2_000_000, 4_000_000, 4_000_000, 4_000_000, 6_000_000];
        let figures = group_figures(&scores, &[[0, 1, 2, 3, 4]]).unwrap()[0].unwrap();
        assert_eq!(figures.lower_bound_micro, 3_066_619);
        // 0, 0, 0, 0, 1: mean 0.2, sd 0.4, deduction 0.295…
        let scores = [0, 0, 0, 0, 1_000_000];
        let figures = group_figures(&scores, &[[0, 1, 2, 3, 4]]).unwrap()[0].unwrap();
        assert_eq!(figures.sd_score_micro, 400_000);
        assert_eq!(figures.lower_bound_micro, 0);
    }

    #[test]
    fn four_people_are_no_group_and_a_stranger_is_an_error() {
        let scores = [1; 6];
        assert_eq!(group_figures(&scores, &[[0, 1, 2, 3]]).unwrap(), [None]);
        let error = group_figures(&scores, &[[6]]).unwrap_err();
        assert_eq!(
            error.kind(),
            &ErrorKind::MemberRange {
                member: 6,
                members: 6
            }
        );
        assert_eq!(group_figures::<Vec<u32>>(&[], &[]).unwrap(), []);
    }

    proptest! {
        /// `k` is the bound exactly when `k ≤ (sum − t)/n < k + 1`, in squares and integers.
        #[test]
        fn the_lower_bound_is_an_exact_floor(
            scores in prop::collection::vec(0..10_000_000_u128, 5..40),
        ) {
            let n = wide(scores.len());
            let sum: u128 = scores.iter().sum();
            let squares: u128 = scores.iter().map(|score| score * score).sum();
            let spread = n * squares - sum * sum;
            let bound = lower_bound(n, sum, spread);
            let at_least_t = |value: u128| value * value * 10_000 * n >= 27_225 * spread;
            prop_assert!(bound == 0 || at_least_t(sum - bound * n));
            prop_assert!((bound + 1) * n > sum || !at_least_t(sum - (bound + 1) * n));
        }
    }
}
