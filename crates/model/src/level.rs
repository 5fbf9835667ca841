//! How hard an attack signal hits, and what a score means in one word.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The severity of one attack signal. Ordered: `Low < Medium < High < Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// 1 point by default.
    Low,
    /// 3 points by default.
    Medium,
    /// 9 points by default.
    High,
    /// 27 points by default.
    Critical,
}

impl Level {
    /// All levels, weightiest first: the order in which the formula walks them (af-1 §2.4).
    pub const DESCENDING: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The level's place in [`Level::DESCENDING`] and in every array of counts by level.
    pub const fn slot(self) -> usize {
        match self {
            Self::Critical => 0,
            Self::High => 1,
            Self::Medium => 2,
            Self::Low => 3,
        }
    }

    /// The name written in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A string that names no [`Level`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown level; the levels are low, medium, high and critical")]
pub struct UnknownLevel;

impl FromStr for Level {
    type Err = UnknownLevel;

    /// Case does not matter: Okta writes `HIGH`, Sigma writes `high`.
    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Self::DESCENDING
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(text))
            .ok_or(UnknownLevel)
    }
}

/// What a score means in one word (af-1 §2.9). Ordered from no attack to the most attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreLevel {
    /// No odds at all: nothing counted against this person in the window.
    None,
    /// Above zero and below 2.
    VeryLow,
    /// From 2, below 4.
    Low,
    /// From 4, below 6.
    Medium,
    /// From 6, below 8.
    High,
    /// From 8, below 10.
    VeryHigh,
}

impl ScoreLevel {
    /// All levels in ascending order.
    pub const ASCENDING: [Self; 6] = [
        Self::None,
        Self::VeryLow,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::VeryHigh,
    ];

    /// The level of a score in micro; `odds_nano` tells none from very low.
    ///
    /// ```
    /// use af_model::ScoreLevel;
    /// assert_eq!(ScoreLevel::of(0, 0), ScoreLevel::None);
    /// assert_eq!(ScoreLevel::of(0, 1), ScoreLevel::VeryLow);
    /// assert_eq!(ScoreLevel::of(5_999_999, 1_499_999_000), ScoreLevel::Medium);
    /// assert_eq!(ScoreLevel::of(6_000_000, 1_500_000_000), ScoreLevel::High);
    /// ```
    pub const fn of(score_micro: i64, odds_nano: i64) -> Self {
        if odds_nano == 0 {
            return Self::None;
        }
        match score_micro {
            ..2_000_000 => Self::VeryLow,
            2_000_000..4_000_000 => Self::Low,
            4_000_000..6_000_000 => Self::Medium,
            6_000_000..8_000_000 => Self::High,
            8_000_000.. => Self::VeryHigh,
        }
    }

    /// The smallest score in micro that carries this level; zero for none and very low.
    pub const fn floor_micro(self) -> i64 {
        match self {
            Self::None | Self::VeryLow => 0,
            Self::Low => 2_000_000,
            Self::Medium => 4_000_000,
            Self::High => 6_000_000,
            Self::VeryHigh => 8_000_000,
        }
    }

    /// The name written in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::VeryLow => "very_low",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::VeryHigh => "very_high",
        }
    }
}

impl fmt::Display for ScoreLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
