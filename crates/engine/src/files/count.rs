//! Anybody's signals → bucket counts, one file a UTC day: the part of the work that grows with the
//! signals, for shards and for other engines. Counts of whole days add.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use af_count::{Counted, PeopleIndex};
use af_model::accounting::{PerTenant, SignalAccount};
use af_model::manifest::FileEntry;
use af_model::tables::bucket_counts;
use af_model::{UtcDay, UtcMillis};
use af_store::{Metadata, table_file};
use serde::Serialize;

use super::{Input, Known};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;
use crate::tally::{self, AskedCut, Cut};

/// The file that is written last: a folder that has it is whole.
pub const COUNTS_DOCUMENT: &str = "counts.json";

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

/// Counts signals against a file of people and writes `bucket_counts` to a new or empty folder, one file
/// a UTC day. Memory is that of a few days.
///
/// # Errors
/// Something cannot be read or written; nothing tells the point in time; the folder is in use; an
/// account does not close.
pub fn count(
    input: Input<'_>,
    out: &Path,
    asked: AskedCut,
    progress: &dyn Progress,
) -> Result<CountReport, Error> {
    prepare(out)?;
    let known = Known::read(input, asked)?;
    let cut = known.cut;
    let report = Mutex::new(CountReport {
        as_of: cut.as_of,
        known_at: cut.known_at,
        tenants: PerTenant::new(),
        files: Vec::new(),
    });
    let shelf = tally::shelf(out);
    let counting = known.counting(input);
    tally::count_days(counting, input.signals, &shelf, progress, |counted| {
        let mut files = write_days(out, &counted, &known.index, cut)?;
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
    fs_err::write(out.join(COUNTS_DOCUMENT), document).map_err(|error| io(&error))?;
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

/// Writes the days of what was counted.
fn write_days(
    out: &Path,
    counted: &Counted,
    people: &PeopleIndex,
    cut: Cut,
) -> Result<Vec<FileEntry>, Error> {
    let blocks = counted.tenants.values().flat_map(|counts| &counts.blocks);
    let days: BTreeSet<UtcDay> = blocks.map(|block| block.day).collect();
    let metadata = Metadata::new()
        .with_formula(af_model::FORMULA)
        .with("as_of", &cut.as_of.to_string())
        .with("known_at", &cut.known_at.to_string());
    days.into_iter()
        .map(|day| {
            let path = out.join(format!("{day}.parquet"));
            let tenants = counted
                .tenants
                .iter()
                .map(|(name, counts)| (&**name, counts));
            let batch = af_count::bucket_counts(tenants, Some(day), people);
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
