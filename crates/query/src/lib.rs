//! The read side over published snapshots.
//!
//! [`top`] answers who is attacked most, and by what: it reads a snapshot's `user_scores`,
//! `signal_attribution` and `manifest.json`, only the columns and rows a [`TopQuery`] asks for, and
//! hands back a [`TopView`](af_model::view::TopView) that `af-report` renders. The snapshot is the folder that holds the tables; finding the latest one is the caller's part.
//!
//! ```no_run
//! # fn main() -> Result<(), af_query::Error> {
//! use std::path::Path;
//!
//! use af_query::{TopQuery, top};
//!
//! let view = top(
//!     Path::new("store/snapshots/2026-11-20T235959.999Z/r1"),
//!     &TopQuery {
//!         tenant: Some("acme".to_owned()),
//!         limit: 10,
//!         ..TopQuery::default()
//!     },
//! )?;
//! assert!(view.people.len() <= 10);
//! # Ok(())
//! # }
//! ```
//!
//! [`find`] tells whom a typed name means, and an [`Explanation`] says why that person has their
//! score: it takes the score apart with the kernel (`af-score`), which must arrive at the published
//! figures, and lays a store's signals and events beside them.
//!
//! What it does not do: change a figure. Every number of a view stands in the snapshot, is a sum of
//! such numbers, or is the kernel's answer to "what if".

mod columns;
mod drivers;
mod error;
mod explain;
mod find;
mod frame;
mod ranking;
mod snapshot;
mod top;

pub use error::{Error, ErrorKind};
pub use explain::{Explanation, StoreEvidence};
pub use find::{Found, PersonKey, find};
pub use frame::frame;
pub use top::{TopQuery, top};
