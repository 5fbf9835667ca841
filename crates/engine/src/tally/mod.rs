//! From attack signals to counts: fixes the cut and feeds every signal to `af-count`.

use std::path::{Path, PathBuf};

use af_count::{
    ByDay, Counted, Counter, IndexBuilder, Partition, PeopleIndex, Retractions, Unmatched,
};
use af_model::tables::attack_signals;
use af_model::{HashKey, Person, UtcDay, UtcMillis};
use af_store::{Scan, Shelf, TableFile};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};

use crate::error::{Error, ErrorKind};
use crate::pipeline::LeftOut;
use crate::progress::Progress;
use counted::Collect;
use take::Keep;

pub use af_count::Cut;

mod cache;
mod counted;
mod kept;
mod mixed;
mod take;
#[cfg(test)]
mod testing;
mod units;

pub(crate) use cache::{StoreCount, StoreCounted, count_store};
pub(crate) use counted::CountedDays;
pub(crate) use take::{TakeDays, TakeTenants};

/// Stands in where there is no key; nothing hashed with it is ever written.
const NO_KEY: HashKey = HashKey::new([0; 32]);

/// The cut as asked for; what is left open follows from the signals (af-1 §2.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct AskedCut {
    /// Signals up to here count.
    pub as_of: Option<UtcMillis>,
    /// What was known by then counts.
    pub known_at: Option<UtcMillis>,
}

/// What the input itself tells about time.
#[derive(Clone, Copy, Debug, Default)]
pub struct LatestKnown {
    /// When the latest signal or event became known.
    pub feed: Option<UtcMillis>,
    /// When the latest correction became known: a retraction, a version of the directory.
    pub corrections: Option<UtcMillis>,
}

/// Fixes the cut. `known_at` defaults to the latest instant at which anything became known, so that
/// a correction counts from the next run on; `as_of` to an asked `known_at`, else to the latest
/// `ingested_at` of the feed, which a correction of old data does not move; without any
/// `ingested_at`, `known_at` is `as_of`. Never the clock.
///
/// ```
/// use af_engine::tally::{AskedCut, LatestKnown, fix_cut};
/// use af_model::UtcMillis;
/// let latest = LatestKnown { feed: Some(UtcMillis(10)), corrections: Some(UtcMillis(30)) };
/// let cut = fix_cut(AskedCut::default(), latest).unwrap();
/// assert_eq!((cut.as_of, cut.known_at), (UtcMillis(10), UtcMillis(30)));
/// ```
///
/// # Errors
/// [`ErrorKind::Usage`] when nothing tells an instant.
pub fn fix_cut(asked: AskedCut, latest: LatestKnown) -> Result<Cut, Error> {
    let as_of = asked.as_of.or(asked.known_at).or(latest.feed);
    let known_at = asked
        .known_at
        .or(latest.feed.max(latest.corrections))
        .or(asked.as_of);
    match (as_of, known_at) {
        (Some(as_of), Some(known_at)) => Ok(Cut { as_of, known_at }),
        _ => Err(Error::new(
            ErrorKind::Usage,
            "tell the point in time: there are no events or signals, or none says when it was \
             ingested",
        )
        .with_hint("give --as-of, e.g. --as-of 2026-11-20")),
    }
}

/// The latest `ingested_at` of signal files; reads their footers, or that column only. Values that are no instant
/// belong to rows that will be quarantined, and tell nothing.
///
/// # Errors
/// A file cannot be read, or its column holds no instants at all.
pub fn latest_ingested(files: &[PathBuf]) -> Result<Option<UtcMillis>, Error> {
    const COLUMN: &str = "ingested_at";
    let mut latest: Option<UtcMillis> = None;
    for path in files {
        let file = open(path)?;
        // What this program wrote tells it in the footer.
        if file.is_ours()
            && let Some(told) = file.instants(COLUMN)
            && UtcMillis::checked(told.end().0).is_ok()
        {
            latest = latest.max(Some(*told.end()));
            continue;
        }
        for batch in file.read(Some(&[COLUMN]), Scan::AsWritten)? {
            let batch = batch?;
            let Some(column) = batch.column_by_name(COLUMN) else {
                continue;
            };
            let wanted = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
            let instants = arrow::compute::cast(column, &wanted).map_err(|error| {
                let problem = format!("column {COLUMN} of {}: {error}", path.display());
                Error::new(ErrorKind::Io, format!("read {problem}"))
            })?;
            let found = instants
                .as_primitive::<TimestampMillisecondType>()
                .iter()
                .flatten()
                .filter_map(|millis| UtcMillis::checked(millis).ok());
            latest = latest.max(found.max());
        }
    }
    Ok(latest)
}

/// Everybody's keys, and everybody sorted and once each. Without a key of hashed names, hashed subjects
/// match nobody.
pub fn index(people: Vec<Person>, key: Option<&HashKey>) -> (PeopleIndex, Vec<Person>) {
    PeopleIndex::with_people(people, key.unwrap_or(&NO_KEY))
}

/// As [`index`], one person at a time.
pub(crate) fn index_builder(key: Option<&HashKey>) -> IndexBuilder {
    IndexBuilder::new(key.unwrap_or(&NO_KEY))
}

/// What a count asks of every signal.
#[derive(Clone, Copy)]
pub struct Counting<'a> {
    /// Everybody's keys.
    pub people: &'a PeopleIndex,
    /// What was taken back, as known at the cut.
    pub retractions: &'a Retractions,
    /// Up to when signals count.
    pub cut: Cut,
    /// The key of hashed names. Without one, unmatched identifiers are left out: a key that anybody
    /// knows would not hide them.
    pub key: Option<&'a HashKey>,
}

/// Counts the signals of files, and puts aside what was counted of their days.
///
/// A row that breaks the contract is counted as quarantined; a file whose columns do, or that a
/// newer program wrote, is refused.
///
/// # Errors
/// A file cannot be read or breaks the contract.
pub(crate) fn count<'a>(
    counting: Counting<'a>,
    files: &[PathBuf],
    shelf: &'a Shelf,
    progress: &dyn Progress,
) -> Result<CountedDays<'a>, Error> {
    let collect = Collect::new(shelf, CountedDays::none(counting.people));
    let keep = Keep {
        people: counting.people,
        take: |_, written| collect.put(written),
    };
    count_days(counting, files, shelf, progress, &keep)?;
    Ok(collect.finish())
}

/// Where a run that writes to a folder puts aside what it does not hold.
pub(crate) fn shelf(folder: &Path) -> Shelf {
    Shelf::new(folder, counted::IN_MEMORY)
}

/// Counts signals that were never written beside those of files, and holds all that was counted.
pub(crate) fn count_with(
    counting: Counting<'_>,
    unwritten: &[RecordBatch],
    files: &[PathBuf],
    progress: &dyn Progress,
) -> Result<Counted, Error> {
    let mut counter = counting.counter();
    for batch in unwritten {
        counter
            .push(batch)
            .map_err(|error| broken(Path::new("the rules"), &error))?;
    }
    progress.begin("counting signals", Some(files.len() as u64));
    for file in files {
        units::push_file(&mut counter, counting, &open(file)?)?;
        progress.advance(1);
    }
    progress.end();
    Ok(counting.shown(counter.finish()))
}

/// Counts the signals of files and hands on what was counted of whole UTC days. What was handed on is not
/// held.
///
/// # Errors
/// As [`count`], and what `take` says.
pub(crate) fn count_days(
    counting: Counting<'_>,
    files: &[PathBuf],
    shelf: &Shelf,
    progress: &dyn Progress,
    take: &impl TakeDays,
) -> Result<(), Error> {
    progress.begin("counting signals", None);
    let units = units::of_files(files)?;
    units::count(counting, units, shelf, progress, take)?;
    progress.end();
    Ok(())
}

impl<'a> Counting<'a> {
    fn counter(self) -> Counter<'a> {
        let key = self.key.unwrap_or(&NO_KEY);
        Counter::new(self.people, self.retractions, self.cut, key)
    }

    fn partition(self, day: UtcDay) -> Partition<'a> {
        let key = self.key.unwrap_or(&NO_KEY);
        Partition::new(self.people, self.retractions, self.cut, key, day)
    }

    fn by_day(self) -> ByDay<'a> {
        let key = self.key.unwrap_or(&NO_KEY);
        ByDay::new(self.people, self.retractions, self.cut, key)
    }

    /// What may be shown of what was counted.
    fn shown(self, mut counted: Counted) -> Counted {
        if self.key.is_none() {
            counted
                .tenants
                .values_mut()
                .for_each(|counts| forget_identifiers(&mut counts.unmatched));
        }
        counted
    }
}

fn open(path: &Path) -> Result<TableFile, Error> {
    Ok(TableFile::open(path, &attack_signals::TABLE)?)
}

/// Tenants whose account of signals does not close; nothing about them can be trusted.
pub(crate) fn unclosed(counted: &Counted) -> LeftOut {
    let tenants = counted.tenants.iter();
    tenants
        .filter(|(_, counts)| !counts.account.closes())
        .map(|(tenant, counts)| {
            let account = counts.account;
            let reason = format!("the account of signals does not close: {account:?}");
            (tenant.clone(), reason)
        })
        .collect()
}

/// Leaves out the hashes of identifiers and adds up the rows that are then alike.
fn forget_identifiers(unmatched: &mut Vec<Unmatched>) {
    for row in unmatched.iter_mut() {
        row.subject_hash = None;
    }
    // The rows are sorted and the hash comes last, so alike rows stand side by side.
    unmatched.dedup_by(|later, kept| {
        let alike = Unmatched {
            n: kept.n,
            ..later.clone()
        } == *kept;
        if alike {
            kept.n += later.n;
        }
        alike
    });
}

fn broken(file: &Path, error: &af_count::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("count the signals of {}: {error}", file.display()),
    )
}
