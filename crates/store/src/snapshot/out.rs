//! Publishing into any folder, for runs without a store.

use std::path::{Path, PathBuf};

use super::MANIFEST;
use super::publish::{Destination, Publication};
use crate::atomic::{Staged, create_folder, move_into_place, remove, unique};
use crate::error::{Error, ErrorKind};
use crate::layout::entries;

/// The folder in which a publication shall appear.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    force: bool,
}

/// What is at the place of an output folder.
enum Found {
    Nothing,
    /// An empty folder.
    Empty,
    /// A folder that holds what a publication holds, and nothing else.
    Snapshot,
    /// Anything else.
    Other(String),
}

/// Starts a publication that shall appear as the folder `path`. It is made in a hidden folder beside
/// it, so that `path` is whole or not there.
///
/// An existing empty folder is replaced. One that holds an earlier publication, and nothing else, is
/// replaced with `force`; anything else is never touched.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] when `path` is in use, or a failure to write beside it.
pub fn begin_output(path: &Path, force: bool) -> Result<Publication<'static>, Error> {
    let folder = Folder::new(path, force)?;
    folder.check()?;
    let parent = folder.parent();
    create_folder(parent)?;
    let staged = Staged::folder(unique(parent, &folder.hidden("new")))?;
    Ok(Publication::new(staged, Destination::Folder(folder)))
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
        Ok(Self { path, force })
    }

    fn parent(&self) -> &Path {
        self.path.parent().expect("a path with a name has a parent")
    }

    fn hidden(&self, what: &str) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!(".{name}.{what}")
    }

    fn check(&self) -> Result<Found, Error> {
        let found = self.find()?;
        let problem = match (&found, self.force) {
            (Found::Nothing | Found::Empty, _) | (Found::Snapshot, true) => return Ok(found),
            (Found::Snapshot, false) => "it holds an earlier result".to_owned(),
            (Found::Other(what), _) => format!("it is in use ({what})"),
        };
        let hint = match found {
            Found::Snapshot => "give another folder, or replace it with --force",
            _ => "give a new or empty folder; this one is not replaced, not even with --force",
        };
        Err(Error::at(ErrorKind::AlreadyExists, "write to", &self.path, problem).with_hint(hint))
    }

    fn find(&self) -> Result<Found, Error> {
        match fs_err::symlink_metadata(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Found::Nothing);
            }
            Err(error) => return Err(Error::io("look at", &self.path, &error)),
            Ok(found) if !found.is_dir() => {
                return Ok(Found::Other("it is no folder".to_owned()));
            }
            Ok(_) => {}
        }
        let names = entries(&self.path)?;
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
            None => Found::Other("it holds tables but no manifest".to_owned()),
        })
    }

    /// Moves the finished folder to its place.
    pub(super) fn put(self, staged: Staged) -> Result<PathBuf, Error> {
        match self.check()? {
            Found::Snapshot => {
                // Aside first: between the two renames nothing is at the path, never half of something.
                let old = unique(self.parent(), &self.hidden("old"));
                move_into_place(&self.path, &old)?;
                if let Err(error) = move_into_place(staged.path(), &self.path) {
                    // Best effort to leave things as they were; the first error is the one to tell.
                    let _ = move_into_place(&old, &self.path);
                    return Err(error);
                }
                staged.keep();
                remove(&old)?;
            }
            Found::Empty => {
                // Goes away first, because not every system renames over an empty folder.
                fs_err::remove_dir(&self.path).map_err(|error| {
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
}
