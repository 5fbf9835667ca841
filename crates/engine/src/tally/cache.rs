//! Days that were counted before are not counted again.
//!
//! What was counted of a day of a store stays right as long as its files are the same, nothing in them is
//! later than the cut, and nothing that became known since touches it: a retraction of one of its signals,
//! or a key of the directory that stands for somebody else and that one of its signals names. Such a
//! change costs the columns that tell whom it touches, and a new count of the days that it does touch.
//!
//! Kept is one file a day beside `index.json`, which says of what each was made, and `people`, what every
//! key stood for. All of it may be deleted at any time. Only days whose signals were all known and past
//! are kept, so what is kept is the same for every later cut.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use af_count::{ChangedKeys, Counted, KeyStates, Subject, statements};
use af_model::manifest::FileEntry;
use af_model::tables::retractions;
use af_model::{HexHash, UtcDay, UtcMillis};
use af_store::{Scan, Shelf, Store, TableFile, WriteLock};
use arrow::array::{Array, AsArray, StringArray};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Counting;
use super::counted::{Collect, CountedDays};
use super::kept::{Kept, Writer};
use super::take::Keep;
use super::units::{self, Unit};
use crate::error::Error;
use crate::progress::Progress;
use crate::publish::entries;

/// Rises when the same signals are counted otherwise, or kept otherwise.
const SHAPE: u32 = 3;

const INDEX: &str = "index.json";
const PEOPLE: &str = "people";

/// Tenant, kind and id of what is retracted.
type Targets = BTreeSet<(String, String, String)>;

/// Of what the kept counts were made.
#[derive(Default, Serialize, Deserialize)]
struct Index {
    shape: u32,
    /// What was known when they were made.
    known_at: UtcMillis,
    /// Hash of what every key stood for.
    people: String,
    retracted: Targets,
    days: BTreeMap<UtcDay, Day>,
}

/// Of what the counts of a day were made.
#[derive(Clone, Serialize, Deserialize)]
struct Day {
    files: Vec<FileEntry>,
    /// The latest signal.
    latest: Option<UtcMillis>,
    /// When the last of its signals became known.
    latest_ingested: Option<UtcMillis>,
}

impl Day {
    /// The name under which the counts know of what they were made.
    fn id(&self) -> String {
        let checksums = self.files.iter().map(|file| file.blake3.as_str());
        HexHash::of_parts(checksums).to_string()
    }
}

/// What changed since the counts were kept.
struct Changes {
    keys: ChangedKeys,
    retracted: Targets,
}

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
    progress.begin("counting signals", Some(files.len() as u64));
    let states = counting.people.key_states(counting.cut.as_of);
    let people = state_hash(&states);
    let targets: Targets = statements(retracted, counting.cut.known_at)
        .into_iter()
        .filter(|(_, statement)| statement.retracts)
        .map(|((tenant, kind, uid), _)| {
            (tenant.to_owned(), kind.as_str().to_owned(), uid.to_owned())
        })
        .collect();
    let index = read_index(store)?;
    let changes = changes(store, &index, (&states, &people), &targets)?;
    let found: Vec<Found> = units::of_files(files)?
        .into_par_iter()
        .map(|unit| {
            let files = unit.files.len() as u64;
            let found = find(job, unit, &index, changes.as_ref())?;
            if matches!(found, Found::Kept(..)) {
                progress.advance(files);
            }
            Ok(found)
        })
        .collect::<Result<_, Error>>()?;
    let mut inputs = Vec::new();
    let mut kept = Vec::new();
    let mut counted = CountedDays::none(counting.people);
    let mut days = BTreeMap::new();
    let mut fresh = Vec::new();
    let mut made: BTreeMap<UtcDay, Vec<FileEntry>> = BTreeMap::new();
    for found in found {
        match found {
            Found::Kept(day, known, of_day) => {
                inputs.extend(known.files.iter().cloned());
                days.insert(day, known);
                kept.push(day);
                counted.add(of_day);
            }
            Found::Fresh(unit, files) => {
                inputs.extend(files.iter().cloned());
                made.extend(unit.day().map(|day| (day, files)));
                fresh.push(unit);
            }
        }
    }
    // What was made with later knowledge is not replaced by what a look into the past finds.
    let keeps = index.known_at <= counting.cut.known_at;
    let collect = Collect::new(shelf, counted);
    let days = Mutex::new(days);
    let take = |unit_day: Option<UtcDay>, written: Writer<'_>| {
        let of_unit = written.sums();
        let made = unit_day.and_then(|day| Some((day, made.get(&day)?)));
        let Some((day, files)) = made.filter(|_| keeps && is_settled(of_unit)) else {
            return collect.put(written);
        };
        let known = Day {
            files: files.clone(),
            latest: latest_signal(of_unit),
            latest_ingested: of_unit.latest_ingested,
        };
        let bytes = written.finish(&known.id());
        store.keep_counts(lock, &name_of(day), &bytes)?;
        match store.open_counts(&name_of(day))? {
            Some(aside) => collect.add(aside)?,
            // Somebody empties the cache while it is filled.
            None => collect.add(shelf.put(bytes)?)?,
        }
        let mut days = days.lock().unwrap_or_else(PoisonError::into_inner);
        days.insert(day, known);
        Ok(())
    };
    let keep = Keep {
        people: counting.people,
        take,
    };
    units::count(counting, fresh, shelf, progress, &keep)?;
    let counted = collect.finish();
    let days = days.into_inner().unwrap_or_else(PoisonError::into_inner);
    if keeps {
        let index = Index {
            shape: SHAPE,
            known_at: counting.cut.known_at,
            people,
            retracted: targets,
            days,
        };
        write_index(store, lock, &index, &states)?;
    }
    progress.end();
    Ok(StoreCounted {
        counted,
        inputs,
        kept,
    })
}

/// What there is of a unit.
enum Found {
    /// It was counted before.
    Kept(UtcDay, Day, Kept),
    /// It is to be counted, and these are its files.
    Fresh(Unit, Vec<FileEntry>),
}

fn find(
    job: StoreCount<'_>,
    unit: Unit,
    index: &Index,
    changes: Option<&Changes>,
) -> Result<Found, Error> {
    let StoreCount {
        store, counting, ..
    } = job;
    let known = unit
        .day()
        .and_then(|day| Some((day, index.days.get(&day)?)));
    if let (Some((day, known)), Some(changes)) = (known, changes)
        && is_made_of(known, &unit.files)?
        && is_past(known, counting)
        && !touches(changes, &unit.files)?
        && let Some(aside) = store.open_counts(&name_of(day))?
        && let Some(kept) = Kept::open_checked(aside, &known.id())
    {
        return Ok(Found::Kept(day, known.clone(), kept));
    }
    let paths: Vec<PathBuf> = unit
        .files
        .iter()
        .map(|file| file.path().to_owned())
        .collect();
    let files = entries(&paths)?;
    Ok(Found::Fresh(unit, files))
}

fn name_of(day: UtcDay) -> String {
    format!("{day}.arrow")
}

/// Whether everything that was read counts at any later cut as it counts now.
fn is_settled(counted: &Counted) -> bool {
    counted.tenants.values().all(|counts| {
        let account = counts.account;
        account.future == 0 && account.not_yet_known == 0 && account.too_old == 0
    })
}

fn latest_signal(counted: &Counted) -> Option<UtcMillis> {
    let tenants = counted.tenants.values();
    let feeds = tenants.flat_map(|counts| counts.feeds.values());
    feeds.filter_map(|feed| feed.last).max()
}

/// Whether a day was past and known at the cut.
fn is_past(known: &Day, counting: Counting<'_>) -> bool {
    known.latest <= Some(counting.cut.as_of) && known.latest_ingested <= Some(counting.cut.known_at)
}

/// Whether a day's files are those that its counts were made of.
fn is_made_of(known: &Day, files: &[TableFile]) -> Result<bool, Error> {
    let paths: Vec<PathBuf> = files.iter().map(|file| file.path().to_owned()).collect();
    if paths.iter().all(|path| af_store::is_named_by_content(path)) {
        let is_same = |path: &PathBuf| {
            let bytes = path.metadata().map(|found| found.len()).ok();
            let mut known = known.files.iter();
            known.any(|file| path.ends_with(&file.path) && Some(file.bytes) == bytes)
        };
        return Ok(known.files.len() == paths.len() && paths.iter().all(is_same));
    }
    let mut found = entries(&paths)?;
    found.sort();
    let mut of_known = known.files.clone();
    of_known.sort();
    Ok(found == of_known)
}

/// Whether what changed may change what counts of some files.
fn touches(changes: &Changes, files: &[TableFile]) -> Result<bool, Error> {
    for file in files {
        if !changes.keys.is_empty() && names_changed_key(&changes.keys, file)? {
            return Ok(true);
        }
        if !changes.retracted.is_empty() && holds_target(&changes.retracted, file)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn names_changed_key(keys: &ChangedKeys, file: &TableFile) -> Result<bool, Error> {
    const COLUMNS: [&str; 5] = [
        "tenant_uid",
        "subject_ref",
        "subject_uid",
        "subject_login",
        "subject_email",
    ];
    for batch in file.read(Some(&COLUMNS), Scan::File)? {
        let batch = batch?;
        let columns: Vec<&StringArray> = batch.columns().iter().map(AsArray::as_string).collect();
        let cell = |column: usize, row: usize| {
            let column = columns[column];
            column.is_valid(row).then(|| column.value(row))
        };
        let mut before = None;
        for row in 0..batch.num_rows() {
            let subject = Subject {
                subject_ref: cell(1, row),
                uid: cell(2, row),
                login: cell(3, row),
                email: cell(4, row),
            };
            let named = (cell(0, row).unwrap_or_default(), subject);
            if before.replace(named) != Some(named) && keys.name(named.0, subject) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn holds_target(targets: &Targets, file: &TableFile) -> Result<bool, Error> {
    const COLUMNS: [&str; 4] = ["tenant_uid", "signal_uid", "incident_uid", "event_uids"];
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (tenant, _, uid) in targets {
        wanted.entry(tenant).or_default().insert(uid);
    }
    for batch in file.read(Some(&COLUMNS), Scan::File)? {
        let batch = batch?;
        let text = |column: usize| batch.column(column).as_string::<i32>();
        let events = batch.column(3).as_list::<i32>();
        let event_uids = events.values().as_string::<i32>();
        for row in 0..batch.num_rows() {
            let Some(wanted) = wanted.get(text(0).value(row)) else {
                continue;
            };
            let of_row = events.value_offsets()[row]..events.value_offsets()[row + 1];
            let mut of_row = of_row.filter_map(|event| usize::try_from(event).ok());
            let is_hit = wanted.contains(text(1).value(row))
                || wanted.contains(text(2).value(row))
                || of_row.any(|event| wanted.contains(event_uids.value(event)));
            if is_hit {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What changed since the counts were kept; `None` when so much did, or so little is known of it, that
/// all days are counted anew.
fn changes(
    store: &Store,
    index: &Index,
    (states, people): (&KeyStates, &str),
    targets: &Targets,
) -> Result<Option<Changes>, Error> {
    if index.shape != SHAPE || index.days.is_empty() {
        return Ok(None);
    }
    let keys = if index.people == people {
        ChangedKeys::default()
    } else {
        let Some(before) = read_people(store, &index.people)? else {
            return Ok(None);
        };
        ChangedKeys::between(&before, states)
    };
    Ok(Some(Changes {
        keys,
        retracted: index
            .retracted
            .symmetric_difference(targets)
            .cloned()
            .collect(),
    }))
}

/// What is written in `people`: pairs of eight bytes each.
fn state_bytes(states: &KeyStates) -> Vec<u8> {
    let pairs = states.iter().flat_map(|&(key, state)| [key, state]);
    pairs.flat_map(u64::to_le_bytes).collect()
}

fn state_hash(states: &KeyStates) -> String {
    blake3::hash(&state_bytes(states)).to_hex().to_string()
}

fn read_people(store: &Store, hash: &str) -> Result<Option<KeyStates>, Error> {
    let Some(bytes) = store.read_counts(PEOPLE)? else {
        return Ok(None);
    };
    if *blake3::hash(&bytes).to_hex() != *hash {
        return Ok(None);
    }
    let (words, _) = bytes.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    let pair = |[key, state]: &[[u8; 8]; 2]| (u64::from_le_bytes(*key), u64::from_le_bytes(*state));
    Ok(Some(pairs.iter().map(pair).collect()))
}

/// Reads the index; one that cannot be understood is as good as none.
fn read_index(store: &Store) -> Result<Index, Error> {
    let bytes = store.read_counts(INDEX)?;
    let index = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(index.unwrap_or_default())
}

/// Writes the index and removes what it does not name. People come first: an index that does not fit
/// them is an index of nothing.
fn write_index(
    store: &Store,
    lock: &WriteLock,
    index: &Index,
    states: &KeyStates,
) -> Result<(), Error> {
    if index.days.is_empty() && !store.counts_cache_dir().is_dir() {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(index).expect("names and numbers are always JSON");
    let before = store.read_counts(INDEX)?;
    if before.as_deref() != Some(text.as_bytes()) {
        store.keep_counts(lock, PEOPLE, &state_bytes(states))?;
        store.keep_counts(lock, INDEX, text.as_bytes())?;
    }
    let is_named = |name: &str| {
        let mut days = index.days.keys();
        name == INDEX || name == PEOPLE || days.any(|day| *name == name_of(*day))
    };
    store.keep_only_counts(lock, is_named)?;
    Ok(())
}

#[cfg(test)]
mod tests;
