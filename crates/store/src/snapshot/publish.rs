//! Collecting the tables of a snapshot and publishing them at once.

use std::path::{Path, PathBuf};

use af_model::UtcMillis;
use af_model::contract::Table;
use af_model::manifest::{FileEntry, Manifest};
use af_model::tables;
use arrow::array::RecordBatch;

use super::out::Folder;
use super::{MANIFEST, MANIFEST_VERSION, SnapshotId};
use crate::atomic::{Access, Staged, move_into_place, sync_folder, unique, write_synced};
use crate::error::{Error, ErrorKind};
use crate::layout::Store;
use crate::lock::WriteLock;
use crate::partition::check_instant;
use crate::state::to_sorted_json;
use crate::table_file::{Metadata, TableWriter};

/// A snapshot in the making. Dropped before [`Publication::publish`], it leaves nothing behind.
#[derive(Debug)]
pub struct Publication<'a> {
    staged: Staged,
    files: Vec<FileEntry>,
    destination: Destination<'a>,
}

#[derive(Debug)]
pub(super) enum Destination<'a> {
    Store {
        store: &'a Store,
        lock: &'a WriteLock,
        as_of: UtcMillis,
    },
    Folder(Folder),
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The snapshot's folder.
    pub path: PathBuf,
    /// Its name in the store; `None` outside one.
    pub id: Option<SnapshotId>,
    /// The manifest as written.
    pub manifest: Manifest,
}

impl Store {
    /// Starts a snapshot of `as_of`.
    ///
    /// # Errors
    /// When no folder can be made in `tmp/`, or for an instant that can name no folder.
    pub fn begin_snapshot<'a>(
        &'a self,
        lock: &'a WriteLock,
        as_of: UtcMillis,
    ) -> Result<Publication<'a>, Error> {
        lock.guards(self);
        let as_of = check_instant(as_of)?;
        let staged = Staged::folder(unique(&self.tmp_dir(), "snapshot"))?;
        let store = self;
        let destination = Destination::Store { store, lock, as_of };
        Ok(Publication::new(staged, destination))
    }
}

impl<'a> Publication<'a> {
    pub(super) fn new(staged: Staged, destination: Destination<'a>) -> Self {
        Self {
            staged,
            files: Vec::new(),
            destination,
        }
    }

    /// Writes one table, once. Rows come in the table's order.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] for a second time, otherwise as [`crate::table_file::write`].
    pub fn write(
        &mut self,
        table: &'static Table,
        batches: impl IntoIterator<Item = RecordBatch>,
        metadata: &Metadata,
    ) -> Result<FileEntry, Error> {
        let mut writer = self.writer(table, metadata)?;
        for batch in batches {
            writer.append(&batch)?;
        }
        self.add(writer)
    }

    /// A writer for one table, for rows that come bit by bit; hand it to [`Publication::add`].
    ///
    /// # Errors
    /// As [`TableWriter::create`].
    pub fn writer(&self, table: &'static Table, metadata: &Metadata) -> Result<TableWriter, Error> {
        let path = self.staged.path().join(format!("{}.parquet", table.name));
        TableWriter::create(&path, table, metadata)
    }

    /// Completes a table begun with [`Publication::writer`].
    ///
    /// # Errors
    /// As [`TableWriter::finish`].
    pub fn add(&mut self, writer: TableWriter) -> Result<FileEntry, Error> {
        let entry = writer.finish()?;
        self.files.push(entry.clone());
        Ok(entry)
    }

    /// The tables written so far.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// The folder in which the tables are while they are no snapshot yet.
    pub(super) fn folder(&self) -> &Path {
        self.staged.path()
    }

    /// Publishes the tables: writes the manifest, forces everything to disk, renames the folder to
    /// its place and, in a store, replaces `LATEST` unless another snapshot is the latest.
    ///
    /// Of `manifest`, these are filled in here: `manifest_version`, `files`, `tables`, and in a store
    /// `as_of`, `revision` and `supersedes`.
    ///
    /// # Errors
    /// When something cannot be written, and [`ErrorKind::AlreadyExists`] for an output folder that
    /// filled up meanwhile. What was published before stays as it was.
    pub fn publish(mut self, mut manifest: Manifest) -> Result<Published, Error> {
        self.files.sort_unstable();
        manifest.manifest_version = MANIFEST_VERSION;
        manifest.tables = self
            .files
            .iter()
            .filter_map(table_of)
            .map(|table| (table.name.to_owned(), table.version))
            .collect();
        manifest.files = self.files;
        match self.destination {
            Destination::Store { store, lock, as_of } => {
                let last = store.revisions(as_of)?.into_iter().max();
                let revision = last.map_or(1, |id| id.revision + 1);
                let before = store.answer(as_of, manifest.known_at)?;
                manifest.as_of = as_of;
                manifest.revision = revision;
                manifest.supersedes = before.map(|id| id.to_string());
                let id = SnapshotId { as_of, revision };
                let revisions = store.as_of_dir(as_of);
                let path = store.snapshot_dir(id);
                write_manifest(self.staged.path(), &manifest)?;
                store.create_folder(&revisions)?;
                move_into_place(self.staged.path(), &path)?;
                self.staged.keep();
                store.refresh_latest(lock)?;
                Ok(Published {
                    path,
                    id: Some(id),
                    manifest,
                })
            }
            Destination::Folder(folder) => {
                write_manifest(self.staged.path(), &manifest)?;
                let path = folder.put(self.staged)?;
                Ok(Published {
                    path,
                    id: None,
                    manifest,
                })
            }
        }
    }
}

/// Writes the manifest into a folder of finished tables and forces the folder to disk.
pub(super) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), Error> {
    let path = folder.join(MANIFEST);
    let text = to_sorted_json(manifest)
        .map_err(|error| Error::at(ErrorKind::Io, "write", &path, error.to_string()))?;
    write_synced(&path, text.as_bytes(), Access::Usual)?;
    sync_folder(folder)
}

/// The table that a file of a snapshot holds, by its name.
pub(super) fn table_of(file: &FileEntry) -> Option<&'static Table> {
    let name = file.path.strip_suffix(".parquet")?;
    tables::ALL.into_iter().find(|table| table.name == name)
}
