//! One person and what they are measured with: figures for the question "what if".

use af_model::{Params, ScoreLevel, UtcDay};

use crate::attribution::{Block, Person, Yardsticks};
use crate::error::{Error, ErrorKind};
use crate::loads::{Loads, bucket_load};
use crate::odds::{Yardstick, score_of_odds, unsigned};
use crate::organization::{Bucket, Organization, age, place};
use crate::scale::{Scale, weights_permille};
use crate::scores::{ComponentScore, component_score, score_micro, weighted_odds, whole_odds};

/// One person's attacks together with the yardsticks they are measured with.
///
/// [`crate::score`] and [`crate::attribute`] need the buckets of a whole organization. Whoever has
/// the loads of the colleagues instead (a published snapshot has) makes the yardsticks with
/// [`Baseline`](crate::Baseline) and gets the same figures from the person's own buckets. The
/// yardsticks are made of the *others* alone, so they stay while the person's own attacks are
/// changed, taken away or left to age.
///
/// ```
/// use af_model::{Params, UtcDay};
/// use af_score::{Baseline, Bucket, Measured, Scale};
///
/// let (today, params) = (UtcDay(20_000), Params::default());
/// let scale = Scale::new(&params)?;
/// // A fresh high among twenty people of whom nobody else is attacked.
/// let loads = std::iter::once(9_000_000).chain(std::iter::repeat_n(0, 19));
/// let yardstick = Baseline::of_loads(loads).yardstick_of_member(9_000_000, &scale);
/// let bucket = Bucket { member: 0, component: 0, family: 0, day: today, counts: [0, 1, 0, 0] };
/// let measured =
///     Measured::new(&["identity".to_owned()], vec![bucket], vec![yardstick], today, &params)?;
/// assert_eq!(measured.score_micro(), 5_000_000);
/// // Two weeks later the load has halved: 10 · 0.5 / 1.5.
/// assert_eq!(measured.score_on(UtcDay(20_014)), 3_333_333);
/// // One critical more, of another kind: 10 · 4 / 5.
/// assert_eq!(measured.score_with_load(0, 27_000_000), 8_000_000);
/// # Ok::<(), af_score::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Measured {
    buckets: Vec<Bucket>,
    yardsticks: Vec<Yardstick>,
    weights: Vec<u64>,
    components: Vec<ComponentScore>,
    as_of: UtcDay,
    scale: Scale,
    odds_nano: i64,
    score_micro: i64,
}

impl Measured {
    /// Scores one person: `components` in ascending order, one yardstick each; the `buckets` as in
    /// [`Organization::buckets`], with 0 as their member.
    ///
    /// # Errors
    /// [`Error`] as [`crate::score`]; [`ErrorKind::ComponentRange`] when there are not as many
    /// yardsticks as components.
    pub fn new(
        components: &[String],
        buckets: Vec<Bucket>,
        yardsticks: Vec<Yardstick>,
        as_of: UtcDay,
        params: &Params,
    ) -> Result<Self, Error> {
        let scale = Scale::new(params)?;
        let organization = Organization {
            in_population: &[false],
            components,
            buckets: &buckets,
        };
        organization.check(as_of)?;
        if yardsticks.len() != components.len() {
            return Err(Error::new(ErrorKind::ComponentRange {
                component: u32::try_from(yardsticks.len()).unwrap_or(u32::MAX),
                components: components.len(),
            }));
        }
        let weights = weights_permille(components, params);
        let loads = Loads::of(&organization, as_of, &scale, &weights)?;
        let rows: Vec<ComponentScore> = (0..components.len())
            .map(|index| component_score(loads.at(index), &yardsticks[index], weights[index]))
            .collect();
        let odds_nano = whole_odds(rows.iter().map(weighted_odds).sum());
        Ok(Self {
            buckets,
            yardsticks,
            weights,
            components: rows,
            as_of,
            scale,
            odds_nano,
            score_micro: score_micro(odds_nano),
        })
    }

    /// The figures of every component, in their order.
    pub fn components(&self) -> &[ComponentScore] {
        &self.components
    }

    /// The person's buckets.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// Weighted sum of the components' odds, in billionths.
    pub const fn odds_nano(&self) -> i64 {
        self.odds_nano
    }

    /// The attack factor in millionths.
    pub const fn score_micro(&self) -> i64 {
        self.score_micro
    }

    /// What the score means in one word.
    pub const fn level(&self) -> ScoreLevel {
        ScoreLevel::of(self.score_micro, self.odds_nano)
    }

    /// All blocks, as [`crate::attribute`] gives them.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        self.person().append_blocks(&self.buckets, &mut blocks);
        blocks
    }

    /// The score if the counts of one bucket (of that component, family and day) were these. A
    /// bucket that does not exist changes nothing.
    pub fn score_with_counts(
        &self,
        component: u32,
        family: u32,
        day: UtcDay,
        counts: [u64; 4],
    ) -> i64 {
        let key = (0, component, family, day);
        let Ok(found) = self.buckets.binary_search_by_key(&key, Bucket::key) else {
            return self.score_micro;
        };
        let bucket = &self.buckets[found];
        let person = self.person();
        let without = person.without(
            &person.yardstick(bucket),
            bucket,
            person.load(bucket),
            counts,
        );
        self.score_micro - without
    }

    /// The score if this component carried so much more load, in micro-points. An attack of today
    /// of a kind that did not occur today adds its whole points.
    ///
    /// # Panics
    /// When there is no such component.
    pub fn score_with_load(&self, component: usize, more_micro: u64) -> i64 {
        let mut loads = self.loads();
        loads[component] = loads[component].saturating_add(more_micro);
        self.score_of_loads(&loads)
    }

    /// The score on a later UTC day if nothing new comes, measured with today's yardsticks. What is
    /// 90 days old by then has left. A day before the day scored is taken for that day.
    pub fn score_on(&self, day: UtcDay) -> i64 {
        let day = day.max(self.as_of);
        let mut loads = vec![0_u64; self.components.len()];
        for bucket in &self.buckets {
            if day.days_since(bucket.day) < af_model::params::WINDOW_DAYS {
                debug_assert!(age(bucket, day) < 90);
                loads[place(bucket.component)] += bucket_load(bucket, day, &self.scale);
            }
        }
        self.score_of_loads(&loads)
    }

    fn loads(&self) -> Vec<u64> {
        let rows = self.components.iter();
        rows.map(|row| unsigned(row.load_micro)).collect()
    }

    /// Odds of a load are below 2^127 and weights at most 10^6, so a product saturates only where
    /// the score is its largest anyway.
    fn score_of_loads(&self, loads: &[u64]) -> i64 {
        let parts = loads.iter().zip(&self.yardsticks).zip(&self.weights);
        let weighted = parts
            .map(|((&load, yardstick), &weight)| {
                u128::from(weight).saturating_mul(yardstick.odds_nano(load))
            })
            .fold(0, u128::saturating_add);
        let odds = u64::try_from(weighted / 1000).unwrap_or(u64::MAX);
        i64::try_from(score_of_odds(odds)).expect("the score stays below 10^7")
    }

    fn person(&self) -> Person<'_> {
        Person {
            as_of: self.as_of,
            scale: &self.scale,
            components: &self.components,
            yardsticks: Yardsticks::Given(&self.yardsticks),
            weighted_odds: self.components.iter().map(weighted_odds).sum(),
            score_micro: self.score_micro,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Baseline, attribute, score};

    const TODAY: UtcDay = UtcDay(20_000);

    fn bucket(member: u32, component: u32, family: u32, age: i32, counts: [u64; 4]) -> Bucket {
        Bucket {
            member,
            component,
            family,
            day: UtcDay(TODAY.0 - age),
            counts,
        }
    }

    /// Three colleagues and a leaver with attacks of every kind.
    fn organization_buckets() -> Vec<Bucket> {
        vec![
            bucket(0, 0, 0, 0, [0, 2, 1, 40]),
            bucket(0, 1, 1, 14, [1, 0, 0, 0]),
            bucket(1, 0, 0, 89, [0, 0, 3, 0]),
            bucket(1, 1, 2, 3, [0, 1, 0, 7]),
            bucket(3, 1, 2, 0, [0, 0, 2, 0]),
        ]
    }

    fn measured_alone(member: u32) -> (Measured, crate::Scores, Vec<Block>) {
        let params = Params::default();
        let components = ["email", "identity"].map(str::to_owned).to_vec();
        let buckets = organization_buckets();
        let inside = [true, true, true, false];
        let organization = Organization {
            in_population: &inside,
            components: &components,
            buckets: &buckets,
        };
        let scores = score(&organization, TODAY, &params).unwrap();
        let blocks = attribute(&organization, &scores, TODAY, &params, member);
        let scale = Scale::new(&params).unwrap();
        let load = |member: usize, component: usize| {
            unsigned(scores.components[member * 2 + component].load_micro)
        };
        let yardsticks = (0..2)
            .map(|component| {
                let baseline = Baseline::of_loads((0..3).map(|other| load(other, component)));
                if inside[place(member)] {
                    baseline.yardstick_of_member(load(place(member), component), &scale)
                } else {
                    baseline.yardstick_of_added(&scale)
                }
            })
            .collect();
        let own: Vec<Bucket> = buckets
            .iter()
            .filter(|bucket| bucket.member == member)
            .map(|bucket| Bucket {
                member: 0,
                ..*bucket
            })
            .collect();
        let measured = Measured::new(&components, own, yardsticks, TODAY, &params).unwrap();
        (measured, scores, blocks)
    }

    #[test]
    fn one_person_alone_gets_the_figures_of_the_whole_organization() {
        for member in 0..4 {
            let (measured, scores, blocks) = measured_alone(member);
            let expected = &scores.members[place(member)];
            assert_eq!(measured.score_micro(), expected.score_micro);
            assert_eq!(measured.odds_nano(), expected.odds_nano);
            assert_eq!(measured.level(), expected.level);
            assert_eq!(
                measured.components(),
                &scores.components[place(member) * 2..][..2]
            );
            assert_eq!(measured.blocks(), blocks);
        }
    }

    #[test]
    fn counts_changed_are_the_score_of_the_changed_organization() {
        let (measured, ..) = measured_alone(0);
        let changed = measured.score_with_counts(0, 0, TODAY, [0, 1, 2, 40]);
        let mut buckets = organization_buckets();
        buckets[0].counts = [0, 1, 2, 40];
        let components = ["email", "identity"].map(str::to_owned);
        let organization = Organization {
            in_population: &[true, true, true, false],
            components: &components,
            buckets: &buckets,
        };
        let scores = score(&organization, TODAY, &Params::default()).unwrap();
        assert_eq!(changed, scores.members[0].score_micro);
        assert_ne!(changed, measured.score_micro());
        // Of a bucket that is not there nothing can be changed.
        assert_eq!(
            measured.score_with_counts(1, 0, TODAY, [9, 9, 9, 9]),
            measured.score_micro()
        );
    }

    #[test]
    fn attacks_age_and_leave_after_ninety_days() {
        // Alone, a high of today: odds 1, then 2^-0.5 = 777,472,127,993 / 2^40 = 0.7071067…:
        // load 6,363,961, odds 707,106,777, score 4,142,135.
        let yardstick = Baseline::of_loads([9_000_000])
            .yardstick_of_member(9_000_000, &Scale::new(&Params::default()).unwrap());
        let measured = Measured::new(
            &["identity".to_owned()],
            vec![bucket(0, 0, 0, 0, [0, 1, 0, 0])],
            vec![yardstick],
            TODAY,
            &Params::default(),
        )
        .unwrap();
        assert_eq!(measured.score_on(TODAY), 5_000_000);
        assert_eq!(measured.score_on(UtcDay(TODAY.0 - 5)), 5_000_000);
        assert_eq!(measured.score_on(UtcDay(TODAY.0 + 7)), 4_142_135);
        assert!(measured.score_on(UtcDay(TODAY.0 + 89)) > 0);
        assert_eq!(measured.score_on(UtcDay(TODAY.0 + 90)), 0);
        assert_eq!(measured.score_with_load(0, u64::MAX), 9_999_999);
    }

    #[test]
    fn yardsticks_must_be_as_many_as_components() {
        let error = Measured::new(
            &["identity".to_owned()],
            Vec::new(),
            Vec::new(),
            TODAY,
            &Params::default(),
        )
        .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::ComponentRange { .. }));
    }
}
