//! What would change the score: the next attack, and time.

use af_model::view::{Decayed, FreshAttack, NextLevel, Outlook};
use af_model::{Level, Params, ScoreLevel, UtcDay};
use af_score::Measured;

use super::measure::Measure;

/// After how many days without anything new the score is shown.
const LATER: [i32; 3] = [7, 14, 30];

/// More points than this one person cannot be given: the largest load of a column.
const MOST_MICRO: u64 = i64::MAX.unsigned_abs();

pub(super) fn outlook(measure: &Measure, as_of: UtcDay, params: &Params) -> Outlook {
    let measured = &measure.measured;
    Outlook {
        next_level: next_level(measure, params),
        decay: LATER
            .iter()
            .map(|&days| decayed(measured, as_of, days))
            .collect(),
    }
}

fn decayed(measured: &Measured, as_of: UtcDay, days: i32) -> Decayed {
    let score_micro = measured.score_on(UtcDay(as_of.0.saturating_add(days)));
    // Odds of less than a millionth of the score are shown as the lowest level, which they are.
    let still = measured.buckets().iter().any(|bucket| {
        as_of.days_since(bucket.day) + i64::from(days) < af_model::params::WINDOW_DAYS
    });
    Decayed {
        days: i64::from(days),
        score_micro,
        level: ScoreLevel::of(score_micro, i64::from(still)).to_string(),
    }
}

fn next_level(measure: &Measure, params: &Params) -> Option<NextLevel> {
    let measured = &measure.measured;
    // Very low begins with anything at all; low is the first level worth the way.
    let floor = ScoreLevel::ASCENDING
        .into_iter()
        .filter(|level| *level >= ScoreLevel::Low)
        .find(|level| measured.score_micro() < level.floor_micro())?;
    let (points_micro, component) = (0..measure.components.len())
        .filter_map(|component| {
            let points = fewest(measured, component, floor.floor_micro())?;
            Some((points, component))
        })
        .min()?;
    let attack = Level::DESCENDING
        .into_iter()
        .rev()
        .map(|level| {
            let points = params.points_micro(level).unsigned_abs();
            (level, measured.score_with_load(component, points))
        })
        .find(|(_, score_micro)| *score_micro >= floor.floor_micro())
        .map(|(level, score_micro)| FreshAttack {
            level: level.to_string(),
            score_micro,
        });
    Some(NextLevel {
        level: floor.to_string(),
        floor_micro: floor.floor_micro(),
        component: measure.components[component].clone(),
        points_micro: i64::try_from(points_micro).ok()?,
        attack,
    })
}

/// The smallest load that, added to a component, reaches a score: by bisection, as more load never
/// lowers a score. `None` where no load does, because the component weighs nothing.
fn fewest(measured: &Measured, component: usize, floor_micro: i64) -> Option<u64> {
    let reaches = |points: u64| measured.score_with_load(component, points) >= floor_micro;
    if !reaches(MOST_MICRO) {
        return None;
    }
    let (mut low, mut high) = (0, MOST_MICRO);
    while low < high {
        let middle = low + (high - low) / 2;
        if reaches(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}
