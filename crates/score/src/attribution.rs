//! Attribution: which attacks make up a person's score, exactly (af-1 §2.11).

use af_model::{Level, Params, UtcDay};
use serde::Serialize;

use crate::loads::bucket_load;
use crate::odds::{Yardstick, figure, unsigned};
use crate::organization::{Bucket, Organization, place};
use crate::saturate::level_points;
use crate::scale::Scale;
use crate::scores::{ComponentScore, Scores, score_micro, weighted_odds, whole_odds, yardstick};
use crate::shares::split;

/// Incidents of one component, family, day and level: they count alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    /// Index into [`Organization::components`].
    pub component: u32,
    /// Index of the family, as in [`Bucket::family`].
    pub family: u32,
    /// UTC day of the incidents.
    pub day: UtcDay,
    /// Their level.
    pub level: Level,
    /// Incidents, at least one.
    pub n: u64,
    /// The block's part of the component's load, in micro-points. Adds up to `load_micro`.
    pub load_share_micro: i64,
    /// The block's part of the person's score, in micro. Adds up to `score_micro`.
    pub score_share_micro: i64,
    /// By how much the score would fall without the block, in micro, 0 to the whole score. Such
    /// figures do not add up: what saturates is missed less.
    pub without_micro: i64,
}

/// What is left of a person's blocks after the weightiest were taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rest {
    /// Incidents of all these blocks.
    pub n: u64,
    /// Their part of the person's loads, of all components together, in micro-points.
    pub load_share_micro: i64,
    /// Their part of the score, in micro.
    pub score_share_micro: i64,
}

/// All blocks of one person, sorted by component, family, day and level from critical.
///
/// `score_share_micro` adds up to the person's score and, per component, `load_share_micro` to the
/// component's load: each split is by largest remainder, ties in this order. A block whose
/// repetitions all lie beyond the ten thousandth stands there with shares of zero. Somebody without
/// buckets has no blocks. Costs the person's own buckets and two bisections per component.
///
/// # Panics
/// When `scores` is not what [`crate::score`] gave for this organization, day and parameters.
///
/// ```
/// use af_model::{Level, Params, UtcDay};
/// use af_score::{Bucket, Organization, attribute, score};
///
/// let today = UtcDay(20_000);
/// let components = ["identity".to_owned()];
/// let buckets = [Bucket { member: 0, component: 0, family: 0, day: today, counts: [0, 1, 0, 2] }];
/// let organization =
///     Organization { in_population: &[true], components: &components, buckets: &buckets };
/// let params = Params::default();
/// let scores = score(&organization, today, &params)?;
/// let blocks = attribute(&organization, &scores, today, &params, 0);
/// assert_eq!(blocks[0].level, Level::High);
/// let shares: i64 = blocks.iter().map(|block| block.score_share_micro).sum();
/// assert_eq!(shares, scores.members[0].score_micro);
/// # Ok::<(), af_score::Error>(())
/// ```
pub fn attribute(
    organization: &Organization<'_>,
    scores: &Scores,
    as_of: UtcDay,
    params: &Params,
    member: u32,
) -> Vec<Block> {
    let buckets = organization.buckets_of(member);
    if buckets.is_empty() {
        return Vec::new();
    }
    Person::of(organization, scores, as_of, params, member).blocks(buckets)
}

/// By how much the person's score would fall without one incident of this block, in micro; for each
/// incident of a block the same. Zero when the person has no such block.
///
/// # Panics
/// As [`attribute`].
pub fn without_one(
    organization: &Organization<'_>,
    scores: &Scores,
    as_of: UtcDay,
    params: &Params,
    member: u32,
    block: &Block,
) -> i64 {
    let key = (member, block.component, block.family, block.day);
    let buckets = organization.buckets_of(member);
    let Ok(found) = buckets.binary_search_by_key(&key, Bucket::key) else {
        return 0;
    };
    let bucket = &buckets[found];
    let mut counts = bucket.counts;
    let Some(fewer) = counts[block.level.slot()].checked_sub(1) else {
        return 0;
    };
    counts[block.level.slot()] = fewer;
    let person = Person::of(organization, scores, as_of, params, member);
    person.without(bucket, person.load(bucket), counts)
}

/// Keeps the `keep` weightiest blocks, in the order given, and adds up the others. The weightiest
/// have the largest score shares; ties go to the earlier block. Nothing is left over when there are
/// no more than `keep`.
///
/// The sums fit for the blocks of one person, as [`crate::score`] bounds both counts and loads.
pub fn fold_rest(mut blocks: Vec<Block>, keep: usize) -> (Vec<Block>, Option<Rest>) {
    if blocks.len() <= keep {
        return (blocks, None);
    }
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(blocks[index].score_share_micro), index));
    let mut rest = Rest {
        n: 0,
        load_share_micro: 0,
        score_share_micro: 0,
    };
    for &index in &order[keep..] {
        let block = &blocks[index];
        rest.n += block.n;
        rest.load_share_micro += block.load_share_micro;
        rest.score_share_micro += block.score_share_micro;
    }
    order.truncate(keep);
    order.sort_unstable();
    // Ascending and distinct, so each block moves to a place at or before its own.
    for (target, &source) in order.iter().enumerate() {
        blocks[target] = blocks[source];
    }
    blocks.truncate(keep);
    (blocks, Some(rest))
}

/// One person's figures, ready for recomputing the score with some of the attacks left out.
///
/// The yardsticks stay as they are when the person's own attacks change: S, m and the denominator of
/// a component are made of the number of people and of the *others'* loads alone. In
/// `tau = max(cap·lambda, cap·(T − x − M)/(n − 1))` the own load x is contained in T and taken out
/// again, M is the largest among the others, and S sums over the others. So the score without a
/// block needs nothing but this person's odds in the block's component.
pub(crate) struct Person<'a> {
    pub(crate) as_of: UtcDay,
    pub(crate) scale: Scale,
    pub(crate) components: &'a [ComponentScore],
    pub(crate) yardsticks: Vec<Yardstick>,
    pub(crate) weighted_odds: u128,
    pub(crate) score_micro: i64,
}

impl<'a> Person<'a> {
    fn of(
        organization: &Organization<'_>,
        scores: &'a Scores,
        as_of: UtcDay,
        params: &Params,
        member: u32,
    ) -> Self {
        let scale = Scale::new(params).expect("the scores were made with these parameters");
        let index = place(member);
        let count = organization.components.len();
        let components = &scores.components[index * count..][..count];
        let in_population = organization.in_population[index];
        let yardsticks = components
            .iter()
            .zip(&scores.baselines)
            .map(|(component, baseline)| {
                let load = unsigned(component.load_micro);
                yardstick(baseline, load, in_population, &scale)
            })
            .collect();
        Self {
            as_of,
            scale,
            components,
            yardsticks,
            weighted_odds: components.iter().map(weighted_odds).sum(),
            score_micro: scores.members[index].score_micro,
        }
    }

    /// All blocks of the person's buckets, in the order of [`attribute`].
    pub(crate) fn blocks(&self, buckets: &[Bucket]) -> Vec<Block> {
        let by_component = self.split_score();
        let mut blocks = Vec::with_capacity(buckets.len());
        for own in buckets.chunk_by(|a, b| a.component == b.component) {
            let loads: Vec<u64> = own.iter().map(|bucket| self.load(bucket)).collect();
            let wide: Vec<u128> = loads.iter().map(|&load| u128::from(load)).collect();
            let shares = split(by_component[place(own[0].component)], &wide);
            for ((bucket, load), share) in own.iter().zip(loads).zip(shares) {
                self.blocks_of(bucket, load, share, &mut blocks);
            }
        }
        blocks
    }

    pub(crate) fn load(&self, bucket: &Bucket) -> u64 {
        bucket_load(bucket, self.as_of, &self.scale)
    }

    /// The score split over the components by weight times odds.
    ///
    /// Products: score below 2^24, weight · odds below 2^83.
    fn split_score(&self) -> Vec<u64> {
        let weighted: Vec<u128> = self.components.iter().map(weighted_odds).collect();
        split(unsigned(self.score_micro), &weighted)
    }

    /// Splits a bucket's load and its part of the score over its levels.
    fn blocks_of(&self, bucket: &Bucket, load: u64, share: u64, blocks: &mut Vec<Block>) {
        let points = level_points(&bucket.counts, &self.scale.points_micro);
        let load_shares = split(load, &points);
        let score_shares = split(share, &points);
        for level in Level::DESCENDING {
            let slot = level.slot();
            let n = bucket.counts[slot];
            if n == 0 {
                continue;
            }
            let mut counts = bucket.counts;
            counts[slot] = 0;
            blocks.push(Block {
                component: bucket.component,
                family: bucket.family,
                day: bucket.day,
                level,
                n,
                load_share_micro: figure(u128::from(load_shares[slot])),
                score_share_micro: figure(u128::from(score_shares[slot])),
                without_micro: self.without(bucket, load, counts),
            });
        }
    }

    /// How far the score falls when a bucket's counts are these instead of its own.
    pub(crate) fn without(&self, bucket: &Bucket, bucket_load: u64, counts: [u64; 4]) -> i64 {
        let component = place(bucket.component);
        let row = &self.components[component];
        let remaining = self.load(&Bucket { counts, ..*bucket });
        let load = unsigned(row.load_micro) - bucket_load + remaining;
        let odds = self.yardsticks[component].odds_nano(load);
        let weighted = self.weighted_odds - weighted_odds(row)
            + u128::from(unsigned(row.weight_permille)) * odds;
        self.score_micro - score_micro(whole_odds(weighted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score;

    const TODAY: UtcDay = UtcDay(20_000);

    fn bucket(component: u32, family: u32, age: i32, counts: [u64; 4]) -> Bucket {
        Bucket {
            member: 0,
            component,
            family,
            day: UtcDay(TODAY.0 - age),
            counts,
        }
    }

    struct Alone {
        components: Vec<String>,
        buckets: Vec<Bucket>,
        params: Params,
    }

    impl Alone {
        fn new(buckets: &[Bucket]) -> Self {
            Self {
                components: ["email", "identity"].map(str::to_owned).to_vec(),
                buckets: buckets.to_vec(),
                params: Params::default(),
            }
        }

        fn organization(&self) -> Organization<'_> {
            Organization {
                in_population: &[true],
                components: &self.components,
                buckets: &self.buckets,
            }
        }

        fn attribute(&self) -> (Scores, Vec<Block>) {
            let scores = score(&self.organization(), TODAY, &self.params).unwrap();
            let blocks = attribute(&self.organization(), &scores, TODAY, &self.params, 0);
            (scores, blocks)
        }
    }

    #[test]
    fn shares_follow_odds_then_loads_then_points() {
        // Email: a high (9) today. Identity: a high and a medium today in one family,
        // 9 + 3·POW[2] = 9 + 1.060660… points, and a critical 14 days ago, 13.5 points.
        let alone = Alone::new(&[
            bucket(0, 0, 0, [0, 1, 0, 0]),
            bucket(1, 0, 0, [0, 1, 1, 0]),
            bucket(1, 1, 14, [1, 0, 0, 0]),
        ]);
        let (scores, blocks) = alone.attribute();
        // Odds 1 and 23,560,660·10^9/(9·10^6) = 2.617851111; O = 3.617851111, O/(1+O) = 0.7834490…
        let member = scores.members[0];
        assert_eq!(member.odds_nano, 3_617_851_111);
        assert_eq!(member.score_micro, 7_834_490);
        // By odds: 2,165,509.24 and 5,668,980.76, which gets the one left over: 5,668,981.
        // That by loads, 10,060,660 : 13,500,000: 2,420,717.01 and 3,248,263.99 (up).
        // 2,420,717 by points, 9 : 1.060660…: 2,165,509.28 and 255,207.72 (up).
        let shares: Vec<i64> = blocks.iter().map(|block| block.score_share_micro).collect();
        assert_eq!(shares, [2_165_509, 2_165_509, 255_208, 3_248_264]);
        // The load of today's identity bucket, 10,060,660, is 8,999,999.85 (up) and 1,060,660.15.
        let loads: Vec<i64> = blocks.iter().map(|block| block.load_share_micro).collect();
        assert_eq!(loads, [9_000_000, 9_000_000, 1_060_660, 13_500_000]);
        // Without the e-mail: O = 2.617851111, O/(1+O) = 0.7235928….
        assert_eq!(blocks[0].without_micro, 7_834_490 - 7_235_928);
    }

    #[test]
    fn removing_a_high_moves_the_lower_signals_up() {
        let alone = Alone::new(&[bucket(1, 0, 0, [0, 1, 1, 0])]);
        let (scores, blocks) = alone.attribute();
        // Without the high the medium is the first repetition: 3 points, score 2,499,999.
        assert_eq!(
            blocks[0].without_micro,
            scores.members[0].score_micro - 2_499_999
        );
        // Without the medium one high remains: 5,000,000.
        assert_eq!(
            blocks[1].without_micro,
            scores.members[0].score_micro - 5_000_000
        );
    }

    #[test]
    fn without_one_of_many_is_less_than_without_all_and_equal_for_one() {
        let alone = Alone::new(&[bucket(0, 2, 3, [0, 1, 4, 0])]);
        let (scores, blocks) = alone.attribute();
        let one = |block| {
            without_one(
                &alone.organization(),
                &scores,
                TODAY,
                &alone.params,
                0,
                block,
            )
        };
        assert_eq!(one(&blocks[0]), blocks[0].without_micro);
        assert!(one(&blocks[1]) > 0 && one(&blocks[1]) < blocks[1].without_micro);
        let absent = Block {
            family: 9,
            ..blocks[0]
        };
        assert_eq!(one(&absent), 0);
        let no_such_level = Block {
            level: Level::Low,
            ..blocks[0]
        };
        assert_eq!(one(&no_such_level), 0);
    }

    #[test]
    fn repetitions_beyond_the_table_are_listed_with_nothing() {
        let alone = Alone::new(&[bucket(0, 0, 0, [0, 1 << 40, 7, 0])]);
        let (scores, blocks) = alone.attribute();
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[1].n, blocks[1].score_share_micro), (7, 0));
        assert_eq!(blocks[1].without_micro, 0);
        assert_eq!(blocks[0].score_share_micro, scores.members[0].score_micro);
    }

    #[test]
    fn the_largest_points_split_exactly_too() {
        let mut alone = Alone::new(&[bucket(0, 0, 0, [3, 2, 1, 5])]);
        alone.params.points.low = 1_000_000;
        alone.params.points.medium = 10_000_000;
        alone.params.points.high = 100_000_000;
        alone.params.points.critical = 1_000_000_000;
        alone.params.lambda = 1_000_000;
        let (scores, blocks) = alone.attribute();
        let loads: i64 = blocks.iter().map(|block| block.load_share_micro).sum();
        assert_eq!(loads, scores.components[0].load_micro);
        assert!(loads > 1_000_000_000_000_000);
    }

    #[test]
    fn the_weightiest_blocks_stay_in_order_and_the_rest_adds_up() {
        let ages = [0, 5, 1, 5, 3];
        let mut families = 0..;
        let buckets: Vec<Bucket> = ages
            .map(|age| bucket(0, families.next().unwrap(), age, [0, 0, 1, 0]))
            .to_vec();
        let (scores, blocks) = Alone::new(&buckets).attribute();
        let (kept, rest) = fold_rest(blocks.clone(), 3);
        assert_eq!(kept, [blocks[0], blocks[2], blocks[4]]);
        let rest = rest.unwrap();
        assert_eq!(rest.n, 2);
        let kept_share: i64 = kept.iter().map(|block| block.score_share_micro).sum();
        assert_eq!(
            kept_share + rest.score_share_micro,
            scores.members[0].score_micro
        );
        assert_eq!(fold_rest(blocks.clone(), 5), (blocks.clone(), None));
        let (none, all) = fold_rest(blocks, 0);
        assert!(none.is_empty());
        assert_eq!(
            all.unwrap().load_share_micro,
            scores.components[0].load_micro
        );
    }

    #[test]
    fn somebody_without_attacks_has_no_blocks() {
        assert_eq!(Alone::new(&[]).attribute().1, []);
    }
}
