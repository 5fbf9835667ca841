//! The order of the people asked about, from the few columns that decide it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use af_model::ScoreLevel;
use af_store::Key;
use arrow::array::RecordBatch;

use crate::columns::{self, Repeated};
use crate::error::Error;
use crate::snapshot::OpenTable;
use crate::top::TopQuery;

/// A place in the ranking; the most attacked are the least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ranked {
    pub(crate) odds_nano: Reverse<i64>,
    pub(crate) tenant_uid: String,
    pub(crate) user_uid: String,
}

/// A place in the ranking, borrowed.
pub(crate) type RankKey<'a> = (Reverse<i64>, &'a str, &'a str);

impl Ranked {
    pub(crate) fn of((odds_nano, tenant_uid, user_uid): RankKey<'_>) -> Self {
        Self {
            odds_nano,
            tenant_uid: tenant_uid.to_owned(),
            user_uid: user_uid.to_owned(),
        }
    }

    pub(crate) fn key(&self) -> RankKey<'_> {
        (self.odds_nano, &self.tenant_uid, &self.user_uid)
    }
}

/// The people asked about, the most attacked first, no more than wanted. Remembers no more of them
/// at any time, whatever the size of the table.
pub(crate) fn rank(scores: &OpenTable, query: &TopQuery) -> Result<Vec<Ranked>, Error> {
    let mut best = Best {
        limit: query.limit,
        heap: BinaryHeap::new(),
    };
    let keys: Vec<Key> = query
        .tenant
        .iter()
        .map(|tenant| Key::of("tenant_uid", tenant))
        .collect();
    for batch in scores.scan(&keys, &decisive(query))? {
        best.add(&batch?, query);
    }
    Ok(best.heap.into_sorted_vec())
}

/// The columns that decide who is asked about and in which order they come.
fn decisive(query: &TopQuery) -> Vec<&'static str> {
    let mut columns = vec!["tenant_uid", "user_uid", "odds_nano", "population"];
    if !query.include_outside {
        columns.push("in_population");
    }
    if floor(query).is_some() {
        columns.push("score_micro");
    }
    columns.extend(query.department.is_some().then_some("department"));
    columns.extend(query.location.is_some().then_some("location"));
    columns
}

/// The least score that counts, where levels are told apart by the score.
fn floor(query: &TopQuery) -> Option<i64> {
    match query.min_level {
        None | Some(ScoreLevel::None | ScoreLevel::VeryLow) => None,
        Some(level) => Some(level.floor_micro()),
    }
}

/// The best so far, the worst of them on top.
struct Best {
    limit: usize,
    heap: BinaryHeap<Ranked>,
}

impl Best {
    fn add(&mut self, batch: &RecordBatch, query: &TopQuery) {
        let odds = columns::ints(batch, "odds_nano").values();
        let tenants = Repeated::of(batch, "tenant_uid");
        let users = columns::texts(batch, "user_uid");
        let is_of_population =
            Repeated::of(batch, "population").are(|name| name == query.population.as_str());
        let inside = (!query.include_outside).then(|| columns::flags(batch, "in_population"));
        let scores = floor(query).map(|floor| (floor, columns::ints(batch, "score_micro")));
        let in_group = |name, wanted: &Option<String>| {
            let wanted = wanted.as_ref()?.trim().to_lowercase();
            Some(Repeated::of(batch, name).are(move |name| name.to_lowercase() == wanted))
        };
        let groups = [
            in_group("department", &query.department),
            in_group("location", &query.location),
        ];
        // The lowest level is told from none at all by the odds: its score may be zero.
        let any_attack = query.min_level == Some(ScoreLevel::VeryLow);
        let is_wanted = |row: usize| {
            is_of_population(row)
                && inside.is_none_or(|inside| inside.value(row))
                && (!any_attack || odds[row] > 0)
                && scores.is_none_or(|(floor, scores)| scores.value(row) >= floor)
                && groups.iter().flatten().all(|is_in| is_in(row))
        };
        for row in 0..batch.num_rows() {
            let tenant = tenants.text(row).unwrap_or_default();
            let key = (Reverse(odds[row]), tenant, users.value(row));
            if self.would_take(key) && is_wanted(row) {
                self.take(key);
            }
        }
    }

    fn would_take(&self, key: RankKey<'_>) -> bool {
        if self.heap.len() < self.limit {
            return true;
        }
        // With a limit of nothing there is no worst, and nobody is taken.
        self.heap.peek().is_some_and(|worst| key < worst.key())
    }

    fn take(&mut self, key: RankKey<'_>) {
        if self.heap.len() == self.limit {
            self.heap.pop();
        }
        self.heap.push(Ranked::of(key));
    }
}
