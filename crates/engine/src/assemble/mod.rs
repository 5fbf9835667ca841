//! From counts to the published tables: scores, ranks, attribution, summaries (af-1 §2.4–2.11, §7).
//!
//! [`Assembly`] makes a [`Tenant`] after the other of what was counted; [`crate::verify`] and
//! [`crate::diff`] make one of a published snapshot. From there on there is one way to make rows.
//!
//! Tenants come in ascending order, as all tables have them. Small ones are scored side by side; the
//! rows of a large one are made in parts of some of its people. Rows go to a [`TableSink`] as soon as
//! they are made, so memory holds the counts and scores of one large tenant or of a few small ones,
//! and a few parts.

mod assembly;
mod cohort;
mod provider;
mod published;
mod roster;
mod rows;
mod sliced;
mod tables;
mod tenant;

use af_model::params::WINDOW_DAYS;
use af_model::{UtcDay, UtcMillis};

use crate::tally::Cut;

pub use assembly::{Assembly, Population, assemble};
pub(crate) use cohort::{Cohort, Names, POPULATIONS};
pub use provider::{CountsByTenant, Look, Slices};
pub(crate) use published::{
    Published, bucket_key, count_column, has_tombstones, levels, read_unmatched, snapshot_name,
    user_fault,
};
pub use roster::Roster;
pub(crate) use rows::ScoredTenant;
pub use tables::{SnapshotTables, TableSink};
pub use tenant::{Buckets, Erased, Member, MemberBucket, Tenant};

/// What every published row carries.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The cut the figures are for.
    pub cut: Cut,
    /// Hash of the parameters.
    pub config_hash: String,
    /// Hash of the rules; null when the signals came from elsewhere.
    pub rules_hash: Option<String>,
}

/// The first UTC day that still counts at `as_of`.
#[expect(
    clippy::missing_panics_doc,
    reason = "the window is a constant that fits"
)]
pub fn window_start(as_of: UtcMillis) -> UtcDay {
    let span = i32::try_from(WINDOW_DAYS - 1).expect("the window is 90 days");
    UtcDay(as_of.day().0.saturating_sub(span))
}

#[cfg(test)]
mod tests;
