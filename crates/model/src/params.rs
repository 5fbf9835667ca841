//! The configurable parameters of the formula (af-1 §1), checked and hashed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::level::Level;
use crate::name::check_term;
use crate::{HexHash, MICRO};

/// Days a signal counts; age 0 to 89. Fixed by the formula id.
pub const WINDOW_DAYS: i64 = 90;

/// Days after which points have halved. Fixed by the formula id.
pub const HALF_LIFE_DAYS: u32 = 14;

/// What may be configured of the formula. Every field is part of the snapshot's `config_hash`.
///
/// ```
/// use af_model::{Level, Params};
/// let params = Params::default();
/// params.check().unwrap();
/// assert_eq!(params.points_micro(Level::High), 9_000_000);
/// assert_eq!(params.weight_permille("identity"), 1000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What one signal of each level is worth.
    pub points: Points,
    /// Points of absolute scale added to every yardstick: one fresh high by default. Whole points.
    pub lambda: i64,
    /// How many times the colleagues' average the relative scale asks for.
    pub q: i64,
    /// Pseudo-colleagues without load; small organizations lean on the absolute scale.
    pub kappa: i64,
    /// A colleague counts up to `max(cap·lambda, cap·mean of the others without the largest)`.
    pub cap: i64,
    /// Weight per component in per mille; a component not named weighs 1000.
    pub weights: BTreeMap<String, i64>,
}

/// Whole points per level. Each step must exceed ζ(1.5) = 2.612…, so that no number of lower
/// signals of one family and day outweighs one a level higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Points {
    /// Points of a low signal.
    pub low: i64,
    /// Points of a medium signal.
    pub medium: i64,
    /// Points of a high signal.
    pub high: i64,
    /// Points of a critical signal.
    pub critical: i64,
}

impl Default for Points {
    fn default() -> Self {
        Self {
            low: 1,
            medium: 3,
            high: 9,
            critical: 27,
        }
    }
}

impl Default for Params {
    fn default() -> Self {
        Self {
            points: Points::default(),
            lambda: 9,
            q: 3,
            kappa: 5,
            cap: 10,
            weights: BTreeMap::new(),
        }
    }
}

/// A parameter outside its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parameter {name} is {value}: {rule}")]
pub struct InvalidParams {
    /// The parameter as written in the configuration.
    pub name: String,
    /// The value found.
    pub value: i64,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl Params {
    /// What one signal of this level is worth, in micro-points.
    pub const fn points_micro(&self, level: Level) -> i64 {
        MICRO
            * match level {
                Level::Low => self.points.low,
                Level::Medium => self.points.medium,
                Level::High => self.points.high,
                Level::Critical => self.points.critical,
            }
    }

    /// The absolute scale in micro-points.
    pub const fn lambda_micro(&self) -> i64 {
        MICRO * self.lambda
    }

    /// The weight of a component in per mille; 1000 when not configured.
    pub fn weight_permille(&self, component: &str) -> i64 {
        self.weights.get(component).copied().unwrap_or(1000)
    }

    /// Checks every parameter.
    ///
    /// The upper bounds keep every product of the formula inside 128 bits for a million people.
    ///
    /// # Errors
    /// [`InvalidParams`] names the first parameter out of range and the rule it breaks.
    pub fn check(&self) -> Result<(), InvalidParams> {
        let Points {
            low,
            medium,
            high,
            critical,
        } = self.points;
        range("points.low", low, 1, 1_000_000, "must be 1 to 1000000")?;
        for (name, lower, upper) in [
            ("points.medium", low, medium),
            ("points.high", medium, high),
            ("points.critical", high, critical),
        ] {
            // 2613/1000 is the first thousandth above ζ(1.5) = 2.612375….
            let wide_enough = i128::from(upper) * 1000 >= i128::from(lower) * 2613;
            if !wide_enough || upper > 1_000_000_000 {
                return Err(InvalidParams {
                    name: name.to_owned(),
                    value: upper,
                    rule: "must be at least 2.613 times the level below, so that no number of \
                           lower signals outweighs it, and at most 10^9",
                });
            }
        }
        range(
            "lambda",
            self.lambda,
            1,
            1_000_000,
            "must be 1 to 1000000 points",
        )?;
        range("q", self.q, 0, 1000, "must be 0 to 1000")?;
        range("kappa", self.kappa, 0, 1_000_000, "must be 0 to 1000000")?;
        range("cap", self.cap, 1, 1_000_000, "must be 1 to 1000000")?;
        for (component, &weight) in &self.weights {
            let name = format!("weights.{component}");
            range(
                &name,
                weight,
                0,
                1_000_000,
                "must be 0 to 1000000 per mille",
            )?;
            if check_term(component, "component").is_err() {
                return Err(InvalidParams {
                    name,
                    value: weight,
                    rule: "component names match [a-z0-9][a-z0-9_]{0,62}",
                });
            }
        }
        Ok(())
    }

    /// The hash that names this configuration in every snapshot. A weight of 1000 written out
    /// equals one left out.
    pub fn config_hash(&self) -> HexHash {
        let Points {
            low,
            medium,
            high,
            critical,
        } = self.points;
        let mut parts: Vec<String> = vec![crate::FORMULA.to_owned()];
        parts.extend(
            [
                low,
                medium,
                high,
                critical,
                self.lambda,
                self.q,
                self.kappa,
                self.cap,
            ]
            .map(|value| value.to_string()),
        );
        for (component, weight) in self.weights.iter().filter(|(_, weight)| **weight != 1000) {
            parts.push(component.clone());
            parts.push(weight.to_string());
        }
        HexHash::of_parts(parts.iter().map(String::as_str))
    }
}

fn range(
    name: &str,
    value: i64,
    least: i64,
    most: i64,
    rule: &'static str,
) -> Result<(), InvalidParams> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(InvalidParams {
            name: name.to_owned(),
            value,
            rule,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_lower_signals_could_outweigh_are_refused() {
        let mut params = Params::default();
        params.points.medium = 2; // 2/1 < 2.612
        assert_eq!(params.check().unwrap_err().name, "points.medium");
    }

    #[test]
    fn a_weight_of_one_thousand_written_out_is_the_default() {
        let mut params = Params::default();
        params.weights.insert("email".to_owned(), 1000);
        assert_eq!(params.config_hash(), Params::default().config_hash());
        params.weights.insert("email".to_owned(), 999);
        assert_ne!(params.config_hash(), Params::default().config_hash());
    }
}
