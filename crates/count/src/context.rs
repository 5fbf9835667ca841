//! What everything that is counted together is asked with.

use af_model::HashKey;
use hashbrown::DefaultHashBuilder;

use crate::counter::Cut;
use crate::people::PeopleIndex;
use crate::retractions::Retractions;

/// What a count needs beside the signals.
pub(crate) struct Context<'p> {
    pub(crate) people: &'p PeopleIndex,
    pub(crate) retractions: &'p Retractions,
    pub(crate) cut: Cut,
    pub(crate) hash_key: HashKey,
    /// Of the ids of signals; it ends with the count.
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
}
