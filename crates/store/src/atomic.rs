//! Files and folders that appear whole or not at all: made aside, forced to disk, renamed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use fs_err::OpenOptions;

use crate::error::Error;

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
pub(crate) fn create_new(path: &Path) -> Result<fs_err::File, Error> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| Error::io("create", path, &error))
}

/// As [`create_new`], readable and writable by the owner only.
fn create_private(path: &Path) -> Result<fs_err::File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
        .open(path)
        .map_err(|error| Error::io("create", path, &error))
}

/// Makes a folder and its parents.
pub(crate) fn create_folder(path: &Path) -> Result<(), Error> {
    fs_err::create_dir_all(path).map_err(|error| Error::io("create folder", path, &error))
}

/// Forces a folder's entries to disk, without which a rename may be forgotten at a power cut.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    // Other systems do not let a folder be opened and keep renames in order themselves.
    if cfg!(unix) {
        // The parent of a bare name is written as nothing; it is the folder we are in.
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        fs_err::File::open(path)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| Error::io("sync folder", path, &error))?;
    }
    Ok(())
}

/// Renames a finished, synced file or folder to its final place and makes that last.
pub(crate) fn move_into_place(from: &Path, to: &Path) -> Result<(), Error> {
    fs_err::rename(from, to).map_err(|error| Error::io("move into place", to, &error))?;
    match to.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

/// Who may read a file written by [`write_atomically`].
#[derive(Clone, Copy, PartialEq, Eq)]
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
    let mut file = match access {
        Access::Usual => create_new(path)?,
        Access::Owner => create_private(path)?,
    };
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(|error| Error::io("write", path, &error))
}

/// Removes a file or folder with all it holds; nothing there is fine.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let is_folder = fs_err::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let removed = if is_folder {
        fs_err::remove_dir_all(path)
    } else {
        fs_err::remove_file(path)
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
        fs_err::create_dir(&path).map_err(|error| Error::io("create folder", &path, &error))?;
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
