//! One snapshot folder: its manifest's head, and reads of its tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use af_model::UtcMillis;
use af_model::contract::Table;
use af_store::{Batches, Key, Scan, TableFile};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
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

    /// A snapshot that the store has opened; its manifest was read.
    pub(crate) fn of(snapshot: &af_store::Snapshot) -> Self {
        let manifest = snapshot.manifest();
        Self {
            folder: snapshot.path().to_owned(),
            head: Head {
                manifest_version: manifest.manifest_version,
                as_of: manifest.as_of,
                known_at: manifest.known_at,
                formula: manifest.formula.clone(),
                tables: manifest.tables.clone(),
            },
        }
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

    /// Opens one table, after checking that it is there and not newer than this program.
    pub(crate) fn open_table(&self, table: &'static Table) -> Result<OpenTable, Error> {
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
        match TableFile::open(&path, table) {
            Ok(file) => Ok(OpenTable { file }),
            Err(error) => Err(Error::table(&path, &error)),
        }
    }
}

/// One table of a snapshot.
pub(crate) struct OpenTable {
    file: TableFile,
}

impl OpenTable {
    /// The rows that fit all keys, the named columns of them, batch by batch. Columns that repeat
    /// come as dictionaries.
    pub(crate) fn scan(
        &self,
        keys: &[Key],
        columns: &[&str],
    ) -> Result<impl Iterator<Item = Result<RecordBatch, Error>>, Error> {
        let batches = self.batches(keys, Some(columns), Scan::Dictionaries)?;
        let broken = |error| Error::table(self.file.path(), &error);
        Ok(batches.map(move |batch| batch.map_err(broken)))
    }

    /// The rows that fit all keys as one batch, for few of them; without names all columns.
    pub(crate) fn rows(
        &self,
        keys: &[Key],
        columns: Option<&[&str]>,
    ) -> Result<RecordBatch, Error> {
        let batches = self.batches(keys, columns, Scan::File)?;
        let schema = batches.schema();
        let broken = |error: &af_store::Error| Error::table(self.file.path(), error);
        let batches: Vec<RecordBatch> = batches
            .collect::<Result<_, _>>()
            .map_err(|error| broken(&error))?;
        concat_batches(&schema, &batches).map_err(|error| {
            let problem = error.to_string();
            Error::new(self.file.path(), ErrorKind::Broken, problem)
        })
    }

    fn batches(
        &self,
        keys: &[Key],
        columns: Option<&[&str]>,
        scan: Scan,
    ) -> Result<Batches, Error> {
        let batches = if keys.is_empty() {
            self.file.read(columns, scan)
        } else {
            self.file.read_where(keys, columns, scan)
        };
        batches.map_err(|error| Error::table(self.file.path(), &error))
    }
}

/// More people than this are not looked up one by one: their organizations are read instead.
const LOOKED_UP: usize = 1_000;

/// Keys that let the rows of some people pass, given by tenant and id, and few others: the caller
/// tells people of other tenants with the same ids apart.
pub(crate) fn keys_of<'a>(people: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Vec<Key> {
    let tenants: BTreeSet<&str> = people.clone().map(|(tenant, _)| tenant).collect();
    let mut keys = Vec::new();
    if tenants.len() <= LOOKED_UP {
        keys.push(Key::any_of("tenant_uid", tenants));
    }
    if people.clone().take(LOOKED_UP + 1).count() <= LOOKED_UP {
        keys.push(Key::any_of("user_uid", people.map(|(_, user)| user)));
    }
    keys
}
