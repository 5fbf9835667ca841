//! What can go wrong between memory and disk.

use std::fmt;
use std::io;
use std::path::Path;

use af_model::name::Printable;
use parquet::errors::ParquetError;

/// A failed operation on a store, a snapshot or a table's file.
///
/// Its text fits "failed to …" and names the operation, the place and the cause;
/// [`Error::hint`] says what may help.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    operation: &'static str,
    subject: String,
    problem: String,
    kind: ErrorKind,
    hint: Option<String>,
}

/// The kind of an [`Error`], for callers that act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is nothing at the path, or it vanished meanwhile.
    NotFound,
    /// Something is there already and was not to be replaced.
    AlreadyExists,
    /// The folder is no store.
    NotAStore,
    /// Another process is writing to the store.
    Locked,
    /// The operating system forbids it.
    Permission,
    /// The file system is mounted read-only.
    ReadOnly,
    /// No space, or the quota is used up.
    NoSpace,
    /// Any other failure of the operating system.
    Io,
    /// The content is damaged, or no Parquet, JSON or key at all.
    Corrupt,
    /// Written by a newer version of the program.
    NewerVersion,
    /// The file says that it holds another table.
    WrongTable,
    /// The columns or rows do not fit the table's contract.
    Contract,
    /// Rows are not in the table's order.
    NotSorted,
    /// A name that must not become a path.
    InvalidName,
    /// A file differs from what the manifest says of it.
    Checksum,
}

/// What to do where a folder is not there any more.
pub(crate) const BRING_IT_BACK: &str =
    "check the path; if the folder was moved or unmounted, bring it back, then run again";

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        operation: &'static str,
        subject: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self {
            operation,
            subject: subject.into(),
            problem: problem.into(),
            kind,
            hint: None,
        }
    }

    pub(crate) fn at(
        kind: ErrorKind,
        operation: &'static str,
        path: &Path,
        problem: impl Into<String>,
    ) -> Self {
        Self::new(kind, operation, path.display().to_string(), problem)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn io(operation: &'static str, path: &Path, error: &io::Error) -> Self {
        // fs-err says "failed to … `path`: cause"; operation and path are said already.
        let text = error.to_string();
        let cause = match text.rsplit_once("`: ") {
            Some((wrapping, cause)) if wrapping.starts_with("failed to ") => cause,
            _ => &text,
        };
        Self::at(ErrorKind::of(error.kind()), operation, path, cause)
    }

    /// For failures while writing Parquet: the operating system's errors come wrapped.
    pub(crate) fn write(path: &Path, error: &ParquetError) -> Self {
        if let ParquetError::External(cause) = error
            && let Some(io) = cause.downcast_ref::<io::Error>()
        {
            return Self::io("write", path, io);
        }
        Self::at(ErrorKind::Io, "write", path, error.to_string())
    }

    /// For failures while reading Parquet: what is not the operating system's fault is the file's.
    pub(crate) fn read(path: &Path, error: &ParquetError) -> Self {
        if let ParquetError::External(cause) = error
            && let Some(io) = cause.downcast_ref::<io::Error>()
            && io.kind() != io::ErrorKind::UnexpectedEof
        {
            return Self::io("read", path, io);
        }
        Self::at(
            ErrorKind::Corrupt,
            "read",
            path,
            format!("damaged or no Parquet file ({error})"),
        )
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What may help, as a sentence without a full stop; `None` where nothing general can be said.
    ///
    /// ```
    /// use af_store::{ErrorKind, Store};
    /// let error = Store::open(std::path::Path::new("/no/such/folder")).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotAStore);
    /// assert!(error.hint().unwrap().contains("store"));
    /// ```
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref().or(match self.kind {
            ErrorKind::NotAStore => {
                Some("give the folder of a store, or let a writing command make one")
            }
            ErrorKind::Locked => Some("wait for the other run to end; the lock ends with it"),
            ErrorKind::Permission => Some("check owner and permissions of the folder, then run again"),
            ErrorKind::ReadOnly => Some(
                "the file system is read-only: mount it for writing, or put the store elsewhere, then \
                 run again",
            ),
            ErrorKind::NoSpace => {
                Some("free some space and run again; nothing published was touched")
            }
            ErrorKind::NewerVersion => Some("update the program"),
            ErrorKind::NotFound => Some(BRING_IT_BACK),
            ErrorKind::Io => Some(
                "look for disk errors in the system's log, then run again; nothing published was \
                 touched",
            ),
            ErrorKind::Corrupt | ErrorKind::Checksum => {
                Some("restore the file from a backup, or remove it and read its input again")
            }
            ErrorKind::NotSorted => Some("sort the rows by these columns, ascending, nulls first"),
            _ => None,
        })
    }

    /// What is wrong, without operation and place. As given: it may hold text of a file, which is to
    /// be shown escaped.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Whether nothing was there.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }
}

impl ErrorKind {
    fn of(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => Self::AlreadyExists,
            io::ErrorKind::PermissionDenied => Self::Permission,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::Io,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths and metadata may come from strangers: nothing of them may steer a terminal.
        let (subject, problem) = (Printable(&self.subject), Printable(&self.problem));
        write!(f, "{} {subject}: {problem}", self.operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_with_path_and_operation() {
        let full = ParquetError::from(io::Error::from(io::ErrorKind::StorageFull));
        let error = Error::write(Path::new("/data/user_scores.parquet"), &full);
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        assert_eq!(
            error.to_string(),
            "write /data/user_scores.parquet: no storage space"
        );
        assert!(error.hint().unwrap().contains("free some space"));
    }

    #[test]
    fn failures_of_the_system_have_kinds_and_hints() {
        for (io, kind) in [
            (io::ErrorKind::PermissionDenied, ErrorKind::Permission),
            (io::ErrorKind::ReadOnlyFilesystem, ErrorKind::ReadOnly),
            (io::ErrorKind::QuotaExceeded, ErrorKind::NoSpace),
            (io::ErrorKind::NotFound, ErrorKind::NotFound),
        ] {
            let error = Error::io("write", Path::new("x"), &io::Error::from(io));
            assert_eq!(error.kind(), kind);
            assert!(error.hint().is_some(), "{kind:?}");
        }
        let other = io::Error::from(io::ErrorKind::TimedOut);
        let error = Error::io("write", Path::new("x"), &other);
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.hint().unwrap().contains("system's log"));
    }

    #[test]
    fn the_path_is_said_once() {
        let io = fs_err::read("/no/such/file").unwrap_err();
        let error = Error::io("read", Path::new("/no/such/file"), &io);
        assert!(error.is_not_found());
        let text = error.to_string();
        assert!(
            text.starts_with("read /no/such/file: No such file"),
            "{text}"
        );
        assert_eq!(text.matches("/no/such/file").count(), 1);
    }

    #[test]
    fn control_characters_of_a_path_are_escaped() {
        let error = Error::at(ErrorKind::Io, "read", Path::new("a\u{1b}[2Jb"), "x");
        assert_eq!(error.to_string(), "read a\\u{1b}[2Jb: x");
    }
}
