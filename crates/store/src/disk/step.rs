//! What a step is, and who may watch it.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::rc::Rc;

/// What is done to the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A new folder.
    CreateFolder,
    /// A new, empty file, opened for writing.
    CreateFile,
    /// Bytes at the end of a file.
    Write,
    /// A file is cut to nothing.
    Truncate,
    /// A file's content is forced to disk.
    SyncFile,
    /// A folder's names are forced to disk.
    SyncFolder,
    /// A file or folder gets another name; a file there is replaced.
    Rename,
    /// Two files or folders swap their names.
    Exchange,
    /// A file goes away.
    RemoveFile,
    /// An empty folder goes away.
    RemoveFolder,
    /// A folder goes away with all it holds.
    RemoveTree,
    /// A folder becomes its owner's alone.
    Protect,
}

impl Operation {
    /// The operation in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateFolder => "create folder",
            Self::CreateFile => "create file",
            Self::Write => "write",
            Self::Truncate => "truncate",
            Self::SyncFile => "sync file",
            Self::SyncFolder => "sync folder",
            Self::Rename => "rename",
            Self::Exchange => "exchange",
            Self::RemoveFile => "remove file",
            Self::RemoveFolder => "remove folder",
            Self::RemoveTree => "remove tree",
            Self::Protect => "protect",
        }
    }
}

/// One change that is about to happen.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// What is done.
    pub operation: Operation,
    /// The file or folder it is done to.
    pub path: &'a Path,
    /// The new name, for [`Operation::Rename`] and [`Operation::Exchange`].
    pub to: Option<&'a Path>,
    /// How many bytes, for [`Operation::Write`].
    pub bytes: usize,
}

/// What becomes of a step.
#[derive(Debug)]
pub enum Verdict {
    /// It happens.
    Go,
    /// It does not happen and is taken for done, as by a disk that lies about syncing.
    Pretend,
    /// It does not happen and fails with this error.
    Fail(io::Error),
    /// A part of it happens before it fails: so many bytes of a write, so many entries of a tree.
    Partly(usize, io::Error),
}

/// Sees every step of a thread before it happens.
pub trait Witness {
    /// Judges one step.
    fn step(&self, step: &Step<'_>) -> Verdict;
}

thread_local! {
    static WITNESS: RefCell<Option<Rc<dyn Witness>>> = const { RefCell::new(None) };
}

/// Runs `work` with every step that this thread takes in it shown to `witness` first. Steps of other
/// threads are not shown. The witness before it, if any, is back afterwards, also after a panic.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use af_store::disk::{Step, Verdict, Witness, witnessed};
///
/// #[derive(Default)]
/// struct Count(Cell<usize>);
/// impl Witness for Count {
///     fn step(&self, _: &Step<'_>) -> Verdict {
///         self.0.set(self.0.get() + 1);
///         Verdict::Go
///     }
/// }
/// let folder = tempfile::tempdir().unwrap();
/// let count = Rc::new(Count::default());
/// witnessed(count.clone(), || af_store::Store::create_or_open(&folder.path().join("s"))).unwrap();
/// assert!(count.0.get() > 5);
/// ```
pub fn witnessed<T>(witness: Rc<dyn Witness>, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Rc<dyn Witness>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            WITNESS.set(self.0.take());
        }
    }
    let _restore = Restore(WITNESS.replace(Some(witness)));
    work()
}

/// Asks the witness, if there is one.
pub(super) fn ask(step: &Step<'_>) -> Verdict {
    // The witness is taken out of the cell first: it may itself call into this crate.
    let witness = WITNESS
        .try_with(|witness| witness.borrow().clone())
        .ok()
        .flatten();
    witness.map_or(Verdict::Go, |witness| witness.step(step))
}
