//! The attack factor formula af-1 over bucket counts, in integers.
//!
//! What goes in is one population of one tenant: an [`Organization`] with the [`Bucket`] counts of its
//! people. [`score`] turns the counts into loads, measures each load with what the colleagues carry
//! (a [`Baseline`] gives the [`Yardstick`]), and combines the odds of the components into [`Scores`].
//! [`attribute`] then splits a person's score over the attacks behind it, and [`org_summary`] and
//! [`group_figures`] sum up organizations and groups. The engine calls all of them; nothing here reads
//! a file, the clock or the environment.
//!
//! Every step is integer arithmetic with floors, no floating point but for the one division of a
//! percentile, so the same input gives the same bytes on every machine and number of threads. The
//! bounds that keep products inside 128 bits stand beside them; input that could break them is refused
//! with an [`Error`], and nothing is clamped.
//!
//! ```
//! use af_model::{Params, UtcDay};
//! use af_score::{Bucket, Organization, attribute, score};
//!
//! let today = UtcDay(20_000);
//! let components = ["email".to_owned(), "identity".to_owned()];
//! let buckets = [
//!     // Person 0 was sent a medium phish today, person 1 had a critical sign-in 14 days ago.
//!     Bucket { member: 0, component: 0, family: 0, day: today, counts: [0, 0, 1, 0] },
//!     Bucket { member: 1, component: 1, family: 1, day: UtcDay(19_986), counts: [1, 0, 0, 0] },
//! ];
//! let organization = Organization {
//!     in_population: &[true, true, true],
//!     components: &components,
//!     buckets: &buckets,
//! };
//! let params = Params::default();
//! let scores = score(&organization, today, &params)?;
//! // 27 points have halved to 13.5, 1.5 times a fresh high: 10 · 1.5 / 2.5.
//! assert_eq!(scores.members[1].score_micro, 6_000_000);
//! let blocks = attribute(&organization, &scores, today, &params, 1);
//! assert_eq!(blocks[0].score_share_micro, 6_000_000);
//! # Ok::<(), af_score::Error>(())
//! ```

mod attribution;
mod baseline;
mod counterfactual;
mod decay;
mod error;
mod groups;
mod loads;
mod measured;
mod odds;
mod organization;
mod power;
mod rank;
mod saturate;
mod scale;
mod scores;
mod shares;
mod summary;

pub use attribution::{Attribution, Block, Rest, attribute, fold_rest, without_one};
pub use baseline::Baseline;
pub use counterfactual::{load_of_counts, score_of_components};
pub use error::{Error, ErrorKind};
pub use groups::{GroupFigures, LEAST_GROUP, group_figures};
pub use measured::Measured;
pub use odds::{Yardstick, score_of_odds};
pub use organization::{Bucket, GivenLoad, Organization, merge_buckets};
pub use scale::Scale;
pub use scores::{ComponentScore, MemberScore, Scores, score, score_given};
pub use shares::{split, split_equally};
pub use summary::{OrgFigures, org_summary};
