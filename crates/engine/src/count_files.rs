//! Anybody's signals → bucket counts, one file a UTC day: the part of the work that grows with the
//! signals, for shards and for other engines. Counts of whole days add.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use af_count::{Counted, PeopleIndex, Retractions};
use af_directory::ImportOptions;
use af_model::accounting::{PerTenant, SignalAccount};
use af_model::manifest::FileEntry;
use af_model::tables::bucket_counts;
use af_model::{HashKey, UtcDay, UtcMillis};
use af_store::{Metadata, table_file};
use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::people;
use crate::progress::Progress;
use crate::tally::{self, AskedCut, Counting, Cut, LatestKnown};

/// The file that is written last: a folder that has it is whole.
pub const COUNTS_DOCUMENT: &str = "counts.json";

/// Where [`count_files`] reads and writes.
#[derive(Clone, Debug)]
pub struct CountJob<'a> {
    /// Signal files from anybody.
    pub signals: &'a [PathBuf],
    /// The file of people and how to read it.
    pub users: (&'a Path, &'a ImportOptions),
    /// The folder that receives a file for every day; new or empty.
    pub out: &'a Path,
    /// The key of hashed names.
    pub key: Option<&'a HashKey>,
}

/// What was counted.
#[derive(Clone, Debug, Serialize)]
pub struct CountReport {
    /// Signals up to here counted.
    pub as_of: UtcMillis,
    /// What was known by then counted.
    pub known_at: UtcMillis,
    /// Where the signals of every tenant went.
    pub tenants: PerTenant<SignalAccount>,
    /// A file of `bucket_counts` for every UTC day that has some.
    pub files: Vec<FileEntry>,
}

/// Counts signals against a file of people and writes `bucket_counts`, one file a UTC day. Memory is
/// that of a day where files are sorted days, and that of all signals where days lie mixed.
///
/// # Errors
/// Something cannot be read or written; nothing tells the point in time; the folder is in use; an
/// account does not close.
pub fn count_files(
    job: &CountJob<'_>,
    asked: AskedCut,
    progress: &dyn Progress,
) -> Result<CountReport, Error> {
    prepare(job.out)?;
    let (users, options) = job.users;
    let imported = people::read_people(users, options)?;
    let latest = LatestKnown {
        feed: tally::latest_ingested(job.signals)?,
        corrections: None,
    };
    let cut = tally::fix_cut(asked, latest)?;
    let index = tally::index(imported.people, job.key);
    let retractions = Retractions::default();
    let counting = Counting {
        people: &index,
        retractions: &retractions,
        cut,
        key: job.key,
    };
    let report = Mutex::new(CountReport {
        as_of: cut.as_of,
        known_at: cut.known_at,
        tenants: PerTenant::new(),
        files: Vec::new(),
    });
    tally::count_units(counting, job.signals, progress, |counted| {
        let mut files = write_days(job.out, &counted, &index, cut)?;
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        report.files.append(&mut files);
        for (tenant, counts) in counted.tenants {
            *report.tenants.entry(tenant).or_default() += counts.account;
        }
        Ok(())
    })?;
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.files.sort();
    for (tenant, account) in &report.tenants {
        if !account.closes() {
            let message = format!("count {tenant}: the account does not close: {account:?}");
            return Err(Error::new(ErrorKind::Gate, message));
        }
    }
    let document = serde_json::to_string_pretty(&report)
        .map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?
        + "
";
    fs_err::write(job.out.join(COUNTS_DOCUMENT), document).map_err(|error| io(&error))?;
    Ok(report)
}

/// Makes the folder, or sees that it is empty.
fn prepare(out: &Path) -> Result<(), Error> {
    fs_err::create_dir_all(out).map_err(|error| io(&error))?;
    let mut found = fs_err::read_dir(out).map_err(|error| io(&error))?;
    if found.next().is_some() {
        let message = format!("write counts to {}: the folder is not empty", out.display());
        return Err(Error::new(ErrorKind::Usage, message).with_hint(
            "give a new folder; days that were counted apart may be put together later",
        ));
    }
    Ok(())
}

/// Writes the days of what was counted, tenant after tenant.
fn write_days(
    out: &Path,
    counted: &Counted,
    people: &PeopleIndex,
    cut: Cut,
) -> Result<Vec<FileEntry>, Error> {
    let mut days: BTreeMap<UtcDay, Vec<bucket_counts::Row>> = BTreeMap::new();
    for (tenant, counts) in &counted.tenants {
        for row in af_count::bucket_counts(tenant, counts, people) {
            days.entry(row.day).or_default().push(row);
        }
    }
    let metadata = Metadata::new()
        .with_formula(af_model::FORMULA)
        .with("as_of", &cut.as_of.to_string())
        .with("known_at", &cut.known_at.to_string());
    days.into_iter()
        .map(|(day, rows)| {
            let path = out.join(format!("{day}.parquet"));
            let batch = bucket_counts::batch(&rows);
            Ok(table_file::write(
                &path,
                &bucket_counts::TABLE,
                [batch],
                &metadata,
            )?)
        })
        .collect()
}

fn io(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, error.to_string())
}
