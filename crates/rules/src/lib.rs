//! Sigma rules over the columns of `identity_events`, and the `attack_signals` they give.
//!
//! A [`RuleSet`] is loaded from [`RuleFile`]s (the [`shipped`] ones, a user's own, or both),
//! [checked](RuleSet::check) against the source's catalogue of event types, and then
//! [classifies](RuleSet::classify) batches of events: every event gets exactly one class, and every
//! attack gives one signal per person and component. Sigma's own semantics (modifiers, wildcards,
//! conditions) come from `rsigma-parser` and `rsigma-eval`; this crate decides *where* a matcher is
//! asked: once per distinct value of a dictionary column, only on rows that can still match, and
//! rule by rule in parallel.
//!
//! ```
//! use af_model::tables::identity_events;
//! use af_rules::{RuleSet, shipped};
//!
//! let rules = RuleSet::load(shipped().into_iter()).expect("the shipped rules load");
//! assert!(rules.rules().iter().any(|rule| rule.name == "okta_fastpass_phishing"));
//! let no_events = identity_events::batch([]);
//! let found = rules.classify(&no_events, &|_event_type| true).expect("the table's contract holds");
//! assert_eq!(found.signals.num_rows(), 0);
//! assert!(found.accounts.is_empty());
//! ```
//!
//! Sigma correlations, which find what only a window of events shows, look back on the days before: a
//! [`Walk`] goes over days in ascending order and takes along what the windows of later days reach. When a
//! window fires, whom a finding names and since when it is known is written in `correlation/mod.rs`.
//!
//! An attack on an event that names nobody takes the person of its transaction; without one the signal has
//! a null subject. What a configuration says about an organization ([`Tuning`]) is part of the set and of
//! its [hash](RuleSet::hash); [`RuleLock`] tells what every rule is in one line.
//!
//! What it does not do: it evaluates no Sigma filters, and reads no files.

mod columns;
mod correlation;
mod detect;
mod error;
mod problem;
mod read;
mod rule;
mod set;

pub use columns::field::{FieldEntry, fields};
pub use columns::render::render;
pub use detect::classify::Classified;
pub use detect::signal::signal_uid;
pub use detect::walk::Walk;
pub use error::{Error, ErrorKind};
pub use problem::{Problem, Severity};
pub use read::sample::Sample;
pub use read::shipped::shipped;
pub use rule::{Class, FAMILIES, IncidentKey, Rule, RuleFile, Subject};
pub use set::check::EventTypeFlags;
pub use set::lock::{LockChange, LockEntry, LockError, RuleLock};
pub use set::network::{Network, NetworkError};
pub use set::reads::Reads;
pub use set::rules::RuleSet;
pub use set::samples::SampleResult;
pub use set::tuning::{Exclusion, Tuning, TuningError};
