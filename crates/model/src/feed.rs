//! How the fetching of one integration fares: what `okta status` shows and a manifest notes.

use serde::{Deserialize, Serialize};

use crate::time::UtcMillis;

/// From when on events are wanted; decided once, when a feed begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// From the first call on: what was before does not change scores.
    Integration,
    /// From this instant on.
    At(UtcMillis),
    /// As much as the service keeps.
    #[default]
    Backfill,
}

/// Everything that is remembered about fetching from one integration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedStatus {
    /// Where it is fetched from, e.g. `https://acme.okta.com`.
    pub origin: String,
    /// The event log.
    pub log: LogStatus,
    /// The inventory: users, groups, applications and what else was asked for.
    pub inventory: InventoryStatus,
}

/// How the event log fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogStatus {
    /// Events from here on are wanted.
    pub since: Option<UtcMillis>,
    /// When it was last asked, with or without success.
    pub attempted_at: Option<UtcMillis>,
    /// When it last had nothing more to give: everything before is here.
    pub caught_up_at: Option<UtcMillis>,
    /// The greatest `published` of an event that is here.
    pub last_event: Option<UtcMillis>,
    /// Events that were landed, repetitions included.
    pub events: u64,
    /// Pages that were landed.
    pub pages: u64,
    /// Days of history that are wanted, and how many of them are here.
    pub history_days: u64,
    /// See [`LogStatus::history_days`].
    pub history_days_done: u64,
    /// Times that a refused cursor made it start anew, with an overlap.
    pub restarts: u64,
    /// What the fetching cost.
    pub cost: Cost,
    /// Since when it fails; none while it works.
    pub failing_since: Option<UtcMillis>,
    /// The failure.
    pub problem: Option<Problem>,
}

/// How the inventory fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InventoryStatus {
    /// When it was last tried.
    pub attempted_at: Option<UtcMillis>,
    /// When the one that is here was taken.
    pub taken_at: Option<UtcMillis>,
    /// The folder that holds it.
    pub folder: Option<String>,
    /// What became of every step.
    pub steps: Vec<StepStatus>,
    /// What the fetching cost.
    pub cost: Cost,
    /// Since when it fails as a whole; none while it works.
    pub failing_since: Option<UtcMillis>,
    /// The failure.
    pub problem: Option<Problem>,
}

/// One step of an inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepStatus {
    /// Its name, e.g. `groups`.
    pub step: String,
    /// Objects that are here.
    pub objects: u64,
    /// Calls that it took.
    pub calls: u64,
    /// `done`, `skipped` (not permitted, not available) or `failed`.
    pub state: StepState,
    /// What a reader should know about what is here, e.g. that objects were gone meanwhile.
    pub note: Option<String>,
    /// Why it was skipped or failed, and what permission is missing.
    pub problem: Option<Problem>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Everything is here.
    Done,
    /// The service does not let us, or does not have it.
    Skipped,
    /// It broke off; what it had is not used.
    #[default]
    Failed,
}

/// What fetching cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// Calls, repetitions included.
    pub calls: u64,
    /// Calls that had to be repeated.
    pub repeated: u64,
    /// Answers that said "too many calls".
    pub limited: u64,
    /// Milliseconds spent waiting: for rate limits and before repetitions.
    pub waited_millis: u64,
    /// Bytes of the answers as they came over the network, unpacked.
    pub bytes: u64,
}

/// A failure for people to read; never holds a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// What happened: a lower-case fragment that fits "failed to …".
    pub message: String,
    /// What may help.
    pub hint: Option<String>,
    /// The service's own code, e.g. `E0000006`.
    pub code: Option<String>,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.repeated += other.repeated;
        self.limited += other.limited;
        self.waited_millis += other.waited_millis;
        self.bytes += other.bytes;
    }
}
