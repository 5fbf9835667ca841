//! Files whose days lie mixed: their rows are cut by day first, then days are counted side by side.
//!
//! Rows wait in memory as long as they are few, then in files, one for each bucket of days. So memory is
//! that of the rows that wait and of the buckets that are counted, however many rows there are. A bucket
//! that is too large is counted tenant by tenant: in several passes over it.

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use af_count::{Counted, of_tenants};
use af_store::{Aside, Scan, Shelf, TableFile};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use rayon::prelude::*;

use super::units::{Unit, columns};
use super::{Counting, broken};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;

/// Buckets of days, where there are several: more than a window has, so that no two of its days share one.
const BUCKETS: usize = 128;

/// Rows that are cut at a time: enough that many of every day are among them.
const ROWS_AT_ONCE: usize = 1 << 18;

/// Rows of a batch that is worth its own columns; smaller ones are put together.
const ROWS_OF_A_BATCH: usize = 1 << 10;

/// Text of several batches that are put together; Arrow counts it in 31 bits.
const BYTES_AT_ONCE: usize = 1 << 30;

/// The fastest that is still much smaller.
const COMPRESSION: i32 = 1;

/// How much is done at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes that wait in memory.
    pub(super) waiting: usize,
    /// Rows that are counted together.
    pub(super) together: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            waiting: 1 << 30,
            together: 2_000_000,
        }
    }
}

/// Counts a unit bucket by bucket, and hands on what was counted of each.
pub(super) fn count(
    counting: Counting<'_>,
    unit: &Unit,
    limits: Limits,
    shelf: &Shelf,
    progress: &dyn Progress,
    take: &(impl Fn(Counted) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    let waiting = Waiting::new(
        if unit.day().is_some() { 1 } else { BUCKETS },
        limits,
        shelf,
    );
    shares(unit)
        .par_iter()
        .with_max_len(1)
        .try_for_each(|(file, groups)| waiting.read(counting, file, groups.clone(), progress))?;
    let buckets = waiting.into_buckets().into_iter();
    let (large, small): (Vec<Bucket>, Vec<Bucket>) =
        buckets.partition(|bucket| bucket.rows > limits.together);
    small
        .into_par_iter()
        .with_max_len(1)
        .try_for_each(|bucket| {
            let counted = bucket.count(counting, unit, None)?;
            progress.advance(bucket.rows as u64);
            take(counting.shown(counted))
        })?;
    for bucket in large {
        // A share of the tenants at a time, by every thread.
        let shares = bucket.rows.div_ceil(limits.together);
        let of_shares: Vec<Counted> = (0..shares)
            .into_par_iter()
            .with_max_len(1)
            .map(|share| bucket.count(counting, unit, Some((share, shares))))
            .collect::<Result<_, _>>()?;
        let mut sum = Counted::default();
        for counted in of_shares {
            sum.absorb(counted);
        }
        progress.advance(bucket.rows as u64);
        take(counting.shown(sum))?;
    }
    Ok(())
}

/// Row groups that are read together: about as many rows as are cut at a time, and less where some threads
/// would have nothing to do.
fn shares(unit: &Unit) -> Vec<(&TableFile, Range<usize>)> {
    let threads = rayon::current_num_threads();
    let fair = usize::try_from(unit.rows()).unwrap_or(usize::MAX) / (4 * threads);
    let mut shares = Vec::new();
    for file in &unit.files {
        let groups = file.row_groups().max(1);
        let rows_of_one = usize::try_from(file.rows()).unwrap_or(usize::MAX) / groups;
        let step = (fair.min(ROWS_AT_ONCE) / rows_of_one.max(1)).max(1);
        let starts = (0..file.row_groups()).step_by(step);
        shares.extend(starts.map(|from| (file, from..file.row_groups().min(from + step))));
    }
    shares
}

/// Rows on their way from files to days.
struct Waiting<'s> {
    shelf: &'s Shelf,
    in_memory: usize,
    held: Mutex<Held>,
    /// By bucket: what did not fit into memory.
    files: Vec<Mutex<Option<std::fs::File>>>,
}

/// Rows in memory.
struct Held {
    buckets: Vec<Vec<RecordBatch>>,
    /// Of every bucket, in memory or not.
    rows: Vec<usize>,
    bytes: usize,
}

/// All rows of some whole days.
struct Bucket {
    held: Vec<RecordBatch>,
    file: Option<Aside>,
    rows: usize,
}

impl<'s> Waiting<'s> {
    fn new(buckets: usize, limits: Limits, shelf: &'s Shelf) -> Self {
        Self {
            shelf,
            // What one thread writes is still there while another goes on reading.
            in_memory: limits.waiting / 2,
            held: Mutex::new(Held {
                buckets: vec![Vec::new(); buckets],
                rows: vec![0; buckets],
                bytes: 0,
            }),
            files: (0..buckets).map(|_| Mutex::new(None)).collect(),
        }
    }

    /// Takes in the rows of some row groups.
    fn read(
        &self,
        counting: Counting<'_>,
        file: &TableFile,
        groups: Range<usize>,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let columns = columns(counting, file);
        let (mut some, mut rows, mut bytes) = (Vec::new(), 0, 0);
        for batch in file.read_row_groups(groups, Some(&columns), Scan::AsWritten)? {
            let batch: RecordBatch = batch?;
            let size = batch.get_array_memory_size();
            if rows + batch.num_rows() > ROWS_AT_ONCE || bytes + size > BYTES_AT_ONCE {
                self.add(file.path(), &std::mem::take(&mut some))?;
                (rows, bytes) = (0, 0);
            }
            progress.advance(batch.num_rows() as u64);
            rows += batch.num_rows();
            bytes += size;
            some.push(batch);
        }
        self.add(file.path(), &some)
    }

    /// Cuts rows by day and lets them wait. Nothing in here works side by side: who waits for the lock
    /// must not be given the work of who has it.
    fn add(&self, file: &Path, batches: &[RecordBatch]) -> Result<(), Error> {
        if batches.is_empty() {
            return Ok(());
        }
        let cut =
            af_count::by_day(batches, self.files.len()).map_err(|error| broken(file, &error))?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.bytes += cut.rows.get_array_memory_size();
        for (bucket, rows) in cut.buckets {
            held.rows[bucket] += rows.len();
            held.buckets[bucket].push(cut.rows.slice(rows.start, rows.len()));
        }
        if held.bytes <= self.in_memory {
            return Ok(());
        }
        held.bytes = 0;
        let full = std::mem::replace(&mut held.buckets, vec![Vec::new(); self.files.len()]);
        drop((held, cut.rows));
        let full = full.iter().zip(&self.files);
        for (batches, file) in full.filter(|(batches, _)| !batches.is_empty()) {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let file = match &mut *file {
                Some(file) => file,
                none => none.insert(self.shelf.file()?),
            };
            append(file, batches).map_err(|error| unable("write", &error))?;
        }
        Ok(())
    }

    fn into_buckets(self) -> Vec<Bucket> {
        let held = self.held.into_inner();
        let held = held.unwrap_or_else(PoisonError::into_inner);
        let files = self.files.into_iter();
        let files = files.map(|file| file.into_inner().unwrap_or_else(PoisonError::into_inner));
        let parts = held.buckets.into_iter().zip(held.rows).zip(files);
        parts
            .map(|((held, rows), file)| Bucket {
                held,
                file: file.map(Aside::of_file),
                rows,
            })
            .filter(|bucket| bucket.rows > 0)
            .collect()
    }
}

impl Bucket {
    /// Counts all rows, or those of a share of the tenants.
    fn count(
        &self,
        counting: Counting<'_>,
        unit: &Unit,
        share: Option<(usize, usize)>,
    ) -> Result<Counted, Error> {
        let mut counter = counting.counter().on_this_thread();
        let mut push = |batch: &RecordBatch| {
            let pushed = match share {
                Some((share, shares)) => {
                    of_tenants(batch, share, shares).and_then(|of_share| counter.push(&of_share))
                }
                None => counter.push(batch),
            };
            pushed.map_err(|error| unit.broken(&error))
        };
        if let Some(file) = &self.file {
            each(file, &mut push)?;
        }
        let rows: usize = self.held.iter().map(RecordBatch::num_rows).sum();
        if rows / self.held.len().max(1) < ROWS_OF_A_BATCH {
            together(&self.held).iter().try_for_each(&mut push)?;
        } else {
            self.held.iter().try_for_each(&mut push)?;
        }
        let counted = counter.finish_days(&unit.days);
        counted.map_err(|error| unit.broken(&error))
    }
}

/// Batches of equal columns side by side as one, as far as that can be.
fn together(batches: &[RecordBatch]) -> Vec<RecordBatch> {
    let of_one_schema = batches.chunk_by(|left, right| left.schema() == right.schema());
    of_one_schema
        .flat_map(|some| match concat_batches(&some[0].schema(), some) {
            Ok(one) => vec![one],
            // Too much text for one.
            Err(_) => some.to_vec(),
        })
        .collect()
}

/// Writes batches behind what is there: a compressed stream of Arrow for each schema.
fn append(file: &mut std::fs::File, batches: &[RecordBatch]) -> Result<(), ArrowError> {
    for batch in together(batches) {
        let mut packed = zstd::Encoder::new(&mut *file, COMPRESSION)?;
        let mut stream = StreamWriter::try_new(&mut packed, &batch.schema())?;
        stream.write(&batch)?;
        stream.finish()?;
        drop(stream);
        packed.finish()?;
    }
    Ok(())
}

/// Reads what [`append`] wrote.
fn each(
    file: &Aside,
    push: &mut impl FnMut(&RecordBatch) -> Result<(), Error>,
) -> Result<(), Error> {
    let io = |error| unable("read", &ArrowError::from(error));
    let packed = BufReader::with_capacity(1 << 17, file.read(0..u64::MAX));
    let unpacked = zstd::Decoder::with_buffer(packed).map_err(io)?;
    let mut rest = BufReader::with_capacity(1 << 17, unpacked);
    while !rest.fill_buf().map_err(io)?.is_empty() {
        let stream = StreamReader::try_new(&mut rest, None);
        for batch in stream.map_err(|error| unable("read", &error))? {
            push(&batch.map_err(|error| unable("read", &error))?)?;
        }
    }
    Ok(())
}

fn unable(what: &str, error: &ArrowError) -> Error {
    let message = format!("{what} a temporary file of signals that wait for their day: {error}");
    Error::new(ErrorKind::Io, message).with_hint(
        "it lies on the disk that the results go to, and needs about as much room as the signals",
    )
}

#[cfg(test)]
mod tests;
