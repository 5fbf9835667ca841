//! The organization in a few figures (af-1 §7).

use af_model::{Params, ScoreLevel};
use rayon::prelude::*;
use serde::Serialize;

use crate::baseline::Baseline;
use crate::odds::{figure, odds_for_score, unsigned};
use crate::organization::{Organization, size};
use crate::scale::{Scale, weights_permille};
use crate::scores::Scores;

/// Figures of one population: of the whole attack factor or of one component. Floors of integers.
///
/// An empty population has means and counts of zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrgFigures {
    /// Index into [`Organization::components`]; none for all together.
    pub component: Option<usize>,
    /// People of the population.
    pub population_n: i64,
    /// Mean score, in micro; for a component the mean of its own scores.
    pub mean_score_micro: i64,
    /// People per level, in the order of [`ScoreLevel::ASCENDING`]; for a component by its own score.
    pub people: [i64; 6],
    /// Mean load, in micro-points; for the whole of the sums over the components.
    pub mean_load_micro: i64,
    /// Share of the total load on the most loaded tenth of the people (rounded up to whole people), in
    /// micro. None without any load.
    pub top_tenth_load_share_micro: Option<i64>,
    /// The smallest load in micro-points at which somebody without any in this component, who is added
    /// to the population, reaches low, medium, high and very high through this component alone.
    /// None for the whole, and where the weight makes a level unreachable for any load that fits 64
    /// bits.
    pub load_for_micro: [Option<i64>; 4],
}

/// The figures of the population: the whole first, then each component in order.
///
/// # Panics
/// When `scores` is not what [`crate::score`] gave for this organization and parameters.
///
/// ```
/// use af_model::{Params, UtcDay};
/// use af_score::{Organization, org_summary, score};
///
/// let components = ["identity".to_owned()];
/// let organization =
///     Organization { in_population: &[true; 10], components: &components, buckets: &[] };
/// let params = Params::default();
/// let scores = score(&organization, UtcDay(20_000), &params)?;
/// let figures = org_summary(&organization, &scores, &params);
/// assert_eq!(figures[0].people, [10, 0, 0, 0, 0, 0]);
/// // In a quiet organization very high takes four times lambda: 36 points.
/// assert_eq!(figures[1].load_for_micro[3], Some(36_000_000));
/// # Ok::<(), af_score::Error>(())
/// ```
pub fn org_summary(
    organization: &Organization<'_>,
    scores: &Scores,
    params: &Params,
) -> Vec<OrgFigures> {
    let scale = Scale::new(params).expect("the scores were made with these parameters");
    let weights = weights_permille(organization.components, params);
    let population: Vec<usize> = (0..organization.in_population.len())
        .filter(|&member| organization.in_population[member])
        .collect();
    let mut figures = vec![whole(organization, scores, &population)];
    figures.par_extend((0..weights.len()).into_par_iter().map(|component| {
        of_component(
            scores,
            &population,
            weights.len(),
            component,
            load_for(&scores.baselines[component], &scale, weights[component]),
        )
    }));
    figures
}

fn whole(organization: &Organization<'_>, scores: &Scores, population: &[usize]) -> OrgFigures {
    let count = organization.components.len();
    let people = population.iter().map(|&member| {
        let rows = &scores.components[member * count..][..count];
        Figures {
            load: rows.iter().map(|row| unsigned(row.load_micro)).sum(),
            score: unsigned(scores.members[member].score_micro),
            level: scores.members[member].level,
        }
    });
    gather(people, None, [None; 4])
}

fn of_component(
    scores: &Scores,
    population: &[usize],
    count: usize,
    component: usize,
    load_for_micro: [Option<i64>; 4],
) -> OrgFigures {
    let people = population.iter().map(|&member| {
        let row = &scores.components[member * count + component];
        Figures {
            load: unsigned(row.load_micro),
            score: unsigned(row.score_micro),
            level: ScoreLevel::of(row.score_micro, row.odds_nano),
        }
    });
    gather(people, Some(component), load_for_micro)
}

/// What one person brings into the figures.
struct Figures {
    load: u64,
    score: u64,
    level: ScoreLevel,
}

/// Loads are below 2^63 and people below 2^32, so every sum stays below 2^95, and the share's product
/// with 10^6 below 2^115.
fn gather(
    people: impl Iterator<Item = Figures>,
    component: Option<usize>,
    load_for_micro: [Option<i64>; 4],
) -> OrgFigures {
    let mut loads: Vec<u64> = Vec::new();
    let mut score_sum = 0_u128;
    let mut by_level = [0_i64; 6];
    for person in people {
        loads.push(person.load);
        score_sum += u128::from(person.score);
        by_level[slot(person.level)] += 1;
    }
    let total: u128 = loads.iter().map(|&load| u128::from(load)).sum();
    let n = size(loads.len());
    let mean = |sum: u128| figure(sum / u128::from(n.max(1)));
    OrgFigures {
        component,
        population_n: figure(u128::from(n)),
        mean_score_micro: mean(score_sum),
        people: by_level,
        mean_load_micro: mean(total),
        top_tenth_load_share_micro: (total > 0)
            .then(|| figure(1_000_000 * top_tenth(&mut loads) / total)),
        load_for_micro,
    }
}

const fn slot(level: ScoreLevel) -> usize {
    match level {
        ScoreLevel::None => 0,
        ScoreLevel::VeryLow => 1,
        ScoreLevel::Low => 2,
        ScoreLevel::Medium => 3,
        ScoreLevel::High => 4,
        ScoreLevel::VeryHigh => 5,
    }
}

/// Sum of the loads of the most loaded tenth, rounded up to whole people. Reorders the loads.
fn top_tenth(loads: &mut [u64]) -> u128 {
    let tenth = loads.len().div_ceil(10);
    if tenth == 0 {
        return 0;
    }
    let start = loads.len() - tenth;
    loads.select_nth_unstable(start);
    loads[start..].iter().map(|&load| u128::from(load)).sum()
}

/// The smallest loads that reach each level from low on, for somebody added to the population.
///
/// The formula is walked backwards, exactly, since each of its floors has a smallest argument:
/// score → odds of the whole → odds of the component (`weight·odds // 1000 >= O` from
/// `odds = ceil(1000·O / weight)` on) → load.
fn load_for(baseline: &Baseline, scale: &Scale, weight: u64) -> [Option<i64>; 4] {
    let yardstick = baseline.yardstick_of_added(scale);
    let levels = [
        ScoreLevel::Low,
        ScoreLevel::Medium,
        ScoreLevel::High,
        ScoreLevel::VeryHigh,
    ];
    levels.map(|level| {
        if weight == 0 {
            return None;
        }
        let whole = odds_for_score(unsigned(level.floor_micro()));
        let own = (1000 * whole).div_ceil(weight);
        let load = yardstick.load_for_odds(own)?;
        i64::try_from(load).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score;
    use crate::{Bucket, MemberScore};
    use af_model::UtcDay;

    const TODAY: UtcDay = UtcDay(20_000);

    /// Highs per person in the first component; one medium in the second for person 0.
    fn buckets(highs: &[u64]) -> Vec<Bucket> {
        let mut buckets = Vec::new();
        for (member, &high) in (0..).zip(highs) {
            // One family a high, so that loads are plain multiples of nine points.
            for family in (0..).take(usize::try_from(high).unwrap()) {
                buckets.push(Bucket {
                    member,
                    component: 0,
                    family,
                    day: TODAY,
                    counts: [0, 1, 0, 0],
                });
            }
            if member == 0 {
                buckets.push(Bucket {
                    member,
                    component: 1,
                    family: 0,
                    day: TODAY,
                    counts: [0, 0, 1, 0],
                });
            }
        }
        buckets
    }

    #[test]
    fn means_levels_and_the_top_tenth() {
        let components = ["email".to_owned(), "identity".to_owned()];
        let buckets = buckets(&[1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 50]);
        // The last one left: neither counted nor averaged.
        let inside: Vec<bool> = (0..12).map(|member| member < 11).collect();
        let organization = Organization {
            in_population: &inside,
            components: &components,
            buckets: &buckets,
        };
        let params = Params::default();
        let scores = score(&organization, TODAY, &params).unwrap();
        let figures = org_summary(&organization, &scores, &params);
        assert_eq!(figures.len(), 3);
        let whole = &figures[0];
        assert_eq!((whole.component, whole.population_n), (None, 11));
        // Loads 9 + 3 and 27 points: 39 over 11 people.
        assert_eq!(whole.mean_load_micro, 39_000_000 / 11);
        // A tenth of 11, rounded up, is two people: they carry everything.
        assert_eq!(whole.top_tenth_load_share_micro, Some(1_000_000));
        let sum: i64 = scores.members[..11]
            .iter()
            .map(|member| member.score_micro)
            .sum();
        assert_eq!(whole.mean_score_micro, sum / 11);
        assert_eq!(whole.people[0], 9);
        assert_eq!(whole.people.iter().sum::<i64>(), 11);
        assert_eq!(whole.load_for_micro, [None; 4]);
        assert_eq!(figures[1].mean_load_micro, 36_000_000 / 11);
        assert_eq!(figures[2].mean_load_micro, 3_000_000 / 11);
        assert_eq!(figures[2].people[0], 10);
    }

    #[test]
    fn half_of_the_load_on_one_of_ten() {
        let components = ["email".to_owned(), "identity".to_owned()];
        let buckets: Vec<Bucket> = buckets(&[0, 3, 1, 1, 1, 0, 0, 0, 0, 0])
            .into_iter()
            .filter(|bucket| bucket.component == 0)
            .collect();
        let organization = Organization {
            in_population: &[true; 10],
            components: &components,
            buckets: &buckets,
        };
        let params = Params::default();
        let scores = score(&organization, TODAY, &params).unwrap();
        let figures = org_summary(&organization, &scores, &params);
        assert_eq!(figures[0].top_tenth_load_share_micro, Some(500_000));
        assert_eq!(figures[2].top_tenth_load_share_micro, None);
    }

    #[test]
    fn the_load_for_a_level_is_the_smallest_that_reaches_it() {
        for (highs, weight, kappa) in [
            (vec![0, 0, 0], 1000, 5),
            (vec![1, 0, 7, 2, 2], 1000, 5),
            (vec![20, 0, 7, 2, 2], 1700, 0),
            (vec![1, 1], 3, 5),
            (vec![], 1000, 0),
        ] {
            let components = ["email".to_owned(), "identity".to_owned()];
            let buckets: Vec<Bucket> = buckets(&highs);
            let inside = vec![true; highs.len()];
            let organization = Organization {
                in_population: &inside,
                components: &components,
                buckets: &buckets,
            };
            let mut params = Params {
                kappa,
                ..Params::default()
            };
            params.weights.insert("email".to_owned(), weight);
            let scores = score(&organization, TODAY, &params).unwrap();
            let figures = org_summary(&organization, &scores, &params);
            let scale = Scale::new(&params).unwrap();
            let yardstick = scores.baselines[0].yardstick_of_added(&scale);
            let level = |load: i64| {
                let odds = yardstick.odds_nano(unsigned(load));
                let whole = figure(odds * u128::try_from(weight).unwrap() / 1000);
                ScoreLevel::of(crate::scores::score_micro(whole), whole)
            };
            for (load, reached) in figures[1]
                .load_for_micro
                .iter()
                .zip(&ScoreLevel::ASCENDING[2..])
            {
                let load = load.unwrap();
                assert_eq!(level(load), *reached);
                assert!(level(load - 1) < *reached);
            }
        }
    }

    #[test]
    fn a_component_without_weight_reaches_no_level() {
        let components = ["email".to_owned()];
        let organization = Organization {
            in_population: &[true],
            components: &components,
            buckets: &[],
        };
        let mut params = Params::default();
        params.weights.insert("email".to_owned(), 0);
        let scores = score(&organization, TODAY, &params).unwrap();
        let figures = org_summary(&organization, &scores, &params);
        assert_eq!(figures[1].load_for_micro, [None; 4]);
    }

    #[test]
    fn a_population_of_nobody_has_zeros() {
        let components = ["email".to_owned(), "identity".to_owned()];
        let buckets = buckets(&[2]);
        let organization = Organization {
            in_population: &[false],
            components: &components,
            buckets: &buckets,
        };
        let params = Params::default();
        let scores = score(&organization, TODAY, &params).unwrap();
        assert!(matches!(
            scores.members[..],
            [MemberScore { rank: None, .. }]
        ));
        let whole = &org_summary(&organization, &scores, &params)[0];
        assert_eq!((whole.population_n, whole.mean_score_micro), (0, 0));
        assert_eq!(whole.top_tenth_load_share_micro, None);
    }
}
