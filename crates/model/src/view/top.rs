//! The most attacked people of a snapshot.

use serde::{Deserialize, Serialize};

use crate::time::UtcMillis;

/// The most attacked people of one snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopView {
    /// The snapshot's folder.
    pub snapshot: String,
    /// Signals up to this instant count.
    pub as_of: UtcMillis,
    /// What was known at this instant counts.
    pub known_at: UtcMillis,
    /// Formula id.
    pub formula: String,
    /// Rows, most attacked first.
    pub people: Vec<TopPerson>,
}

/// One person in [`TopView`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopPerson {
    /// 1 = most attacked of the population; null outside it.
    pub rank: Option<i64>,
    /// The customer organization.
    pub tenant_uid: String,
    /// The person's id.
    pub user_uid: String,
    /// Primary e-mail address.
    pub email: String,
    /// Name shown to people.
    pub display_name: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// human or service.
    pub population: String,
    /// Size of that population.
    pub population_n: i64,
    /// `none`, `very_low`, `low`, `medium`, `high` or `very_high`.
    pub level: String,
    /// The attack factor in millionths.
    pub score_micro: i64,
    /// Mid-rank percentile; null outside the population.
    pub percentile: Option<f64>,
    /// Incidents that count.
    pub signal_count: i64,
    /// Latest signal that counts.
    pub last_attack: Option<UtcMillis>,
    /// What drives the score, weightiest first.
    pub drivers: Vec<Driver>,
}

/// One kind of attack and its share of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Driver {
    /// Part of the attack factor; null for the sum of what is too small to stand alone.
    pub component: Option<String>,
    /// Kind of attack.
    pub family: Option<String>,
    /// Incidents.
    pub n: i64,
    /// Part of the score in millionths.
    pub score_share_micro: i64,
    /// The rules behind it, sorted.
    pub rule_ids: Vec<String>,
}
