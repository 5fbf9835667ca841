//! Why one person has their score.
//!
//! Every figure is the exact integer of the formula; shares add up. Field names and meanings are
//! stable: fields may be added, none changes its meaning.

use serde::{Deserialize, Serialize};

use crate::params::Params;
use crate::time::{UtcDay, UtcMillis};

/// One person's score, taken apart down to single events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainView {
    /// The snapshot's folder.
    pub snapshot: String,
    /// Signals up to this instant count.
    pub as_of: UtcMillis,
    /// What was known at this instant counts.
    pub known_at: UtcMillis,
    /// Formula id.
    pub formula: String,
    /// The formula's parameters in this snapshot.
    pub parameters: Params,
    /// Who it is about.
    pub person: ExplainedPerson,
    /// The answer.
    pub score: ExplainedScore,
    /// What was heard of each component in the tenant, by name; empty = nothing was read at all, so
    /// that a score of 0 says nothing.
    pub feeds: Vec<ExplainedFeed>,
    /// How the score is computed: every component of the tenant, by name.
    pub components: Vec<ExplainedComponent>,
    /// What it is made of: every block, weightiest first. Shares add up to the score.
    pub blocks: Vec<ExplainedBlock>,
    /// The rules named in `blocks` and `retracted`, by id.
    pub rules: Vec<ExplainedRule>,
    /// The person's signals that were taken back, by time. Only with a store.
    pub retracted: Vec<RetractedSignal>,
    /// What would change the score.
    pub outlook: Outlook,
    /// How much of the evidence behind the figures was found.
    pub evidence: Evidence,
    /// What the reader should know before trusting this page.
    pub notes: Vec<String>,
}

/// The person in an [`ExplainView`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedPerson {
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
    /// Location.
    pub location: Option<String>,
    /// The manager, as the directory names them.
    pub manager_uid: Option<String>,
    /// Whom the person is compared with: human or service.
    pub population: String,
    /// False for people who left, are suspended or not yet active: scored, not ranked.
    pub in_population: bool,
}

/// The score in an [`ExplainView`]: a row of `user_scores`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedScore {
    /// The attack factor in millionths.
    pub score_micro: i64,
    /// `none`, `very_low`, `low`, `medium`, `high` or `very_high`.
    pub level: String,
    /// Weighted sum of the components' odds, in billionths.
    pub odds_nano: i64,
    /// 1 = most attacked; null outside the population.
    pub rank: Option<i64>,
    /// Size of the population.
    pub population_n: i64,
    /// Mid-rank percentile; null outside the population.
    pub percentile: Option<f64>,
    /// Share of the others with lower odds, in percent; null outside the population and for n = 1.
    pub pct_below: Option<f64>,
    /// Incidents that count.
    pub signal_count: i64,
    /// Distinct UTC days with an attack.
    pub attack_days: i64,
    /// Earliest signal that counts.
    pub first_attack: Option<UtcMillis>,
    /// Latest signal that counts.
    pub last_attack: Option<UtcMillis>,
}

/// What was heard of one component in the whole tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedFeed {
    /// The component.
    pub component: String,
    /// Integrations heard, sorted.
    pub integrations: Vec<String>,
    /// First event or signal.
    pub first: Option<UtcMillis>,
    /// Last event or signal.
    pub last: Option<UtcMillis>,
    /// Signals that count, of everybody.
    pub scored: u64,
}

/// One component: `odds = load / (lambda + q · baseline)`, `score = 10 · odds / (1 + odds)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedComponent {
    /// Part of the attack factor.
    pub component: String,
    /// The person's saturated, decayed points in millionths.
    pub load_micro: i64,
    /// What colleagues carry on average, in millionths of a point.
    pub baseline_micro: i64,
    /// Load over yardstick, in billionths.
    pub odds_nano: i64,
    /// The component's own score in millionths, its weight not applied.
    pub score_micro: i64,
    /// How far colleagues rather than the absolute scale set the yardstick, in millionths.
    pub relative_weight_micro: i64,
    /// Weight in the sum of odds, in thousandths.
    pub weight_permille: i64,
    /// The component's part of the person's score, in millionths.
    pub score_share_micro: i64,
    /// Incidents of this person.
    pub n: i64,
}

/// Incidents of one component, family, day and level: they count alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedBlock {
    /// Part of the attack factor.
    pub component: String,
    /// Kind of attack.
    pub family: String,
    /// UTC day of the incidents.
    pub day: UtcDay,
    /// Whole days between `day` and the day of `as_of`.
    pub age_days: i64,
    /// Level of the incidents.
    pub level: String,
    /// Incidents.
    pub n: i64,
    /// The block's part of the component's load, in millionths of a point.
    pub load_share_micro: i64,
    /// The block's part of the score, in millionths.
    pub score_share_micro: i64,
    /// By how much the score would fall without the block.
    pub without_micro: i64,
    /// What the score would be without the block.
    pub score_without_micro: i64,
    /// Whether the snapshot's `signal_attribution` sums this block up in its row of the rest.
    pub in_rest: bool,
    /// The rules behind the block, sorted.
    pub rule_ids: Vec<String>,
    /// The incidents, by the id of the signal that stands for each. From a snapshot alone at most
    /// the first 20, and none of a block in the rest.
    pub incidents: Vec<ExplainedIncident>,
    /// Incidents of the block that are not listed.
    pub incidents_unlisted: i64,
}

/// One incident of one day: what one attack step left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedIncident {
    /// The signal that stands for the incident: highest level, then earliest, then smallest id.
    pub signal_uid: String,
    /// The incident's id; null = the signal is its own incident, or the store was not read.
    pub incident_uid: Option<String>,
    /// The incident's part of the score, in millionths.
    pub score_share_micro: i64,
    /// By how much the score would fall without the incident.
    pub without_micro: i64,
    /// What the score would be without the incident.
    pub score_without_micro: i64,
    /// All its signals, the one that stands for it first. Only with a store.
    pub signals: Vec<ExplainedSignal>,
}

/// One signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedSignal {
    /// The signal's id.
    pub signal_uid: String,
    /// When the attack happened.
    pub time: UtcMillis,
    /// When the signal became known; null = known from the start.
    pub ingested_at: Option<UtcMillis>,
    /// Its own level; the incident counts with the highest.
    pub level: String,
    /// The rule that found it.
    pub rule_id: String,
    /// The rule's version.
    pub rule_version: Option<String>,
    /// Who produced it.
    pub source: String,
    /// The configured integration.
    pub integration: Option<String>,
    /// How it names the person: `uid:…`, `login:…`, `email:…` or `h:…`, a keyed hash.
    pub subject_ref: Option<String>,
    /// ATT&CK technique ids.
    pub attack_techniques: Vec<String>,
    /// By how much the score would fall without this signal alone: 0 when another signal of the
    /// incident would take its place at the same level.
    pub without_micro: i64,
    /// What the score would be without this signal alone.
    pub score_without_micro: i64,
    /// The events behind it, by time.
    pub events: Vec<ExplainedEvent>,
    /// Events it names that the store does not hold.
    pub events_missing: Vec<String>,
}

/// One event behind a signal, as the store holds it: what was hashed stays hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedEvent {
    /// The event's id in its source.
    pub event_uid: String,
    /// When it happened.
    pub time: UtcMillis,
    /// The source's event type.
    pub event_type: String,
    /// The outcome as the source wrote it.
    pub outcome: Option<String>,
    /// The outcome's reason.
    pub reason: Option<String>,
    /// The source's sentence about it.
    pub message: Option<String>,
    /// Client address.
    pub address: Option<String>,
    /// City of the address.
    pub city: Option<String>,
    /// Country of the address.
    pub country: Option<String>,
    /// Network operator of the address.
    pub network: Option<String>,
    /// Browser by user agent.
    pub browser: Option<String>,
    /// Operating system by user agent.
    pub os: Option<String>,
    /// Application the event was about.
    pub application: Option<String>,
    /// Why the source saw a risk.
    pub risk_reasons: Vec<String>,
    /// Who acted: id in the source.
    pub actor_uid: Option<String>,
    /// Who acted: login, or `h:…`, the keyed hash of a typed-in name.
    pub actor_name: Option<String>,
    /// Who acted: the source's type.
    pub actor_type: Option<String>,
    /// Whether the actor is the person explained.
    pub actor_is_person: bool,
}

/// A rule in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedRule {
    /// The id that stands in signals.
    pub rule_id: String,
    /// What people call it; null = the rule is not among those loaded, and nothing else is known.
    pub name: Option<String>,
    /// One line about it.
    pub title: Option<String>,
    /// What a match means.
    pub description: Option<String>,
    /// Why this level.
    pub level_reason: Option<String>,
    /// The field that carries the event's own level, where the rule asks for it.
    pub level_from: Option<String>,
    /// What matches without being an attack.
    pub false_positives: Vec<String>,
    /// What the rule cannot see.
    pub misses: Vec<String>,
    /// ATT&CK technique ids.
    pub attack_techniques: Vec<String>,
}

/// A signal that was taken back and does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetractedSignal {
    /// The signal's id.
    pub signal_uid: String,
    /// When it happened.
    pub time: UtcMillis,
    /// Part of the attack factor.
    pub component: String,
    /// Kind of attack.
    pub family: String,
    /// Its level.
    pub level: String,
    /// The rule that found it.
    pub rule_id: String,
    /// What was retracted: event, signal or incident.
    pub target_kind: String,
    /// The target's id; of several events the first.
    pub target_uid: String,
    /// From when on.
    pub retracted_at: UtcMillis,
    /// Why.
    pub reason: Option<String>,
    /// By whom.
    pub by: Option<String>,
}

/// What would change the score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// The way up; null at the highest level, and where the tenant has no component yet.
    pub next_level: Option<NextLevel>,
    /// The way down if nothing new comes, at today's baseline: after 7, 14 and 30 days.
    pub decay: Vec<Decayed>,
}

/// How far it is to the next level, in the component where it takes least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextLevel {
    /// The level.
    pub level: String,
    /// The score at which it begins.
    pub floor_micro: i64,
    /// The component.
    pub component: String,
    /// The fewest further points, in millionths, that reach it.
    pub points_micro: i64,
    /// The weakest single attack that reaches it, of today and of a kind not seen today; null when
    /// not even a critical one does.
    pub attack: Option<FreshAttack>,
}

/// One more attack, imagined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshAttack {
    /// Its level.
    pub level: String,
    /// The score with it.
    pub score_micro: i64,
}

/// The score some days on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decayed {
    /// Days after the day of `as_of`.
    pub days: i64,
    /// The score then.
    pub score_micro: i64,
    /// Its level.
    pub level: String,
}

/// How much of the evidence was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Whether a store was read; without one there are no signals and events.
    pub store_read: bool,
    /// Days of signals that were read.
    pub days_read: i64,
    /// Signals found, those of collapsed incidents included.
    pub signals: i64,
    /// Incidents that count and whose signals were not found.
    pub incidents_missing: i64,
    /// Events found.
    pub events: i64,
    /// Events that signals name and that were not found.
    pub events_missing: i64,
    /// Signals about the person that became known after `known_at`: a later snapshot counts them.
    pub known_later: i64,
}
