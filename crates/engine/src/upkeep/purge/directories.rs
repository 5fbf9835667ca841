//! Directory versions that nothing chooses any more.

use std::collections::BTreeSet;

use af_model::{UtcDay, UtcMillis};
use af_store::{Snapshot, SnapshotId, Store, TableFile, WriteLock};

use super::super::compact::bytes;
use super::{PurgedPart, start_of};
use crate::error::Error;
use crate::people;

/// Removes versions imported before the day that are chosen neither at the `known_at` of a snapshot
/// that stays nor at the day itself. So every cut that can still be asked for, and every published
/// one, finds the people it found before.
pub(super) fn purge(
    store: &Store,
    lock: Option<&WriteLock>,
    before: UtcDay,
    staying: &[SnapshotId],
) -> Result<PurgedPart, Error> {
    let mut part = PurgedPart {
        part: "directory",
        ..PurgedPart::default()
    };
    let versions = people::versions(store)?;
    let first_cut = start_of(before);
    let is_old = |at: Option<UtcMillis>| at.is_none_or(|at| at < first_cut);
    if !versions.iter().any(|version| is_old(version.imported_at)) {
        return Ok(part);
    }
    let mut cuts = BTreeSet::from([first_cut]);
    for &id in staying {
        let snapshot = Snapshot::open(&store.snapshot_dir(id))?;
        cuts.insert(snapshot.manifest().known_at);
    }
    let mut needed: BTreeSet<String> = versions
        .iter()
        .filter(|version| !is_old(version.imported_at))
        .map(|version| version.file.clone())
        .collect();
    for cut in cuts {
        let chosen = people::choose(versions.clone(), cut);
        needed.extend(chosen.into_iter().map(|version| version.file));
    }
    for path in store.directories()? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A version without people names no instant; an erased one may stay empty for good.
        let is_known = versions.iter().any(|version| version.file == *name);
        if needed.contains(&*name) || !is_known {
            continue;
        }
        part.items += 1;
        part.rows += TableFile::open(&path, &af_model::tables::directory::TABLE)?.rows();
        part.bytes += bytes(std::slice::from_ref(&path))?;
        if let Some(lock) = lock {
            store.remove_directory(lock, &name)?;
        }
    }
    Ok(part)
}
