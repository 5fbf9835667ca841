//! An Okta org on loopback: endpoints, paging, limits, credentials and faults on command.
//!
//! For tests, demos and other people's tools. [`Sim::start`] takes [`SimOptions`]: a [`World`] (a
//! simulated organization, or somebody's own users and events), what [`Time`] it is there, and who
//! may call. It listens on 127.0.0.1 and nowhere else.
//!
//! ```
//! use af_okta_sim::{Fault, Rule, Sim, SimOptions};
//!
//! let user = r#"[{"id":"00u1","status":"ACTIVE","profile":{"login":"joe@example.com"}}]"#;
//! let event = r#"{"uuid":"1","published":"2026-11-20T10:00:00.000Z","eventType":"user.session.start"}"#;
//! // Eleven o'clock on the same day.
//! let sim = Sim::start_blocking(SimOptions::given(user, event, 1_795_172_400_000)).unwrap();
//! sim.faults().add(Rule::new(Fault::Status { status: 503 }).on("/api/v1/logs").once());
//! assert!(sim.url().starts_with("http://127.0.0.1:"));
//! ```
//!
//! From a shell, with a simulator on port 8090:
//!
//! ```text
//! curl -s -H 'Authorization: SSWS simulated-api-token' -D - \
//!     'http://127.0.0.1:8090/api/v1/logs?since=2026-11-20T00:00:00Z&limit=2'
//! curl -s http://127.0.0.1:8090/sim            # what can be commanded
//! curl -s -X POST http://127.0.0.1:8090/sim/faults \
//!     -d '{"on":"/api/v1/logs","times":1,"fault":{"kind":"rate_limit","seconds":2}}'
//! ```
//!
//! # What is as in Okta
//!
//! * **System Log**: polling (`until` absent, ascending) goes by the instant at which an event came to
//!   be seen, and always has a `next`; bounded queries go by `published`, and their last page has
//!   none. Events come late ([`Lateness`]) and, polled, out of order. `since` is included, `until` is
//!   not. 90 days are kept, 180 may be asked for.
//! * **Inventory**: users without the deprovisioned unless asked for, groups, rules, applications,
//!   factors, roles, identity providers, devices; everything that is not given follows from the users.
//! * **Credentials**: API token; client credentials by secret or signed assertion (RS256, ES256),
//!   with proofs of possession and their nonces; scopes, and the role that a client needs.
//! * **Limits**: windows per bucket, calls at the same time, their headers; error bodies; links in
//!   both forms; gzip.
//!
//! # What is not
//!
//! No writing call, no sign-in, no `.well-known` beyond what clients look at. Limits and
//! tokens go by the world's clock, signed proofs by that or the org's, everything else by the org's. A list of the inventory is made
//! anew for every page. `filter` knows `eq ne sw ew co pr` joined by `and` and `or`.

mod answer;
mod append;
mod auth;
mod clock;
mod control;
mod directory;
mod fault;
mod filter;
mod links;
mod log;
mod options;
mod org;
pub mod organization;
mod random;
mod rate;
mod request;
mod route;
mod server;
mod sim;
mod stats;

pub use fault::{Fault, Faults, RandomFaults, Rule};
pub use options::{Lateness, LinkStyle, SimClient, SimOptions, Time, World};
pub use sim::{Sim, SimStopper};
pub use stats::Stats;
