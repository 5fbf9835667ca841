//! What can go wrong with a whole batch. A bad row is no error: it is counted as quarantined.

use std::fmt;

/// A batch that cannot be read as `attack_signals` at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column} of attack_signals {problem}")]
pub struct Error {
    kind: ErrorKind,
    column: &'static str,
    problem: String,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A required column is absent.
    MissingColumn,
    /// A column has a type from which the contract's type cannot be made.
    WrongType,
    /// A row of a partition is of another day.
    OtherDay,
    /// The rows of a partition are out of the table's order.
    Unsorted,
}

impl Error {
    pub(crate) fn missing(column: &'static str) -> Self {
        Self {
            kind: ErrorKind::MissingColumn,
            column,
            problem: "is required and absent".to_owned(),
        }
    }

    pub(crate) fn other_day() -> Self {
        Self {
            kind: ErrorKind::OtherDay,
            column: "time",
            problem: "holds another day than its file says".to_owned(),
        }
    }

    pub(crate) fn unsorted() -> Self {
        Self {
            kind: ErrorKind::Unsorted,
            column: "tenant_uid",
            problem: "is not in the table's order".to_owned(),
        }
    }

    pub(crate) fn wrong_type(
        column: &'static str,
        found: &dyn fmt::Display,
        wanted: &str,
        why: &dyn fmt::Display,
    ) -> Self {
        Self {
            kind: ErrorKind::WrongType,
            column,
            problem: format!("is {found}, not {wanted}: {why}"),
        }
    }

    /// Which kind of error this is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The column in question.
    pub const fn column(&self) -> &'static str {
        self.column
    }
}
