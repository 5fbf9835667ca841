//! The count from the first batch to the last figure.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use af_model::accounting::SignalAccount;
use af_model::{HashKey, UtcDay, UtcMillis};
use arrow::array::RecordBatch;
use hashbrown::{DefaultHashBuilder, HashMap};
use rayon::prelude::*;

use crate::columns::Columns;
use crate::day::{DayCount, Scratch};
use crate::decode::Context;
use crate::error::Error;
use crate::interner::{Names, position};
use crate::kind::Kinds;
use crate::labels;
use crate::output::{Counted, TenantCounts};
use crate::part::{Decoded, Part, Row, View};
use crate::people::PeopleIndex;
use crate::retractions::Retractions;

/// The tenant under which signals are quarantined whose tenant's name is missing or invalid.
pub use af_model::name::INVALID_TENANT;

/// Rows that every thread gets at a time, about.
const ROWS_A_THREAD: usize = 65_536;

/// What counts: signals up to `as_of`, as known at `known_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Signals after this instant are future.
    pub as_of: UtcMillis,
    /// Signals that became known after this instant are not yet known: nothing else is asked of
    /// them, so that whatever arrives later changes no figure but their number.
    pub known_at: UtcMillis,
}

/// Counts signals: push every batch, then finish.
///
/// The order of rows and batches, how often a row is pushed and the number of threads make no
/// difference to the result (repeated rows count as duplicates). See the [crate's example](crate).
pub struct Counter<'p> {
    people: &'p PeopleIndex,
    retractions: &'p Retractions,
    cut: Cut,
    hash_key: HashKey,
    hasher: DefaultHashBuilder,
    /// The only day of the input, if that is one sorted partition.
    partition: Option<UtcDay>,
    /// Whether to leave all other threads alone.
    on_this_thread: bool,
    pending: Vec<Columns>,
    pending_rows: usize,
    /// Rows that are not counted yet.
    parts: VecDeque<Part>,
    /// The first row of the first part that is not counted yet.
    first_row: usize,
    names: Names,
    kinds: Kinds,
    tenant_ids: HashMap<Option<String>, u32>,
    tenants: Vec<Tenant>,
    counted: Vec<(u32, TenantCounts)>,
    /// The tenant of a partition whose rows were counted last.
    last_counted: Option<u32>,
    latest_ingested: Option<UtcMillis>,
}

/// A tenant of the input.
struct Tenant {
    name: Option<String>,
    /// Whether all its rows were counted; only in a sorted partition that is known early.
    is_done: bool,
    /// What of its rows was not counted further.
    account: SignalAccount,
    /// Of what was told before the end.
    told: SignalAccount,
}

impl<'p> Counter<'p> {
    /// A count of nothing yet. `retractions` should be as known at the cut's `known_at`, and `key`
    /// the one that `people` was built with.
    pub fn new(
        people: &'p PeopleIndex,
        retractions: &'p Retractions,
        cut: Cut,
        key: &HashKey,
    ) -> Self {
        Self {
            people,
            retractions,
            cut,
            hash_key: key.clone(),
            hasher: DefaultHashBuilder::default(),
            partition: None,
            on_this_thread: false,
            pending: Vec::new(),
            pending_rows: 0,
            parts: VecDeque::new(),
            first_row: 0,
            names: Names::default(),
            kinds: Kinds::default(),
            tenant_ids: HashMap::new(),
            tenants: Vec::new(),
            counted: Vec::new(),
            last_counted: None,
            latest_ingested: None,
        }
    }

    /// A count of one partition: all rows are of one UTC day and come in the table's order. It holds
    /// the rows of one tenant at a time and works on the caller's thread alone, so that days can be
    /// counted side by side.
    pub fn of_partition(
        people: &'p PeopleIndex,
        retractions: &'p Retractions,
        cut: Cut,
        key: &HashKey,
        day: UtcDay,
    ) -> Self {
        Self {
            partition: Some(day),
            ..Self::new(people, retractions, cut, key)
        }
    }

    /// The same count on the caller's thread alone, so that several can go side by side and none starts
    /// before another ends.
    #[must_use]
    pub fn on_this_thread(self) -> Self {
        Self {
            on_this_thread: true,
            ..self
        }
    }

    /// Takes in anybody's batch of `attack_signals`. Rows that break the contract are counted as
    /// quarantined.
    ///
    /// # Errors
    /// [`Error`] when a required column is absent or a column has a type from which the contract's
    /// cannot be made; the batch is not counted then, and the count may go on without it. Of a
    /// partition also [`ErrorKind::OtherDay`](crate::ErrorKind::OtherDay), and
    /// [`ErrorKind::Unsorted`](crate::ErrorKind::Unsorted) for rows out of order: the count is lost
    /// then, and [`Counter::new`] makes the right one.
    pub fn push(&mut self, signals: &RecordBatch) -> Result<(), Error> {
        let columns = Columns::read(signals, self.retractions.name_events())?;
        if let Some(day) = self.partition {
            let decoded = self.context().decode(columns);
            self.adopt(decoded);
            return self.count_done_tenants(day);
        }
        if self.on_this_thread {
            let decoded = self.context().decode(columns);
            self.adopt(decoded);
            return Ok(());
        }
        self.pending_rows += columns.cells.rows;
        self.pending.push(columns);
        if self.pending_rows / ROWS_A_THREAD >= rayon::current_num_threads() {
            self.decode_pending();
        }
        Ok(())
    }

    /// The tenants of a partition of which nothing more will come, in ascending order, apart from what of
    /// their rows was not counted further. They are told once: this and [`Counter::finish`] together are
    /// all that was counted.
    pub fn take_done(&mut self) -> Counted {
        let done = std::mem::take(&mut self.counted).into_iter();
        let tenants = done.map(|(tenant, counts)| {
            let tenant = &mut self.tenants[tenant as usize];
            tenant.told += counts.account;
            let name = tenant.name.as_deref();
            (name.unwrap_or(INVALID_TENANT).to_owned(), counts)
        });
        Counted {
            tenants: tenants.collect(),
            latest_ingested: None,
        }
    }

    /// As [`Counter::finish`], for input that says which days it holds.
    ///
    /// # Errors
    /// [`ErrorKind::OtherDay`](crate::ErrorKind::OtherDay) when a row is of another day.
    pub fn finish_days(mut self, days: &RangeInclusive<UtcDay>) -> Result<Counted, Error> {
        self.decode_pending();
        let mut rows = self.parts.iter().flat_map(|part| &part.rows);
        if rows.any(|row| !days.contains(&UtcMillis(row.time).day())) {
            return Err(Error::other_day());
        }
        Ok(self.finish())
    }

    /// All counts but those that [`Counter::take_done`] told.
    pub fn finish(mut self) -> Counted {
        self.decode_pending();
        self.count_all();
        let mut tenants: BTreeMap<String, TenantCounts> = BTreeMap::new();
        let mut of_tenant: Vec<TenantCounts> = Vec::new();
        of_tenant.resize_with(self.tenants.len(), TenantCounts::default);
        for (tenant, counts) in std::mem::take(&mut self.counted) {
            of_tenant[tenant as usize].absorb(counts);
        }
        for (tenant, mut counts) in self.tenants.iter().zip(of_tenant) {
            counts.account += tenant.account;
            debug_assert!(
                {
                    let mut all = counts.account;
                    all += tenant.told;
                    all.closes()
                },
                "every signal went somewhere"
            );
            let name = tenant.name.as_deref().unwrap_or(INVALID_TENANT);
            // A tenant may really be named as those are whose name is none.
            tenants.entry(name.to_owned()).or_default().absorb(counts);
        }
        let mut counted = Counted {
            tenants,
            latest_ingested: self.latest_ingested,
        };
        if self.on_this_thread || self.partition.is_some() {
            counted.sort_on_this_thread();
        } else {
            counted.sort();
        }
        counted
    }

    fn context(&self) -> Context<'_> {
        Context {
            people: self.people,
            cut: self.cut,
            hash_key: &self.hash_key,
            hasher: &self.hasher,
        }
    }

    /// Decodes what was pushed, in parallel, and adopts the parts in their order.
    fn decode_pending(&mut self) {
        self.pending_rows = 0;
        let pending = std::mem::take(&mut self.pending);
        let context = self.context();
        let decoded: Vec<Decoded> = pending
            .into_par_iter()
            .map(|columns| context.decode(columns))
            .collect();
        for decoded in decoded {
            self.adopt(decoded);
        }
    }

    /// Gives a part's tenants and kinds their input-wide ids, and accounts for what has no rows.
    fn adopt(&mut self, decoded: Decoded) {
        let Decoded {
            mut part,
            labels,
            tenants,
            kinds,
            latest_ingested,
        } = decoded;
        self.latest_ingested = self.latest_ingested.max(latest_ingested.map(UtcMillis));
        let tenants: Vec<u32> = tenants
            .into_iter()
            .map(|of_part| {
                let id = self.tenant_id(of_part.name);
                let account = &mut self.tenants[id as usize].account;
                account.signals_read += of_part.read;
                account.not_yet_known += of_part.not_yet_known;
                account.quarantined += of_part.quarantined;
                id
            })
            .collect();
        let kinds: Vec<u32> = kinds
            .iter()
            .map(|kind| match kind.level {
                // No row is of a kind without a level.
                None => u32::MAX,
                Some(level) => {
                    let texts = labels::texts(&labels, kind.shown_by);
                    self.kinds.intern(texts, level, &mut self.names)
                }
            })
            .collect();
        for row in &mut part.rows {
            row.tenant = tenants[row.tenant as usize];
            row.kind = kinds[row.kind as usize];
        }
        if !part.rows.is_empty() {
            self.parts.push_back(part);
        }
    }

    fn tenant_id(&mut self, name: Option<String>) -> u32 {
        let Self {
            tenant_ids,
            tenants,
            ..
        } = self;
        *tenant_ids.entry(name.clone()).or_insert_with(|| {
            tenants.push(Tenant {
                name,
                is_done: false,
                account: SignalAccount::default(),
                told: SignalAccount::default(),
            });
            position(tenants.len() - 1)
        })
    }

    /// Counts the tenants of a partition of which all rows were seen, and lets go of their rows.
    fn count_done_tenants(&mut self, day: UtcDay) -> Result<(), Error> {
        let Some(last) = self.parts.back() else {
            return Ok(());
        };
        let (first_millis, last_millis) = (day.start().0, day.end().0);
        let is_misplaced = |time: i64| time < first_millis || time > last_millis;
        if last.rows.iter().any(|row| is_misplaced(row.time)) {
            return Err(Error::other_day());
        }
        // As long as one tenant goes on there is nothing to do.
        let open = self
            .parts
            .front()
            .and_then(|part| part.rows.get(self.first_row));
        let is_of_open =
            |row: Option<&Row>| row.map(|row| row.tenant) == open.map(|row| row.tenant);
        if last.rows.iter().all(|row| is_of_open(Some(row))) {
            return Ok(());
        }
        let mut groups: Vec<(u32, Vec<View<'_>>)> = Vec::new();
        let mut last_place = (0, self.first_row);
        for (number, part) in self.parts.iter().enumerate() {
            let skipped = if number == 0 { self.first_row } else { 0 };
            for (place, row) in part.rows.iter().enumerate().skip(skipped) {
                if self.tenants[row.tenant as usize].is_done {
                    return Err(Error::unsorted());
                }
                match groups.last_mut() {
                    Some((tenant, views)) if *tenant == row.tenant => {
                        views.push(View { part, row });
                    }
                    last => {
                        let before = last.map(|(tenant, _)| *tenant).or(self.last_counted);
                        let name = |tenant: u32| &self.tenants[tenant as usize].name;
                        if before.is_some_and(|before| name(before) > name(row.tenant)) {
                            return Err(Error::unsorted());
                        }
                        if let Some((done, _)) = groups.last() {
                            self.tenants[*done as usize].is_done = true;
                        }
                        last_place = (number, place);
                        groups.push((row.tenant, vec![View { part, row }]));
                    }
                }
            }
        }
        if groups.len() <= 1 {
            return Ok(());
        }
        // The last one may go on in the next batch.
        groups.pop();
        self.last_counted = groups.last().map(|(tenant, _)| *tenant);
        let count = DayCount {
            people: self.people,
            retractions: self.retractions,
            cut: self.cut,
            kinds: &self.kinds,
            names: &self.names,
        };
        let mut scratch = Scratch::default();
        for (tenant, views) in groups {
            let name = self.tenants[tenant as usize].name.as_deref();
            let counts = count.count(name.unwrap_or(INVALID_TENANT), day, &views, &mut scratch);
            self.counted.push((tenant, counts));
        }
        let (done_parts, first_row) = last_place;
        self.parts.drain(..done_parts);
        self.first_row = first_row;
        Ok(())
    }

    /// Counts all rows that are left, by tenant and day.
    fn count_all(&mut self) {
        let mut rows: Vec<(u32, UtcDay, u32, u32)> = Vec::new();
        for (part, number) in self.parts.iter().zip(0_u32..) {
            let skipped = if number == 0 { self.first_row } else { 0 };
            let of_part = part.rows.iter().zip(0_u32..).skip(skipped);
            rows.extend(
                of_part.map(|(row, place)| (row.tenant, UtcMillis(row.time).day(), number, place)),
            );
        }
        if self.on_this_thread {
            rows.sort_unstable();
        } else {
            rows.par_sort_unstable();
        }
        let count = DayCount {
            people: self.people,
            retractions: self.retractions,
            cut: self.cut,
            kinds: &self.kinds,
            names: &self.names,
        };
        let groups: Vec<&[(u32, UtcDay, u32, u32)]> = rows
            .chunk_by(|left, right| (left.0, left.1) == (right.0, right.1))
            .collect();
        let count_group = |scratch: &mut Scratch, group: &&[(u32, UtcDay, u32, u32)]| {
            let (tenant, day, ..) = group[0];
            let view = |&(_, _, part, row): &(u32, UtcDay, u32, u32)| {
                let part = &self.parts[part as usize];
                let row = &part.rows[row as usize];
                View { part, row }
            };
            let views: Vec<View<'_>> = group.iter().map(view).collect();
            let name = self.tenants[tenant as usize].name.as_deref();
            let name = name.unwrap_or(INVALID_TENANT);
            (tenant, count.count(name, day, &views, scratch))
        };
        let counted: Vec<(u32, TenantCounts)> = if self.on_this_thread {
            let mut scratch = Scratch::default();
            let groups = groups.iter();
            groups
                .map(|group| count_group(&mut scratch, group))
                .collect()
        } else {
            groups
                .par_iter()
                .map_init(Scratch::default, count_group)
                .collect()
        };
        self.counted.extend(counted);
        self.parts.clear();
    }
}

#[cfg(test)]
mod tests;
