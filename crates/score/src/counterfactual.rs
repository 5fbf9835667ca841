//! What a score would be with other counts, on another day or among other colleagues.
//!
//! A yardstick is made of the *others'* loads alone, so own load and yardstick change independently:
//! [`load_of_counts`] gives the load a bucket would have on any day, a [`Baseline`](crate::Baseline)
//! of any loads the yardsticks, and [`score_of_components`] the score of whatever odds they make.

use af_model::params::WINDOW_DAYS;

use crate::decay::decayed;
use crate::odds::{figure, score_of_odds};
use crate::saturate::saturated;
use crate::scale::Scale;

/// What the counts of one bucket (by [`af_model::Level::slot`]) add to a load `age_days` after its
/// UTC day, in micro-points: nothing before that day and nothing from the ninetieth day on.
///
/// ```
/// use af_model::Params;
/// use af_score::{Scale, load_of_counts};
///
/// let scale = Scale::new(&Params::default())?;
/// let high = [0, 1, 0, 0];
/// assert_eq!(load_of_counts(&high, 0, &scale), 9_000_000);
/// assert_eq!(load_of_counts(&high, 14, &scale), 4_500_000);
/// assert_eq!(load_of_counts(&high, 90, &scale), 0);
/// # Ok::<(), af_model::params::InvalidParams>(())
/// ```
pub fn load_of_counts(counts: &[u64; 4], age_days: i64, scale: &Scale) -> u64 {
    match usize::try_from(age_days) {
        Ok(age) if age_days < WINDOW_DAYS => decayed(saturated(counts, &scale.points_micro), age),
        _ => 0,
    }
}

/// The score in micro of components given as weight in per mille and odds in nano, as
/// [`Yardstick::odds_nano`](crate::Yardstick::odds_nano) gives them: `O = (Σ weight·odds) // 1000`,
/// then [`score_of_odds`](crate::score_of_odds).
///
/// Odds below 2^74, weights below 2^20 and fewer than 2^32 components stay within 128 bits. Odds of
/// the whole beyond 64 bits have the score of the largest that fit: from 10^16 on every score is
/// 9,999,999.
///
/// ```
/// use af_score::score_of_components;
/// assert_eq!(score_of_components([(1000, 1_000_000_000), (500, 1_000_000_000)]), 6_000_000);
/// assert_eq!(score_of_components([]), 0);
/// ```
pub fn score_of_components(components: impl IntoIterator<Item = (u64, u128)>) -> i64 {
    let weighted: u128 = components
        .into_iter()
        .map(|(weight, odds)| u128::from(weight) * odds)
        .sum();
    let odds = u64::try_from(weighted / 1000).unwrap_or(u64::MAX);
    figure(u128::from(score_of_odds(odds)))
}
