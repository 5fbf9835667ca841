//! Everything a configuration says, in one go: new input of every tenant, then one snapshot.
//!
//! [`execute`] takes a [`RunJob`] through the stages and returns a [`RunReport`]; [`plan`] says what
//! it would do and writes nothing. What was read is remembered in the store (`seen`), so a second
//! run without news changes nothing. A tenant that fails (its files cannot be read, an account does
//! not close, the kernel refuses, or a gate under `strict`) is left out of the snapshot and named in
//! the manifest; its earlier snapshots stay, and so does what was read of it. A failure of the store
//! itself stops the run: nothing is published then.
//!
//! What was fetched for an integration is input as files are: its pages that wait become events and
//! leave the feed, its latest inventory becomes people. How fetching fares is written into the
//! manifest; trouble there is a warning, never a reason to leave a tenant out.
//!
//! A run does what `normalize`, `users import` and `score` would do one after the other, with the
//! same bytes as result.

mod directory;
mod domains;
mod events;
mod execute;
mod gates;
mod health;
mod ingest;
mod inventory;
mod orphans;
mod pages;
mod plan;
mod report;
mod seen;
mod survey;
mod threshold;

pub use execute::{RunJob, RunOptions, execute};
pub use gates::GateCheck;
pub use plan::{Plan, PlannedFile, TenantPlan, plan};
pub use report::{EventsRead, PeopleRead, RunReport, TenantReport, TenantResult};
pub use survey::News;
pub use threshold::{AtLevel, Threshold, at_or_above};
