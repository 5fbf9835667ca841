//! Views: what the read side hands to the reports. Stable JSON, decoupled from tables.

mod top;

pub use top::{Driver, TopPerson, TopView};

/// A score with one decimal, truncated, so that text and level agree.
///
/// ```
/// assert_eq!(af_model::view::one_decimal(5_999_999), "5.9");
/// ```
pub fn one_decimal(score_micro: i64) -> String {
    format!("{}.{}", score_micro / 1_000_000, score_micro / 100_000 % 10)
}
