//! Which revision of an `as_of` is the answer, and which is the latest.
//!
//! A revision says what its `as_of` looked like to somebody who knew what was known at its
//! `known_at`. It stays the answer until the `known_at` of the next one, so a computation for an
//! earlier `known_at`, made today, never becomes the latest. A run that finds nothing new publishes
//! nothing; that the latest revision was still right at a later `known_at` is noted in `CONFIRMED`
//! beside it, else a later look into the time in between could pass for the latest.

use std::path::Path;

use af_model::UtcMillis;

use super::{Snapshot, SnapshotId, parse_revision, revisions_in};
use crate::atomic::{Access, write_atomically};
use crate::error::Error;
use crate::layout::Store;
use crate::lock::WriteLock;

/// The file in the folder of an `as_of` that says until when its latest revision was found right:
/// `r2 2026-11-22T08:00:00.000Z`.
pub(super) const CONFIRMED: &str = "CONFIRMED";

/// A revision with an instant at which it was the answer. Ordered by the instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Answer {
    known_at: UtcMillis,
    revision: u32,
}

impl Store {
    /// The revision that answers what an `as_of` looked like with what was known at `known_at`: the
    /// one published or [confirmed](Store::confirm) for the greatest instant up to then, the later
    /// publication of two for the same instant.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn answer(
        &self,
        as_of: UtcMillis,
        known_at: UtcMillis,
    ) -> Result<Option<SnapshotId>, Error> {
        let answers = answers(&self.as_of_dir(as_of))?;
        let known = answers
            .into_iter()
            .filter(|answer| answer.known_at <= known_at);
        Ok(known.max().map(|answer| SnapshotId {
            as_of,
            revision: answer.revision,
        }))
    }

    /// The latest snapshot of an `as_of`, if any was published: the answer for the greatest
    /// `known_at`, whenever it was computed.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn latest_of(&self, as_of: UtcMillis) -> Result<Option<SnapshotId>, Error> {
        let revision = latest_in(&self.as_of_dir(as_of))?;
        Ok(revision.map(|revision| SnapshotId { as_of, revision }))
    }

    /// Notes that a revision was found to be the answer for a `known_at` later than its own. The
    /// snapshot itself stays untouched.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn confirm(
        &self,
        lock: &WriteLock,
        id: SnapshotId,
        known_at: UtcMillis,
    ) -> Result<(), Error> {
        lock.guards(self);
        let folder = self.as_of_dir(id.as_of);
        let confirmed = Answer {
            known_at,
            revision: id.revision,
        };
        // Only the latest answer needs the note: everything before it was published.
        if answers(&folder)?
            .into_iter()
            .max()
            .is_none_or(|latest| latest >= confirmed)
        {
            return Ok(());
        }
        let text = format!("r{} {known_at}\n", id.revision);
        let path = folder.join(CONFIRMED);
        write_atomically(&self.tmp_dir(), &path, text.as_bytes(), Access::Usual)
    }
}

/// The latest revision in the folder of an `as_of`.
pub(super) fn latest_in(folder: &Path) -> Result<Option<u32>, Error> {
    let latest = answers(folder)?.into_iter().max();
    Ok(latest.map(|answer| answer.revision))
}

fn answers(folder: &Path) -> Result<Vec<Answer>, Error> {
    let revisions = revisions_in(folder)?;
    let mut answers: Vec<Answer> = revisions
        .iter()
        .map(|&revision| Answer {
            known_at: known_at(&folder.join(format!("r{revision}"))),
            revision,
        })
        .collect();
    answers.extend(confirmed(folder).filter(|answer| revisions.contains(&answer.revision)));
    Ok(answers)
}

/// What a revision knew. One that cannot be read counts as the latest: its reader is then told what
/// is wrong with it, instead of being shown an older one in silence.
fn known_at(revision: &Path) -> UtcMillis {
    Snapshot::read(revision).map_or(UtcMillis(i64::MAX), |found| found.manifest().known_at)
}

/// The note, if there is one that can be read. Without it only a look into the past that was made
/// after it could be taken for the latest.
fn confirmed(folder: &Path) -> impl Iterator<Item = Answer> {
    let parse = |text: String| {
        let (revision, known_at) = text.trim_end().split_once(' ')?;
        Some(Answer {
            known_at: UtcMillis::parse(known_at).ok()?,
            revision: parse_revision(revision)?,
        })
    };
    fs_err::read_to_string(folder.join(CONFIRMED))
        .ok()
        .and_then(parse)
        .into_iter()
}
