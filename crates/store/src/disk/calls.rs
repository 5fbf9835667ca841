//! The changes themselves: each asks for its step, then calls the operating system.

use std::io::{self, Write};
use std::path::Path;

use fs_err::OpenOptions;

use super::step::{Operation, Step, Verdict, ask};
use crate::atomic::Access;

/// Takes a step that either happens or does not.
fn whole(
    operation: Operation,
    path: &Path,
    to: Option<&Path>,
    change: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let step = Step {
        operation,
        path,
        to,
        bytes: 0,
    };
    match ask(&step) {
        Verdict::Go => change(),
        Verdict::Pretend => Ok(()),
        Verdict::Fail(error) | Verdict::Partly(_, error) => Err(error),
    }
}

/// Takes the step of opening a file, which cannot be pretended.
fn opened(path: &Path, options: &OpenOptions) -> io::Result<File> {
    let mut file = None;
    whole(Operation::CreateFile, path, None, || {
        file = Some(options.open(path)?);
        Ok(())
    })?;
    match file {
        Some(file) => Ok(File(file)),
        None => options.open(path).map(File),
    }
}

/// Says who may read a file that is made, where the system knows owners.
#[cfg_attr(not(unix), expect(unused_variables, reason = "no owners there"))]
fn only_for(access: Access, options: &mut OpenOptions) {
    #[cfg(unix)]
    if access == Access::Owner {
        use fs_err::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct File(fs_err::File);

impl File {
    /// Opens a new file; fails if anything is at the path.
    pub(crate) fn create_new(path: &Path, access: Access) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        only_for(access, &mut options);
        opened(path, &options)
    }

    /// Opens a file that may be there already and keeps what it holds.
    pub(crate) fn open_or_create(path: &Path, access: Access) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        only_for(access, &mut options);
        opened(path, &options)
    }

    /// Forces the content to disk.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        whole(Operation::SyncFile, self.0.path(), None, || {
            self.0.sync_all()
        })
    }

    /// Cuts the file to nothing.
    pub(crate) fn truncate(&self) -> io::Result<()> {
        whole(Operation::Truncate, self.0.path(), None, || {
            self.0.set_len(0)
        })
    }

    /// The file, for reading and locking.
    pub(crate) fn inner(&mut self) -> &mut fs_err::File {
        &mut self.0
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let step = Step {
            operation: Operation::Write,
            path: self.0.path(),
            to: None,
            bytes: bytes.len(),
        };
        match ask(&step) {
            Verdict::Go => self.0.write(bytes),
            Verdict::Pretend => Ok(bytes.len()),
            Verdict::Fail(error) => Err(error),
            Verdict::Partly(part, error) => {
                self.0.write_all(&bytes[..part.min(bytes.len())])?;
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Makes one folder, whose parent is there.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    whole(Operation::CreateFolder, path, None, || {
        fs_err::create_dir(path)
    })
}

/// Lets only the owner into a folder, where the system knows owners.
pub(crate) fn protect_folder(path: &Path) -> io::Result<()> {
    whole(Operation::Protect, path, None, || {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    })
}

/// Gives a file or folder another name.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    whole(Operation::Rename, from, Some(to), || {
        fs_err::rename(from, to)
    })
}

/// Swaps two names in one go; [`io::ErrorKind::Unsupported`] where the system cannot.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    whole(Operation::Exchange, one, Some(other), || {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            use rustix::io::Errno;
            renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(
                |error| match error {
                    Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP => {
                        io::ErrorKind::Unsupported.into()
                    }
                    other => other.into(),
                },
            )
        }
        #[cfg(not(target_os = "linux"))]
        {
            Err(io::ErrorKind::Unsupported.into())
        }
    })
}

/// Removes a file.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    whole(Operation::RemoveFile, path, None, || {
        fs_err::remove_file(path)
    })
}

/// Removes an empty folder.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    whole(Operation::RemoveFolder, path, None, || {
        fs_err::remove_dir(path)
    })
}

/// Removes a folder with all it holds.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let step = Step {
        operation: Operation::RemoveTree,
        path,
        to: None,
        bytes: 0,
    };
    match ask(&step) {
        Verdict::Go => fs_err::remove_dir_all(path),
        Verdict::Pretend => Ok(()),
        Verdict::Fail(error) => Err(error),
        Verdict::Partly(part, error) => {
            for entry in fs_err::read_dir(path)?.take(part) {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    fs_err::remove_dir_all(entry.path())?;
                } else {
                    fs_err::remove_file(entry.path())?;
                }
            }
            Err(error)
        }
    }
}

/// Forces a folder's names to disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    whole(Operation::SyncFolder, path, None, || {
        // Other systems do not let a folder be opened and keep renames in order themselves.
        if !cfg!(unix) {
            return Ok(());
        }
        match fs_err::File::open(path)?.sync_all() {
            // Some network and user-space file systems know no such call and keep names in order.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                ) =>
            {
                Ok(())
            }
            other => other,
        }
    })
}
