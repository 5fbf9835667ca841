//! Rows that wait to be written: in memory up to the buffer, in sorted runs on disk beyond it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use af_model::UtcDay;
use af_model::tables::identity_events;
use af_store::{MergedBatches, Metadata, Scan, Scratch, Store, table_file};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use crate::error::{Error, ErrorKind};

/// Batches of one day in the table's order.
pub(super) type Sorted = Box<dyn Iterator<Item = Result<RecordBatch, af_store::Error>>>;

/// Rows that wait to be written, by day.
#[derive(Default)]
pub(super) struct Waiting {
    days: BTreeMap<UtcDay, Vec<RecordBatch>>,
    runs: BTreeMap<UtcDay, Vec<Scratch>>,
    bytes: usize,
}

impl Waiting {
    pub(super) fn push(&mut self, day: UtcDay, batch: RecordBatch) {
        self.bytes += batch.get_array_memory_size();
        self.days.entry(day).or_default().push(batch);
    }

    /// Sends what waits to disk if it is more than may wait.
    pub(super) fn make_room(&mut self, store: &Store, most: usize) -> Result<(), Error> {
        if self.bytes > most {
            self.spill(store)?;
        }
        Ok(())
    }

    /// The days that have rows.
    pub(super) fn days(&self) -> BTreeSet<UtcDay> {
        self.days.keys().chain(self.runs.keys()).copied().collect()
    }

    /// Sends everything in memory to sorted runs on disk.
    fn spill(&mut self, store: &Store) -> Result<(), Error> {
        for (day, batches) in std::mem::take(&mut self.days) {
            let sorted = sorted(&batches)?;
            let run = store.scratch(&format!("run-{day}"));
            let table = &identity_events::TABLE;
            table_file::write(run.path(), table, [sorted], &Metadata::new())?;
            self.runs.entry(day).or_default().push(run);
        }
        self.bytes = 0;
        Ok(())
    }

    /// Once a run is on disk, the rest joins it: a day is either all in memory or all in runs.
    pub(super) fn settle(&mut self, store: &Store) -> Result<(), Error> {
        if self.runs.is_empty() {
            Ok(())
        } else {
            self.spill(store)
        }
    }

    /// The rows of a day in the table's order; they no longer wait.
    pub(super) fn take(&mut self, day: UtcDay) -> Result<Sorted, Error> {
        if let Some(batches) = self.days.remove(&day) {
            return Ok(Box::new(std::iter::once(Ok(sorted(&batches)?))));
        }
        let runs = self.runs.remove(&day).unwrap_or_default();
        let paths: Vec<PathBuf> = runs.iter().map(Scratch::path).map(Path::to_owned).collect();
        let merged = MergedBatches::open(&identity_events::TABLE, &paths, None, Scan::File)?;
        // The runs stay until they are read.
        Ok(Box::new(merged.inspect(move |_| {
            let _ = &runs;
        })))
    }
}

fn sorted(batches: &[RecordBatch]) -> Result<RecordBatch, Error> {
    let together = concat_batches(&identity_events::TABLE.file_schema(), batches)
        .map_err(|error| Error::new(ErrorKind::Io, format!("collect events: {error}")))?;
    Ok(af_store::sorted_batch(&together, &identity_events::TABLE)?)
}
