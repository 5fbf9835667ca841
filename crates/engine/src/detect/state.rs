//! What is known of every day's events, and from which files.

use std::collections::BTreeMap;

use af_model::accounting::{ClassAccount, PerTenant};
use af_model::{UtcDay, UtcMillis};
use af_rules::RuleSet;
use af_store::Store;
use serde::{Deserialize, Serialize};

use super::days::{Days, own_files};
use super::{SHAPE, STATE};
use crate::error::Error;
use crate::pipeline::LeftOut;
use crate::timeline::Heard;

/// What is known of every day's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detected {
    /// By which version of this stage; 0 for the first.
    #[serde(default)]
    shape: u32,
    /// Hash of the rules that were used.
    pub rules_hash: String,
    /// By day.
    pub days: BTreeMap<UtcDay, DetectedDay>,
}

/// What is known of one day's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetectedDay {
    /// The files of events it was made from, by name; names tell the content.
    pub inputs: Vec<String>,
    /// The files of the days before that it looked back on, by day; none without rules that do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub looked_back: BTreeMap<UtcDay, Vec<String>>,
    /// Whether events it was made from have left the store: what was found stays found.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thinned: bool,
    /// The latest instant at which anything it was made from became known, also on the days it looked
    /// back on, and also if that has left the store since.
    #[serde(default)]
    pub known_until: Option<UtcMillis>,
    /// What every event was taken for.
    pub classes: PerTenant<ClassAccount>,
    /// What was heard of each tenant and integration.
    #[serde(default)]
    pub heard: Vec<Heard>,
    /// The latest instant at which one of the events became known.
    pub latest_ingested: Option<UtcMillis>,
    /// Signals found.
    pub signals: u64,
}

impl Detected {
    /// What the store remembers, whatever rules it was found by.
    pub(crate) fn read(store: &Store) -> Result<Option<Self>, Error> {
        Ok(store.read_state(STATE)?)
    }

    /// What is known already, nothing of it if other rules found it.
    pub(super) fn by(rules: &RuleSet, before: Option<Self>) -> Self {
        let rules_hash = rules.hash().to_string();
        before
            .filter(|detected| detected.rules_hash == rules_hash && detected.shape == SHAPE)
            .unwrap_or(Self {
                shape: SHAPE,
                rules_hash,
                ..Self::default()
            })
    }

    /// What every event in the store was taken for, per tenant.
    pub fn classes(&self) -> PerTenant<ClassAccount> {
        let mut all = PerTenant::<ClassAccount>::new();
        for day in self.days.values() {
            for (tenant, account) in &day.classes {
                *all.entry(tenant.clone()).or_default() += *account;
            }
        }
        all
    }

    /// Tenants whose events did not all get a class, with the day and the account that does not
    /// close. Nothing about them can be trusted, so they are left out of a snapshot.
    pub fn unclosed(&self) -> LeftOut {
        let mut unclosed = LeftOut::new();
        for (day, found) in &self.days {
            for (tenant, account) in &found.classes {
                if !account.closes() {
                    let reason =
                        format!("the account of events of {day} does not close: {account:?}");
                    unclosed.entry(tenant.clone()).or_insert(reason);
                }
            }
        }
        unclosed
    }

    /// Whether a day was made from the files that are there now, its own and those it looks back on,
    /// and whether the signals that were found are still there.
    pub(super) fn is_current(
        &self,
        store: &Store,
        day: UtcDay,
        days: &Days,
    ) -> Result<bool, Error> {
        let Some(known) = self.days.get(&day) else {
            return Ok(false);
        };
        // Days that a purge took are no news, also where it died before it could say so here.
        let remembered = known
            .looked_back
            .iter()
            .filter(|(before, _)| !days.is_purged(**before));
        if known.inputs != days.inputs(day) || !remembered.eq(days.before(day)) {
            return Ok(false);
        }
        Ok(known.signals == 0 || !own_files(store, day)?.is_empty())
    }

    /// The latest instant at which an event became known.
    pub fn latest_ingested(&self) -> Option<UtcMillis> {
        self.days
            .values()
            .filter_map(|day| day.latest_ingested)
            .max()
    }
}
