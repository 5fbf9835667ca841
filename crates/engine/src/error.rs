//! What may go wrong while the pipeline runs.

use std::fmt;

/// A failure of the pipeline, with the stage it struck and what the user can do.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

/// What kind of failure it is; the command line maps kinds to exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Reading or writing failed.
    Io,
    /// A file of the store is damaged.
    Damaged,
    /// Something that is kept to save time is damaged; it may be removed at any time.
    Derived,
    /// An argument, a configuration or a rule is wrong.
    Usage,
    /// No input file was found.
    NoInput,
    /// The data do not pass a gate: an account does not close.
    Gate,
}

impl Error {
    /// A failure with its message: a lower-case fragment that fits "failed to …".
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<af_store::Error> for Error {
    fn from(error: af_store::Error) -> Self {
        let hint = error.hint().map(str::to_owned);
        // A folder that must not be touched is a wrong argument, not a broken disk.
        let kind = match error.kind() {
            af_store::ErrorKind::AlreadyExists
            | af_store::ErrorKind::NotAStore
            | af_store::ErrorKind::InvalidName => ErrorKind::Usage,
            af_store::ErrorKind::Corrupt
            | af_store::ErrorKind::Checksum
            | af_store::ErrorKind::Contract
            | af_store::ErrorKind::NotSorted
            | af_store::ErrorKind::WrongTable => ErrorKind::Damaged,
            _ => ErrorKind::Io,
        };
        let raised = Self::new(kind, error.to_string());
        match hint {
            Some(hint) => raised.with_hint(hint),
            None => raised,
        }
    }
}
