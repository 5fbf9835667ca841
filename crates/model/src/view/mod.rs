//! Views: what the read side hands to the reports. Stable JSON, decoupled from tables.

mod diff;
mod explain;
mod top;
mod verify;

pub use diff::{
    DiffFigures, DiffOrganization, DiffParts, DiffPerson, DiffSide, DiffView, signed_decimal,
};
pub use explain::{
    Decayed, Evidence, ExplainView, ExplainedBlock, ExplainedComponent, ExplainedEvent,
    ExplainedFeed, ExplainedIncident, ExplainedPerson, ExplainedRule, ExplainedScore,
    ExplainedSignal, FreshAttack, NextLevel, Outlook, RetractedSignal,
};
pub use top::{Driver, TopPerson, TopView};
pub use verify::{VerifyFinding, VerifyView};

/// A score with one decimal, truncated, so that text and level agree.
///
/// ```
/// assert_eq!(af_model::view::one_decimal(5_999_999), "5.9");
/// ```
pub fn one_decimal(score_micro: i64) -> String {
    format!("{}.{}", score_micro / 1_000_000, score_micro / 100_000 % 10)
}
