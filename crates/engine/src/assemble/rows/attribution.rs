//! `signal_attribution`.

use std::sync::Arc;

use af_count::CountedBlock;
use af_model::tables::signal_attribution;
use af_model::{Level, UtcDay};
use af_score::{Block, Bucket, Rest, fold_rest};
use arrow::array::{ArrayRef, Int64Array, ListBuilder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field};

use super::column::{self, batch, days, instants, integers, key, named, names, repeated};
use super::{ScoredTenant, to_i64};
use crate::assemble::tenant::{Buckets, MemberBucket};

/// Blocks of a person that stand alone; the rest is one row.
const BLOCKS_PER_PERSON: usize = 50;

/// Levels as texts are sorted.
const SORTED_LEVELS: [Level; 4] = [Level::Critical, Level::High, Level::Low, Level::Medium];

/// The columns while they grow.
struct Rows {
    person: Vec<i32>,
    component: Vec<Option<i32>>,
    family: Vec<Option<i32>>,
    day: Vec<Option<UtcDay>>,
    level: Vec<Option<i32>>,
    n: Vec<i64>,
    load_share: Vec<i64>,
    score_share: Vec<i64>,
    without: Vec<Option<i64>>,
    rule_ids: ListBuilder<StringBuilder>,
    signal_uids: ListBuilder<StringBuilder>,
}

impl Rows {
    fn new() -> Self {
        // As the contract names what is in a list.
        let list = || {
            let element = Field::new("element", DataType::Utf8, true);
            ListBuilder::new(StringBuilder::new()).with_field(element)
        };
        Self {
            person: Vec::new(),
            component: Vec::new(),
            family: Vec::new(),
            day: Vec::new(),
            level: Vec::new(),
            n: Vec::new(),
            load_share: Vec::new(),
            score_share: Vec::new(),
            without: Vec::new(),
            rule_ids: list(),
            signal_uids: list(),
        }
    }

    fn rest(&mut self, person: i32, rest: &Rest) {
        self.person.push(person);
        self.component.push(None);
        self.family.push(None);
        self.day.push(None);
        self.level.push(None);
        self.n.push(to_i64(rest.n));
        self.load_share.push(rest.load_share_micro);
        self.score_share.push(rest.score_share_micro);
        self.without.push(None);
        self.rule_ids.append(true);
        self.signal_uids.append(true);
    }

    fn block(&mut self, person: i32, block: &Block, behind: Option<&CountedBlock>) {
        let place = |index: u32| i32::try_from(index).ok();
        let level = SORTED_LEVELS.iter().position(|one| *one == block.level);
        self.person.push(person);
        self.component.push(place(block.component));
        self.family.push(place(block.family));
        self.day.push(Some(block.day));
        self.level.push(level.map(key));
        self.n.push(to_i64(block.n));
        self.load_share.push(block.load_share_micro);
        self.score_share.push(block.score_share_micro);
        self.without.push(Some(block.without_micro));
        if let Some(behind) = behind {
            for rule in behind.rule_ids.iter() {
                self.rule_ids.values().append_value(rule);
            }
            for signal in behind.signal_uids.iter() {
                self.signal_uids.values().append_value(signal);
            }
        }
        self.rule_ids.append(true);
        self.signal_uids.append(true);
    }
}

impl ScoredTenant<'_> {
    pub(super) fn signal_attribution(
        &self,
        slice: super::Slice<'_, '_>,
        people: &[super::Placed<'_, '_>],
        uids: &column::Names,
    ) -> RecordBatch {
        let attributions = self.attributions();
        let mut rows = Rows::new();
        let mut blocks: Vec<Block> = Vec::new();
        for (place, placed) in people.iter().enumerate() {
            let counts = placed.cohort.cohort.counts_of(placed.position);
            if counts.is_empty() {
                continue;
            }
            let cohort = self
                .cohorts
                .iter()
                .position(|scored| std::ptr::eq(scored, placed.cohort))
                .expect("a member is placed in one of the tenant's cohorts");
            blocks.clear();
            let position =
                u32::try_from(placed.position).expect("a population has fewer than 2^32 members");
            attributions[cohort].append_blocks(position, counts, &mut blocks);
            if let Some(rest) = fold_rest(&mut blocks, BLOCKS_PER_PERSON) {
                rows.rest(key(place), &rest);
            }
            sort_levels_as_texts(&mut blocks);
            let mut behind = Behind::new(counts, placed.buckets(slice));
            for block in &blocks {
                rows.block(key(place), block, behind.of(block));
            }
        }
        self.attribution_batch(rows, uids)
    }

    fn attribution_batch(&self, mut rows: Rows, uids: &column::Names) -> RecordBatch {
        let count = rows.n.len();
        let cut = self.stamp.cut;
        let texts = |names_of: &[String]| names(names_of.iter().map(String::as_str));
        let levels = names(SORTED_LEVELS.iter().map(|level| level.as_str()));
        batch(
            &signal_attribution::TABLE,
            [
                ("tenant_uid", repeated(self.tenant.name, count)),
                ("as_of", instants((0..count).map(|_| cut.as_of))),
                ("known_at", instants((0..count).map(|_| cut.known_at))),
                ("user_uid", named(rows.person, uids)),
                (
                    "component",
                    named(rows.component, &texts(&self.names.components)),
                ),
                ("family", named(rows.family, &texts(&self.names.families))),
                ("day", days(rows.day)),
                ("level", named(rows.level, &levels)),
                ("n", integers(rows.n)),
                ("load_share_micro", integers(rows.load_share)),
                ("score_share_micro", integers(rows.score_share)),
                (
                    "without_micro",
                    Arc::new(Int64Array::from(rows.without)) as ArrayRef,
                ),
                ("rule_ids", Arc::new(rows.rule_ids.finish())),
                ("signal_uids", Arc::new(rows.signal_uids.finish())),
            ],
        )
    }
}

/// The kernel has the levels of a bucket from critical to low; the table has them as texts.
fn sort_levels_as_texts(blocks: &mut [Block]) {
    for next in 1..blocks.len() {
        let [before, after] = [blocks[next - 1], blocks[next]];
        let is_one_bucket = (before.component, before.family, before.day)
            == (after.component, after.family, after.day);
        if is_one_bucket && before.level == Level::Medium {
            blocks.swap(next - 1, next);
        }
    }
}

/// What was counted behind a person's blocks, which are asked for in their order.
struct Behind<'s, 'a> {
    /// The kernel's buckets, one for each of the tenant's.
    counts: &'s [Bucket],
    buckets: Buckets<'a>,
    current: Option<(&'s Bucket, MemberBucket<'a>)>,
}

impl<'s, 'a> Behind<'s, 'a> {
    fn new(counts: &'s [Bucket], buckets: Buckets<'a>) -> Self {
        Self {
            counts,
            buckets,
            current: None,
        }
    }

    fn of(&mut self, block: &Block) -> Option<&'a CountedBlock> {
        let wanted = (block.component, block.family, block.day);
        loop {
            match &self.current {
                Some((counts, bucket))
                    if (counts.component, counts.family, counts.day) == wanted =>
                {
                    let mut behind = bucket.behind.iter();
                    return behind.find(|counted| counted.level == block.level);
                }
                _ => {
                    let (counts, rest) = self
                        .counts
                        .split_first()
                        .expect("every attributed block is of one of the member's buckets");
                    self.counts = rest;
                    self.current = self.buckets.next().map(|bucket| (counts, bucket));
                }
            }
        }
    }
}
