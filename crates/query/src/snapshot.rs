//! One snapshot folder: its manifest's head, and scans over its tables.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use af_model::UtcMillis;
use af_model::contract::Table;
use af_model::name::Printable;
use polars::prelude::{
    DataFrame, Expr, LazyFrame, PlRefPath, PolarsError, PolarsResult, ScanArgsParquet, col,
};
use serde::Deserialize;

use crate::error::{Error, ErrorKind};

/// The newest shape of `manifest.json` that is read here.
const MANIFEST_VERSION: u32 = 1;

/// What a view needs to know of `manifest.json`; the rest may be anything.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    manifest_version: u32,
    pub(crate) as_of: UtcMillis,
    pub(crate) known_at: UtcMillis,
    pub(crate) formula: String,
    #[serde(default)]
    tables: BTreeMap<String, u32>,
}

/// An opened snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot {
    folder: PathBuf,
    pub(crate) head: Head,
}

impl Snapshot {
    /// Reads the manifest and refuses what a newer program wrote.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("manifest.json");
        let bytes = std::fs::read(&path).map_err(|error| Error::io(&path, &error))?;
        let head: Head = serde_json::from_slice(&bytes)
            .map_err(|error| Error::new(&path, ErrorKind::Broken, error.to_string()))?;
        if head.manifest_version > MANIFEST_VERSION {
            return Err(Error::new(
                &path,
                ErrorKind::Newer,
                format!(
                    "has version {}; versions up to {MANIFEST_VERSION} are read here",
                    head.manifest_version
                ),
            ));
        }
        Ok(Self {
            folder: folder.to_owned(),
            head,
        })
    }

    /// The snapshot's name: its folder, and the `as_of` folder above it where this one is only
    /// a revision. The same wherever the store lies and however the path was typed.
    pub(crate) fn name(&self) -> String {
        let folder = std::fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let text = |name: Option<&std::ffi::OsStr>| {
            name.map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let own = text(folder.file_name());
        let is_revision = own
            .strip_prefix('r')
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
        match folder.parent() {
            Some(parent) if is_revision => format!("{}/{own}", text(parent.file_name())),
            _ => own,
        }
    }

    pub(crate) fn file(&self, table: &Table) -> PathBuf {
        self.folder.join(format!("{}.parquet", table.name))
    }

    /// Scans one table, after checking that it is there, is not newer than this program, and has
    /// the columns that the caller will use.
    pub(crate) fn scan(&self, table: &Table, columns: &[&str]) -> Result<LazyFrame, Error> {
        let path = self.file(table);
        if let Some(&version) = self.head.tables.get(table.name)
            && version > table.version
        {
            return Err(Error::new(
                &path,
                ErrorKind::Newer,
                format!(
                    "holds version {version} of {}; versions up to {} are read here",
                    table.name, table.version
                ),
            ));
        }
        std::fs::metadata(&path).map_err(|error| Error::io(&path, &error))?;
        let (frame, schema) = self.guarded(table, || {
            let mut frame = LazyFrame::scan_parquet(
                PlRefPath::try_from_path(&path)?,
                ScanArgsParquet {
                    // A folder may be named like a pattern or like a partition; it is neither.
                    glob: false,
                    hive_options: polars::io::HiveOptions::new_disabled(),
                    ..ScanArgsParquet::default()
                },
            )?;
            let schema = frame.collect_schema()?;
            Ok((frame, schema))
        })?;
        if let Some(missing) = columns.iter().find(|column| !schema.contains(column)) {
            return Err(Error::new(
                &path,
                ErrorKind::Broken,
                format!("has no column {missing}"),
            ));
        }
        Ok(frame)
    }

    /// Runs a query over one table.
    pub(crate) fn collect(&self, table: &Table, frame: LazyFrame) -> Result<DataFrame, Error> {
        self.guarded(table, || frame.collect())
    }

    /// Runs polars over one table. On damaged pages, and on column types it was built without, it
    /// panics instead of saying so.
    fn guarded<T>(&self, table: &Table, run: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(result) => result.map_err(|error| self.broken(table, &error)),
            Err(_) => Err(Error::new(
                &self.file(table),
                ErrorKind::Broken,
                "its pages do not fit together",
            )),
        }
    }

    pub(crate) fn broken(&self, table: &Table, error: &PolarsError) -> Error {
        // What follows the first line is the query's plan, of use to nobody here.
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Error::new(
            &self.file(table),
            ErrorKind::Broken,
            Printable(first).to_string(),
        )
    }
}

/// A selection of columns by name.
pub(crate) fn cols(names: &[&str]) -> Vec<Expr> {
    names.iter().map(|&name| col(name)).collect()
}
