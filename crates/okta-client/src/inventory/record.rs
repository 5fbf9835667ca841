//! What is written down about an inventory: its summary, the feed's status, the users of a day.

use std::collections::BTreeMap;

use af_model::UtcMillis;
use af_model::feed::{Cost, FeedStatus, StepStatus};
use af_store::feed::{Feed, STATUS};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The document of a feed that holds [`UserCounts`].
pub const USER_COUNTS: &str = "user_counts";

/// How many users an org had, by UTC day (`2026-11-20`). A later inventory of a day replaces its entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserCounts(pub BTreeMap<String, DayCount>);

/// The users of one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DayCount {
    /// When they were counted, in milliseconds since 1970 UTC.
    pub counted_at: UtcMillis,
    /// All of them, deprovisioned ones too.
    pub total: u64,
    /// By status, as Okta writes it; `UNKNOWN` where there is none.
    pub by_status: BTreeMap<String, u64>,
}

/// The document `summary.json` of an inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Where it was taken, e.g. `https://acme.okta.com`.
    pub origin: String,
    /// When, in milliseconds since 1970 UTC.
    pub taken_at: UtcMillis,
    /// What became of every step, in their order.
    pub steps: Vec<StepStatus>,
}

/// What the status of a feed learns from an attempt.
pub(super) struct Attempt<'a> {
    /// When it was.
    pub(super) at: UtcMillis,
    /// Where.
    pub(super) origin: String,
    /// What it cost.
    pub(super) cost: Cost,
    /// The steps and the name of the folder; or why there is none.
    pub(super) outcome: Result<(&'a [StepStatus], Option<String>), &'a Error>,
}

impl Attempt<'_> {
    /// Writes it into the feed's status; what the status says about the log stays as it is. An attempt
    /// that failed leaves the steps and the folder of the inventory that is here.
    ///
    /// # Errors
    /// The status cannot be read or written.
    pub(super) fn record(self, feed: &Feed) -> Result<(), Error> {
        feed.update(STATUS, |status: &mut FeedStatus| {
            status.origin = self.origin;
            let inventory = &mut status.inventory;
            inventory.attempted_at = Some(self.at);
            inventory.cost = self.cost;
            match self.outcome {
                Ok((steps, folder)) => {
                    inventory.taken_at = Some(self.at);
                    inventory.folder = folder;
                    inventory.steps = steps.to_vec();
                    inventory.failing_since = None;
                    inventory.problem = None;
                }
                // Being asked to stop says nothing about the org.
                Err(error) if error.kind() == ErrorKind::Stopped => {}
                Err(error) => {
                    inventory.failing_since.get_or_insert(self.at);
                    inventory.problem = Some(error.problem());
                }
            }
        })?;
        Ok(())
    }
}

/// Writes down how many users there are today.
///
/// # Errors
/// The document cannot be read or written.
pub(super) fn count_users(
    feed: &Feed,
    at: UtcMillis,
    by_status: &BTreeMap<String, u64>,
) -> Result<(), Error> {
    let today = DayCount {
        counted_at: at,
        total: by_status.values().sum(),
        by_status: by_status.clone(),
    };
    feed.update(USER_COUNTS, |counts: &mut UserCounts| {
        counts.0.insert(at.day().to_string(), today);
    })?;
    Ok(())
}
