//! Okta's System Log and directory as identity events and people.
//!
//! [`Normalizer::event`] turns the JSON of one System Log event into one row of
//! `identity_events`, [`Normalizer::events`] does so with whatever a collector made of it;
//! [`inventory::person`] turns one user object into one person of the directory;
//! [`catalogue`] knows which event types exist, [`org_url`] which addresses an org may have. What cannot be read becomes a [`Reject`] with a
//! reason from a fixed list, which the caller counts.
//!
//! ```
//! use af_model::{HashKey, UtcMillis};
//! use af_okta::{Normalizer, RejectReason};
//!
//! let key = HashKey::new([7; 32]);
//! let now = UtcMillis::parse("2026-11-20T12:00:00Z").unwrap();
//! let normalizer = Normalizer::new("acme", None, now, &key);
//!
//! // A name that nobody is known by may be a mistyped password: only its keyed hash is kept.
//! let event = br#"{"uuid":"e1","published":"2026-11-20T11:00:00Z","eventType":"user.session.start",
//!     "displayMessage":"hunter2 failed",
//!     "actor":{"id":"unknown","type":"User","alternateId":"hunter2"}}"#;
//! let row = normalizer.event(event).unwrap();
//! assert!(row.subject_ref.as_deref().unwrap().starts_with("h:"));
//! assert!(!format!("{row:?}").contains("hunter2"));
//!
//! let reject = normalizer.event(b"{}").unwrap_err();
//! assert_eq!(reject.reason, RejectReason::MissingUuid);
//! ```
//!
//! # What is kept and what is not
//!
//! * Okta's sentinels (empty, `unknown`, `-`, `null`, `None`) become nulls.
//! * `actor.alternateId` is the login, not the e-mail address; only the directory knows the latter.
//! * An address that is none ("555.1.1.1") becomes null: address columns hold canonical text only.
//! * Typed-in names of unknown people are hashed, and secrets in debugData are replaced by
//!   "redacted". Not seen through: a name in base64, inside a SAML message, or in another Unicode
//!   composition than in `alternateId`.
//! * No network: fetching the log is somebody else's work. No rules: what an event means for a
//!   score is decided later.

mod attribution;
mod behaviors;
pub mod catalogue;
mod disguise;
mod envelope;
mod event;
mod factors;
mod found;
pub mod inventory;
mod json_text;
mod lenient;
mod normalize;
mod ocsf;
pub mod org_url;
mod parse;
mod printed;
mod privacy;
mod published;
mod reject;
mod risk;
mod secrets;
mod steps;
mod uid;
mod warehouse;

pub use disguise::{Needle, Readings};
pub use envelope::{MAX_ENVELOPES, MAX_EVENTS};
pub use found::Found;
pub use normalize::{CLOCK_SKEW_MILLIS, Normalizer};
pub use parse::MAX_DEPTH;
pub use reject::{Reject, RejectReason};
pub use steps::Step;
pub use uid::event_uid;
