//! What shall go wrong, and where: a witness of every step of one run.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};

use af_store::disk::{Operation, Step, Verdict, Witness};

use crate::dice::Dice;
use crate::power::Journal;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The process is killed: this and every later step has no effect, a write possibly in part.
    Kill,
    /// The machine loses its power: as killed, and what was not synced may be lost.
    PowerCut,
    /// As [`Fault::PowerCut`] on a disk that lies about syncing: nothing can be right then.
    LyingDisk,
    /// No space is left from here on.
    Full,
    /// The file system is read-only from here on.
    ReadOnly,
    /// Permissions are missing from here on.
    Denied,
    /// The folder is gone from here on.
    Vanished,
    /// One sync fails.
    FailingSync,
    /// One other step fails.
    FailingStep,
}

impl Fault {
    /// Faults that the process survives and tells.
    pub(crate) const TOLD: [Self; 6] = [
        Self::Full,
        Self::ReadOnly,
        Self::Denied,
        Self::Vanished,
        Self::FailingSync,
        Self::FailingStep,
    ];

    /// A word of the hint that says what to do.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::Full => "free some space",
            Self::ReadOnly => "read-only",
            Self::Denied => "permissions",
            Self::Vanished => "bring it back",
            _ => "system's log",
        }
    }
}

/// Goes wrong at one step of a run.
pub(crate) struct Plan {
    /// The folder that holds everything the run works on.
    base: PathBuf,
    /// The step, counted from 0, and what goes wrong there; nothing for an undisturbed run.
    fault: Option<(usize, Fault)>,
    taken: Cell<usize>,
    has_struck: Cell<bool>,
    struck: RefCell<Option<String>>,
    dice: RefCell<Dice>,
    journal: RefCell<Option<Journal>>,
    names: RefCell<Vec<String>>,
}

impl Plan {
    /// A run that is only watched.
    pub(crate) fn undisturbed(base: &Path) -> Self {
        Self::new(base, None, 0)
    }

    /// A run that goes wrong.
    pub(crate) fn new(base: &Path, fault: Option<(usize, Fault)>, seed: u64) -> Self {
        let journal = match fault {
            Some((_, Fault::PowerCut)) => Some(false),
            Some((_, Fault::LyingDisk)) => Some(true),
            _ => None,
        };
        Self {
            base: base.to_owned(),
            fault,
            taken: Cell::new(0),
            has_struck: Cell::new(false),
            struck: RefCell::new(None),
            dice: RefCell::new(Dice::new(seed)),
            journal: RefCell::new(journal.map(|lies| Journal::new(away(base, "aside"), lies))),
            names: RefCell::new(Vec::new()),
        }
    }

    /// The names of the steps that were taken.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names.borrow().clone()
    }

    /// The first step that went wrong.
    pub(crate) fn struck(&self) -> Option<String> {
        self.struck.borrow().clone()
    }

    /// What happens once the process is gone: the power's loss becomes visible, the folder is back.
    pub(crate) fn end(&self) {
        if let Some(journal) = self.journal.take() {
            journal.cut(&mut self.dice.borrow_mut());
        }
        let gone = away(&self.base, "vanished");
        if gone.exists() {
            // What was made in its place is hidden again by what comes back.
            crate::tree::remove(&self.base);
            std::fs::rename(gone, &self.base).unwrap();
        }
    }

    fn strike(&self, fault: Fault, step: &Step<'_>) -> Verdict {
        let failed = |code| Verdict::Fail(io::Error::from_raw_os_error(code));
        let dead = || io::Error::other("the process is dead");
        let is_first = !self.has_struck.replace(true);
        match fault {
            Fault::Kill | Fault::PowerCut | Fault::LyingDisk => match step.operation {
                Operation::Write | Operation::RemoveTree if is_first => {
                    let most = step.bytes.max(2) as u64;
                    let part = self.dice.borrow_mut().below(most);
                    if let Some(journal) = &mut *self.journal.borrow_mut() {
                        journal.follow(step);
                    }
                    Verdict::Partly(usize::try_from(part).unwrap(), dead())
                }
                _ => Verdict::Fail(dead()),
            },
            Fault::Full => match step.operation {
                Operation::Write if is_first => {
                    let part = self.dice.borrow_mut().below(step.bytes as u64 + 1);
                    let error = io::Error::from_raw_os_error(ENOSPC);
                    Verdict::Partly(usize::try_from(part).unwrap(), error)
                }
                Operation::CreateFile if step.path.exists() => Verdict::Go,
                Operation::Write | Operation::CreateFile | Operation::CreateFolder => {
                    failed(ENOSPC)
                }
                _ => Verdict::Go,
            },
            Fault::ReadOnly => failed(EROFS),
            Fault::Denied => failed(EACCES),
            Fault::Vanished => {
                if is_first {
                    std::fs::rename(&self.base, away(&self.base, "vanished")).unwrap();
                }
                Verdict::Go
            }
            Fault::FailingSync | Fault::FailingStep => {
                let is_sync = matches!(step.operation, Operation::SyncFile | Operation::SyncFolder);
                if is_sync == (fault == Fault::FailingSync) {
                    failed(EIO)
                } else {
                    // Waits for the next step of its kind.
                    self.has_struck.set(false);
                    Verdict::Go
                }
            }
        }
    }
}

const EIO: i32 = 5;
const EACCES: i32 = 13;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;

impl Witness for Plan {
    fn step(&self, step: &Step<'_>) -> Verdict {
        let number = self.taken.replace(self.taken.get() + 1);
        self.names.borrow_mut().push(name(&self.base, step));
        if let Some((at, fault)) = self.fault {
            let is_single = matches!(fault, Fault::FailingSync | Fault::FailingStep);
            if number >= at && !(is_single && self.has_struck.get()) {
                match self.strike(fault, step) {
                    Verdict::Go if fault != Fault::Vanished => {}
                    other => {
                        let mut struck = self.struck.borrow_mut();
                        struck.get_or_insert_with(|| name(&self.base, step));
                        return other;
                    }
                }
            }
        }
        if let Some(journal) = &mut *self.journal.borrow_mut() {
            journal.follow(step);
        }
        match step.operation {
            // Nothing is lost in earnest, so nothing needs to wait for the disk.
            Operation::SyncFile | Operation::SyncFolder if step.path.exists() => Verdict::Pretend,
            _ => Verdict::Go,
        }
    }
}

/// A folder beside `base`.
fn away(base: &Path, what: &str) -> PathBuf {
    base.with_extension(what)
}

/// What a step does and to what, without what differs from run to run and file to file.
fn name(base: &Path, step: &Step<'_>) -> String {
    let place = |path: &Path| {
        let path = path.strip_prefix(base).unwrap_or(path);
        let parts: Vec<String> = path
            .components()
            .map(|part| general(&part.as_os_str().to_string_lossy()))
            .collect();
        parts.join("/")
    };
    let operation = step.operation.as_str();
    match step.to {
        Some(to) => format!("{operation} {} to {}", place(step.path), place(to)),
        None => format!("{operation} {}", place(step.path)),
    }
}

/// Numbers and hashes become `#`.
fn general(part: &str) -> String {
    let part = match part.split_once("b3-").or_else(|| part.split_once("Z-")) {
        Some((before, _)) => format!("{before}#"),
        None => part.to_owned(),
    };
    let mut general = String::new();
    for character in part.chars() {
        let shown = if character.is_ascii_digit() {
            '#'
        } else {
            character
        };
        if !(shown == '#' && general.ends_with('#')) {
            general.push(shown);
        }
    }
    general
}
