//! Attribution: which attacks make up a person's score, exactly (af-1 §2.11).

use af_model::{Level, Params, UtcDay};
use serde::Serialize;

use crate::baseline::Baseline;
use crate::loads::bucket_load;
use crate::odds::{Yardstick, figure, unsigned};
use crate::organization::{Bucket, Organization, place};
use crate::saturate::level_points;
use crate::scale::Scale;
use crate::scores::{ComponentScore, Scores, score_micro, weighted_odds, whole_odds, yardstick};
use crate::shares::{Splitter, split, split_levels};

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
    let mut blocks = Vec::new();
    let buckets = organization.buckets_of(member);
    Attribution::new(organization, scores, as_of, params).append_blocks(
        member,
        buckets,
        &mut blocks,
    );
    blocks
}

/// [`attribute`] for many people of one organization: what does not depend on the person is prepared
/// once, and no list is made for one person alone.
///
/// ```
/// use af_model::{Params, UtcDay};
/// use af_score::{Attribution, Bucket, Organization, attribute, score};
///
/// let today = UtcDay(20_000);
/// let components = ["identity".to_owned()];
/// let bucket = |member| Bucket { member, component: 0, family: 0, day: today, counts: [0, 1, 0, 2] };
/// let buckets = [bucket(0), bucket(1)];
/// let organization =
///     Organization { in_population: &[true, true], components: &components, buckets: &buckets };
/// let params = Params::default();
/// let scores = score(&organization, today, &params)?;
/// let attribution = Attribution::new(&organization, &scores, today, &params);
/// let mut blocks = Vec::new();
/// attribution.append_blocks(1, &buckets[1..], &mut blocks);
/// assert_eq!(blocks, attribute(&organization, &scores, today, &params, 1));
/// # Ok::<(), af_score::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Attribution<'a> {
    scores: &'a Scores,
    in_population: &'a [bool],
    as_of: UtcDay,
    scale: Scale,
}

impl<'a> Attribution<'a> {
    /// Prepares to attribute the scores of an organization.
    ///
    /// # Panics
    /// When the parameters are not those that the scores were made with.
    pub fn new(
        organization: &Organization<'a>,
        scores: &'a Scores,
        as_of: UtcDay,
        params: &Params,
    ) -> Self {
        Self {
            scores,
            in_population: organization.in_population,
            as_of,
            scale: Scale::new(params).expect("the scores were made with these parameters"),
        }
    }

    /// Appends what [`attribute`] gives for one person. `buckets` are all of that person's.
    ///
    /// # Panics
    /// As [`attribute`].
    pub fn append_blocks(&self, member: u32, buckets: &[Bucket], blocks: &mut Vec<Block>) {
        if !buckets.is_empty() {
            self.person(member).append_blocks(buckets, blocks);
        }
    }

    fn person(&self, member: u32) -> Person<'_> {
        let index = place(member);
        let count = self.scores.baselines.len();
        let components = &self.scores.components[index * count..][..count];
        Person {
            as_of: self.as_of,
            scale: &self.scale,
            components,
            yardsticks: Yardsticks::Among {
                baselines: &self.scores.baselines,
                is_member: self.in_population[index],
            },
            weighted_odds: components.iter().map(weighted_odds).sum(),
            score_micro: self.scores.members[index].score_micro,
        }
    }
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
    let attribution = Attribution::new(organization, scores, as_of, params);
    let person = attribution.person(member);
    person.without(
        &person.yardstick(bucket),
        bucket,
        person.load(bucket),
        counts,
    )
}

/// Keeps the `keep` weightiest blocks, in the order given, and adds up the others. The weightiest
/// have the largest score shares; ties go to the earlier block. Nothing is left over when there are
/// no more than `keep`.
///
/// The sums fit for the blocks of one person, as [`crate::score`] bounds both counts and loads.
pub fn fold_rest(blocks: &mut Vec<Block>, keep: usize) -> Option<Rest> {
    if blocks.len() <= keep {
        return None;
    }
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    // No two places are alike, so it does not matter how the weightiest are found.
    order.select_nth_unstable_by_key(keep, |&index| {
        (std::cmp::Reverse(blocks[index].score_share_micro), index)
    });
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
    Some(rest)
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
    pub(crate) scale: &'a Scale,
    pub(crate) components: &'a [ComponentScore],
    pub(crate) yardsticks: Yardsticks<'a>,
    pub(crate) weighted_odds: u128,
    pub(crate) score_micro: i64,
}

/// What a person is measured with, by component.
pub(crate) enum Yardsticks<'a> {
    Given(&'a [Yardstick]),
    /// Made when asked for: somebody is seldom attacked in every component.
    Among {
        baselines: &'a [Baseline],
        is_member: bool,
    },
}

impl Person<'_> {
    /// All blocks of the person's buckets, in the order of [`attribute`].
    pub(crate) fn append_blocks(&self, buckets: &[Bucket], blocks: &mut Vec<Block>) {
        let mut splitter = Splitter::default();
        let by_component = self.split_score(&mut splitter);
        let mut loads: Vec<u64> = Vec::with_capacity(buckets.len());
        for own in buckets.chunk_by(|a, b| a.component == b.component) {
            let yardstick = self.yardstick(&own[0]);
            loads.clear();
            loads.extend(own.iter().map(|bucket| self.load(bucket)));
            let shares = splitter.split(by_component[place(own[0].component)], &loads);
            for ((bucket, &load), &share) in own.iter().zip(&loads).zip(shares) {
                self.blocks_of(&yardstick, bucket, load, share, blocks);
            }
        }
    }

    pub(crate) fn load(&self, bucket: &Bucket) -> u64 {
        bucket_load(bucket, self.as_of, self.scale)
    }

    /// What the person is measured with in the component of a bucket.
    pub(crate) fn yardstick(&self, bucket: &Bucket) -> Yardstick {
        let component = place(bucket.component);
        match self.yardsticks {
            Yardsticks::Given(yardsticks) => yardsticks[component],
            Yardsticks::Among {
                baselines,
                is_member,
            } => {
                let load = unsigned(self.components[component].load_micro);
                yardstick(&baselines[component], load, is_member, self.scale)
            }
        }
    }

    /// The score split over the components by weight times odds.
    ///
    /// Products: score below 2^24, weight · odds below 2^83.
    fn split_score(&self, splitter: &mut Splitter) -> Vec<u64> {
        let total = unsigned(self.score_micro);
        let narrow = |odds: u128| u64::try_from(odds).ok();
        let weighted = || self.components.iter().map(weighted_odds);
        match weighted().map(narrow).collect::<Option<Vec<u64>>>() {
            Some(weighted) => splitter.split(total, &weighted).to_vec(),
            None => split(total, &weighted().collect::<Vec<u128>>()),
        }
    }

    /// Splits a bucket's load and its part of the score over its levels.
    fn blocks_of(
        &self,
        yardstick: &Yardstick,
        bucket: &Bucket,
        load: u64,
        share: u64,
        blocks: &mut Vec<Block>,
    ) {
        let mut append = |level: Level, load_share: u64, score_share: u64| {
            let mut counts = bucket.counts;
            counts[level.slot()] = 0;
            blocks.push(Block {
                component: bucket.component,
                family: bucket.family,
                day: bucket.day,
                level,
                n: bucket.counts[level.slot()],
                load_share_micro: figure(u128::from(load_share)),
                score_share_micro: figure(u128::from(score_share)),
                without_micro: self.without(yardstick, bucket, load, counts),
            });
        };
        let there = |level: &Level| bucket.counts[level.slot()] > 0;
        let mut levels = Level::DESCENDING.into_iter().filter(there);
        if let (Some(level), None) = (levels.next(), levels.next()) {
            // A single level has all of it: where its points are zero, so is what is split.
            append(level, load, share);
            return;
        }
        let points = level_points(&bucket.counts, &self.scale.points_micro);
        let load_shares = split_levels(load, &points);
        let score_shares = split_levels(share, &points);
        for level in Level::DESCENDING.into_iter().filter(there) {
            let slot = level.slot();
            append(level, load_shares[slot], score_shares[slot]);
        }
    }

    /// How far the score falls when a bucket's counts are these instead of its own.
    pub(crate) fn without(
        &self,
        yardstick: &Yardstick,
        bucket: &Bucket,
        bucket_load: u64,
        counts: [u64; 4],
    ) -> i64 {
        let row = &self.components[place(bucket.component)];
        let remaining = if counts == [0; 4] {
            0
        } else {
            self.load(&Bucket { counts, ..*bucket })
        };
        let load = unsigned(row.load_micro) - bucket_load + remaining;
        let odds = yardstick.odds_nano(load);
        let weighted = self.weighted_odds - weighted_odds(row)
            + u128::from(unsigned(row.weight_permille)) * odds;
        self.score_micro - score_micro(whole_odds(weighted))
    }
}

#[cfg(test)]
mod tests;
