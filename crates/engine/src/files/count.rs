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
use af_store::{Metadata, TableWriter};
use arrow::array::RecordBatch;
use serde::Serialize;

use super::{Input, Known};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;
use crate::tally::{self, AskedCut, TakeDays, TakeTenants};

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
/// a UTC day. Memory is that of the keys of all people and, for every thread, of the rows of a tenant and
/// of a day's file while it is encoded.
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
    let known = Known::keys_only(input, asked)?;
    let cut = known.cut;
    let folder = Folder {
        path: out,
        people: &known.index,
        metadata: Metadata::new()
            .with_formula(af_model::FORMULA)
            .with("as_of", &cut.as_of.to_string())
            .with("known_at", &cut.known_at.to_string()),
        report: Mutex::new(CountReport {
            as_of: cut.as_of,
            known_at: cut.known_at,
            tenants: PerTenant::new(),
            files: Vec::new(),
        }),
    };
    let shelf = tally::shelf(out);
    let counting = known.counting(input);
    tally::count_days(counting, input.signals, &shelf, progress, &folder)?;
    let report = folder.report;
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

/// The folder that receives a file a day.
struct Folder<'a> {
    path: &'a Path,
    people: &'a PeopleIndex,
    metadata: Metadata,
    report: Mutex<CountReport>,
}

/// The file of one day, which begins with its first row.
struct DayFile<'a> {
    folder: &'a Folder<'a>,
    day: UtcDay,
    file: Option<TableWriter>,
    accounts: PerTenant<SignalAccount>,
}

impl TakeDays for Folder<'_> {
    fn days(&self, _: Option<UtcDay>, counted: Counted) -> Result<(), Error> {
        let blocks = counted.tenants.values().flat_map(|counts| &counts.blocks);
        let days: BTreeSet<UtcDay> = blocks.map(|block| block.day).collect();
        let files: Result<Vec<FileEntry>, Error> = days
            .into_iter()
            .map(|day| {
                let mut file = self.file(day)?;
                file.append(&self.rows(&counted, day))?;
                Ok(file.finish()?)
            })
            .collect();
        let accounts = counted.tenants.into_iter();
        self.note(
            accounts.map(|(tenant, counts)| (tenant, counts.account)),
            files?,
        );
        Ok(())
    }

    fn begin(&self, day: UtcDay) -> Result<Box<dyn TakeTenants + '_>, Error> {
        Ok(Box::new(DayFile {
            folder: self,
            day,
            file: None,
            accounts: PerTenant::new(),
        }))
    }
}

impl TakeTenants for DayFile<'_> {
    fn tenants(&mut self, counted: Counted) -> Result<(), Error> {
        let rows = self.folder.rows(&counted, self.day);
        if rows.num_rows() > 0 {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(self.folder.file(self.day)?.on_this_thread()),
            };
            file.append(&rows)?;
        }
        for (tenant, counts) in counted.tenants {
            *self.accounts.entry(tenant).or_default() += counts.account;
        }
        Ok(())
    }

    fn end(self: Box<Self>) -> Result<(), Error> {
        let file = self.file.map(TableWriter::finish).transpose()?;
        self.folder.note(self.accounts, file);
        Ok(())
    }
}

impl Folder<'_> {
    fn file(&self, day: UtcDay) -> Result<TableWriter, Error> {
        let path = self.path.join(format!("{day}.parquet"));
        let table = &bucket_counts::TABLE;
        Ok(TableWriter::create(&path, table, &self.metadata)?)
    }

    fn rows(&self, counted: &Counted, day: UtcDay) -> RecordBatch {
        let tenants = counted.tenants.iter();
        let tenants = tenants.map(|(name, counts)| (&**name, counts));
        af_count::bucket_counts(tenants, Some(day), self.people)
    }

    /// Adds to the report where signals went and what was written.
    fn note(
        &self,
        accounts: impl IntoIterator<Item = (String, SignalAccount)>,
        files: impl IntoIterator<Item = FileEntry>,
    ) {
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        report.files.extend(files);
        for (tenant, account) in accounts {
            *report.tenants.entry(tenant).or_default() += account;
        }
    }
}

fn io(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, error.to_string())
}
