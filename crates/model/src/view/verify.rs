//! What recomputing a snapshot from its own tables found.

use serde::{Deserialize, Serialize};

use crate::time::UtcMillis;

/// Whether a snapshot is what its own tables say it must be, and where it is not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyView {
    /// The snapshot's folder.
    pub snapshot: String,
    /// Whether nothing was found wrong.
    pub passed: bool,
    /// Signals up to this instant count; null when the manifest cannot be read.
    pub as_of: Option<UtcMillis>,
    /// What was known at this instant counts.
    pub known_at: Option<UtcMillis>,
    /// Formula id.
    pub formula: Option<String>,
    /// Files whose size, checksum and rows were compared with the manifest.
    pub files: u64,
    /// Rows read.
    pub rows: u64,
    /// Cells recomputed and compared.
    pub cells: u64,
    /// People scored again, the erased among them.
    pub people: u64,
    /// Erased people whose loads were taken from `tombstones`.
    pub erased: u64,
    /// What is wrong, at most twenty places.
    pub findings: Vec<VerifyFinding>,
    /// Further places that are wrong.
    pub more_findings: u64,
    /// Tenants that were not scored again, because what they would be scored from is broken.
    pub not_recomputed: Vec<String>,
}

/// One place where a snapshot is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyFinding {
    /// The table, or `manifest.json`, or the name of any other file.
    pub table: String,
    /// The row by the columns of its key; null for the file as a whole.
    pub row: Option<String>,
    /// The column, or the manifest's field; null for the row or file as a whole.
    pub column: Option<String>,
    /// What stands there; null for nothing.
    pub found: Option<String>,
    /// What should stand there, or the rule that is broken.
    pub expected: String,
}
