//! One writer at a time.

use std::fs::TryLockError;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::atomic::{Access, remove};
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::layout::{Store, UNFINISHED_MARKER, entries};
use crate::secret::UNFINISHED_KEY;

/// The right to write to one store, held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct WriteLock {
    root: PathBuf,
    file: disk::File,
}

impl Store {
    /// Takes the write lock and clears up what a crashed writer left: a half-done commit, replacement
    /// of day files or rewrite of snapshots is completed, `tmp/` is emptied, and `snapshots/LATEST` is
    /// brought up to date.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] when another process writes; the text names its process id. Never waits.
    pub fn lock(&self) -> Result<WriteLock, Error> {
        let path = self.lock_file();
        let file = hold(&path, Access::Usual, "writing to this store")?;
        let lock = WriteLock {
            root: self.root().to_owned(),
            file,
        };
        // What was promised comes first: it may still lie in tmp/.
        self.finish_commit(&lock)?;
        self.finish_replacement(&lock)?;
        let tmp = self.tmp_dir();
        self.create_folder(&tmp)?;
        clear(&tmp, "")?;
        clear(&self.state_dir(), UNFINISHED_MARKER)?;
        clear(&self.secret_dir(), UNFINISHED_KEY)?;
        self.finish_rewrites(&lock)?;
        self.clear_empty_folders(&lock)?;
        self.refresh_latest(&lock)?;
        Ok(lock)
    }
}

/// How often, and after which pauses, a lock is tried again.
const LOOKS: u32 = 3;
const LOOK: Duration = Duration::from_millis(15);

/// Takes a file lock, hardly waiting, and notes our process id in it; `doing` says what its holder
/// does.
pub(crate) fn hold(path: &Path, access: Access, doing: &str) -> Result<disk::File, Error> {
    let failed = |error: std::io::Error| Error::io("lock", path, &error);
    // The file stays when the lock is released: removing it would let two holders hold two files of
    // the same name.
    let mut file = disk::File::open_or_create(path, access).map_err(failed)?;
    let mut locked = file.inner().try_lock();
    for _ in 0..LOOKS {
        if !matches!(locked, Err(TryLockError::WouldBlock)) {
            break;
        }
        // Whoever only looks who holds it, holds it for a moment.
        std::thread::sleep(LOOK);
        locked = file.inner().try_lock();
    }
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = Read::by_ref(file.inner())
                .take(20)
                .read_to_string(&mut holder);
            let problem = match holder.trim().parse::<u32>() {
                Ok(pid) => format!("process {pid} is {doing}"),
                Err(_) => format!("another process is {doing}"),
            };
            return Err(Error::at(ErrorKind::Locked, "lock", path, problem));
        }
        Err(TryLockError::Error(error)) => {
            return Err(
                failed(error).with_hint("the store's file system must support file locks (flock)")
            );
        }
    }
    // A courtesy to whoever waits: a full disk must not keep anybody from making room.
    let _ = file
        .truncate()
        .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
    Ok(file)
}

/// Gives a file lock back. The process id goes first; the lock itself ends with the file handle.
pub(crate) fn release(file: &mut disk::File) {
    let _ = file.truncate();
    let _ = file.inner().unlock();
}

/// Removes everything in a folder whose name begins like this.
pub(crate) fn clear(folder: &Path, beginning: &str) -> Result<(), Error> {
    for name in entries(folder)? {
        if name.starts_with(beginning) {
            remove(&folder.join(name))?;
        }
    }
    Ok(())
}

impl WriteLock {
    /// Panics when the lock of one store is used to write to another: no input can cause that.
    pub(crate) fn guards(&self, store: &Store) {
        // Two spellings of one path are the same store.
        let is_same = self.root == store.root()
            || fs_err::canonicalize(&self.root).ok() == fs_err::canonicalize(store.root()).ok();
        assert!(
            is_same,
            "the lock of {} was used to write to {}",
            self.root.display(),
            store.root().display()
        );
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        release(&mut self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_told_who_writes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        let other = Store::open(store.root()).unwrap();
        let error = other.lock().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        let holder = format!("process {} is writing", std::process::id());
        assert!(error.to_string().contains(&holder), "{error}");
        assert!(error.hint().unwrap().contains("wait"));
        drop(lock);
        other.lock().unwrap();
    }

    #[test]
    fn leftovers_of_a_crash_are_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        fs_err::create_dir_all(store.tmp_dir().join("snapshot.1-0/inner")).unwrap();
        fs_err::write(store.tmp_dir().join("half.parquet"), "PAR1").unwrap();
        let lock = store.lock().unwrap();
        assert_eq!(fs_err::read_dir(store.tmp_dir()).unwrap().count(), 0);
        drop(lock);
        // Beside their files, where a rename needs them: a key and a marker that were being written.
        let unfinished = [
            store.secret_dir().join("hash.key.7-0"),
            store.state_dir().join("store.json.7-0"),
        ];
        fs_err::create_dir(store.secret_dir()).unwrap();
        for path in &unfinished {
            fs_err::write(path, "ab").unwrap();
        }
        drop(store.lock().unwrap());
        assert!(unfinished.iter().all(|path| !path.exists()));
        Store::open(store.root()).unwrap();
        // A reader holds no lock and clears nothing.
        fs_err::write(store.tmp_dir().join("half.parquet"), "PAR1").unwrap();
        Store::open(store.root()).unwrap();
        assert_eq!(fs_err::read_dir(store.tmp_dir()).unwrap().count(), 1);
    }

    #[test]
    #[should_panic(expected = "was used to write to")]
    fn a_lock_opens_one_store_only() {
        let folder = tempfile::tempdir().unwrap();
        let one = Store::create_or_open(&folder.path().join("one")).unwrap();
        let two = Store::create_or_open(&folder.path().join("two")).unwrap();
        let lock = one.lock().unwrap();
        let _ = two.write_state(&lock, "cursor", &1);
    }
}
