//! Sigma correlations: attacks that only a window of events shows.
//!
//! A [`Correlation`] looks at the events that other rules match. They are grouped by tenant and by the
//! fields of `group-by` (an event that lacks one is in no group) and ordered by time, then event id. A
//! window ends at an event `e` and holds the events of its group from `e`'s time minus the timespan, that
//! instant included, up to `e` itself in that order. An event id counts once.
//!
//! * **Firing.** The correlation fires at every event at which its condition holds over the window;
//!   `temporal_ordered` only at events of its last rule, because only they complete the order.
//! * **Chain.** A correlation that refers to another looks at the events at which that one fires.
//! * **Known since.** What is known grows by `ingested_at`. A firing is known from the first instant at
//!   which the events known by then make the condition hold at `e`.
//! * **Finding.** Per rule, group, UTC day and person there is at most one: of the firings that hit the
//!   person on that day the one first known to do so, among those the earliest. With `all_in_group` a
//!   firing hits everybody whom an event of its window is about, known since that event is. So a late
//!   event may add a finding where there was none, and never alters one: what was published at an instant
//!   stays as it was.
//! * **Evidence** are the events of the window; with `all_in_group` those about the person, with
//!   `temporal_ordered` those that are a step of the order. Of more than a thousand the last.
//!
//! Conditions have a lower bound. That something did *not* happen is no finding: a window with too few
//! events cannot be told from one that is not over.
//!
//! `read` makes a correlation of a document, `link` ties the rules of a set together. `layout` says by
//! which fields they go, `keys` gives equal values equal numbers (`values` texts, `pairs` their
//! combinations, `list` both with those of the days before, `numbered` the rows that have them), `kept` is
//! what a day leaves behind of that. `candidates` collects the rows of a day group by group, `matches` are
//! the events of a group, `window` says when a condition holds, `firing` when it fired first and since when
//! that is known, `finding` whom it hit.

mod candidates;
mod finding;
mod firing;
mod kept;
mod keys;
mod layout;
mod link;
mod list;
mod matches;
mod numbered;
mod pairs;
mod read;
mod rule;
mod sequence;
mod values;
mod window;

pub(crate) use candidates::{Candidate, Candidates};
pub(crate) use finding::findings;
pub(crate) use firing::{Firing, firings};
pub(crate) use kept::KeptKeys;
pub(crate) use keys::Keys;
pub(crate) use link::{Plan, link};
pub(crate) use matches::{Match, Matches};
pub(crate) use read::read;
pub(crate) use rule::Correlation;
pub(crate) use values::NONE;
pub(crate) use window::Window;

/// The longest timespan, also of a chain as a whole: a day's findings look back no further.
pub(crate) const MAX_TIMESPAN_DAYS: i64 = 7;
