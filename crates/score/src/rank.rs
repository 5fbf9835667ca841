//! Rank and percentile within the population (af-1 §2.10).

use rayon::prelude::*;

use crate::odds::figure;
use crate::organization::size;

/// The odds of a population, prepared for counting who is below whom. O(n log n) once, O(log n) a
/// question.
#[derive(Clone, Debug)]
pub(crate) struct Ranking {
    people: u64,
    /// Ascending by odds, no two alike: the odds, and how many people have at most these.
    runs: Vec<(i64, u64)>,
}

/// Where somebody of the population stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Standing {
    /// 1 + number of people strictly above.
    pub(crate) rank: i64,
    /// `50·(below + below_or_equal)/n`.
    pub(crate) percentile: f64,
    /// `100·below/(n − 1)`; none for one person alone.
    pub(crate) pct_below: Option<f64>,
}

impl Ranking {
    /// Prepares the odds of everybody in the population, in any order.
    pub(crate) fn of_odds(mut odds: Vec<i64>) -> Self {
        odds.par_sort_unstable();
        let mut people = 0;
        let runs = odds
            .chunk_by(|a, b| a == b)
            .map(|equal| {
                people += size(equal.len());
                (equal[0], people)
            })
            .collect();
        Self { people, runs }
    }

    /// The standing of somebody with these odds, who is one of the people.
    pub(crate) fn standing(&self, odds: i64) -> Standing {
        let upto = |count: usize| count.checked_sub(1).map_or(0, |last| self.runs[last].1);
        let below_runs = self.runs.partition_point(|run| run.0 < odds);
        let equal_runs = usize::from(self.runs.get(below_runs).is_some_and(|run| run.0 == odds));
        let (below, below_or_equal) = (upto(below_runs), upto(below_runs + equal_runs));
        let above = self.people - below_or_equal;
        Standing {
            rank: figure(u128::from(above + 1)),
            percentile: ratio(50 * (below + below_or_equal), self.people),
            pct_below: (self.people > 1).then(|| ratio(100 * below, self.people - 1)),
        }
    }
}

/// One division of two exact numbers, correctly rounded by IEEE 754: the same on every machine.
#[expect(
    clippy::cast_precision_loss,
    reason = "both are at most 100 · 2^32, below 2^53, so the conversions are exact"
)]
fn ratio(numerator: u64, denominator: u64) -> f64 {
    numerator as f64 / denominator as f64
}

#[cfg(test)]
#[expect(
    clippy::float_cmp,
    reason = "one correctly rounded division is compared with itself"
)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_rank_and_percentile() {
        let ranking = Ranking::of_odds(vec![5, 0, 7, 5, 0, 0]);
        // n = 6; odds 5: three below, five below or equal, one above.
        let middle = ranking.standing(5);
        assert_eq!(middle.rank, 2);
        assert_eq!(middle.percentile, 50.0 * 8.0 / 6.0);
        assert_eq!(middle.pct_below, Some(60.0));
        assert_eq!(ranking.standing(7).rank, 1);
        let none = ranking.standing(0);
        assert_eq!(
            (none.rank, none.percentile, none.pct_below),
            (4, 25.0, Some(0.0))
        );
    }

    #[test]
    fn one_person_alone_is_in_the_middle_and_above_nobody() {
        for odds in [0, 3] {
            let standing = Ranking::of_odds(vec![odds]).standing(odds);
            assert_eq!(
                standing,
                Standing {
                    rank: 1,
                    percentile: 50.0,
                    pct_below: None
                }
            );
        }
    }
}
