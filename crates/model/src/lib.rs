//! The vocabulary of the attack factor and the written contract of every table.
//!
//! Everything that two crates must agree on lives here: what a [`Level`] is, how a login or an
//! e-mail becomes a comparable [key](key::normalize_key), which columns a table has and what each
//! means ([`tables`]), the [`Params`] of the formula, the [`Accounting`](accounting) that must
//! close, the [`Manifest`](manifest::Manifest) of a snapshot and the [views](view) that reports
//! render. Nothing here reads a file, the clock or the environment.
//!
//! ```
//! use af_model::{Level, UtcMillis};
//!
//! assert!(Level::Critical > Level::High);
//! assert_eq!("high".parse::<Level>(), Ok(Level::High));
//! let as_of = UtcMillis::parse_cut("2026-11-20").unwrap();
//! assert_eq!(as_of.to_string(), "2026-11-20T23:59:59.999Z");
//! ```

pub mod accounting;
pub mod cell;
pub mod contract;
pub mod feed;
pub mod hash;
pub mod key;
pub mod level;
pub mod manifest;
pub mod name;
pub mod params;
pub mod person;
pub mod tables;
pub mod time;
pub mod view;

pub use hash::{HashKey, HexHash};
pub use level::{Level, ScoreLevel};
pub use params::Params;
pub use person::{Person, Population};
pub use time::{UtcDay, UtcMillis};

/// The formula's id. Another value of any fixed parameter is another formula.
pub const FORMULA: &str = "af-1";

/// One millionth: the unit of every `_micro` column.
pub const MICRO: i64 = 1_000_000;

/// One billionth: the unit of every `_nano` column.
pub const NANO: i64 = 1_000_000_000;
