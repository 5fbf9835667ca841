//! The kernel: an organization in, every person's score out (af-1 §2.4 to §2.10).

use af_model::{Params, ScoreLevel, UtcDay};
use rayon::prelude::*;
use serde::Serialize;

use crate::baseline::Baseline;
use crate::error::Error;
use crate::loads::Loads;
use crate::odds::{Yardstick, figure, score_of_odds, unsigned};
use crate::organization::{GivenLoad, Organization};
use crate::rank::Ranking;
use crate::scale::{Scale, weights_permille};

/// Least places per unit of parallel work.
const GRAIN: usize = 4096;

/// The scores of one organization.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// People of the population.
    pub population_n: u64,
    /// One entry per person, in the order of [`Organization::in_population`].
    pub members: Vec<MemberScore>,
    /// Every person times every component, one person after the other, components in their order.
    pub components: Vec<ComponentScore>,
    /// One per component; attribution and summary measure with the same yardsticks.
    pub(crate) baselines: Vec<Baseline>,
}

/// The answer for one person.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MemberScore {
    /// The attack factor, 0 to below 10, in millionths.
    pub score_micro: i64,
    /// What the score means in one word.
    pub level: ScoreLevel,
    /// Weighted sum of the components' odds, in billionths.
    pub odds_nano: i64,
    /// 1 = most attacked; equal odds share a rank. None outside the population.
    pub rank: Option<i64>,
    /// Mid-rank percentile, above 0 to below 100. None outside the population.
    pub percentile: Option<f64>,
    /// Share of the other people with lower odds, in percent. None outside the population and for a
    /// population of one.
    pub pct_below: Option<f64>,
}

/// One component of one person's score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentScore {
    /// The person's saturated, decayed points, in micro-points.
    pub load_micro: i64,
    /// What colleagues carry on average, leaving this person out, in micro-points.
    pub baseline_micro: i64,
    /// Load over yardstick, in nano. The weight is not in it.
    pub odds_nano: i64,
    /// The score of these odds alone, 0 to below 10, in micro. The weight is not in it.
    pub score_micro: i64,
    /// How far colleagues rather than the absolute scale set the yardstick, 0 to below 1, in micro.
    pub relative_weight_micro: i64,
    /// Weight of the component in the sum of odds, in per mille.
    pub weight_permille: i64,
}

/// Scores every person of an organization on the UTC day `as_of`.
///
/// Pure and exact: the same bytes on every machine and with every number of threads. Costs
/// O(buckets + members · components + n log n per component); somebody without load costs next to
/// nothing. Runs on rayon's current pool.
///
/// # Errors
/// [`Error`] when a parameter is out of range, when indices, order or days of the buckets break the
/// contract of [`Organization`] (the caller admits signals: a bucket after `as_of` or older than 89
/// days is a fault), or when figures would leave 64 bits.
///
/// ```
/// use af_model::{Params, ScoreLevel, UtcDay};
/// use af_score::{Bucket, Organization, score};
///
/// let today = UtcDay(20_000);
/// let components = ["identity".to_owned()];
/// // Twenty people; one of them was hit by one fresh high.
/// let buckets = [Bucket { member: 3, component: 0, family: 0, day: today, counts: [0, 1, 0, 0] }];
/// let organization = Organization {
///     in_population: &[true; 20],
///     components: &components,
///     buckets: &buckets,
/// };
/// let scores = score(&organization, today, &Params::default())?;
/// assert_eq!(scores.members[3].score_micro, 5_000_000);
/// assert_eq!(scores.members[3].level, ScoreLevel::Medium);
/// assert_eq!(scores.members[3].rank, Some(1));
/// assert_eq!(scores.members[4].level, ScoreLevel::None);
/// # Ok::<(), af_score::Error>(())
/// ```
pub fn score(
    organization: &Organization<'_>,
    as_of: UtcDay,
    params: &Params,
) -> Result<Scores, Error> {
    score_given(organization, &[], as_of, params)
}

/// As [`score`], where for some members not the buckets but the loads are known: they are colleagues
/// like all others, and scored and ranked like them; there is only nothing to attribute their scores
/// to. `given` is ascending by member and component; a component that is not given has no load.
///
/// # Errors
/// As [`score`], and [`ErrorKind::GivenLoad`](crate::ErrorKind::GivenLoad) when `given` is out of
/// order or range or names somebody with buckets.
///
/// ```
/// use af_model::{Params, UtcDay};
/// use af_score::{Bucket, GivenLoad, Organization, score, score_given};
///
/// let (today, params) = (UtcDay(20_000), Params::default());
/// let components = ["identity".to_owned()];
/// let buckets = [Bucket { member: 1, component: 0, family: 0, day: today, counts: [0, 1, 0, 0] }];
/// let all = Organization { in_population: &[true; 3], components: &components, buckets: &buckets };
/// // Of member 1 only the load is left: nine points.
/// let rest = Organization { buckets: &[], ..all };
/// let given = [GivenLoad { member: 1, component: 0, load_micro: 9_000_000 }];
/// assert_eq!(score_given(&rest, &given, today, &params)?, score(&all, today, &params)?);
/// # Ok::<(), af_score::Error>(())
/// ```
pub fn score_given(
    organization: &Organization<'_>,
    given: &[GivenLoad],
    as_of: UtcDay,
    params: &Params,
) -> Result<Scores, Error> {
    let scale = Scale::new(params)?;
    organization.check(as_of)?;
    organization.check_given(given)?;
    let weights = weights_permille(organization.components, params);
    let mut loads = Loads::of(organization, as_of, &scale, &weights)?;
    loads.give(given, &scale, &weights)?;
    let baselines = baselines(organization, &loads);
    let components = component_scores(organization, &loads, &baselines, &scale, &weights);
    let mut members = member_scores(organization, &components);
    rank(organization, &mut members);
    Ok(Scores {
        population_n: organization.population_n(),
        members,
        components,
        baselines,
    })
}

fn baselines(organization: &Organization<'_>, loads: &Loads) -> Vec<Baseline> {
    (0..organization.components.len())
        .into_par_iter()
        .map(|component| {
            let everybody = organization
                .in_population
                .iter()
                .zip(loads.column(component));
            Baseline::of_loads(
                everybody
                    .filter(|(inside, _)| **inside)
                    .map(|(_, load)| load),
            )
        })
        .collect()
}

/// A component's figures for somebody without load: the same for everybody who stands alike.
struct Unloaded {
    /// Inside the population; none where everybody there has a load.
    member: Option<ComponentScore>,
    /// Outside the population.
    added: ComponentScore,
}

fn component_scores(
    organization: &Organization<'_>,
    loads: &Loads,
    baselines: &[Baseline],
    scale: &Scale,
    weights: &[u64],
) -> Vec<ComponentScore> {
    let unloaded: Vec<Unloaded> = baselines
        .iter()
        .zip(weights)
        .map(|(baseline, &weight)| {
            let added = component_score(0, &baseline.yardstick_of_added(scale), weight);
            let member = baseline
                .has_unloaded()
                .then(|| component_score(0, &baseline.yardstick_of_member(0, scale), weight));
            Unloaded { member, added }
        })
        .collect();
    let count = weights.len();
    (0..loads.len())
        .into_par_iter()
        .with_min_len(GRAIN)
        .map(|place| {
            let (member, component) = (place / count, place % count);
            let inside = organization.in_population[member];
            match (loads.at(place), inside, unloaded[component].member) {
                (0, true, Some(shared)) => shared,
                (0, false, _) => unloaded[component].added,
                (load, _, _) => {
                    let yardstick = yardstick(&baselines[component], load, inside, scale);
                    component_score(load, &yardstick, weights[component])
                }
            }
        })
        .collect()
}

/// The yardstick for one person's load, inside the population or outside it.
pub(crate) fn yardstick(
    baseline: &Baseline,
    load_micro: u64,
    in_population: bool,
    scale: &Scale,
) -> Yardstick {
    if in_population {
        baseline.yardstick_of_member(load_micro, scale)
    } else {
        baseline.yardstick_of_added(scale)
    }
}

pub(crate) fn component_score(load: u64, yardstick: &Yardstick, weight: u64) -> ComponentScore {
    let odds_nano = figure(yardstick.odds_nano(load));
    ComponentScore {
        load_micro: figure(u128::from(load)),
        baseline_micro: figure(yardstick.baseline_micro()),
        odds_nano,
        score_micro: score_micro(odds_nano),
        relative_weight_micro: figure(yardstick.relative_weight_micro()),
        weight_permille: figure(u128::from(weight)),
    }
}

fn member_scores(
    organization: &Organization<'_>,
    components: &[ComponentScore],
) -> Vec<MemberScore> {
    let count = organization.components.len();
    (0..organization.in_population.len())
        .into_par_iter()
        .with_min_len(GRAIN)
        .map(|member| {
            let own = &components[member * count..][..count];
            let odds_nano = whole_odds(own.iter().map(weighted_odds).sum());
            let score_micro = score_micro(odds_nano);
            MemberScore {
                score_micro,
                level: ScoreLevel::of(score_micro, odds_nano),
                odds_nano,
                rank: None,
                percentile: None,
                pct_below: None,
            }
        })
        .collect()
}

/// A component's part of the sum of odds, in nano per mille. Below 2^20 · 2^63.
pub(crate) fn weighted_odds(component: &ComponentScore) -> u128 {
    if component.odds_nano == 0 {
        return 0;
    }
    u128::from(unsigned(component.weight_permille)) * u128::from(unsigned(component.odds_nano))
}

/// `O`, from the components' weighted odds.
pub(crate) fn whole_odds(weighted: u128) -> i64 {
    // Seldom more than 64 bits, and then four times as fast.
    match u64::try_from(weighted) {
        Ok(weighted) => figure(u128::from(weighted / 1000)),
        Err(_) => figure(weighted / 1000),
    }
}

/// The score of odds as a column holds them.
pub(crate) fn score_micro(odds_nano: i64) -> i64 {
    if odds_nano == 0 {
        return 0;
    }
    figure(u128::from(score_of_odds(unsigned(odds_nano))))
}

fn rank(organization: &Organization<'_>, members: &mut [MemberScore]) {
    let inside = organization.in_population;
    let odds = members
        .iter()
        .zip(inside)
        .filter(|(_, inside)| **inside)
        .map(|(member, _)| member.odds_nano)
        .collect();
    let ranking = Ranking::of_odds(odds);
    members
        .par_iter_mut()
        .with_min_len(GRAIN)
        .zip(inside)
        .filter(|(_, inside)| **inside)
        .for_each(|(member, _)| {
            let standing = ranking.standing(member.odds_nano);
            member.rank = Some(standing.rank);
            member.percentile = Some(standing.percentile);
            member.pct_below = standing.pct_below;
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organization::Bucket;

    const TODAY: UtcDay = UtcDay(20_000);

    /// People with made-up but fixed attacks: enough of them that work is really cut up.
    fn big(people: u32) -> (Vec<bool>, Vec<String>, Vec<Bucket>) {
        let mut buckets = Vec::new();
        for member in (0..people).filter(|member| member % 3 != 0) {
            let age = i32::try_from(member % 90).unwrap();
            let spread = u64::from(member).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            for component in 0..3 {
                buckets.push(Bucket {
                    member,
                    component,
                    family: member % 4,
                    day: UtcDay(TODAY.0 - age),
                    counts: [spread % 2, spread % 3, spread % 5, spread % 50],
                });
            }
        }
        let components = ["email", "identity", "malware"].map(str::to_owned).to_vec();
        let inside = (0..people).map(|member| member % 10 != 1).collect();
        (inside, components, buckets)
    }

    #[test]
    fn one_thread_and_many_give_the_same() {
        let (inside, components, buckets) = big(20_000);
        let organization = Organization {
            in_population: &inside,
            components: &components,
            buckets: &buckets,
        };
        let with_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| score(&organization, TODAY, &Params::default()).unwrap())
        };
        let scores = with_threads(1);
        assert!(
            scores == with_threads(4),
            "scores differ with the number of threads"
        );
        assert_eq!(scores.population_n, 18_000);
        assert_eq!(scores.components.len(), 60_000);
    }

    #[test]
    fn whoever_left_is_scored_as_if_added_and_is_nobodys_colleague() {
        let components = ["identity".to_owned()];
        let bucket = |member, high| Bucket {
            member,
            component: 0,
            family: 0,
            day: TODAY,
            counts: [0, high, 0, 0],
        };
        let buckets = [bucket(0, 1), bucket(1, 1)];
        let with_leaver = Organization {
            in_population: &[true, false, true, false],
            components: &components,
            buckets: &buckets,
        };
        let scores = score(&with_leaver, TODAY, &Params::default()).unwrap();
        assert_eq!(scores.population_n, 2);
        // The colleague's yardstick knows nothing of the leaver.
        assert_eq!(scores.components[0].baseline_micro, 0);
        assert_eq!(scores.members[0].score_micro, 5_000_000);
        // The leaver among 2 + 1 people: S = 9, m = 2 + 5, den = 9·7 + 3·9 = 90, odds = 63/90.
        assert_eq!(scores.members[1].odds_nano, 700_000_000);
        assert_eq!(scores.components[1].baseline_micro, 1_285_714);
        // Without load: the colleague measures with 9 / (1 + 5), the other leaver with 9 / (2 + 5).
        assert_eq!(scores.components[2].baseline_micro, 1_500_000);
        assert_eq!(scores.components[3].baseline_micro, 1_285_714);
        let leaver = scores.members[1];
        assert_eq!(
            (leaver.rank, leaver.percentile, leaver.pct_below),
            (None, None, None)
        );
    }

    #[test]
    fn nobody_and_no_component_are_fine() {
        let empty = Organization {
            in_population: &[],
            components: &[],
            buckets: &[],
        };
        let scores = score(&empty, TODAY, &Params::default()).unwrap();
        assert_eq!((scores.population_n, scores.members.len()), (0, 0));
        let quiet = Organization {
            in_population: &[true, true],
            ..empty
        };
        let scores = score(&quiet, TODAY, &Params::default()).unwrap();
        assert_eq!(scores.members[0].level, ScoreLevel::None);
        assert_eq!(scores.members[0].rank, Some(1));
        assert_eq!(scores.members[0].percentile, Some(50.0));
    }

    #[test]
    fn the_weight_counts_in_the_whole_and_not_in_the_components_own_score() {
        let components = ["email".to_owned(), "identity".to_owned()];
        let buckets = [0, 1].map(|component| Bucket {
            member: 0,
            component,
            family: 0,
            day: TODAY,
            counts: [0, 1, 0, 0],
        });
        let organization = Organization {
            in_population: &[true],
            components: &components,
            buckets: &buckets,
        };
        let mut params = Params::default();
        params.weights.insert("email".to_owned(), 500);
        params.weights.insert("identity".to_owned(), 0);
        let scores = score(&organization, TODAY, &params).unwrap();
        // Odds 1 each; O = 0.5·1 + 0·1, score = 10·0.5/1.5.
        assert_eq!(scores.members[0].odds_nano, 500_000_000);
        assert_eq!(scores.members[0].score_micro, 3_333_333);
        assert_eq!(scores.components[0].score_micro, 5_000_000);
        assert_eq!(scores.components[1].score_micro, 5_000_000);
        assert_eq!(scores.components[1].weight_permille, 0);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let empty = Organization {
            in_population: &[],
            components: &[],
            buckets: &[],
        };
        let params = Params {
            lambda: 0,
            ..Params::default()
        };
        assert!(score(&empty, TODAY, &params).unwrap_err().is_parameter());
    }
}
