//! The count from the first batch to the last figure.

use af_model::{HashKey, UtcMillis};
use arrow::array::RecordBatch;
use hashbrown::DefaultHashBuilder;
use rayon::prelude::*;

use crate::admit::{Admission, Admitted, Gate, Unmatchable};
use crate::assemble::{Assembly, Series};
use crate::class::Classes;
use crate::collapse::Collapse;
use crate::columns::Columns;
use crate::decode::{Context, decode};
use crate::dedupe::drop_duplicates;
use crate::error::Error;
use crate::interner::{NONE, Names, Symbol};
use crate::output::Counted;
use crate::people::PeopleIndex;
use crate::retractions::Retractions;
use crate::rows::Chunk;

/// The tenant under which signals are quarantined whose tenant's name is missing or invalid.
pub use af_model::name::INVALID_TENANT;

/// Rows of a chunk unless told otherwise.
const CHUNK_ROWS: usize = 65_536;

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
    retractions: Retractions,
    cut: Cut,
    hash_key: HashKey,
    hasher: DefaultHashBuilder,
    chunk_rows: usize,
    pending: Vec<Columns>,
    pending_rows: usize,
    chunks: Vec<Chunk>,
    names: Names,
    classes: Classes,
}

impl<'p> Counter<'p> {
    /// A count of nothing yet. `retractions` should be as known at the cut's `known_at`, and `key`
    /// the one that `people` was built with.
    pub fn new(people: &'p PeopleIndex, retractions: Retractions, cut: Cut, key: &HashKey) -> Self {
        Self {
            people,
            retractions,
            cut,
            hash_key: key.clone(),
            hasher: DefaultHashBuilder::default(),
            chunk_rows: CHUNK_ROWS,
            pending: Vec::new(),
            pending_rows: 0,
            chunks: Vec::new(),
            names: Names::default(),
            classes: Classes::default(),
        }
    }

    /// Sets how many rows one thread decodes at a time (65,536 by default, at least 1). Speed and
    /// memory change with it, the result does not.
    #[must_use]
    pub fn with_chunk_rows(mut self, rows: usize) -> Self {
        self.chunk_rows = rows.max(1);
        self
    }

    /// Takes in anybody's batch of `attack_signals`. Rows that break the contract are counted as
    /// quarantined.
    ///
    /// # Errors
    /// [`Error`] when a required column is absent or a column has a type from which the contract's
    /// cannot be made. The batch is not counted then, and the count may go on without it.
    pub fn push(&mut self, signals: &RecordBatch) -> Result<(), Error> {
        let columns = Columns::read(signals)?;
        self.pending_rows += columns.rows;
        self.pending.push(columns);
        // Enough for every thread to have two chunks, which evens out unequal ones.
        if self.pending_rows / self.chunk_rows >= 2 * rayon::current_num_threads() {
            self.decode_pending();
        }
        Ok(())
    }

    /// All counts.
    pub fn finish(mut self) -> Counted {
        self.decode_pending();
        drop_duplicates(&mut self.chunks, &mut self.classes, &self.names);
        let series = Series::of(&self.classes, &self.names);
        let (admitted, unmatched) = self.admit(&series);
        let assembly = Assembly {
            names: &self.names,
            classes: &self.classes,
            people: self.people,
        };
        let mut tenants = assembly.tenants();
        assembly.add_unmatched(&mut tenants, unmatched);
        let collapse = Collapse {
            chunks: &self.chunks,
            classes: &self.classes,
            names: &self.names,
            series: &series.names,
        };
        assembly.add_buckets(&mut tenants, collapse.buckets(admitted));
        debug_assert!(
            tenants.values().all(|tenant| tenant.account.closes()),
            "every signal went somewhere"
        );
        Counted { tenants }
    }

    /// Decodes what was pushed, in parallel, and adopts the chunks in their order.
    fn decode_pending(&mut self) {
        let units = units(&std::mem::take(&mut self.pending), self.chunk_rows);
        self.pending_rows = 0;
        let context = Context {
            people: self.people,
            cut: self.cut,
            hash_key: &self.hash_key,
            hasher: &self.hasher,
        };
        let chunks: Vec<Chunk> = units
            .par_iter()
            .map(|unit| decode(unit, &context))
            .collect();
        for chunk in chunks {
            self.adopt(chunk);
        }
    }

    /// Gives a chunk's classes their input-wide ids.
    fn adopt(&mut self, mut chunk: Chunk) {
        let symbols: Vec<Symbol> = std::mem::take(&mut chunk.names)
            .iter()
            .map(|name| self.names.intern(name))
            .collect();
        chunk.class_ids = chunk
            .classes
            .iter()
            .map(|stored| {
                let key = stored.key.map(|symbol| {
                    if symbol == NONE {
                        NONE
                    } else {
                        symbols[symbol as usize]
                    }
                });
                let id = self.classes.intern(key, &self.names);
                let account = &mut self.classes.get_mut(id).account;
                account.signals_read += stored.read;
                account.not_yet_known += stored.not_yet_known;
                account.quarantined += stored.quarantined;
                id
            })
            .collect();
        if !chunk.rows.is_empty() {
            self.chunks.push(chunk);
        }
    }

    fn admit(&mut self, series: &Series) -> (Vec<Admitted>, Vec<Unmatchable>) {
        let gate = Gate {
            people: self.people,
            retractions: &self.retractions,
            cut: self.cut,
            classes: &self.classes,
            names: &self.names,
            series: &series.of_class,
            hasher: &self.hasher,
        };
        let admissions: Vec<Admission> = self
            .chunks
            .par_iter()
            .enumerate()
            .map(|(position, chunk)| gate.admit(position, chunk))
            .collect();
        let mut admitted = Vec::with_capacity(admissions.iter().map(|of| of.admitted.len()).sum());
        let mut unmatched = Vec::new();
        for (chunk, admission) in self.chunks.iter().zip(admissions) {
            for (&id, tally) in chunk.class_ids.iter().zip(&admission.tallies) {
                let class = self.classes.get_mut(id);
                class.account += tally.account;
                if let Some(span) = tally.heard {
                    class.hear(span);
                }
            }
            admitted.extend(admission.admitted);
            unmatched.extend(admission.unmatched);
        }
        (admitted, unmatched)
    }
}

/// Cuts and joins batches into units of about `rows` rows, one for a thread at a time.
fn units(batches: &[Columns], rows: usize) -> Vec<Vec<Columns>> {
    let mut units = Vec::new();
    let mut unit = Vec::new();
    let mut room = rows;
    for batch in batches {
        let mut start = 0;
        while start < batch.rows {
            let len = room.min(batch.rows - start);
            unit.push(batch.slice(start, len));
            start += len;
            room -= len;
            if room == 0 {
                units.push(std::mem::take(&mut unit));
                room = rows;
            }
        }
    }
    if !unit.is_empty() {
        units.push(unit);
    }
    units
}

#[cfg(test)]
mod tests;
