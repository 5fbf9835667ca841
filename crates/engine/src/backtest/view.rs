//! What a backtest says.

use af_model::accounting::SignalAccount;
use af_model::{UtcDay, UtcMillis};
use af_rules::{Class, Rule};
use serde::Serialize;

use super::classify::Classified;
use crate::tally::Cut;

/// What a rule would have found, whom it hits, and how scores would move.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Backtest {
    /// The rule.
    pub rule: RuleShown,
    /// Scores are of this instant.
    pub as_of: UtcMillis,
    /// What was known at this instant counts.
    pub known_at: UtcMillis,
    /// The first day that was looked at.
    pub first_day: UtcDay,
    /// The last one.
    pub last_day: UtcDay,
    /// Days between them that have events.
    pub days_with_events: u64,
    /// Events looked at.
    pub events: u64,
    /// Signals the rule gives: one per event or window, and person.
    pub findings: u64,
    /// Signals that other rules give without it and not with it, because it speaks in their place or
    /// silences them.
    pub instead_of: u64,
    /// Where its findings would go at the cut.
    pub went: WhereFindingsWent,
    /// Days on which it finds something, ascending.
    pub by_day: Vec<DayFindings>,
    /// People of the directory whom it hits.
    pub people_hit: u64,
    /// People of the directory.
    pub people: u64,
    /// Its incidents per person hit and week of the span, in thousandths.
    pub incidents_per_person_week_milli: u64,
    /// Those hit hardest first: by level, then by number of incidents.
    pub hit: Vec<PersonHit>,
    /// People per level without and with the rule, from none to very high, ranked people only.
    pub levels: Vec<LevelCount>,
    /// People whose score or level changes.
    pub people_moved: u64,
    /// Those who change most first.
    pub moved: Vec<PersonMove>,
}

/// The rule in question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleShown {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// One line about it.
    pub title: String,
    /// What matching events are taken for.
    pub class: String,
    /// The level it gives; none where it gives no signals.
    pub level: Option<String>,
}

/// Where findings would go at the cut. Parts that are none of these were not yet known or broke the
/// contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WhereFindingsWent {
    /// They count, each as an incident of its own if no stronger one of another rule shares it.
    pub scored: u64,
    /// Another finding of the same incident and day stands for them.
    pub collapsed: u64,
    /// They belong to nobody the directory knows.
    pub unmatched: u64,
    /// They were taken back.
    pub retracted: u64,
    /// They are older than the window of the score.
    pub too_old: u64,
    /// They lie after the cut.
    pub future: u64,
}

impl From<SignalAccount> for WhereFindingsWent {
    fn from(account: SignalAccount) -> Self {
        Self {
            scored: account.scored,
            collapsed: account.collapsed,
            unmatched: account.unmatched,
            retracted: account.retracted,
            too_old: account.too_old,
            future: account.future,
        }
    }
}

/// What a rule finds on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DayFindings {
    /// The UTC day.
    pub day: UtcDay,
    /// Its signals.
    pub findings: u64,
    /// People of the directory whom they hit.
    pub people: u64,
}

/// Somebody whom the rule hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonHit {
    /// The customer organization.
    pub tenant_uid: String,
    /// The person's id.
    pub user_uid: String,
    /// Primary e-mail address.
    pub email: String,
    /// The hardest level.
    pub level: String,
    /// Incidents.
    pub incidents: u64,
    /// Days with one.
    pub days: u64,
    /// The first.
    pub first: UtcMillis,
    /// The last.
    pub last: UtcMillis,
}

/// How many people have a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LevelCount {
    /// The level.
    pub level: String,
    /// People without the rule.
    pub without: u64,
    /// People with it.
    pub with: u64,
}

/// Somebody whose score or level changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonMove {
    /// The customer organization.
    pub tenant_uid: String,
    /// The person's id.
    pub user_uid: String,
    /// Primary e-mail address.
    pub email: String,
    /// The score without the rule, in millionths.
    pub score_without_micro: i64,
    /// The score with it.
    pub score_with_micro: i64,
    /// The level without the rule.
    pub level_without: String,
    /// The level with it.
    pub level_with: String,
    /// The rank without the rule; none outside the population.
    pub rank_without: Option<i64>,
    /// The rank with it.
    pub rank_with: Option<i64>,
}

impl PersonMove {
    /// By how much the score changes, in millionths.
    pub fn change_micro(&self) -> i64 {
        self.score_with_micro - self.score_without_micro
    }
}

impl Backtest {
    pub(super) fn about(
        rule: &Rule,
        cut: Cut,
        span: (UtcDay, UtcDay),
        classified: &Classified,
    ) -> Self {
        Self {
            rule: RuleShown {
                name: rule.name.clone(),
                id: rule.id.clone(),
                title: rule.title.clone(),
                class: rule.class.to_string(),
                level: (rule.class == Class::Attack).then(|| match rule.level_from {
                    Some(field) => format!("{}, or as {field} says", rule.level),
                    None => rule.level.to_string(),
                }),
            },
            as_of: cut.as_of,
            known_at: cut.known_at,
            first_day: span.0,
            last_day: span.1,
            days_with_events: classified.days,
            events: classified.events,
            findings: classified.by_day.iter().map(|day| day.findings).sum(),
            instead_of: classified.instead_of,
            by_day: classified.by_day.clone(),
            ..Self::default()
        }
    }

    /// Days of the span.
    pub(super) fn span_days(&self) -> u64 {
        u64::try_from(self.last_day.0 - self.first_day.0 + 1).unwrap_or(1)
    }
}
