//! What everything that is counted together is asked with.

use std::collections::VecDeque;

use af_model::{HashKey, UtcMillis};
use hashbrown::DefaultHashBuilder;

use crate::counter::Cut;
use crate::ledger::Ledger;
use crate::part::{Part, View};
use crate::people::{PeopleIndex, Resolution, Sought};
use crate::retractions::Retractions;

/// What a count needs beside the signals.
pub(crate) struct Context<'p> {
    pub(crate) people: &'p PeopleIndex,
    pub(crate) retractions: &'p Retractions,
    pub(crate) cut: Cut,
    pub(crate) hash_key: HashKey,
    /// Of the ids of signals and of what they call people; nobody knows it before, and it ends with the count.
    pub(crate) hasher: DefaultHashBuilder,
}

impl<'p> Context<'p> {
    pub(crate) fn new(
        people: &'p PeopleIndex,
        retractions: &'p Retractions,
        cut: Cut,
        hash_key: &HashKey,
    ) -> Self {
        Self {
            people,
            retractions,
            cut,
            hash_key: hash_key.clone(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Whom a signal of a tenant means.
    pub(crate) fn resolve(&self, view: View<'_>, tenant: &str) -> Resolution {
        view.whom().unwrap_or_else(|subject| {
            let sought = Sought {
                tenant,
                keys: self.people.keys_of(tenant),
                subject,
                time: UtcMillis(view.row.time),
            };
            self.people.decide(sought, self.cut.as_of).resolution
        })
    }

    /// Appends rows to `parts` and lets go of the batch behind them: what is counted of them takes a quarter of the
    /// room.
    pub(crate) fn settle(&self, part: &Part, ledger: &Ledger, parts: &mut VecDeque<Part>) {
        if part.rows.is_empty() {
            return;
        }
        if parts.back_mut().and_then(Part::open).is_none() {
            parts.push_back(Part::of_records());
        }
        let Some((rows, tails)) = parts.back_mut().and_then(Part::open) else {
            return;
        };
        rows.extend(part.rows.iter().map(|row| {
            let view = View { part, row };
            let resolution = self.resolve(view, ledger.tenant(row.tenant));
            tails.settle(view, resolution)
        }));
    }
}
