//! What a power cut does beyond a kill: names and bytes that were never forced to disk may be gone.
//!
//! The journal follows every change. A change of names (create, rename, remove) lasts once the folder
//! it happened in was synced, the bytes of a file once the file was. At a cut, every folder loses any
//! number of its last changes that do not last yet, and every file any tail of its bytes. Real file
//! systems lose less; code that survives this survives them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use af_store::disk::{Operation, Step};

use crate::dice::Dice;
use crate::tree;

/// A change of names that does not last yet.
#[derive(Debug)]
struct Pending {
    /// The folder whose sync makes it last.
    folder: PathBuf,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Created(PathBuf),
    Renamed {
        from: PathBuf,
        to: PathBuf,
        replaced: Option<PathBuf>,
    },
    Exchanged(PathBuf, PathBuf),
    Removed {
        path: PathBuf,
        backup: PathBuf,
    },
}

/// All changes of one run that a power cut may undo.
#[derive(Debug)]
pub(crate) struct Journal {
    /// A folder of the same file system for what may have to come back.
    aside: PathBuf,
    backups: usize,
    pending: Vec<Pending>,
    unsynced: BTreeSet<PathBuf>,
    /// Whether syncing does nothing, as on a disk that lies.
    lies: bool,
}

impl Journal {
    pub(crate) fn new(aside: PathBuf, lies: bool) -> Self {
        fs::create_dir_all(&aside).unwrap();
        Self {
            aside,
            backups: 0,
            pending: Vec::new(),
            unsynced: BTreeSet::new(),
            lies,
        }
    }

    /// Follows a step that is about to happen.
    pub(crate) fn follow(&mut self, step: &Step<'_>) {
        let path = step.path.to_owned();
        if path.ends_with("lock") {
            return;
        }
        let exists = fs::symlink_metadata(&path).is_ok();
        match step.operation {
            Operation::CreateFolder if !exists => self.push(&path.clone(), Change::Created(path)),
            Operation::CreateFile if !exists => {
                self.unsynced.insert(path.clone());
                self.push(&path.clone(), Change::Created(path));
            }
            Operation::Write | Operation::Truncate => {
                self.unsynced.insert(path);
            }
            Operation::SyncFile if !self.lies => {
                self.unsynced.remove(&path);
            }
            Operation::SyncFolder if !self.lies => {
                self.pending.retain(|pending| pending.folder != path);
            }
            Operation::Rename if exists => {
                let to = step.to.expect("a rename has a new name").to_owned();
                let replaced = to.exists().then(|| self.back_up(&to));
                self.moved(&path, &to);
                let from = path;
                self.push(&to.clone(), Change::Renamed { from, to, replaced });
            }
            Operation::Exchange if exists => {
                let to = step.to.expect("an exchange has two names").to_owned();
                self.swapped(&path, &to);
                self.push(&to.clone(), Change::Exchanged(path, to));
            }
            Operation::RemoveFile | Operation::RemoveFolder | Operation::RemoveTree if exists => {
                let backup = self.back_up(&path);
                self.push(&path.clone(), Change::Removed { path, backup });
            }
            _ => {}
        }
    }

    /// Cuts the power.
    pub(crate) fn cut(mut self, dice: &mut Dice) {
        for path in std::mem::take(&mut self.unsynced) {
            let Ok(found) = fs::metadata(&path) else {
                continue;
            };
            let kept = match dice.below(3) {
                0 => found.len(),
                1 => 0,
                _ => dice.below(found.len() + 1),
            };
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(kept).unwrap();
        }
        let mut lost: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for pending in &self.pending {
            *lost.entry(pending.folder.clone()).or_default() += 1;
        }
        for count in lost.values_mut() {
            *count = match dice.below(3) {
                0 => *count,
                1 => 0,
                _ => usize::try_from(dice.below(*count as u64 + 1)).unwrap(),
            };
        }
        // The last change first; a folder's key is its name at the time of the cut.
        let keys: Vec<PathBuf> = self.pending.iter().map(|p| p.folder.clone()).collect();
        for index in (0..self.pending.len()).rev() {
            let left = lost.get_mut(&keys[index]).unwrap();
            if *left == 0 {
                continue;
            }
            *left -= 1;
            self.undo(index);
        }
    }

    fn undo(&mut self, index: usize) {
        let before = &mut self.pending[..=index];
        let (last, before) = before.split_last_mut().unwrap();
        match &last.change {
            Change::Created(path) => tree::remove(path),
            Change::Removed { path, backup } => put_back(backup, path),
            Change::Exchanged(one, other) => {
                tree::exchange(one, other);
                for pending in before {
                    pending.rewrite(|path| swap(path, one, other));
                }
            }
            Change::Renamed { from, to, replaced } => {
                if to.exists() {
                    if from.parent().is_some_and(Path::is_dir) {
                        fs::rename(to, from).unwrap();
                    } else {
                        tree::remove(to);
                    }
                }
                if let Some(replaced) = replaced {
                    put_back(replaced, to);
                }
                for pending in before {
                    pending.rewrite(|path| beneath(path, to, from));
                }
            }
        }
    }

    fn push(&mut self, path: &Path, change: Change) {
        let folder = path.parent().expect("everything lies in a folder");
        self.pending.push(Pending {
            folder: folder.to_owned(),
            change,
        });
    }

    fn back_up(&mut self, path: &Path) -> PathBuf {
        self.backups += 1;
        let backup = self.aside.join(self.backups.to_string());
        tree::link(path, &backup);
        backup
    }

    fn moved(&mut self, from: &Path, to: &Path) {
        self.unsynced = std::mem::take(&mut self.unsynced)
            .into_iter()
            .filter(|path| !path.starts_with(to))
            .map(|path| {
                if path == from {
                    to.to_owned()
                } else {
                    beneath(&path, from, to).unwrap_or(path)
                }
            })
            .collect();
        for pending in &mut self.pending {
            pending.rewrite(|path| beneath(path, from, to));
        }
    }

    fn swapped(&mut self, one: &Path, other: &Path) {
        self.unsynced = std::mem::take(&mut self.unsynced)
            .into_iter()
            .map(|path| swap(&path, one, other).unwrap_or(path))
            .collect();
        for pending in &mut self.pending {
            pending.rewrite(|path| swap(path, one, other));
        }
    }
}

impl Pending {
    /// Names change with the folders above them.
    fn rewrite(&mut self, new: impl Fn(&Path) -> Option<PathBuf>) {
        let set = |path: &mut PathBuf| {
            if let Some(found) = new(path) {
                *path = found;
            }
        };
        match &mut self.change {
            Change::Created(path) | Change::Removed { path, .. } => set(path),
            Change::Renamed { from, to, .. } => {
                set(from);
                set(to);
            }
            Change::Exchanged(one, other) => {
                set(one);
                set(other);
            }
        }
        // A folder that moved as a whole is synced under its new name.
        let inside = self.folder.join("x");
        if let Some(found) = new(&inside) {
            found.parent().unwrap().clone_into(&mut self.folder);
        }
    }
}

/// The new name of something strictly beneath `from`.
fn beneath(path: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
    let rest = path.strip_prefix(from).ok()?;
    (!rest.as_os_str().is_empty()).then(|| to.join(rest))
}

fn swap(path: &Path, one: &Path, other: &Path) -> Option<PathBuf> {
    beneath(path, one, other).or_else(|| beneath(path, other, one))
}

fn put_back(backup: &Path, path: &Path) {
    if !path.exists() && path.parent().is_some_and(Path::is_dir) {
        fs::rename(backup, path).unwrap();
    }
}
