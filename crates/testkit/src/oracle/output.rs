//! What the oracle answers.

use std::collections::BTreeMap;

use af_model::accounting::SignalAccount;
use af_model::{Level, Population, ScoreLevel, UtcDay, UtcMillis};

/// One tenant's tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OracleTenant {
    /// Everybody who exists at `as_of`, by user id.
    pub users: Vec<OracleUser>,
    /// Every person with every component that a matched signal in the window names, by user id and
    /// component.
    pub components: Vec<OracleComponent>,
    /// The buckets that count, by user id, component, family and day.
    pub buckets: Vec<OracleBucket>,
    /// Every block of every person, by user id, component, family, day and level from critical.
    pub blocks: Vec<OracleBlock>,
    /// Signals without a person, by reason.
    pub unmatched: BTreeMap<&'static str, u64>,
    /// Where every signal went.
    pub account: SignalAccount,
    /// Duplicates that differ from the kept row in more than their `ingested_at`.
    pub conflicts: u64,
}

/// One row of `user_scores`, without the columns that the directory decides alone.
#[derive(Clone, Debug, PartialEq)]
pub struct OracleUser {
    /// The person.
    pub user_uid: String,
    /// Whom the person is compared with.
    pub population: Population,
    /// Size of that population.
    pub population_n: u64,
    /// False for people who left, are suspended or not yet active.
    pub in_population: bool,
    /// The attack factor in millionths.
    pub score_micro: i64,
    /// The score in one word.
    pub level: ScoreLevel,
    /// Weighted sum of the components' odds, in billionths.
    pub odds_nano: i64,
    /// 1 = most attacked; none outside the population.
    pub rank: Option<i64>,
    /// Mid-rank percentile; none outside the population.
    pub percentile: Option<f64>,
    /// Percentage of the others with lower odds; none outside the population and for n = 1.
    pub pct_below: Option<f64>,
    /// Incidents that count.
    pub signal_count: i64,
    /// Distinct UTC days with an incident.
    pub attack_days: i64,
    /// Time of the earliest representative.
    pub first_attack: Option<UtcMillis>,
    /// Time of the latest representative.
    pub last_attack: Option<UtcMillis>,
}

/// One row of `component_scores`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleComponent {
    /// The person.
    pub user_uid: String,
    /// Part of the attack factor.
    pub component: String,
    /// Saturated, decayed points in millionths.
    pub load_micro: i64,
    /// What colleagues carry on average, in millionths of a point.
    pub baseline_micro: i64,
    /// Load over yardstick, in billionths.
    pub odds_nano: i64,
    /// The component's own score in millionths, its weight not applied.
    pub score_micro: i64,
    /// How far colleagues set the yardstick, in millionths.
    pub relative_weight_micro: i64,
    /// Weight of the component in the sum of odds, in thousandths.
    pub weight_permille: i64,
}

/// One row of `bucket_counts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleBucket {
    /// The person.
    pub user_uid: String,
    /// Part of the attack factor.
    pub component: String,
    /// Kind of attack inside the component.
    pub family: String,
    /// UTC day of the incidents.
    pub day: UtcDay,
    /// Incidents by level: critical, high, medium, low.
    pub counts: [u64; 4],
    /// Time of the earliest representative.
    pub first_time: UtcMillis,
    /// Time of the latest representative.
    pub last_time: UtcMillis,
}

/// One row of `signal_attribution`, before anything is summed up as the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleBlock {
    /// The person.
    pub user_uid: String,
    /// Part of the attack factor.
    pub component: String,
    /// Kind of attack inside the component.
    pub family: String,
    /// UTC day of the incidents.
    pub day: UtcDay,
    /// Level of the incidents.
    pub level: Level,
    /// Incidents in the block.
    pub n: u64,
    /// The block's part of the component's load, in millionths of a point.
    pub load_share_micro: i64,
    /// The block's part of the score, in millionths.
    pub score_share_micro: i64,
    /// By how much the score would fall without the block, in millionths.
    pub without_micro: i64,
    /// The incidents' representatives, ascending.
    pub signal_uids: Vec<String>,
}
