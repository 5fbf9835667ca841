//! Who moved between two snapshots, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::UtcMillis;

/// The change from one snapshot to a later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffView {
    /// The earlier snapshot.
    pub before: DiffSide,
    /// The later snapshot.
    pub after: DiffSide,
    /// Formula id of both.
    pub formula: String,
    /// What limits how exactly causes can be told apart here.
    pub notes: Vec<String>,
    /// Every organization and population, in name order.
    pub organizations: Vec<DiffOrganization>,
    /// People who moved, the largest change first.
    pub people: Vec<DiffPerson>,
    /// People who match but are not shown.
    pub more_people: u64,
}

/// One of the two snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffSide {
    /// The snapshot's folder.
    pub snapshot: String,
    /// Signals up to this instant count.
    pub as_of: UtcMillis,
    /// What was known at this instant counts.
    pub known_at: UtcMillis,
    /// Hash of the parameters.
    pub config_hash: String,
    /// Hash of the rules; null when the signals came from elsewhere.
    pub rules_hash: Option<String>,
}

/// One population of one organization, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffOrganization {
    /// The customer organization.
    pub tenant_uid: String,
    /// human or service.
    pub population: String,
    /// Before; null when only the later snapshot has it.
    pub before: Option<DiffFigures>,
    /// After; null when only the earlier snapshot has it.
    pub after: Option<DiffFigures>,
    /// People by the weightiest cause of their change, of those who changed at least as much as was
    /// asked for. Who changed the population is counted in the later one.
    pub moved_by_cause: BTreeMap<String, u64>,
}

/// A population in a few figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffFigures {
    /// People compared with each other.
    pub population_n: u64,
    /// Their mean score, floored.
    pub mean_score_micro: i64,
    /// People per level: none, `very_low`, low, medium, high, `very_high`.
    pub levels: [u64; 6],
}

/// One person's change. The parts add up to it exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffPerson {
    /// The customer organization.
    pub tenant_uid: String,
    /// The person's id.
    pub user_uid: String,
    /// Primary e-mail address, as of the later snapshot that names the person.
    pub email: String,
    /// Name shown to people.
    pub display_name: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// human or service, as of the later snapshot that names the person.
    pub population: String,
    /// Level before; null for somebody who joined.
    pub level_before: Option<String>,
    /// Level after; null for somebody who left.
    pub level_after: Option<String>,
    /// Score before in millionths; null for somebody who joined.
    pub score_before_micro: Option<i64>,
    /// Score after in millionths; null for somebody who left.
    pub score_after_micro: Option<i64>,
    /// After minus before, nobody counting as zero.
    pub change_micro: i64,
    /// The change by cause.
    pub parts: DiffParts,
}

/// A change of a score by cause, in millionths. The order is that in which the causes are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffParts {
    /// Other parameters, for the person and the colleagues alike.
    pub settings: i64,
    /// Time passed over the person's own attacks; those older than the window left.
    pub decay: i64,
    /// Own attacks the earlier snapshot knew and the later one does not.
    pub retracted: i64,
    /// Own attacks that moved between people, or from or to nobody, with another directory.
    pub directory: i64,
    /// Own attacks on days the earlier snapshot covers that changed while the rules differ.
    pub rules: i64,
    /// Own attacks on days the earlier snapshot covers that it did not know.
    pub late: i64,
    /// Own attacks after the earlier snapshot.
    pub new_signals: i64,
    /// The loads of those who are colleagues in both snapshots.
    pub colleagues: i64,
    /// Colleagues who came or left, or the person's own change of population.
    pub population: i64,
    /// The whole score of somebody whom only the later snapshot has.
    pub joined: i64,
    /// The whole score, taken off, of somebody whom only the earlier snapshot has.
    pub left: i64,
}

impl DiffParts {
    /// Every cause by name, in the order in which they are applied.
    pub const fn named(&self) -> [(&'static str, i64); 11] {
        [
            ("settings", self.settings),
            ("decay", self.decay),
            ("retracted", self.retracted),
            ("directory", self.directory),
            ("rules", self.rules),
            ("late", self.late),
            ("new_signals", self.new_signals),
            ("colleagues", self.colleagues),
            ("population", self.population),
            ("joined", self.joined),
            ("left", self.left),
        ]
    }

    /// The sum of all parts.
    pub fn sum(&self) -> i64 {
        self.named().iter().map(|(_, part)| part).sum()
    }

    /// The parts that are not zero, weightiest first, ties in the order of the causes.
    ///
    /// ```
    /// use af_model::view::DiffParts;
    /// let parts = DiffParts { decay: -20, new_signals: 500, late: 20, ..DiffParts::default() };
    /// let names: Vec<&str> = parts.weightiest().iter().map(|(name, _)| *name).collect();
    /// assert_eq!(names, ["new_signals", "decay", "late"]);
    /// ```
    pub fn weightiest(&self) -> Vec<(&'static str, i64)> {
        let mut parts = self.named().to_vec();
        parts.retain(|(_, part)| *part != 0);
        parts.sort_by_key(|(_, part)| std::cmp::Reverse(part.unsigned_abs()));
        parts
    }
}

/// A change of a score with its sign and one decimal, truncated towards zero.
///
/// ```
/// use af_model::view::signed_decimal;
/// assert_eq!(signed_decimal(1_290_000), "+1.2");
/// assert_eq!(signed_decimal(-690_000), "-0.6");
/// assert_eq!(signed_decimal(-9), "-0.0");
/// assert_eq!(signed_decimal(0), "0.0");
/// ```
pub fn signed_decimal(change_micro: i64) -> String {
    let sign = match change_micro {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    let size = change_micro.unsigned_abs();
    format!("{sign}{}.{}", size / 1_000_000, size / 100_000 % 10)
}
