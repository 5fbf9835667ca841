//! A day that comes sorted: tenant by tenant, and of each only what waits for its end is held.

use std::collections::VecDeque;

use af_model::{HashKey, UtcDay, UtcMillis};
use arrow::array::RecordBatch;

use crate::columns::Columns;
use crate::context::Context;
use crate::counter::Cut;
use crate::day::{DayCount, Scratch};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::output::{Counted, TenantCounts};
use crate::part::{Part, View};
use crate::people::PeopleIndex;
use crate::retractions::Retractions;

/// Signals of whole people, about, of which the blocks are handed on together: few enough that a large tenant's day
/// need not be held twice, once as signals and once as blocks.
const TOLD_AT_ONCE: usize = 16_384;

/// Counts one partition: all rows are of one UTC day and come in the table's order.
///
/// It works on the caller's thread alone, so that days can be counted side by side. What was counted is handed on as
/// soon as the rows of a tenant end, in pieces: tenants in ascending order, and of a tenant's day blocks of ascending
/// people. All pieces [absorbed](Counted::absorb) are what a [`Counter`](crate::Counter) says; one alone does not close.
pub struct Partition<'p> {
    context: Context<'p>,
    day: UtcDay,
    ledger: Ledger,
    /// Rows that are not counted yet.
    parts: VecDeque<Part>,
    /// The first row of the first part that is not counted yet.
    first_row: usize,
    /// The tenant of the last row.
    open: Option<u32>,
    scratch: Scratch,
    told_at_once: usize,
}

/// What is handed on next.
struct Telling<'l, F> {
    ledger: &'l Ledger,
    counted: Vec<(u32, TenantCounts)>,
    blocks: usize,
    most_blocks: usize,
    take: F,
}

impl<'p> Partition<'p> {
    /// Nothing of `day` was counted yet. Other arguments as of [`Counter::new`](crate::Counter::new).
    pub fn new(
        people: &'p PeopleIndex,
        retractions: &'p Retractions,
        cut: Cut,
        key: &HashKey,
        day: UtcDay,
    ) -> Self {
        Self {
            context: Context::new(people, retractions, cut, key),
            day,
            ledger: Ledger::default(),
            parts: VecDeque::new(),
            first_row: 0,
            open: None,
            scratch: Scratch::default(),
            told_at_once: TOLD_AT_ONCE,
        }
    }

    /// Takes in the next rows and hands on what was counted of tenants that ended among them.
    ///
    /// # Errors
    /// As [`Counter::push`](crate::Counter::push), and [`ErrorKind::OtherDay`](crate::ErrorKind::OtherDay) and
    /// [`ErrorKind::Unsorted`](crate::ErrorKind::Unsorted) for rows that are not the partition's next ones: the count
    /// is lost then, and a [`Counter`](crate::Counter) makes the right one. And what `take` says.
    pub fn push<E: From<Error>>(
        &mut self,
        signals: &RecordBatch,
        take: impl FnMut(Counted) -> Result<(), E>,
    ) -> Result<(), E> {
        let columns = Columns::read(signals, self.context.retractions.name_events())?;
        let part = self.ledger.adopt(self.context.decode(columns));
        if part.rows.is_empty() {
            return Ok(());
        }
        self.is_next(&part)?;
        let before = self.open.replace(part.rows[part.rows.len() - 1].tenant);
        let last_other = part
            .rows
            .iter()
            .rposition(|row| Some(row.tenant) != self.open);
        if last_other.is_none() && before.is_none_or(|before| Some(before) == self.open) {
            // One tenant goes on, and may do so for long.
            self.context.settle(&part, &self.ledger, &mut self.parts);
            return Ok(());
        }
        let open_from = last_other.map_or(0, |place| place + 1);
        self.parts.push_back(part);
        self.count_until(open_from, take)?;
        self.parts.drain(..self.parts.len() - 1);
        self.first_row = open_from;
        Ok(())
    }

    /// Hands on all that was not yet: the last tenant, and the accounts of rows that are not counted further.
    ///
    /// # Errors
    /// What `take` says.
    pub fn finish<E>(mut self, mut take: impl FnMut(Counted) -> Result<(), E>) -> Result<(), E> {
        let rows = self.parts.back().map_or(0, |part| part.rows.len());
        self.count_until(rows, &mut take)?;
        take(self.ledger.rest())
    }

    /// Whether the rows go on where the last ones ended.
    fn is_next(&self, part: &Part) -> Result<(), Error> {
        let mut before = self.open;
        for row in &part.rows {
            if UtcMillis(row.time).day() != self.day {
                return Err(Error::other_day());
            }
            if before == Some(row.tenant) {
                continue;
            }
            let name = |tenant| self.ledger.tenant(tenant);
            if before.is_some_and(|before| name(before) >= name(row.tenant)) {
                return Err(Error::unsorted());
            }
            before = Some(row.tenant);
        }
        Ok(())
    }

    /// Counts all rows before one of the last part.
    fn count_until<E>(
        &mut self,
        row_of_last: usize,
        take: impl FnMut(Counted) -> Result<(), E>,
    ) -> Result<(), E> {
        let before_last = self.parts.iter().rev().skip(1);
        let rows = row_of_last + before_last.map(|part| part.rows.len()).sum::<usize>();
        let rows = rows - self.first_row;
        let all = self.parts.iter();
        let views = all.flat_map(|part| part.rows.iter().map(move |row| View { part, row }));
        let mut signals: Vec<View<'_>> = Vec::with_capacity(rows);
        signals.extend(views.skip(self.first_row).take(rows));
        let count = DayCount {
            context: &self.context,
            ledger: &self.ledger,
            kinds: self.ledger.kinds(),
        };
        let mut telling = Telling {
            ledger: &self.ledger,
            counted: Vec::new(),
            blocks: 0,
            most_blocks: self.told_at_once,
            take,
        };
        for of_tenant in signals.chunk_by(|left, right| left.row.tenant == right.row.tenant) {
            let tenant = of_tenant[0].row.tenant;
            let tell = |counts| telling.tell(tenant, counts);
            let (day, at_once) = ((tenant, self.day), self.told_at_once);
            count.count_in_pieces(day, of_tenant, at_once, &mut self.scratch, tell)?;
        }
        telling.all()
    }
}

impl<E, F: FnMut(Counted) -> Result<(), E>> Telling<'_, F> {
    /// Hands on so many small tenants together, and of a large one a piece.
    fn tell(&mut self, tenant: u32, counts: TenantCounts) -> Result<(), E> {
        self.blocks += counts.blocks.len();
        self.counted.push((tenant, counts));
        if self.blocks < self.most_blocks {
            return Ok(());
        }
        self.all()
    }

    fn all(&mut self) -> Result<(), E> {
        self.blocks = 0;
        let counted = std::mem::take(&mut self.counted);
        if counted.is_empty() {
            return Ok(());
        }
        (self.take)(Counted {
            tenants: self.ledger.named(counted),
            latest_ingested: None,
        })
    }
}

#[cfg(test)]
mod tests;
