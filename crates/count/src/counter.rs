//! The count from the first batch to the last figure.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use af_model::{HashKey, UtcDay, UtcMillis};
use arrow::array::RecordBatch;
use rayon::prelude::*;

use crate::columns::Columns;
use crate::context::Context;
use crate::day::DayCount;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::output::Counted;
use crate::part::{Decoded, Part};
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
    /// Whether to leave all other threads alone.
    on_this_thread: bool,
    pending: Vec<Columns>,
    pending_rows: usize,
    parts: VecDeque<Part>,
    ledger: Ledger,
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
            on_this_thread: false,
            pending: Vec::new(),
            pending_rows: 0,
            parts: VecDeque::new(),
            ledger: Ledger::default(),
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
    /// cannot be made; the batch is not counted then, and the count may go on without it.
    pub fn push(&mut self, signals: &RecordBatch) -> Result<(), Error> {
        let columns = Columns::read(signals, self.context.retractions.name_events())?;
        if self.on_this_thread {
            let part = self.ledger.adopt(self.context.decode(columns));
            self.context.settle(&part, &self.ledger, &mut self.parts);
            return Ok(());
        }
        self.pending_rows += columns.cells.rows;
        self.pending.push(columns);
        if self.pending_rows / ROWS_A_THREAD >= rayon::current_num_threads() {
            self.decode_pending();
        }
        Ok(())
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

    /// All that was counted.
    pub fn finish(mut self) -> Counted {
        self.decode_pending();
        let alone = self.on_this_thread;
        let count = DayCount {
            context: &self.context,
            ledger: &self.ledger,
            kinds: self.ledger.kinds(),
        };
        let parts = self.parts.make_contiguous();
        let told = count.count_all(parts, alone);
        self.parts.clear();
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
}

#[cfg(test)]
mod tests;
