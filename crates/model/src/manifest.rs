//! The manifest of a snapshot: what went in, what came out, and how to check both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::accounting::{ClassAccount, EventAccount, PerTenant, SignalAccount};
use crate::feed::FeedStatus;
use crate::level::Level;
use crate::params::Params;
use crate::time::UtcMillis;

/// `manifest.json`.
///
/// Everything but [`Manifest::run`], [`Manifest::revision`] and [`Manifest::supersedes`] is a
/// function of what was known at `known_at`: data that become known later never change it. What
/// depends on everything that lay in the store when the run was made stands in [`Run`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this document's shape.
    pub manifest_version: u32,
    /// Signals up to this instant count.
    pub as_of: UtcMillis,
    /// What was known at this instant counts.
    pub known_at: UtcMillis,
    /// 1 for the first snapshot of an `as_of`, then rising in the order of publication.
    pub revision: u32,
    /// The revision that was the answer for this `known_at` until now, as `<as_of folder>/r<n>`.
    pub supersedes: Option<String>,
    /// Formula id.
    pub formula: String,
    /// The parameter values.
    pub params: Params,
    /// Hash of the parameters.
    pub config_hash: String,
    /// Hash of the rules; null when the signals came from elsewhere.
    pub rules_hash: Option<String>,
    /// What was changed about the rules by configuration; their hash covers it.
    #[serde(default, skip_serializing_if = "RuleChanges::is_empty")]
    pub rule_changes: RuleChanges,
    /// Table name to table version.
    pub tables: BTreeMap<String, u32>,
    /// Directory versions that were used.
    pub directories: Vec<DirectoryVersion>,
    /// Files of the snapshot.
    pub files: Vec<FileEntry>,
    /// Per tenant: accounts, feeds, warnings.
    pub tenants: PerTenant<TenantEntry>,
    /// Tenants that were left out, and why.
    pub left_out: BTreeMap<String, String>,
    /// People erased from the snapshot after it was published; `tombstones` holds their loads.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub erased: u64,
    /// Who computed it, when, and what lay in the store: the part that differs between equal runs.
    pub run: Run,
}

/// How the rules differ from what their files say, by name, and what they are told about an
/// organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleChanges {
    /// Rules not used, sorted.
    pub disabled: Vec<String>,
    /// Levels given by configuration.
    pub levels: BTreeMap<String, Level>,
    /// Networks that are an organization's own, by tenant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own_networks: BTreeMap<String, Vec<String>>,
    /// What rules leave alone, by rule; `all` for every attack rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub excluded: BTreeMap<String, RuleExclusion>,
}

/// What a rule leaves alone. Who the people are is nobody's business who reads a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleExclusion {
    /// How many names of people.
    pub people: u64,
    /// Client addresses and networks.
    pub addresses: Vec<String>,
}

impl RuleChanges {
    /// Whether every rule is as its file says and knows of nothing else.
    pub fn is_empty(&self) -> bool {
        let Self {
            disabled,
            levels,
            own_networks,
            excluded,
        } = self;
        disabled.is_empty() && levels.is_empty() && own_networks.is_empty() && excluded.is_empty()
    }
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

/// What happened to one tenant's data, as far as it was known at the cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantEntry {
    /// Where every signal went that was known at the cut; none of it is `not_yet_known`.
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

/// Normalized events that are no longer in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Older than a purge.
    #[serde(default)]
    pub purged: u64,
    /// About somebody who was erased.
    #[serde(default)]
    pub erased: u64,
}

impl Removed {
    /// Whether nothing was removed.
    pub const fn is_none(&self) -> bool {
        self.purged == 0 && self.erased == 0
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over by reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What was heard of one component up to the cut: known at `known_at` and not after `as_of`.
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
    /// Files that were read, whatever of them counts at the cut.
    #[serde(default)]
    pub inputs: Vec<FileEntry>,
    /// Per tenant: where everything went that the run saw, whenever it became known.
    #[serde(default)]
    pub tenants: PerTenant<TenantRun>,
    /// How fetching fares, sorted by tenant and integration: a gap in the events is seen here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub integrations: Vec<IntegrationState>,
}

/// How fetching from one integration fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntegrationState {
    /// The tenant.
    pub tenant: String,
    /// The integration.
    pub integration: String,
    /// When it last had nothing more to give: everything before is here.
    pub caught_up_at: Option<UtcMillis>,
    /// The greatest time of an event that was fetched.
    pub last_event: Option<UtcMillis>,
    /// Days of history that are wanted.
    pub history_days: u64,
    /// How many of these are here.
    pub history_days_done: u64,
    /// Since when it fails; absent while it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<UtcMillis>,
    /// The failure, for people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl IntegrationState {
    /// What a feed's status says.
    pub fn of(tenant: &str, integration: &str, status: &FeedStatus) -> Self {
        let log = &status.log;
        Self {
            tenant: tenant.to_owned(),
            integration: integration.to_owned(),
            caught_up_at: log.caught_up_at,
            last_event: log.last_event,
            history_days: log.history_days,
            history_days_done: log.history_days_done,
            failing_since: log.failing_since,
            problem: log.problem.as_ref().map(|problem| problem.message.clone()),
        }
    }
}

/// What one run saw of one tenant's data, what was not yet known at the cut included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRun {
    /// Where every event went; absent when the run started from signals.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub events: Option<EventAccount>,
    /// What every event was taken for; absent when the run started from signals.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub classes: Option<ClassAccount>,
    /// Events that [`TenantRun::events`] counts as normalized and that are in no class, because they
    /// left the store since.
    #[serde(skip_serializing_if = "Removed::is_none", default)]
    pub removed: Removed,
    /// Where every signal went.
    pub signals: SignalAccount,
    /// What the reader should know about the data in the store.
    pub warnings: Vec<String>,
}
