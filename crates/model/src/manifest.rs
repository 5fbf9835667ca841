//! The manifest of a snapshot: what went in, what came out, and how to check both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::accounting::{ClassAccount, EventAccount, PerTenant, SignalAccount};
use crate::params::Params;
use crate::time::UtcMillis;

/// `manifest.json`. Everything but [`Manifest::run`] is a function of the inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this document's shape.
    pub manifest_version: u32,
    /// Signals up to this instant count.
    pub as_of: UtcMillis,
    /// What was known at this instant counts.
    pub known_at: UtcMillis,
    /// 1 for the first snapshot of an `as_of`, then rising.
    pub revision: u32,
    /// The revision this one follows, as `<as_of folder>/r<n>`.
    pub supersedes: Option<String>,
    /// Formula id.
    pub formula: String,
    /// The parameter values.
    pub params: Params,
    /// Hash of the parameters.
    pub config_hash: String,
    /// Hash of the rules; null when the signals came from elsewhere.
    pub rules_hash: Option<String>,
    /// Table name to table version.
    pub tables: BTreeMap<String, u32>,
    /// Directory versions that were used.
    pub directories: Vec<DirectoryVersion>,
    /// Files that were read.
    pub inputs: Vec<FileEntry>,
    /// Files of the snapshot.
    pub files: Vec<FileEntry>,
    /// Per tenant: accounts, feeds, warnings.
    pub tenants: PerTenant<TenantEntry>,
    /// Tenants that were left out, and why.
    pub left_out: BTreeMap<String, String>,
    /// Who computed it and when: the only part that differs between equal runs.
    pub run: Run,
}

/// One directory version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryVersion {
    /// The tenant.
    pub tenant_uid: String,
    /// The import's source name.
    pub source: Option<String>,
    /// When it was imported; null = known from the start.
    pub imported_at: Option<UtcMillis>,
    /// File name of the version.
    pub file: String,
    /// People in it.
    pub people: u64,
}

/// One file with its checksum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path relative to the store or snapshot; the file's own name for foreign input.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 of its content, 64 hex digits.
    pub blake3: String,
}

/// What happened to one tenant's data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantEntry {
    /// Where every event went; absent when the run started from signals.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub events: Option<EventAccount>,
    /// What every event was taken for; absent when the run started from signals.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub classes: Option<ClassAccount>,
    /// Where every signal went.
    pub signals: SignalAccount,
    /// Rows with a duplicate key and differing content, among the duplicates.
    pub conflicts: u64,
    /// People by population.
    pub population: BTreeMap<String, u64>,
    /// Feeds by component: `no_attacks` is a feed without a signal, absence is no feed.
    pub feeds: BTreeMap<String, Feed>,
    /// What the reader should know before trusting the figures.
    pub warnings: Vec<String>,
}

/// What was heard of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Integrations heard, sorted.
    pub integrations: Vec<String>,
    /// First event or signal.
    pub first: Option<UtcMillis>,
    /// Last event or signal.
    pub last: Option<UtcMillis>,
    /// Signals that count.
    pub scored: u64,
}

/// Who computed a snapshot and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Id of the run.
    pub id: String,
    /// Version of the program.
    pub program: String,
    /// When the run started.
    pub started_at: Option<UtcMillis>,
}
