//! What can be counted apart: files that share no UTC day.
//!
//! The footers of the files tell which days they hold. A day of one sorted file of ours is walked tenant
//! by tenant, days side by side. Several files of one day are read together, unless they are large; these,
//! and files of anybody that hold many days, are [cut by day](super::mixed) first. A footer that does not
//! tell the truth about days is found by the count and refused: two units might have shared a day.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use af_count::{Counter, ErrorKind as CountErrorKind, columns_read};
use af_model::{UtcDay, UtcMillis};
use af_store::{Scan, Shelf, TableFile};
use rayon::prelude::*;

use super::mixed::{self, Limits};
use super::take::TakeDays;
use super::{Counting, broken, open};
use crate::error::Error;
use crate::progress::Progress;

/// Rows of several days that are counted as they come. More are cut by day first.
const FEW: u64 = 1 << 18;

/// Files that share no day with the files of another unit.
pub(super) struct Unit {
    pub(super) days: RangeInclusive<UtcDay>,
    pub(super) files: Vec<TableFile>,
}

impl Unit {
    /// The day, if there is only one.
    pub(super) fn day(&self) -> Option<UtcDay> {
        let is_one = self.days.start() == self.days.end() && self.rows() > 0;
        is_one.then(|| *self.days.start())
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.files.iter().map(|file| file.path().to_owned())
    }

    /// What is wrong with the columns of its files.
    pub(super) fn broken(&self, error: &af_count::Error) -> Error {
        let first = self.files.first().map(TableFile::path);
        broken(first.unwrap_or_else(|| Path::new("signals")), error)
    }

    pub(super) fn rows(&self) -> u64 {
        self.files.iter().map(TableFile::rows).sum()
    }

    /// The only day of a single file in the table's order.
    fn partition(&self) -> Option<(UtcDay, &TableFile)> {
        match (self.day(), self.files.as_slice()) {
            (Some(day), [file]) if file.is_ours() => Some((day, file)),
            _ => None,
        }
    }
}

/// Cuts files into units, in the order of their days.
///
/// # Errors
/// A file cannot be opened.
pub(super) fn of_files(paths: &[PathBuf]) -> Result<Vec<Unit>, Error> {
    let all_days = UtcDay(i32::MIN)..=UtcDay(i32::MAX);
    let files: Vec<TableFile> = paths
        .iter()
        .map(|path| open(path))
        .collect::<Result<_, _>>()?;
    let mut units: Vec<Unit> = files
        .into_iter()
        .map(|file| Unit {
            days: days_of(&file).unwrap_or_else(|| all_days.clone()),
            files: vec![file],
        })
        .collect();
    units.sort_by_key(|unit| *unit.days.start());
    let mut apart: Vec<Unit> = Vec::with_capacity(units.len());
    for mut unit in units {
        match apart.last_mut() {
            Some(last) if unit.days.start() <= last.days.end() => {
                let end = *last.days.end().max(unit.days.end());
                last.days = *last.days.start()..=end;
                last.files.append(&mut unit.files);
            }
            _ => apart.push(unit),
        }
    }
    Ok(apart)
}

/// The days that a file says it holds; `None` when it does not say.
fn days_of(file: &TableFile) -> Option<RangeInclusive<UtcDay>> {
    if file.rows() == 0 {
        // Nothing is of no day; an early one keeps it apart from the others.
        return Some(UtcDay(i32::MIN)..=UtcDay(i32::MIN));
    }
    let times = file.instants("time")?;
    let day = |at: UtcMillis| UtcMillis::checked(at.0).ok().map(UtcMillis::day);
    Some(day(*times.start())?..=day(*times.end())?)
}

/// Counts units and hands on what was counted of whole days.
pub(super) fn count(
    counting: Counting<'_>,
    units: Vec<Unit>,
    shelf: &Shelf,
    progress: &dyn Progress,
    take: &impl TakeDays,
) -> Result<(), Error> {
    // A row is read, and then it is counted.
    progress.expect(2 * units.iter().map(Unit::rows).sum::<u64>());
    let (partitions, others): (Vec<Unit>, Vec<Unit>) = units
        .into_iter()
        .partition(|unit| unit.partition().is_some());
    partitions.par_iter().try_for_each(|unit| {
        count_partition(counting, unit, take)?;
        progress.advance(2 * unit.rows());
        Ok::<(), Error>(())
    })?;
    let limits = Limits::default();
    let (few, many): (Vec<Unit>, Vec<Unit>) = others.into_iter().partition(|unit| {
        let is_day = unit.day().is_some();
        unit.rows() <= if is_day { limits.together as u64 } else { FEW }
    });
    few.par_iter().try_for_each(|unit| {
        count_together(counting, unit, take)?;
        progress.advance(2 * unit.rows());
        Ok::<(), Error>(())
    })?;
    for unit in &many {
        let take = |counted| take.days(unit.day(), counted);
        mixed::count(counting, unit, limits, shelf, progress, &take)?;
    }
    Ok(())
}

/// Counts one sorted file of one day, and holds one tenant's rows at a time.
fn count_partition(counting: Counting<'_>, unit: &Unit, take: &impl TakeDays) -> Result<(), Error> {
    let Some((day, file)) = unit.partition() else {
        return count_together(counting, unit, take);
    };
    let mut partition = counting.partition(day);
    let mut taken = take.begin(day)?;
    for batch in file.read(Some(&columns(counting, file)), Scan::AsWritten)? {
        let keep = |counted| Ok(taken.tenants(counting.shown(counted))?);
        match partition.push(&batch?, keep) {
            Ok(()) => {}
            // Somebody wrote the file as if we had, and in another order.
            Err(Stopped::Count(error)) if error.kind() == CountErrorKind::Unsorted => {
                drop(taken);
                return count_together(counting, unit, take);
            }
            Err(Stopped::Count(error)) => return Err(broken(file.path(), &error)),
            Err(Stopped::Keep(error)) => return Err(error),
        }
    }
    partition.finish(|counted| taken.tenants(counting.shown(counted)))?;
    taken.end()
}

/// Why a partition was not counted to its end.
enum Stopped {
    Count(af_count::Error),
    Keep(Error),
}

impl From<af_count::Error> for Stopped {
    fn from(error: af_count::Error) -> Self {
        Self::Count(error)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Keep(error)
    }
}

/// The columns of a file that a count reads.
pub(super) fn columns(counting: Counting<'_>, file: &TableFile) -> Vec<&'static str> {
    let mut columns = columns_read(counting.retractions);
    columns.retain(|name| file.is_worth_decoding(name));
    columns
}

/// Counts files in any order, all their rows at once.
fn count_together(counting: Counting<'_>, unit: &Unit, take: &impl TakeDays) -> Result<(), Error> {
    let mut counter = counting.counter().on_this_thread();
    for file in &unit.files {
        push_file(&mut counter, counting, file)?;
    }
    let counted = counter.finish_days(&unit.days);
    let counted = counted.map_err(|error| unit.broken(&error))?;
    take.days(unit.day(), counting.shown(counted))
}

/// Pushes all rows of a file.
pub(super) fn push_file(
    counter: &mut Counter<'_>,
    counting: Counting<'_>,
    file: &TableFile,
) -> Result<(), Error> {
    for batch in file.read(Some(&columns(counting, file)), Scan::AsWritten)? {
        counter
            .push(&batch?)
            .map_err(|error| broken(file.path(), &error))?;
    }
    Ok(())
}
