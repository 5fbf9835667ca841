//! Reading a published snapshot.

use std::path::{Path, PathBuf};

use af_model::UtcMillis;
use af_model::contract::Table;
use af_model::manifest::{FileEntry, Manifest};
use serde_json::Value;

use super::answer::latest_in;
use super::{MANIFEST, MANIFEST_VERSION, SnapshotId, parse_folder, parse_revision};
use crate::checksum::checksum;
use crate::error::{Error, ErrorKind};
use crate::layout::{Store, check_name, entries};
use crate::table_file::{Batches, Scan, TableFile};

/// A published snapshot, opened: its manifest was read, its tables were not.
#[derive(Clone, Debug)]
pub struct Snapshot {
    path: PathBuf,
    manifest: Manifest,
}

impl Snapshot {
    /// Opens the snapshot at `path`: its own folder; the folder of an `as_of`, which means its
    /// latest; or a store, which means the latest of all.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none, [`ErrorKind::NewerVersion`] and
    /// [`ErrorKind::Corrupt`] as the manifest is.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if path.join(MANIFEST).is_file() {
            return Self::read(path);
        }
        match Store::open(path) {
            Ok(store) => return Self::open_in(&store, "latest"),
            Err(error) if error.kind() == ErrorKind::NotAStore => {}
            Err(error) => return Err(error),
        }
        match latest_in(path)? {
            Some(revision) => Self::read(&path.join(format!("r{revision}"))),
            None => Err(not_found(path, "no snapshot")),
        }
    }

    /// Opens a snapshot of a store by `latest`, by an `as_of` (`2026-11-20`, an instant, or the
    /// folder's name), which means its latest, or by an `as_of` with a revision
    /// (`2026-11-20/r2`).
    ///
    /// # Errors
    /// As [`Snapshot::open`], and [`ErrorKind::InvalidName`] for any other text.
    pub fn open_in(store: &Store, selector: &str) -> Result<Self, Error> {
        let found = if selector == "latest" {
            store.latest()?
        } else {
            let (as_of, revision) = parse_selector(selector).ok_or_else(|| {
                let problem = "no snapshot's name; expected latest, 2026-11-20 or 2026-11-20/r2";
                Error::new(
                    ErrorKind::InvalidName,
                    "open the snapshot",
                    selector,
                    problem,
                )
            })?;
            match revision {
                Some(revision) => Some(SnapshotId { as_of, revision }),
                None => store.latest_of(as_of)?,
            }
        };
        let path = found.map(|id| store.snapshot_dir(id));
        match path {
            Some(path) if path.is_dir() => Self::read(&path),
            _ => {
                let problem = format!("no snapshot {selector}");
                Err(not_found(&store.snapshots_dir(), &problem))
            }
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let file = path.join(MANIFEST);
        let text = fs_err::read(&file).map_err(|error| Error::io("read", &file, &error))?;
        let corrupt = |error: serde_json::Error| {
            Error::at(ErrorKind::Corrupt, "read", &file, error.to_string())
        };
        let manifest = serde_json::from_slice::<Manifest>(&text);
        // A newer manifest may have another shape; what does not fit still may tell its version.
        let version = match &manifest {
            Ok(manifest) => Some(u64::from(manifest.manifest_version)),
            Err(_) => serde_json::from_slice::<Value>(&text)
                .ok()
                .and_then(|value| value.get("manifest_version").and_then(Value::as_u64)),
        };
        if let Some(version) = version.filter(|&version| version > u64::from(MANIFEST_VERSION)) {
            let problem = format!(
                "the manifest has version {version}, this program knows {MANIFEST_VERSION}"
            );
            return Err(Error::at(ErrorKind::NewerVersion, "read", &file, problem));
        }
        let manifest = manifest.map_err(corrupt)?;
        Ok(Self {
            path: path.to_owned(),
            manifest,
        })
    }

    /// The snapshot's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What went in and what came out.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Opens one table's file.
    ///
    /// # Errors
    /// As [`TableFile::open`].
    pub fn table_file(&self, table: &'static Table) -> Result<TableFile, Error> {
        TableFile::open(&self.path.join(format!("{}.parquet", table.name)), table)
    }

    /// Reads one table whole.
    ///
    /// # Errors
    /// As [`TableFile::open`] and [`TableFile::read`].
    pub fn table(&self, table: &'static Table) -> Result<Batches, Error> {
        self.table_file(table)?.read(None, Scan::File)
    }

    /// Compares every file with the manifest: size, checksum, number of rows, and that there is no
    /// other file. Returns what is wrong, by file name; nothing when all is well. Reads everything.
    pub fn verify_files(&self) -> Vec<Error> {
        let mut wrong: Vec<Error> = self
            .manifest
            .files
            .iter()
            .filter_map(|file| self.verify_file(file).err())
            .collect();
        match entries(&self.path) {
            Ok(names) => {
                let is_known = |name: &String| {
                    name == MANIFEST || self.manifest.files.iter().any(|file| file.path == *name)
                };
                wrong.extend(names.iter().filter(|name| !is_known(name)).map(|name| {
                    let path = self.path.join(name);
                    Error::at(
                        ErrorKind::Checksum,
                        "verify",
                        &path,
                        "the manifest does not name it",
                    )
                }));
            }
            Err(error) => wrong.push(error),
        }
        wrong
    }

    fn verify_file(&self, file: &FileEntry) -> Result<(), Error> {
        // The manifest may come from anywhere: its paths must not lead out of the folder.
        check_name(&file.path)?;
        let path = self.path.join(&file.path);
        let differs = |what: String| Err(Error::at(ErrorKind::Checksum, "verify", &path, what));
        let found = checksum(&path)?;
        if found.bytes != file.bytes {
            return differs(format!("{} bytes, not {}", found.bytes, file.bytes));
        }
        if found.blake3 != file.blake3 {
            return differs("its content is not the one that was published".to_owned());
        }
        if let Some(table) = super::publish::table_of(file) {
            let rows = self.table_file(table)?.rows();
            if rows != file.rows {
                return differs(format!("{rows} rows, not {}", file.rows));
            }
        }
        Ok(())
    }
}

fn parse_selector(selector: &str) -> Option<(UtcMillis, Option<u32>)> {
    let (as_of, revision) = match selector.split_once('/') {
        Some((as_of, revision)) => (as_of, Some(parse_revision(revision)?)),
        None => (selector, None),
    };
    let instant = parse_folder(as_of).or_else(|| UtcMillis::parse_cut(as_of).ok())?;
    Some((instant, revision))
}

fn not_found(path: &Path, problem: &str) -> Error {
    Error::at(ErrorKind::NotFound, "open", path, problem)
        .with_hint("see which snapshots there are with `attack-factor snapshots list`")
}
