//! Publishing into any folder, for runs without a store.

use std::path::{Path, PathBuf};

use super::MANIFEST;
use super::publish::{Destination, Publication};
use crate::atomic::{Staged, create_folder, move_into_place, remove, sync_folder, unique};
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::layout::entries;

/// The folder in which a publication shall appear.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    force: bool,
    /// Says to other processes that the hidden folder is in use, for as long as this one lives.
    held: Option<fs_err::File>,
}

/// What the hidden folders beside an output are for; the second part of their names.
const UNFINISHED: &str = "new";
const REPLACED: &str = "old";

/// How often a name for the hidden folder is tried before giving up on holding it.
const TRIES: usize = 8;

/// What is at the place of an output folder.
enum Found {
    Nothing,
    /// An empty folder.
    Empty,
    /// A folder that holds what a publication holds, and nothing else.
    Snapshot,
    /// A folder that holds tables as a publication does, but no manifest: one that never was whole.
    Unfinished,
    /// Anything else.
    Other(String),
}

/// Starts a publication that shall appear as the folder `path`. It is made in a hidden folder beside
/// it, so that `path` is whole or not there.
///
/// An existing empty folder is replaced. One that holds an earlier publication, and nothing else, is
/// replaced with `force`; anything else is never touched.
///
/// Hidden folders that crashed runs to the same `path` left behind are cleared; an earlier result
/// that a crash caught while it was being replaced is put back first.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] when `path` is in use, or a failure to write beside it.
pub fn begin_output(path: &Path, force: bool) -> Result<Publication<'static>, Error> {
    let folder = Folder::new(path, force)?;
    folder.clear_up()?;
    folder.check()?;
    begin(folder)
}

/// As [`begin_output`], for those who may find that what is at `path` says the same already and then
/// publish nothing: only [`Publication::publish`] asks whether `path` may be replaced.
///
/// # Errors
/// When nothing can be written beside `path`.
pub fn begin_output_unchecked(path: &Path, force: bool) -> Result<Publication<'static>, Error> {
    let folder = Folder::new(path, force)?;
    folder.clear_up()?;
    begin(folder)
}

fn begin(mut folder: Folder) -> Result<Publication<'static>, Error> {
    create_folder(folder.parent())?;
    let staged = folder.stage()?;
    Ok(Publication::new(staged, Destination::Folder(folder)))
}

/// Clears what crashed runs to the folder `path` left beside it, and puts back an earlier result that
/// a crash caught while it was being replaced. [`begin_output`] does it too; this is for those who
/// look at what is there before they decide to write.
///
/// # Errors
/// When something cannot be read, moved or removed.
pub fn mend_output(path: &Path) -> Result<(), Error> {
    Folder::new(path, false)?.clear_up()
}

/// Takes a folder for this process; `None` when another process has it or the system cannot tell.
fn hold(folder: &Path) -> Option<fs_err::File> {
    let file = fs_err::File::open(folder).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

impl Folder {
    fn new(path: &Path, force: bool) -> Result<Self, Error> {
        // `.` and `out/..` have no name of their own until they are resolved.
        let path = match fs_err::canonicalize(path) {
            Ok(resolved) => resolved,
            Err(_) => std::path::absolute(path)
                .map_err(|error| Error::io("use the folder", path, &error))?,
        };
        if path.file_name().is_none() {
            let problem = "it has no name that could be given to a new folder";
            return Err(Error::at(
                ErrorKind::InvalidName,
                "write to",
                &path,
                problem,
            ));
        }
        Ok(Self {
            path,
            force,
            held: None,
        })
    }

    fn parent(&self) -> &Path {
        self.path.parent().expect("a path with a name has a parent")
    }

    fn hidden(&self, what: &str) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!(".{name}.{what}")
    }

    /// Makes the hidden folder in which the tables are written.
    fn stage(&mut self) -> Result<Staged, Error> {
        for _ in 0..TRIES {
            let staged = Staged::folder(unique(self.parent(), &self.hidden(UNFINISHED)))?;
            self.held = hold(staged.path());
            // Between its making and its holding another run may have cleared it as a leftover.
            if staged.path().is_dir() {
                return Ok(staged);
            }
        }
        let problem = "other runs to the same folder keep clearing it";
        Err(
            Error::at(ErrorKind::Locked, "write beside", &self.path, problem)
                .with_hint("let one run at a time write to a folder"),
        )
    }

    /// Removes what crashed runs left beside the output, after putting back an earlier result that
    /// is nowhere else. What a living process holds, or what is not certainly ours, stays.
    fn clear_up(&self) -> Result<(), Error> {
        let parent = self.parent();
        for purpose in [REPLACED, UNFINISHED] {
            let beginning = self.hidden(purpose) + ".";
            for name in entries(parent)? {
                let is_ours = name.strip_prefix(&beginning).is_some_and(is_unique_end);
                let left = parent.join(&name);
                if !is_ours || left.is_symlink() || matches!(find(&left)?, Found::Other(_)) {
                    continue;
                }
                let Some(_held) = hold(&left) else { continue };
                let is_whole = matches!(find(&left)?, Found::Snapshot);
                if is_whole && purpose == REPLACED && matches!(self.find()?, Found::Nothing) {
                    move_into_place(&left, &self.path)?;
                } else {
                    remove(&left)?;
                }
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<Found, Error> {
        let found = self.find()?;
        let problem = match (&found, self.force) {
            (Found::Nothing | Found::Empty, _) | (Found::Snapshot, true) => return Ok(found),
            (Found::Snapshot, false) => "it holds an earlier result".to_owned(),
            (Found::Unfinished, _) => "it is in use (it holds tables but no manifest)".to_owned(),
            (Found::Other(what), _) => format!("it is in use ({what})"),
        };
        let hint = match found {
            Found::Snapshot => "give another folder, or replace it with --force",
            _ => "give a new or empty folder; this one is not replaced, not even with --force",
        };
        Err(Error::at(ErrorKind::AlreadyExists, "write to", &self.path, problem).with_hint(hint))
    }

    fn find(&self) -> Result<Found, Error> {
        find(&self.path)
    }

    /// Moves the finished folder to its place.
    pub(super) fn put(self, staged: Staged) -> Result<PathBuf, Error> {
        match self.check()? {
            Found::Snapshot => match disk::exchange(staged.path(), &self.path) {
                Ok(()) => {
                    sync_folder(self.parent())?;
                    // What is aside now is the earlier result.
                    remove(staged.path())?;
                    staged.keep();
                }
                Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
                    self.put_in_two_steps(staged)?;
                }
                Err(error) => return Err(Error::io("replace", &self.path, &error)),
            },
            Found::Empty => {
                // Goes away first, because not every system renames over an empty folder.
                disk::remove_folder(&self.path).map_err(|error| {
                    Error::io("replace the empty folder", &self.path, &error)
                        .with_hint("if it is a mount point, give a folder inside it")
                })?;
                move_into_place(staged.path(), &self.path)?;
                staged.keep();
            }
            _ => {
                move_into_place(staged.path(), &self.path)?;
                staged.keep();
            }
        }
        Ok(self.path)
    }

    /// For systems that cannot swap two names: for a moment nothing is at the path, never half of
    /// something, and a crash in that moment is mended by the next run.
    fn put_in_two_steps(&self, staged: Staged) -> Result<(), Error> {
        let _held = hold(&self.path);
        let old = unique(self.parent(), &self.hidden(REPLACED));
        move_into_place(&self.path, &old)?;
        if let Err(error) = move_into_place(staged.path(), &self.path) {
            // Best effort to leave things as they were; the first error is the one to tell.
            let _ = move_into_place(&old, &self.path);
            return Err(error);
        }
        staged.keep();
        remove(&old)
    }
}

/// Whether a name ends as [`unique`] makes it: process id and number.
fn is_unique_end(end: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    end.split_once('-')
        .is_some_and(|(process, number)| is_number(process) && is_number(number))
}

fn find(folder: &Path) -> Result<Found, Error> {
    match fs_err::symlink_metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Found::Nothing);
        }
        Err(error) => return Err(Error::io("look at", folder, &error)),
        Ok(found) if !found.is_dir() => {
            return Ok(Found::Other("it is no folder".to_owned()));
        }
        Ok(_) => {}
    }
    let names = entries(folder)?;
    if names.is_empty() {
        return Ok(Found::Empty);
    }
    let is_ours = |name: &String| {
        let table = name.strip_suffix(".parquet");
        let is_table = af_model::tables::ALL
            .iter()
            .any(|known| table == Some(known.name));
        name == MANIFEST || is_table
    };
    Ok(match names.iter().find(|name| !is_ours(name)) {
        Some(foreign) => Found::Other(format!("it holds {foreign}")),
        None if names.iter().any(|name| name == MANIFEST) => Found::Snapshot,
        None => Found::Unfinished,
    })
}
