//! The count from the first batch to the last figure.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use af_model::{HashKey, UtcDay, UtcMillis};
use arrow::array::RecordBatch;
use rayon::prelude::*;

use crate::columns::Columns;
use crate::context::Context;
use crate::day::{DayCount, Scratch};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::output::{Counted, TenantCounts};
use crate::part::{Behind, Decoded, Part, Row, View};
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
    context: Context<'p>,
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
    ledger: Ledger,
    counted: Vec<(u32, TenantCounts)>,
    /// Tenants of a partition whose rows were all counted, by their ids.
    is_done: Vec<bool>,
    /// The tenant of a partition whose rows were counted last.
    last_counted: Option<u32>,
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
            context: Context::new(people, retractions, cut, key),
            partition: None,
            on_this_thread: false,
            pending: Vec::new(),
            pending_rows: 0,
            parts: VecDeque::new(),
            first_row: 0,
            ledger: Ledger::default(),
            counted: Vec::new(),
            is_done: Vec::new(),
            last_counted: None,
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
        let columns = Columns::read(signals, self.context.retractions.name_events())?;
        if self.is_alone() {
            let decoded = self.context.decode(columns);
            self.adopt(decoded);
            if let Some(day) = self.partition {
                return self.count_done_tenants(day);
            }
            self.settle_last();
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
        let done = std::mem::take(&mut self.counted);
        Counted {
            tenants: self.ledger.named(done),
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
        let alone = self.is_alone();
        let count = DayCount {
            context: &self.context,
            ledger: &self.ledger,
            kinds: self.ledger.kinds(),
        };
        let parts = self.parts.make_contiguous();
        let left = count.count_all(parts, self.first_row, alone);
        self.parts.clear();
        let told = self.counted.into_iter().chain(left);
        let mut counted = self.ledger.rest();
        counted.absorb(Counted {
            tenants: self.ledger.named(told),
            latest_ingested: None,
        });
        if alone {
            counted.sort_on_this_thread();
        } else {
            counted.sort();
        }
        counted
    }

    fn is_alone(&self) -> bool {
        self.on_this_thread || self.partition.is_some()
    }

    /// Decodes what was pushed, in parallel, and adopts the parts in their order.
    fn decode_pending(&mut self) {
        self.pending_rows = 0;
        let pending = std::mem::take(&mut self.pending);
        let context = &self.context;
        let decoded: Vec<Decoded> = pending
            .into_par_iter()
            .map(|columns| context.decode(columns))
            .collect();
        for decoded in decoded {
            self.adopt(decoded);
        }
    }

    fn adopt(&mut self, decoded: Decoded) {
        let part = self.ledger.adopt(decoded);
        if !part.rows.is_empty() {
            self.parts.push_back(part);
        }
    }

    /// Lets go of the batch behind the last part: what is counted of its rows takes a quarter of the room.
    fn settle_last(&mut self) {
        let in_batch = |part: &mut Part| matches!(part.behind, Behind::Columns { .. });
        let Some(part) = self.parts.pop_back_if(in_batch) else {
            return;
        };
        if self.parts.back_mut().and_then(Part::open).is_none() {
            self.parts.push_back(Part::of_records());
        }
        let Some((rows, tails)) = self.parts.back_mut().and_then(Part::open) else {
            return;
        };
        rows.extend(part.rows.iter().map(|row| {
            let view = View { part: &part, row };
            let tenant = self.ledger.tenant(row.tenant);
            tails.settle(view, self.context.resolve(view, tenant))
        }));
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
        // As long as one tenant goes on there is nothing to count.
        let open = self
            .parts
            .front()
            .and_then(|part| part.rows.get(self.first_row));
        let is_of_open =
            |row: Option<&Row>| row.map(|row| row.tenant) == open.map(|row| row.tenant);
        if last.rows.iter().all(|row| is_of_open(Some(row))) {
            self.settle_last();
            return Ok(());
        }
        self.is_done.resize(self.ledger.tenants(), false);
        let mut groups: Vec<(u32, Vec<View<'_>>)> = Vec::new();
        let mut last_place = (0, self.first_row);
        for (number, part) in self.parts.iter().enumerate() {
            let skipped = if number == 0 { self.first_row } else { 0 };
            for (place, row) in part.rows.iter().enumerate().skip(skipped) {
                if self.is_done[row.tenant as usize] {
                    return Err(Error::unsorted());
                }
                match groups.last_mut() {
                    Some((tenant, views)) if *tenant == row.tenant => {
                        views.push(View { part, row });
                    }
                    last => {
                        let before = last.map(|(tenant, _)| *tenant).or(self.last_counted);
                        let name = |tenant: u32| self.ledger.tenant(tenant);
                        if before.is_some_and(|before| name(before) > name(row.tenant)) {
                            return Err(Error::unsorted());
                        }
                        if let Some((done, _)) = groups.last() {
                            self.is_done[*done as usize] = true;
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
            context: &self.context,
            ledger: &self.ledger,
            kinds: self.ledger.kinds(),
        };
        let mut scratch = Scratch::default();
        for (tenant, views) in groups {
            let counts = count.count(tenant, day, &views, &mut scratch);
            self.counted.push((tenant, counts));
        }
        let (done_parts, first_row) = last_place;
        self.parts.drain(..done_parts);
        self.first_row = first_row;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
