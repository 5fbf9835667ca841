//! What everything that is counted together is asked with.

use af_model::{HashKey, UtcMillis};
use hashbrown::DefaultHashBuilder;

use crate::counter::Cut;
use crate::part::View;
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
}
