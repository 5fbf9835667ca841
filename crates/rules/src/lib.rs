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
//! What it does not do: it evaluates no Sigma correlations and no filters, finds nobody for an
//! event that names nobody (such a signal has a null subject), and reads no files.

mod block;
mod check;
mod classify;
mod columns;
mod compile;
mod error;
mod evaluate;
mod field;
mod incident;
mod load;
mod problem;
mod render;
mod rule;
mod samples;
mod set;
mod shipped;
mod signal;
mod validate;

pub use check::EventTypeFlags;
pub use classify::Classified;
pub use error::{Error, ErrorKind};
pub use field::{FieldEntry, fields};
pub use problem::{Problem, Severity};
pub use render::render;
pub use rule::{Class, FAMILIES, IncidentKey, Rule, RuleFile, Subject};
pub use samples::{Sample, SampleResult};
pub use set::RuleSet;
pub use shipped::shipped;
pub use signal::signal_uid;
