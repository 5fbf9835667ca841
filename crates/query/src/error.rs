//! Why a snapshot could not be read.

use std::path::Path;

use af_model::name::Printable;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The folder or a file of it is absent.
    Missing,
    /// A file cannot be read.
    Io,
    /// A file's content is not what the snapshot's contract says.
    Broken,
    /// The snapshot was written by a newer program.
    Newer,
}

/// A snapshot that could not be read. Names files, tables and columns, never a cell.
#[derive(Debug, thiserror::Error)]
#[error("snapshot file `{path}`: {problem}")]
pub struct Error {
    path: String,
    problem: String,
    kind: ErrorKind,
    hint: Option<&'static str>,
}

impl Error {
    pub(crate) fn new(path: &Path, kind: ErrorKind, problem: impl Into<String>) -> Self {
        let hint = match kind {
            ErrorKind::Missing => Some(
                "name the folder that holds manifest.json; `attack-factor snapshots list` shows them",
            ),
            ErrorKind::Broken => Some("`attack-factor verify SNAPSHOT` checks every file of it"),
            ErrorKind::Newer => Some("read it with the version of attack-factor that wrote it"),
            ErrorKind::Io => None,
        };
        Self {
            path: Printable(&path.to_string_lossy()).to_string(),
            problem: problem.into(),
            kind,
            hint,
        }
    }

    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::new(path, ErrorKind::Missing, "does not exist"),
            _ => Self::new(path, ErrorKind::Io, error.to_string()),
        }
    }

    /// A table that could not be read.
    pub(crate) fn table(path: &Path, error: &af_store::Error) -> Self {
        use af_store::ErrorKind as Kind;
        let kind = match error.kind() {
            Kind::NotFound => ErrorKind::Missing,
            Kind::NewerVersion => ErrorKind::Newer,
            Kind::Corrupt | Kind::Contract | Kind::WrongTable => ErrorKind::Broken,
            _ => ErrorKind::Io,
        };
        // What a file says may come from strangers: nothing of it may steer a terminal.
        Self::new(path, kind, Printable(error.problem()).to_string())
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What the caller can do about it, if there is something to say.
    pub fn hint(&self) -> Option<&str> {
        self.hint
    }

    /// Whether the folder or a file of it is absent.
    pub fn is_missing(&self) -> bool {
        self.kind == ErrorKind::Missing
    }
}
