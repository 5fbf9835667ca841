//! A simulated organization: thousands of people at work for months, and seeded attacks among them.
//!
//! [`Organization`] writes its Okta System Log day by day and keeps beside it what really happened
//! ([`Truth`]). People travel, mistype, change telephones, share addresses, use tunnels, move between
//! networks in one session; machines fail; testers test; and attackers do what public reports of
//! incidents say they do, in sizes drawn from skewed distributions. The generator knows no rule and
//! no threshold. The organization moves from Classic to Identity Engine after a third of the days.
//!
//! ```
//! use af_okta_sim::organization::{Organization, Size};
//!
//! let mut organization = Organization::new(Size { people: 60, days: 9 }, 1);
//! let mut events = 0;
//! while let Some(day) = organization.next_day() {
//!     events += day.events().count();
//! }
//! assert!(events > 1000);
//! assert!(!organization.truth().stories.is_empty());
//! ```
//!
//! The same size and seed give the same bytes, on every machine and with any number of threads.

mod attacks;
mod calendar;
mod dice;
mod event;
mod history;
mod log;
mod names;
mod network;
mod ordinary;
mod person;
mod places;
mod roster;
mod sign_in;
mod simulation;
mod software;
mod truth;

pub use roster::Account;
pub(crate) use simulation::first_day;
pub use simulation::{DayLog, Organization, Size};
pub use truth::{Kind, Story, Truth, Victim, event_number};
