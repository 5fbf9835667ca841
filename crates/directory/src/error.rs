//! Why a whole file was refused.

use std::path::Path;

use af_model::name::Printable;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file is absent.
    NotFound,
    /// The file cannot be read.
    Io,
    /// The content is none of the formats read here: a spreadsheet, an archive, UTF-16, binary.
    UnknownFormat,
    /// The file holds nothing at all.
    Empty,
    /// The file breaks off or breaks its format in a way that leaves the rest untrustworthy.
    Broken,
    /// No column names a person: neither an e-mail nor a login.
    NoKeyColumn,
    /// Two columns could be the same one of ours.
    AmbiguousColumns,
    /// A mapping names a column that we or the file do not have.
    BadMapping,
    /// The tenant is missing or is no tenant name.
    Tenant,
    /// The source's name is empty.
    Source,
}

/// A people file that was refused as a whole. Names columns and places, never a cell.
#[derive(Debug, thiserror::Error)]
#[error("people file `{path}`: {problem}")]
pub struct Error {
    path: String,
    problem: String,
    kind: ErrorKind,
    hint: Option<&'static str>,
}

impl Error {
    pub(crate) fn new(path: &Path, kind: ErrorKind, problem: impl Into<String>) -> Self {
        Self {
            path: Printable(&path.to_string_lossy()).to_string(),
            problem: problem.into(),
            kind,
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Self::new(path, kind, error.to_string())
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What the caller can do about it, if there is something to say.
    pub fn hint(&self) -> Option<&str> {
        self.hint
    }

    /// Whether there is no such file.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }
}

/// A list of column names for a message: at most twenty, made printable.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", Printable(name)))
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}
