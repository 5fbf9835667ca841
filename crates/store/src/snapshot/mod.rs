//! Snapshots: the published tables of one `as_of`, whole or not at all.
//!
//! A [`Publication`] collects tables in a folder of its own and becomes a snapshot by one rename.
//! `snapshots/LATEST` is replaced last, atomically, and always names the latest snapshot of the
//! greatest `as_of`: publishing an older `as_of` does not move it backwards. A crash between the
//! rename and `LATEST` is mended by the next [`Store::lock`](crate::Store::lock).
//!
//! Revisions of one `as_of` count publications; which of them is the answer is told by what was
//! known: see [`Store::answer`] and [`Store::latest_of`].

mod answer;
mod open;
mod out;
mod publish;
mod rewrite;
mod same;
mod tables;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use af_model::UtcMillis;

pub use open::Snapshot;
pub use out::{begin_output, begin_output_unchecked, mend_output};
pub use publish::{Publication, Published};
pub use rewrite::SnapshotRewrite;
pub use tables::OpenTables;

use crate::atomic::{Access, move_into_place, remove, sync_folder, unique, write_atomically};
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::layout::{Store, entries};
use crate::lock::WriteLock;

/// The version of `manifest.json` that this program writes and the newest it reads.
pub const MANIFEST_VERSION: u32 = 1;

/// The manifest's file name.
pub(crate) const MANIFEST: &str = "manifest.json";

const LATEST: &str = "LATEST";

/// Names one snapshot of a store: `2026-11-20T235959.999Z/r1`. Ordered by `as_of`, then revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId {
    /// Signals up to this instant count.
    pub as_of: UtcMillis,
    /// 1 for the first snapshot of an `as_of`, then rising.
    pub revision: u32,
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/r{}", self.as_of.folder_name(), self.revision)
    }
}

impl FromStr for SnapshotId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse_id(text).ok_or_else(|| {
            let problem = "no snapshot's name; expected 2026-11-20T235959.999Z/r1";
            Error::new(ErrorKind::InvalidName, "use the name", text, problem)
        })
    }
}

fn parse_id(text: &str) -> Option<SnapshotId> {
    let (folder, revision) = text.split_once('/')?;
    Some(SnapshotId {
        as_of: parse_folder(folder)?,
        revision: parse_revision(revision)?,
    })
}

/// The inverse of [`UtcMillis::folder_name`], and of nothing else.
fn parse_folder(name: &str) -> Option<UtcMillis> {
    let (date, time) = name.split_once('T')?;
    let (hours, minutes, rest) = (time.get(..2)?, time.get(2..4)?, time.get(4..)?);
    let instant = UtcMillis::parse(&format!("{date}T{hours}:{minutes}:{rest}")).ok()?;
    (instant.folder_name() == name).then_some(instant)
}

fn parse_revision(name: &str) -> Option<u32> {
    let revision = name.strip_prefix('r')?.parse().ok()?;
    // Only the one spelling that this store writes.
    (revision > 0 && name == format!("r{revision}")).then_some(revision)
}

/// The revisions that lie in the folder of an `as_of`, in no order.
fn revisions_in(folder: &Path) -> Result<Vec<u32>, Error> {
    let names = entries(folder)?;
    Ok(names
        .iter()
        .filter_map(|name| parse_revision(name))
        .collect())
}

impl Store {
    /// The folder of a snapshot, published or not.
    pub fn snapshot_dir(&self, id: SnapshotId) -> PathBuf {
        self.as_of_dir(id.as_of).join(format!("r{}", id.revision))
    }

    fn as_of_dir(&self, as_of: UtcMillis) -> PathBuf {
        self.snapshots_dir().join(as_of.folder_name())
    }

    /// All published snapshots, ascending.
    ///
    /// # Errors
    /// When the folders cannot be read.
    pub fn snapshots(&self) -> Result<Vec<SnapshotId>, Error> {
        let mut ids = Vec::new();
        for name in entries(&self.snapshots_dir())? {
            if let Some(as_of) = parse_folder(&name) {
                ids.extend(self.revisions(as_of)?);
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    fn revisions(&self, as_of: UtcMillis) -> Result<Vec<SnapshotId>, Error> {
        let revisions = revisions_in(&self.as_of_dir(as_of))?;
        Ok(revisions
            .into_iter()
            .map(|revision| SnapshotId { as_of, revision })
            .collect())
    }

    /// What `snapshots/LATEST` names; where that is absent or names nothing, the latest snapshot
    /// of the greatest `as_of` there is.
    ///
    /// # Errors
    /// When the folders cannot be read.
    pub fn latest(&self) -> Result<Option<SnapshotId>, Error> {
        match self.named_latest()? {
            Some(id) if self.snapshot_dir(id).is_dir() => Ok(Some(id)),
            _ => self.greatest(),
        }
    }

    fn greatest(&self) -> Result<Option<SnapshotId>, Error> {
        match self.snapshots()?.pop() {
            Some(last) => self.latest_of(last.as_of),
            None => Ok(None),
        }
    }

    fn named_latest(&self) -> Result<Option<SnapshotId>, Error> {
        let path = self.snapshots_dir().join(LATEST);
        match fs_err::read(&path) {
            Ok(text) => Ok(str::from_utf8(&text)
                .ok()
                .and_then(|text| parse_id(text.trim_ascii_end()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path, &error)),
        }
    }

    /// Makes `LATEST` name the latest snapshot of the greatest `as_of`.
    pub(crate) fn refresh_latest(&self, lock: &WriteLock) -> Result<(), Error> {
        lock.guards(self);
        let greatest = self.greatest()?;
        let path = self.snapshots_dir().join(LATEST);
        match greatest {
            Some(id) if self.named_latest()? != Some(id) => {
                let text = format!("{id}\n");
                write_atomically(&self.tmp_dir(), &path, text.as_bytes(), Access::Usual)
            }
            Some(_) => Ok(()),
            None => remove(&path),
        }
    }

    /// Removes folders of an `as_of` that hold nothing: its last snapshot was removed, or the first
    /// was not published yet when its writer died.
    pub(crate) fn clear_empty_folders(&self, lock: &WriteLock) -> Result<(), Error> {
        lock.guards(self);
        let snapshots = self.snapshots_dir();
        let mut is_changed = false;
        for name in entries(&snapshots)? {
            let folder = snapshots.join(&name);
            if parse_folder(&name).is_none()
                || !folder.is_dir()
                || !revisions_in(&folder)?.is_empty()
            {
                continue;
            }
            // A note on revisions that are no longer there.
            remove(&folder.join(answer::CONFIRMED))?;
            if entries(&folder)?.is_empty() {
                disk::remove_folder(&folder)
                    .map_err(|error| Error::io("remove", &folder, &error))?;
                is_changed = true;
            }
        }
        if is_changed {
            sync_folder(&snapshots)?;
        }
        Ok(())
    }

    /// Removes a snapshot; one that is absent is fine. `LATEST` moves to the latest that is left.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_snapshot(&self, lock: &WriteLock, id: SnapshotId) -> Result<(), Error> {
        lock.guards(self);
        let folder = self.snapshot_dir(id);
        if !folder.is_dir() {
            return Ok(());
        }
        let aside = unique(&self.tmp_dir(), "removed-snapshot");
        move_into_place(&folder, &aside)?;
        let revisions = self.as_of_dir(id.as_of);
        sync_folder(&revisions)?;
        self.clear_empty_folders(lock)?;
        self.refresh_latest(lock)?;
        remove(&aside)
    }
}

#[cfg(test)]
mod tests;
