//! One module per table: its contract, its row, its builder and its reader.
//!
//! Every file the engine writes holds one of these tables, and anybody may write
//! [`attack_signals`] (from another source) or [`bucket_counts`] (from another engine).
//! `attack-factor schema` prints what stands here.

#![expect(
    clippy::doc_markdown,
    reason = "`attack-factor schema` prints the docs of columns as plain text"
)]
#![expect(
    clippy::extra_unused_lifetimes,
    reason = "the table macro declares a row's lifetime where its columns are listed"
)]

use crate::contract::Table;

pub mod attack_signals;
pub mod bucket_counts;
pub mod component_scores;
pub mod directory;
pub mod group_index;
pub mod identity_events;
pub mod org_summary;
pub mod quarantine;
pub mod retractions;
pub mod signal_attribution;
pub mod tombstones;
pub mod unmatched_signals;
pub mod user_scores;

/// All tables in the order in which data flows through them.
pub static ALL: [&Table; 13] = [
    &identity_events::TABLE,
    &quarantine::TABLE,
    &directory::TABLE,
    &attack_signals::TABLE,
    &retractions::TABLE,
    &bucket_counts::TABLE,
    &user_scores::TABLE,
    &component_scores::TABLE,
    &signal_attribution::TABLE,
    &unmatched_signals::TABLE,
    &org_summary::TABLE,
    &group_index::TABLE,
    &tombstones::TABLE,
];

/// The tables of a published snapshot; [`tombstones`] joins them when somebody was erased.
pub static SNAPSHOT: [&Table; 7] = [
    &bucket_counts::TABLE,
    &user_scores::TABLE,
    &component_scores::TABLE,
    &signal_attribution::TABLE,
    &unmatched_signals::TABLE,
    &org_summary::TABLE,
    &group_index::TABLE,
];
