//! Rows that wait to be written: in memory up to the buffer, in sorted runs on disk beyond it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use af_model::UtcDay;
use af_model::tables::identity_events;
use af_store::{MergedBatches, Metadata, Scan, Store, table_file};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use crate::error::{Error, ErrorKind};

/// Batches of one day in the table's order.
pub(super) type Sorted = Box<dyn Iterator<Item = Result<RecordBatch, af_store::Error>>>;

/// Rows that wait to be written, by day.
#[derive(Default)]
pub(super) struct Waiting {
    days: BTreeMap<UtcDay, Vec<RecordBatch>>,
    runs: BTreeMap<UtcDay, Vec<PathBuf>>,
    bytes: usize,
}

impl Waiting {
    pub(super) fn push(&mut self, day: UtcDay, batch: RecordBatch) {
        self.bytes += batch.get_array_memory_size();
        self.days.entry(day).or_default().push(batch);
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The days that have rows.
    pub(super) fn days(&self) -> BTreeSet<UtcDay> {
        self.days.keys().chain(self.runs.keys()).copied().collect()
    }

    /// Sends everything in memory to sorted runs on disk.
    pub(super) fn spill(&mut self, store: &Store) -> Result<(), Error> {
        for (day, batches) in std::mem::take(&mut self.days) {
            let sorted = sorted(&batches)?;
            let runs = self.runs.entry(day).or_default();
            let path = store
                .tmp_dir()
                .join(format!("run-{day}-{}.parquet", runs.len()));
            table_file::write(&path, &identity_events::TABLE, [sorted], &Metadata::new())?;
            runs.push(path);
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
        Ok(Box::new(MergedBatches::open(
            &identity_events::TABLE,
            &runs,
            None,
            Scan::File,
        )?))
    }
}

fn sorted(batches: &[RecordBatch]) -> Result<RecordBatch, Error> {
    let together = concat_batches(&identity_events::TABLE.file_schema(), batches)
        .map_err(|error| Error::new(ErrorKind::Io, format!("collect events: {error}")))?;
    Ok(af_store::sorted_batch(&together, &identity_events::TABLE)?)
}
