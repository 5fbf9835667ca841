//! From identity events to attack signals: every day whose events or rules changed is classified anew.
//!
//! # Days that look back
//!
//! A correlation's window may begin on days before, [`RuleSet::look_back_days`] at most. So a day is
//! made from its own events and from what those days held, and the state document says of each day
//! from which files of which days it was made ([`DetectedDay::looked_back`]). A day is made anew when
//! its own files, or those of the days it looks back on, are not the ones it was made from. The
//! document is written after every day: a run that dies between a day and the next finds the next
//! still made from the files before.
//!
//! Days are walked in ascending order. A day that is up to date is read once more only if a day
//! after it is not and looks back on it.
//!
//! # What leaves the store
//!
//! A purge takes days away that later ones looked back on, an erasure takes a person's events out of
//! them. Neither may change or remove what was found about anybody else: of a spray of ten victims
//! nine are victims still. So such days are marked ([`DetectedDay::thinned`]), and when one is made
//! anew by the same rules, what was found before stays, whether it is found again or not, and only what
//! became known since ([`DetectedDay::known_until`]) can add to it: of two people in one transaction the
//! one who is left is not the one who was meant. Erasing takes the person's own signals out of the files
//! itself. Other rules judge by what is left.
//!
//! Compacting files changes no events: the names in the document follow.
//!
//! [`RuleSet::look_back_days`]: af_rules::RuleSet::look_back_days

mod days;
mod details;
mod dictionary;
mod keep;
mod read;
mod state;
mod upkeep;
mod walk;

pub(crate) use days::file_names;
pub(crate) use read::events_of;
pub use state::{Detected, DetectedDay};
pub(crate) use upkeep::{forget_days, renamed_inputs, thinned};
pub(crate) use walk::unclassified;
pub use walk::{DetectReport, detect, pending};

/// The state document that remembers what was detected from what.
const STATE: &str = "detect";

/// How the names of the signal files begin that this stage owns.
pub(crate) const OWN_FILES: &str = "detected-";

/// Rises when the same events and rules give other signals, or when this document changes its
/// shape: every day is then detected anew.
const SHAPE: u32 = 3;
