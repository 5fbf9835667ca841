//! What can go wrong while events are classified.

/// Events that could not be classified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    kind: ErrorKind,
    detail: String,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The batch is not an `identity_events` table: a required column is absent, null or of
    /// another type. The producer of the batch must mend it.
    BrokenTable,
    /// A row was asked for that the batch does not have.
    NoSuchRow,
}

impl Error {
    pub(crate) fn broken_table(error: &af_model::contract::ContractError) -> Self {
        Self {
            kind: ErrorKind::BrokenTable,
            detail: error.to_string(),
        }
    }

    pub(crate) fn no_such_row(row: usize, rows: usize) -> Self {
        Self {
            kind: ErrorKind::NoSuchRow,
            detail: format!("row {row} of a batch of {rows}"),
        }
    }

    /// Which kind it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the batch broke the contract of `identity_events`.
    pub fn is_broken_table(&self) -> bool {
        self.kind == ErrorKind::BrokenTable
    }
}
