//! The pipeline: from identity events and a directory to a published snapshot.
//!
//! [`pipeline`] is the data flow as code and the door for library users; each stage it calls is a
//! module here and leans on the crate that knows how: [`normalize`] on `af-okta`, [`detect`] on
//! `af-rules`, [`tally`] on `af-count`, [`assemble`] on `af-score`, and all of them on `af-store`.
//! [`retract`] and [`feedback`] take back what was no attack. [`feeds`] tells how fetching fares; the
//! pages that wait in a feed are input of a [`run`].
//!
//! [`backtest`] tries a rule on the events of a store before it is switched on.
//!
//! [`verify`] and [`diff`] read what was published and compute it again.
//!
//! Nothing in this crate reads the clock, the environment or the network: instants, paths and
//! random bytes are arguments. Work that may take long reports to a [`Progress`].

pub mod assemble;
pub mod backtest;
pub mod config;
pub mod detect;
pub mod diff;
pub mod error;
pub mod feedback;
pub mod feeds;
pub mod files;
pub mod input;
pub mod known;
pub mod normalize;
pub mod people;
pub mod pipeline;
pub mod progress;
mod publish;
pub mod retract;
pub mod rule_samples;
pub mod run;
pub mod tally;
pub mod timeline;
pub mod upkeep;
pub mod verify;
pub mod whose;

pub use error::{Error, ErrorKind};
pub use progress::{Progress, Silent};
