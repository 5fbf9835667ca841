//! What the count hands on: accounts, blocks, feeds, and the signals of nobody.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use af_model::accounting::SignalAccount;
use af_model::manifest::Feed;
use af_model::tables::{bucket_counts, unmatched_signals};
use af_model::{Level, UtcDay, UtcMillis};
use arrow::array::{
    ArrayRef, Date32Builder, Int64Builder, RecordBatch, StringBuilder, TimestampMillisecondBuilder,
};
use rayon::prelude::*;

use crate::counter::Cut;
use crate::people::PeopleIndex;
use crate::texts::TextList;

/// How many signals of a block are named.
pub(crate) const REPRESENTATIVES: usize = 20;

/// Up to how many blocks are sorted by merging.
const MERGED: usize = 1 << 20;

/// The counts of the whole input. Tenants without a single row in it are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// By tenant; signals whose tenant's name is invalid or missing are quarantined under
    /// [`INVALID_TENANT`](crate::INVALID_TENANT), so that no hostile name travels on.
    pub tenants: BTreeMap<String, TenantCounts>,
    /// The latest instant at which a row became known, whatever became of it.
    pub latest_ingested: Option<UtcMillis>,
}

impl Counted {
    /// Adds the counts of other days. [`Counted::sort`] brings them into order.
    pub fn absorb(&mut self, other: Self) {
        self.latest_ingested = self.latest_ingested.max(other.latest_ingested);
        for (tenant, counts) in other.tenants {
            match self.tenants.get_mut(&tenant) {
                Some(known) => known.absorb(counts),
                None => {
                    self.tenants.insert(tenant, counts);
                }
            }
        }
    }

    /// Brings blocks and unmatched signals into the order that their tables promise.
    pub fn sort(&mut self) {
        self.tenants
            .par_iter_mut()
            .for_each(|(_, counts)| counts.sort());
    }

    /// As [`Counted::sort`]; a thread that waited for others would begin to count something else.
    pub(crate) fn sort_on_this_thread(&mut self) {
        for counts in self.tenants.values_mut() {
            counts.blocks.sort_by(CountedBlock::order);
            let unmatched = &mut counts.unmatched;
            unmatched.sort_by(|left, right| left.key().cmp(&right.key()));
        }
    }
}

/// The counts of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantCounts {
    /// Where every signal went; of all that is told of a tenant it closes.
    pub account: SignalAccount,
    /// Duplicates whose content differs from the row that was kept, `ingested_at` aside.
    pub conflicts: u64,
    /// What was heard of each component, by name: integrations (the source's name where a signal
    /// has none), first and last time over all signals that were neither duplicates nor
    /// quarantined, and how many count.
    pub feeds: BTreeMap<String, Feed>,
    /// Sorted by person, component, family, day and level from critical to low, no two alike.
    pub blocks: Vec<CountedBlock>,
    /// Sorted by all columns, no two alike but for `n`.
    pub unmatched: Vec<Unmatched>,
}

impl TenantCounts {
    /// Adds the counts of other days of the tenant. [`TenantCounts::sort`] brings them into order.
    pub fn absorb(&mut self, mut other: Self) {
        self.account += other.account;
        self.conflicts += other.conflicts;
        for (component, feed) in &other.feeds {
            let integrations = feed.integrations.iter().map(String::as_str);
            self.hear(
                component,
                (feed.first, feed.last),
                feed.scored,
                integrations,
            );
        }
        self.blocks.append(&mut other.blocks);
        self.unmatched.append(&mut other.unmatched);
    }

    /// Adds what was heard of a component on other days: its integrations, ascending, first and last
    /// time, and how many signals count.
    pub fn hear<'t>(
        &mut self,
        component: &str,
        (first, last): (Option<UtcMillis>, Option<UtcMillis>),
        scored: u64,
        integrations: impl Iterator<Item = &'t str> + Clone,
    ) {
        let Some(known) = self.feeds.get_mut(component) else {
            let feed = Feed {
                integrations: integrations.map(str::to_owned).collect(),
                first,
                last,
                scored,
            };
            self.feeds.insert(component.to_owned(), feed);
            return;
        };
        known.first = match (known.first, first) {
            (Some(one), Some(another)) => Some(one.min(another)),
            (one, another) => one.or(another),
        };
        known.last = known.last.max(last);
        known.scored += scored;
        // Day after day it is the same ones.
        if !integrations.clone().eq(known.integrations.iter()) {
            known.integrations.extend(integrations.map(str::to_owned));
            known.integrations.sort_unstable();
            known.integrations.dedup();
        }
    }

    /// Brings blocks and unmatched signals into order. What was added day by day is a few ascending
    /// runs, which a stable sort merges, in as much memory again: too much for very many. No two blocks
    /// are alike, so both sorts give the same.
    pub fn sort(&mut self) {
        if self.blocks.len() > MERGED {
            self.blocks.par_sort_unstable_by(CountedBlock::order);
        } else {
            self.blocks.par_sort_by(CountedBlock::order);
        }
        self.unmatched
            .par_sort_by(|left, right| left.key().cmp(&right.key()));
    }
}

/// One level of one bucket: the incidents of one person, component, family and UTC day whose
/// highest level this is. Times, rules and ids are those of the signals that stand for the
/// incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedBlock {
    /// The position of [`PeopleIndex::user_uid`].
    pub person: u32,
    /// Part of the attack factor.
    pub component: Arc<str>,
    /// Kind of attack inside the component.
    pub family: Arc<str>,
    /// UTC day.
    pub day: UtcDay,
    /// The incidents' level.
    pub level: Level,
    /// Incidents, at least 1.
    pub n: u64,
    /// Earliest signal.
    pub first_time: UtcMillis,
    /// Latest signal.
    pub last_time: UtcMillis,
    /// The rules that found them, sorted, distinct; shared by blocks of the same rules.
    pub rule_ids: Arc<[Arc<str>]>,
    /// The first 20 signals by id, ascending.
    pub signal_uids: SignalUids,
}

/// Ids of signals, some of a list that many blocks share.
#[derive(Clone)]
pub struct SignalUids {
    list: Arc<TextList>,
    first: u32,
    end: u32,
}

impl SignalUids {
    /// The ids in the given order, in a list of their own.
    pub fn new<'t>(uids: impl IntoIterator<Item = &'t str>) -> Self {
        let mut list = TextList::default();
        let places = list.extend(uids);
        Self::of(&Arc::new(list), places)
    }

    /// The ids at some places of a list.
    ///
    /// # Panics
    /// When the list has no such places.
    pub fn of(list: &Arc<TextList>, places: Range<u32>) -> Self {
        assert!(
            places.start <= places.end && places.end as usize <= list.len(),
            "places of the list"
        );
        Self {
            list: Arc::clone(list),
            first: places.start,
            end: places.end,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        (self.end - self.first) as usize
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (self.first..self.end).map(|place| self.list.get(place))
    }
}

impl PartialEq for SignalUids {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for SignalUids {}

impl fmt::Debug for SignalUids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl CountedBlock {
    /// What is one row of `bucket_counts`.
    fn bucket(&self) -> impl PartialEq + '_ {
        (self.person, self.day, &self.component, &self.family)
    }

    /// The order of a tenant's blocks.
    fn order(&self, other: &Self) -> Ordering {
        let by_person = self.person.cmp(&other.person);
        by_person
            .then_with(|| text_order(&self.component, &other.component))
            .then_with(|| text_order(&self.family, &other.family))
            .then_with(|| self.day.cmp(&other.day))
            .then_with(|| self.level.slot().cmp(&other.level.slot()))
    }
}

/// Blocks share their names, so that most of them need not be compared.
fn text_order(left: &Arc<str>, right: &Arc<str>) -> Ordering {
    if Arc::ptr_eq(left, right) {
        Ordering::Equal
    } else {
        left.cmp(right)
    }
}

/// Why a signal belongs to nobody. Ordered as the written names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnmatchedReason {
    /// Several people hold the deciding key.
    Ambiguous,
    /// Nothing names a subject.
    NoKey,
    /// Nobody holds any of its names.
    NoMatch,
    /// The identity provider itself.
    NotAPerson,
}

impl UnmatchedReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [
        Self::Ambiguous,
        Self::NoKey,
        Self::NoMatch,
        Self::NotAPerson,
    ];

    /// The name written in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::NoKey => "no_key",
            Self::NoMatch => "no_match",
            Self::NotAPerson => "not_a_person",
        }
    }
}

/// Signals of one day and kind that hit one identifier which belongs to no single person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// Why.
    pub reason: UnmatchedReason,
    /// Who produced the signals.
    pub source: Arc<str>,
    /// UTC day.
    pub day: UtcDay,
    /// Part of the attack factor.
    pub component: Arc<str>,
    /// Kind of attack inside the component.
    pub family: Arc<str>,
    /// Level of the signals.
    pub level: Level,
    /// The rule that found them.
    pub rule_id: Arc<str>,
    /// Keyed hash of the identifier, 32 hex digits; `None` without one.
    pub subject_hash: Option<String>,
    /// Signals, at least 1; incidents are not collapsed here.
    pub n: u64,
}

impl Unmatched {
    /// The order of the table: every column but `n`, as written.
    pub(crate) fn key(&self) -> impl Ord + '_ {
        (
            self.reason,
            &self.source,
            self.day,
            &self.component,
            &self.family,
            self.level.as_str(),
            &self.rule_id,
            &self.subject_hash,
        )
    }
}

/// The rows of `bucket_counts` of some tenants in ascending order, in the table's order: those of one
/// day, or all.
///
/// # Panics
/// If the counts were made with another index of people.
pub fn bucket_counts<'c>(
    tenants: impl IntoIterator<Item = (&'c str, &'c TenantCounts)>,
    day: Option<UtcDay>,
    people: &PeopleIndex,
) -> RecordBatch {
    let mut texts: [StringBuilder; 4] = Default::default();
    let mut days = Date32Builder::new();
    let mut numbers: [Int64Builder; 4] = Default::default();
    let mut times: [TimestampMillisecondBuilder; 2] = Default::default();
    for (tenant_uid, counts) in tenants {
        let of_bucket = |left: &CountedBlock, right: &CountedBlock| left.bucket() == right.bucket();
        for blocks in counts.blocks.chunk_by(of_bucket) {
            let first = &blocks[0];
            if day.is_some_and(|day| day != first.day) {
                continue;
            }
            let user_uid = people.user_uid(first.person);
            let row = [tenant_uid, user_uid, &first.component, &first.family];
            for (column, text) in texts.iter_mut().zip(row) {
                column.append_value(text);
            }
            days.append_value(first.day.0);
            let mut n = [0; 4];
            let (mut earliest, mut latest) = (first.first_time, first.last_time);
            for block in blocks {
                n[block.level.slot()] += signed(block.n);
                earliest = earliest.min(block.first_time);
                latest = latest.max(block.last_time);
            }
            for (column, n) in numbers.iter_mut().zip(n) {
                column.append_value(n);
            }
            times[0].append_value(earliest.0);
            times[1].append_value(latest.0);
        }
    }
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(bucket_counts::TABLE.columns.len());
    columns.extend(
        texts
            .into_iter()
            .map(|mut column| Arc::new(column.finish()) as ArrayRef),
    );
    columns.push(Arc::new(days.finish()));
    columns.extend(
        numbers
            .into_iter()
            .map(|mut column| Arc::new(column.finish()) as ArrayRef),
    );
    columns.extend(
        times
            .into_iter()
            .map(|mut column| Arc::new(column.finish().with_timezone("UTC")) as ArrayRef),
    );
    RecordBatch::try_new(bucket_counts::TABLE.file_schema(), columns)
        .expect("every row fills every column of the contract")
}

/// The `unmatched_signals` rows of one tenant in the table's order.
pub fn unmatched_signals(
    tenant_uid: &str,
    counts: &TenantCounts,
    cut: Cut,
) -> Vec<unmatched_signals::Row> {
    counts
        .unmatched
        .iter()
        .map(|unmatched| unmatched_signals::Row {
            tenant_uid: tenant_uid.to_owned(),
            as_of: cut.as_of,
            known_at: cut.known_at,
            reason: unmatched.reason.as_str().to_owned(),
            source: unmatched.source.to_string(),
            day: unmatched.day,
            component: unmatched.component.to_string(),
            family: unmatched.family.to_string(),
            level: unmatched.level.as_str().to_owned(),
            rule_id: unmatched.rule_id.to_string(),
            subject_hash: unmatched.subject_hash.clone(),
            n: signed(unmatched.n),
        })
        .collect()
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).expect("signals that were counted one by one are fewer than 2^63")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_sort_as_they_are_written() {
        let reasons = [
            UnmatchedReason::Ambiguous,
            UnmatchedReason::NoKey,
            UnmatchedReason::NoMatch,
            UnmatchedReason::NotAPerson,
        ];
        assert!(reasons.is_sorted());
        assert!(reasons.map(UnmatchedReason::as_str).is_sorted());
    }
}
