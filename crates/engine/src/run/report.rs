//! What a run did, for people and machines.

use std::collections::BTreeMap;
use std::path::PathBuf;

use af_model::UtcMillis;
use af_model::accounting::EventAccount;
use af_model::manifest::{IntegrationState, TenantEntry};
use serde::Serialize;

use super::gates::GateCheck;
use super::threshold::Threshold;
use crate::pipeline::LeftOut;

/// What a run did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RunReport {
    /// The snapshot's folder; none when nothing may be published.
    pub snapshot: Option<PathBuf>,
    /// Whether it was published now; false when an equal one was there already.
    pub published: bool,
    /// Signals up to here count.
    pub as_of: Option<UtcMillis>,
    /// What was known by then counts.
    pub known_at: Option<UtcMillis>,
    /// The snapshot's revision.
    pub revision: Option<u32>,
    /// Why nothing was published.
    pub refused: Option<String>,
    /// Files read in this run, of people and of events.
    pub files_read: u64,
    /// Days classified in this run.
    pub days_detected: u64,
    /// By tenant; also those that the store has and the configuration does not name.
    pub tenants: BTreeMap<String, TenantReport>,
    /// Tenants that were left out, and why.
    pub left_out: LeftOut,
    /// What the reader should know that is no configured tenant's.
    pub warnings: Vec<String>,
    /// How fetching fares for every integration that is asked over the network.
    pub integrations: Vec<IntegrationState>,
    /// What the gates of `strict` found; empty without it.
    pub gates: Vec<GateCheck>,
    /// Who is at or above the level asked for.
    pub threshold: Option<Threshold>,
}

impl RunReport {
    /// Whether nothing was read and nothing was published.
    pub fn is_without_news(&self) -> bool {
        self.files_read == 0 && !self.published && self.refused.is_none()
    }
}

/// How a tenant fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantResult {
    /// Its figures are in the snapshot that was published.
    Published,
    /// Its figures are in a snapshot that was there already.
    Unchanged,
    /// It is left out.
    LeftOut,
    /// Nothing was published for anybody.
    #[default]
    NotPublished,
}

impl TenantResult {
    /// The words for messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::LeftOut => "left out",
            Self::NotPublished => "not published",
        }
    }
}

/// What was done for one tenant.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TenantReport {
    /// How it fared.
    pub result: TenantResult,
    /// Its sources of people.
    pub people: Vec<PeopleRead>,
    /// Its sources of events.
    pub events: Vec<EventsRead>,
    /// Where the events went that were read in this run.
    pub read: EventAccount,
    /// What the reader should know.
    pub warnings: Vec<String>,
    /// What the manifest says of it: accounts, feeds, population; none when it is left out.
    pub entry: Option<TenantEntry>,
}

/// What was read of one source of people.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PeopleRead {
    /// The source.
    pub source: String,
    /// Files of it that are there.
    pub files: u64,
    /// Whether they were read in this run.
    pub read: bool,
    /// Rows in them.
    pub rows_read: u64,
    /// People among these.
    pub people: u64,
    /// Rows that repeat another.
    pub duplicate: u64,
    /// Rows that say something else about somebody than the row that was kept.
    pub conflict: u64,
    /// Rows that are no person.
    pub rejected: u64,
    /// The new version of the directory; none when nobody changed.
    pub version: Option<String>,
}

/// What was read of one source of events.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EventsRead {
    /// The integration.
    pub integration: Option<String>,
    /// Files of it that are there; of an org that is asked over the network, the pages that waited.
    pub files: u64,
    /// Files read in this run.
    pub files_read: u64,
    /// Where the events of these went.
    pub account: EventAccount,
    /// Refused events by reason.
    pub reasons: BTreeMap<String, u64>,
    /// First and last of the new events.
    pub span: Option<(UtcMillis, UtcMillis)>,
}
