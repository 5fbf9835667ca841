//! From attack signals to counts: fixes the cut and feeds every signal to `af-count`.

use std::path::{Path, PathBuf};

use af_count::{Counted, Counter, PeopleIndex, Retractions, Unmatched};
use af_model::tables::{attack_signals, retractions};
use af_model::{HashKey, Person, UtcMillis};
use af_store::{Scan, table_file};
use arrow::array::AsArray;
use arrow::datatypes::TimestampMillisecondType;

use crate::error::{Error, ErrorKind};
use crate::progress::Progress;

pub use af_count::Cut;

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

/// Fixes the cut: `known_at` defaults to the latest `ingested_at` of all signals, `as_of` to
/// `known_at`; without any `ingested_at`, `known_at` is `as_of`. Never the clock. Where no signal
/// says anything, `fallback` (the latest ingested event) does.
///
/// # Errors
/// [`ErrorKind::Usage`] when nothing tells an instant.
pub fn fix_cut(
    asked: AskedCut,
    latest_ingested: Option<UtcMillis>,
    fallback: Option<UtcMillis>,
) -> Result<Cut, Error> {
    let known_at = asked
        .known_at
        .or(latest_ingested)
        .or(asked.as_of)
        .or(fallback);
    let as_of = asked.as_of.or(known_at);
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

/// The latest `ingested_at` of signal files; reads that column only.
///
/// # Errors
/// A file cannot be read or breaks the contract.
pub fn latest_ingested(files: &[PathBuf]) -> Result<Option<UtcMillis>, Error> {
    let mut latest: Option<i64> = None;
    for file in files {
        let columns = Some(&["ingested_at"][..]);
        for batch in table_file::read(file, &attack_signals::TABLE, columns, Scan::File)? {
            let batch = batch?;
            let Some(column) = batch.column_by_name("ingested_at") else {
                continue;
            };
            let found = arrow::compute::max(column.as_primitive::<TimestampMillisecondType>());
            latest = latest.max(found);
        }
    }
    Ok(latest.map(UtcMillis))
}

/// Everybody's keys. Without a key of hashed names, hashed subjects match nobody.
pub fn index(people: Vec<Person>, key: Option<&HashKey>) -> PeopleIndex {
    PeopleIndex::new(people, key.unwrap_or(&NO_KEY))
}

/// Counts the signals of `files` against the people. Without a key of hashed names, unmatched
/// identifiers are left out: a key that anybody knows would not hide them.
///
/// # Errors
/// A file cannot be read or breaks the contract; an account does not close.
pub fn count(
    files: &[PathBuf],
    people: &PeopleIndex,
    retracted: &[retractions::Row],
    cut: Cut,
    key: Option<&HashKey>,
    progress: &dyn Progress,
) -> Result<Counted, Error> {
    let retractions = Retractions::new(retracted, cut.known_at);
    let mut counter = Counter::new(people, retractions, cut, key.unwrap_or(&NO_KEY));
    progress.begin("counting signals", Some(files.len() as u64));
    for file in files {
        for batch in table_file::read(file, &attack_signals::TABLE, None, Scan::Dictionaries)? {
            counter
                .push(&batch?)
                .map_err(|error| broken(file, &error))?;
        }
        progress.advance(1);
    }
    let mut counted = counter.finish();
    progress.end();
    if key.is_none() {
        counted
            .tenants
            .values_mut()
            .for_each(|counts| forget_identifiers(&mut counts.unmatched));
    }
    for (tenant, counts) in &counted.tenants {
        if !counts.account.closes() {
            return Err(Error::new(
                ErrorKind::Gate,
                format!("close the account of tenant {tenant}: {:?}", counts.account),
            ));
        }
    }
    Ok(counted)
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
