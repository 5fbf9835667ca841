//! Files and folders that appear whole or not at all: made aside, forced to disk, renamed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::layout::Store;

/// A path in `folder` that nothing else uses: process id and a counter make it so.
pub(crate) fn unique(folder: &Path, stem: &str) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{stem}.{}-{number}", std::process::id()));
        // Containers give every run the same process id: a crashed one may have left the name.
        if fs_err::symlink_metadata(&path).is_err() {
            return path;
        }
    }
}

/// Opens a new file for writing; fails if anything is at the path.
pub(crate) fn create_new(path: &Path) -> Result<disk::File, Error> {
    disk::File::create_new(path, Access::Usual).map_err(|error| Error::io("create", path, &error))
}

/// Makes a folder and its parents, each of them lasting: a folder that a power cut forgets takes
/// along what was synced inside it.
pub(crate) fn create_folder(path: &Path) -> Result<(), Error> {
    let mut missing = Vec::new();
    let mut folder = path;
    while !folder.is_dir() {
        missing.push(folder);
        match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => folder = parent,
            _ => break,
        }
    }
    for folder in missing.into_iter().rev() {
        match disk::create_folder(folder) {
            // Somebody else was faster; that is as good.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            other => other.map_err(|error| Error::io("create folder", folder, &error))?,
        }
        if let Some(parent) = folder.parent() {
            match sync_folder(parent) {
                // A parent that one may pass but not list cannot be synced by anybody like us.
                Err(error) if error.kind() == ErrorKind::Permission => {}
                other => other?,
            }
        }
    }
    Ok(())
}

/// Forces a folder's entries to disk, without which a rename may be forgotten at a power cut.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    // The parent of a bare name is written as nothing; it is the folder we are in.
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    disk::sync_folder(path).map_err(|error| Error::io("sync folder", path, &error))
}

/// Renames a finished, synced file or folder to its final place and makes that last.
pub(crate) fn move_into_place(from: &Path, to: &Path) -> Result<(), Error> {
    disk::rename(from, to).map_err(|error| Error::io("move into place", to, &error))?;
    match to.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

/// Who may read a file that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// As the process's umask says.
    Usual,
    /// The owner only.
    Owner,
}

/// Replaces `to` by `content`; whoever reads meanwhile sees the old or the new content, whole.
/// `aside` is a folder of the same file system.
pub(crate) fn write_atomically(
    aside: &Path,
    to: &Path,
    content: &[u8],
    access: Access,
) -> Result<(), Error> {
    let stem = to
        .file_name()
        .map_or("file".into(), |n| n.to_string_lossy());
    let staged = Staged::at(unique(aside, &stem));
    write_synced(staged.path(), content, access)?;
    move_into_place(staged.path(), to)?;
    staged.keep();
    Ok(())
}

/// Writes a new file and forces it to disk.
pub(crate) fn write_synced(path: &Path, content: &[u8], access: Access) -> Result<(), Error> {
    let mut file =
        disk::File::create_new(path, access).map_err(|error| Error::io("create", path, &error))?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(|error| Error::io("write", path, &error))
}

/// Removes a file or folder with all it holds; nothing there is fine.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let is_folder = fs_err::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let removed = if is_folder {
        disk::remove_tree(path)
    } else {
        disk::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", path, &error))
        }
        _ => Ok(()),
    }
}

/// Something unfinished, removed when dropped unless it is kept.
#[derive(Debug)]
pub(crate) struct Staged {
    path: PathBuf,
    kept: bool,
}

impl Staged {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, kept: false }
    }

    pub(crate) fn folder(path: PathBuf) -> Result<Self, Error> {
        disk::create_folder(&path).map_err(|error| Error::io("create folder", &path, &error))?;
        Ok(Self::at(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.kept {
            // Best effort: what stays behind in tmp/ is emptied by the next writer.
            let _ = remove(&self.path);
        }
    }
}

/// A place in `tmp/` for rows that do not fit into memory; what is put there goes away with it.
#[derive(Debug)]
pub struct Scratch(Staged);

impl Store {
    /// A place that nothing else uses; for the one writer, because `tmp/` is emptied by the next.
    pub fn scratch(&self, stem: &str) -> Scratch {
        Scratch(Staged::at(unique(&self.tmp_dir(), stem)))
    }
}

impl Scratch {
    /// Where the file may be written; nothing is there yet.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_content_and_nothing_aside() {
        let folder = tempfile::tempdir().unwrap();
        let aside = folder.path().join("tmp");
        create_folder(&aside).unwrap();
        let to = folder.path().join("document");
        write_atomically(&aside, &to, b"one", Access::Usual).unwrap();
        write_atomically(&aside, &to, b"two", Access::Usual).unwrap();
        assert_eq!(fs_err::read(&to).unwrap(), b"two");
        // A folder that is not empty cannot be replaced by a file.
        let occupied = folder.path().join("occupied");
        create_folder(&occupied.join("inner")).unwrap();
        assert!(write_atomically(&aside, &occupied, b"three", Access::Usual).is_err());
        assert!(occupied.join("inner").is_dir());
        assert_eq!(fs_err::read_dir(&aside).unwrap().count(), 0);
    }
}
