//! One person's rows leave every table of a store.
//!
//! `identity` finds out who is meant and by which keys they are known, `scrub` recognizes them in
//! a row, `tables`, `snapshots` and `feeds` write files anew without them, `tombstone` remembers by keyed
//! hashes that they were erased, so that the next import does not bring them back.
//!
//! What was begun is noted first, with the keys in the clear, in a document that only its owner may
//! read; it is removed at the end. Killed anywhere, the erasure is completed by running it again.

mod arrays;
mod document;
mod feeds;
mod groups;
mod identity;
mod json;
mod pages;
mod scrub;
mod snapshots;
mod tables;
mod tombstone;

use std::collections::BTreeSet;

use af_model::tables::identity_events;
use af_model::{HashKey, UtcMillis};
use af_store::feed::Feed;
use af_store::{Store, WriteLock};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::progress::Progress;

pub(super) use identity::{Identity, is_account};
pub(super) use scrub::Scrubber;
pub use tombstone::{Erased, Tombstone};

/// What stands in the place of somebody's name in other people's rows.
pub const REPLACEMENT: &str = "erased";

/// The state document that outlives a crash between the first file and the last.
const STATE: &str = "erasing";

/// Who is to be erased and why.
#[derive(Clone, Copy, Debug)]
pub struct EraseOptions<'a> {
    /// The organization.
    pub tenant: &'a str,
    /// User id, login, e-mail address or alias.
    pub person: &'a str,
    /// When.
    pub at: UtcMillis,
    /// Why, e.g. the number of the request.
    pub reason: Option<&'a str>,
}

/// What an erasure did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EraseReport {
    /// By table.
    pub tables: Vec<ErasedTable>,
    /// Snapshots from which the person left.
    pub snapshots: u64,
    /// Keys of the person that others hold, too; they stay.
    pub shared_keys: u64,
    /// When the person had been erased before, if they had and nothing of them was found.
    pub erased_before: Option<UtcMillis>,
    /// Whether an erasure that had been interrupted was completed.
    pub resumed: bool,
}

/// What happened to one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasedTable {
    /// The table, `state` for the store's own documents, or what was fetched: `feeds/log`, `feeds/raw`,
    /// `feeds/inventory`.
    pub table: &'static str,
    /// Files written anew.
    pub files: u64,
    /// Rows about the person that left.
    pub removed: u64,
    /// Rows about others, or about nobody, in which the person was named.
    pub changed: u64,
}

/// What is needed to go on after a crash.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Erasing {
    identity: Identity,
    /// Keys of colleagues that contain one of the person's.
    colleagues: BTreeSet<String>,
    at: UtcMillis,
    reason: Option<String>,
    /// Events that leave, counted before the first did.
    events: u64,
}

/// Says what an erasure would do; reads only. `key` is the store's key of hashed names.
///
/// # Errors
/// As [`erase`].
pub fn plan(
    store: &Store,
    key: &HashKey,
    options: &EraseOptions<'_>,
    progress: &dyn Progress,
) -> Result<EraseReport, Error> {
    let Some(found) = identity::find(store, options.tenant, options.person, progress)? else {
        return not_found(store, key, options);
    };
    let scrubber = Scrubber::new(&found.identity, key, &found.colleagues);
    let mut report = sweep(store, Reach::Look, &scrubber, key, options.at, progress)?;
    report.shared_keys = found.shared;
    Ok(report)
}

/// Erases a person. An erasure that was interrupted is completed first.
///
/// # Errors
/// [`ErrorKind::Usage`] when nobody or several people are known by that name; a file cannot be read
/// or written; another process fetches for the organization, whose next page might name the person.
/// After a failure, running again completes what was begun.
pub fn erase(
    store: &Store,
    lock: &WriteLock,
    key: &HashKey,
    options: &EraseOptions<'_>,
    progress: &dyn Progress,
) -> Result<EraseReport, Error> {
    let resumed = resume(store, lock, key, progress)?;
    let Some(found) = identity::find(store, options.tenant, options.person, progress)? else {
        return match (not_found(store, key, options), resumed) {
            // The interrupted one was this one.
            (Ok(_), Some(report)) => Ok(report),
            (other, _) => other,
        };
    };
    let scrubber = Scrubber::new(&found.identity, key, &found.colleagues);
    let held = feeds::hold(store, options.tenant)?;
    // Everything is read before anything is written: a file that cannot be read stops it here.
    let planned = sweep(store, Reach::Look, &scrubber, key, options.at, progress)?;
    let clean = |text: &str| scrubber.clean(text).unwrap_or_else(|| text.to_owned());
    let erasing = Erasing {
        identity: found.identity,
        colleagues: found.colleagues,
        at: options.at,
        reason: options.reason.map(clean),
        events: planned.removed(identity_events::TABLE.name),
    };
    store.write_private_state(lock, STATE, &erasing)?;
    let mut report = finish(store, lock, &held, key, &erasing, progress)?;
    report.shared_keys = found.shared;
    report.resumed = resumed.is_some();
    Ok(report)
}

/// Completes an erasure that was interrupted; none when there is none.
///
/// # Errors
/// The store cannot be read or written.
pub fn resume(
    store: &Store,
    lock: &WriteLock,
    key: &HashKey,
    progress: &dyn Progress,
) -> Result<Option<EraseReport>, Error> {
    let Some(erasing) = store.read_state::<Erasing>(STATE)? else {
        return Ok(None);
    };
    let held = feeds::hold(store, erasing.identity.tenant())?;
    let mut report = finish(store, lock, &held, key, &erasing, progress)?;
    report.resumed = true;
    Ok(Some(report))
}

/// Whether an erasure was interrupted and waits to be completed.
///
/// # Errors
/// The store cannot be read.
pub fn is_unfinished(store: &Store) -> Result<bool, Error> {
    Ok(store.read_state::<serde_json::Value>(STATE)?.is_some())
}

fn finish(
    store: &Store,
    lock: &WriteLock,
    held: &[Feed],
    key: &HashKey,
    erasing: &Erasing,
    progress: &dyn Progress,
) -> Result<EraseReport, Error> {
    // The tombstone stands before the first row leaves, so that nothing comes back meanwhile.
    Erased::remember(store, lock, key, erasing)?;
    let scrubber = Scrubber::new(&erasing.identity, key, &erasing.colleagues);
    let reach = Reach::Write { lock, held };
    let report = sweep(store, reach, &scrubber, key, erasing.at, progress)?;
    store.remove_state(lock, STATE)?;
    Ok(report)
}

/// What a sweep may do.
#[derive(Clone, Copy)]
enum Reach<'a> {
    /// Rows are counted.
    Look,
    /// Files are written anew, also those of the organization's feeds, for which nobody else fetches.
    Write {
        lock: &'a WriteLock,
        held: &'a [Feed],
    },
}

/// Goes through everything in the store.
fn sweep(
    store: &Store,
    reach: Reach<'_>,
    scrubber: &Scrubber,
    key: &HashKey,
    at: UtcMillis,
    progress: &dyn Progress,
) -> Result<EraseReport, Error> {
    let (lock, held) = match reach {
        Reach::Look => (None, None),
        Reach::Write { lock, held } => (Some(lock), Some((lock, held))),
    };
    let mut report = EraseReport::default();
    // Retractions while it can still be seen whose events and signals they name.
    report
        .tables
        .push(tables::retractions(store, lock, scrubber)?);
    report
        .tables
        .extend(tables::days(store, lock, scrubber, progress)?);
    report
        .tables
        .push(tables::directory(store, lock, scrubber)?);
    let (tables, snapshots) = snapshots::all(store, lock, scrubber, key, at, progress)?;
    report.tables.extend(tables);
    report.snapshots = snapshots;
    report.tables.push(document::states(store, lock, scrubber)?);
    report
        .tables
        .extend(feeds::all(store, held, scrubber, key, at, progress)?);
    if let Some(lock) = lock {
        store.remove_cache(lock)?;
    }
    report.tables.retain(|table| table.files > 0);
    Ok(report)
}

impl EraseReport {
    /// Whether nothing of the person was found.
    pub fn is_nothing(&self) -> bool {
        self.tables.is_empty() && self.snapshots == 0
    }

    fn removed(&self, table: &str) -> u64 {
        let of_table = self.tables.iter().filter(|found| found.table == table);
        of_table.map(|found| found.removed).sum()
    }
}

/// Nobody is known by that name any more: either they were erased, or they never were there.
fn not_found(
    store: &Store,
    key: &HashKey,
    options: &EraseOptions<'_>,
) -> Result<EraseReport, Error> {
    let erased = Erased::read(store)?;
    if let Some(tombstone) = erased.find(key, options.tenant, options.person) {
        return Ok(EraseReport {
            erased_before: Some(tombstone.erased_at),
            ..EraseReport::default()
        });
    }
    Err(Error::new(
        ErrorKind::Usage,
        format!(
            "find that person in tenant {}: no directory version, snapshot, event or signal knows \
             them",
            af_model::name::Printable(options.tenant)
        ),
    )
    .with_hint("give the user id, login, e-mail address or an alias, in full"))
}
