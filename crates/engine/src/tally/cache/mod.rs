//! Days that were counted before are not counted again.
//!
//! What was counted of a day of a store stays right as long as its files are the same, nothing in them is
//! later than the cut, and nothing that became known since touches it: a retraction of one of its signals,
//! or a key of the directory that stands for somebody else and that one of its signals names. Such a
//! change costs the columns that tell whom it touches, and a new count of the days that it does touch.
//! The files of a day that stays are not even opened.
//!
//! Kept is one file a day beside `index.json`, which says of what each was made, and `people`, what every
//! key stood for. All of it may be deleted at any time. Only days whose signals were all known and past
//! are kept, so what is kept is the same for every later cut. What is kept is checked while it is read:
//! that it changed may be found as late as while people are scored
//! ([`ErrorKind::Derived`](crate::ErrorKind::Derived)).

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use af_count::{Counted, statements};
use af_model::UtcDay;
use af_model::manifest::FileEntry;
use af_model::tables::retractions;
use af_store::{Shelf, Store, WriteLock};
use rayon::prelude::*;

use super::Counting;
use super::counted::{Collect, CountedDays, changed};
use super::kept::{Kept, Writer};
use super::take::Keep;
use super::units::{self, Unit};
use crate::error::Error;
use crate::progress::Progress;
use crate::publish::{entries, entry_path};
use changes::Changes;
use index::{Day, Index, Targets, name_of, state_hash};

mod changes;
mod index;

/// What [`count_store`] works on.
#[derive(Clone, Copy)]
pub(crate) struct StoreCount<'a> {
    pub(crate) store: &'a Store,
    pub(crate) lock: &'a WriteLock,
    pub(crate) counting: Counting<'a>,
    /// All statements of the store.
    pub(crate) retracted: &'a [retractions::Row],
    /// For days that are not kept.
    pub(crate) shelf: &'a Shelf,
}

/// What counts of a store.
pub(crate) struct StoreCounted<'a> {
    pub(crate) counted: CountedDays<'a>,
    /// The files that it comes from.
    pub(crate) inputs: Vec<FileEntry>,
    /// Days that were counted before.
    pub(crate) kept: Vec<UtcDay>,
}

/// Counts files of a store, days that were counted before from what was kept of them, and says of every
/// file what it is.
///
/// # Errors
/// A file cannot be read or is damaged; what is kept cannot be written.
pub(crate) fn count_store<'a>(
    job: StoreCount<'a>,
    files: &[PathBuf],
    progress: &dyn Progress,
) -> Result<StoreCounted<'a>, Error> {
    let StoreCount {
        store,
        lock,
        counting,
        retracted,
        shelf,
    } = job;
    progress.begin("counting signals", None);
    let states = counting.people.key_states(counting.cut.as_of);
    let people = state_hash(&states);
    let targets: Targets = statements(retracted, counting.cut.known_at)
        .into_iter()
        .filter(|(_, statement)| statement.retracts)
        .map(|((tenant, kind, uid), _)| {
            (tenant.to_owned(), kind.as_str().to_owned(), uid.to_owned())
        })
        .collect();
    let before = Index::read(store)?;
    let changes = Changes::since(&before, store, (&states, &people), &targets)?;
    let Found { kept, fresh } = match changes {
        Some(changes) => find(job, files, &before, &changes)?,
        None => Found {
            kept: Vec::new(),
            fresh: units::of_files(files)?,
        },
    };
    let paths = |unit: &Unit| unit.paths().collect::<Vec<_>>();
    let of_fresh = fresh.par_iter().map(|unit| entries(&paths(unit)));
    let of_fresh: Vec<Vec<FileEntry>> = of_fresh.collect::<Result<_, Error>>()?;
    let dates = fresh.iter().map(Unit::day);
    let made = dates
        .zip(&of_fresh)
        .filter_map(|(date, files)| Some((date?, files.as_slice())));
    // What was made with later knowledge is not replaced by what a look into the past finds.
    let keeps = before.known_at <= counting.cut.known_at;
    let mut index = Index::new(counting.cut.known_at, people, targets);
    let (mut counted_before, mut counts) = (Vec::new(), Vec::new());
    let mut inputs = of_fresh.concat();
    for KeptDay { date, day, kept } in kept {
        inputs.extend(day.files.iter().cloned());
        index.days.insert(date, day);
        counted_before.push(date);
        counts.push(kept);
    }
    let is_replaced = |unit: &Unit| {
        unit.day()
            .is_some_and(|date| before.days.contains_key(&date))
    };
    let mut people_before = &before.people;
    let people = index.people.clone();
    if keeps && fresh.iter().any(is_replaced) {
        // Days that are counted anew are forgotten first: a run that stops on the way leaves no counts
        // under an index that was made of other people or retractions.
        index.write(people_before, store, lock, &states)?;
        people_before = &people;
    }
    let receiver = Receiver {
        job,
        made: made.collect(),
        keeps,
        collect: Collect::new(shelf, CountedDays::none(counting.people)),
        days: Mutex::default(),
    };
    let keep = Keep {
        people: counting.people,
        take: |date, written: Writer<'_>| receiver.take(date, written),
    };
    let (done, sums) = rayon::join(
        || units::count(counting, fresh, shelf, progress, &keep),
        || sums_of(&counts),
    );
    done?;
    let sums = sums?;

    let Receiver { collect, days, .. } = receiver;
    let days = days.into_inner().unwrap_or_else(PoisonError::into_inner);
    index.days.extend(days);
    let mut counted = collect.finish();
    counted.add(counts, sums);
    if keeps {
        index.write(people_before, store, lock, &states)?;
        index.remove_others(store, lock)?;
    }
    progress.end();
    Ok(StoreCounted {
        counted,
        inputs,
        kept: counted_before,
    })
}

/// Receives days that are counted now, and keeps those that count at any later cut as they count now.
struct Receiver<'a, 'f> {
    job: StoreCount<'a>,
    /// The files of days.
    made: BTreeMap<UtcDay, &'f [FileEntry]>,
    /// Whether to keep any.
    keeps: bool,
    collect: Collect<'a>,
    /// What was kept.
    days: Mutex<BTreeMap<UtcDay, Day>>,
}

impl Receiver<'_, '_> {
    fn take(&self, date: Option<UtcDay>, written: Writer<'_>) -> Result<(), Error> {
        let StoreCount {
            store, lock, shelf, ..
        } = self.job;
        let made = date.and_then(|date| Some((date, self.made.get(&date)?)));
        let settled = made.filter(|_| self.keeps).and_then(|(date, files)| {
            let day = Day::settled(files, written.sums())?;
            Some((date, day))
        });
        let Some((date, day)) = settled else {
            return self.collect.put(written);
        };
        let (bytes, sums) = written.finish_under(&day.id());
        store.keep_counts(lock, &name_of(date), &bytes)?;
        match store.open_counts(&name_of(date))? {
            Some(aside) => self.collect.add(aside, sums)?,
            // Somebody empties the cache while it is filled.
            None => self.collect.add(shelf.put(bytes)?, sums)?,
        }
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.insert(date, day);
        Ok(())
    }
}

/// What there is of files.
struct Found {
    /// Days that were counted before.
    kept: Vec<KeptDay>,
    /// All else.
    fresh: Vec<Unit>,
}

struct KeptDay {
    date: UtcDay,
    day: Day,
    kept: Kept,
}

/// Tells days whose counts are kept and right from files that are to be counted.
fn find(
    job: StoreCount<'_>,
    files: &[PathBuf],
    index: &Index,
    changes: &Changes,
) -> Result<Found, Error> {
    let (mut by_day, mut others) = by_known_day(files, index);
    let checked: Vec<(UtcDay, Option<KeptDay>)> = by_day
        .par_iter()
        .map(|(&date, files)| Ok((date, kept_day(job, (date, index), files, changes)?)))
        .collect::<Result<_, Error>>()?;
    let mut kept = Vec::with_capacity(checked.len());
    for (date, found) in checked {
        match found {
            Some(day) => kept.push(day),
            None => others.extend(by_day.remove(&date).unwrap_or_default()),
        }
    }
    let fresh = units::of_files(&others)?;
    // Other files may hold signals of the same days.
    let is_alone = |kept: &KeptDay| !fresh.iter().any(|unit| unit.days.contains(&kept.date));
    let (alone, shared): (Vec<KeptDay>, Vec<KeptDay>) = kept.into_iter().partition(is_alone);
    if shared.is_empty() {
        return Ok(Found { kept: alone, fresh });
    }
    for kept in &shared {
        others.extend(by_day.remove(&kept.date).unwrap_or_default());
    }
    Ok(Found {
        kept: alone,
        fresh: units::of_files(&others)?,
    })
}

/// Files of days of which something was kept, by name, and all others.
fn by_known_day(
    files: &[PathBuf],
    index: &Index,
) -> (BTreeMap<UtcDay, Vec<PathBuf>>, Vec<PathBuf>) {
    let of_days = index.days.iter();
    let day_of: HashMap<&str, UtcDay> = of_days
        .flat_map(|(&date, day)| day.files.iter().map(move |file| (file.path.as_str(), date)))
        .collect();
    let mut by_day: BTreeMap<UtcDay, Vec<PathBuf>> = BTreeMap::new();
    let mut others = Vec::new();
    for path in files {
        match day_of.get(entry_path(path).as_str()) {
            Some(&date) => by_day.entry(date).or_default().push(path.clone()),
            None => others.push(path.clone()),
        }
    }
    (by_day, others)
}

/// What was kept of a day, if it is still right.
fn kept_day(
    job: StoreCount<'_>,
    (date, index): (UtcDay, &Index),
    files: &[PathBuf],
    changes: &Changes,
) -> Result<Option<KeptDay>, Error> {
    let Some(day) = index.days.get(&date) else {
        return Ok(None);
    };
    if !day.is_past(job.counting.cut) || !is_made_of(day, files)? || changes.touch(files)? {
        return Ok(None);
    }
    let aside = job.store.open_counts(&name_of(date))?;
    let kept = aside.and_then(|aside| Kept::open_made_of(aside, &day.id()));
    Ok(kept.map(|kept| KeptDay {
        date,
        day: day.clone(),
        kept,
    }))
}

/// Whether a day's files are those that its counts were made of.
fn is_made_of(day: &Day, files: &[PathBuf]) -> Result<bool, Error> {
    if day.files.len() != files.len() {
        return Ok(false);
    }
    for path in files {
        let name = entry_path(path);
        let Some(known) = day.files.iter().find(|file| file.path == name) else {
            return Ok(false);
        };
        let is_same = if af_store::is_named_by_content(path) {
            path.metadata()
                .is_ok_and(|found| found.len() == known.bytes)
        } else {
            af_store::checksum(path)?.blake3 == known.blake3
        };
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What kept days say besides rows, added up.
fn sums_of(days: &[Kept]) -> Result<Counted, Error> {
    // A sum for every thread, because making one costs as much as adding a day.
    let a_thread = days.len().div_ceil(rayon::current_num_threads()).max(1);
    let sums = days.par_chunks(a_thread).map(|days| {
        let mut sums = Counted::default();
        let mut days = days.iter();
        days.try_for_each(|day| day.add_sums(&mut sums))?;
        Some(sums)
    });
    let both = |mut one: Counted, another: Counted| {
        one.absorb(another);
        Some(one)
    };
    sums.try_reduce(Counted::default, both).ok_or_else(changed)
}

#[cfg(test)]
mod tests;
