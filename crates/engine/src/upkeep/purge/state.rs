//! What a store remembers of its purges.

use std::collections::BTreeMap;

use af_model::UtcDay;
use af_store::{Partitioned, Store, WriteLock};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The state document's name.
const STATE: &str = "purged";

/// How far a store was purged, and how many events left it that way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// Events before this day are not taken in any more.
    #[serde(default)]
    pub before: Option<UtcDay>,
    /// Events that were purged, by tenant.
    #[serde(default)]
    pub events: BTreeMap<String, u64>,
    /// A day whose removal has begun: its events are counted above when it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaving: Option<Leaving>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Leaving {
    day: UtcDay,
    events: BTreeMap<String, u64>,
}

impl Purged {
    /// What a store remembers; nothing at first.
    ///
    /// # Errors
    /// The document cannot be read.
    pub fn read(store: &Store) -> Result<Self, Error> {
        Ok(store.read_state(STATE)?.unwrap_or_default())
    }

    /// Bars what is before the day, and settles what an interrupted purge left open.
    pub(super) fn begin(
        &mut self,
        store: &Store,
        lock: &WriteLock,
        before: UtcDay,
    ) -> Result<(), Error> {
        if let Some(leaving) = self.leaving.take()
            && !store.day_dir(Partitioned::Events, leaving.day).is_dir()
        {
            // Killed between removing the day and counting it.
            self.count(leaving.events);
        }
        self.before = self.before.max(Some(before));
        self.write(store, lock)
    }

    /// Removes a day of events so that each is counted once, whenever the process dies.
    pub(super) fn remove_events(
        &mut self,
        store: &Store,
        lock: &WriteLock,
        day: UtcDay,
        events: BTreeMap<String, u64>,
    ) -> Result<(), Error> {
        self.leaving = Some(Leaving {
            day,
            events: events.clone(),
        });
        self.write(store, lock)?;
        store.remove_day(lock, Partitioned::Events, day)?;
        self.leaving = None;
        self.count(events);
        self.write(store, lock)
    }

    pub(super) fn lift(&mut self, store: &Store, lock: &WriteLock) -> Result<(), Error> {
        self.before = None;
        self.write(store, lock)
    }

    fn count(&mut self, events: BTreeMap<String, u64>) {
        for (tenant, count) in events {
            *self.events.entry(tenant).or_default() += count;
        }
    }

    fn write(&self, store: &Store, lock: &WriteLock) -> Result<(), Error> {
        Ok(store.write_state(lock, STATE, self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_counted_once_wherever_the_purge_died() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        let (day, before) = (UtcDay(20_000), UtcDay(20_001));
        let events = BTreeMap::from([("acme".to_owned(), 3)]);
        let pending = |events: &BTreeMap<String, u64>| Purged {
            before: Some(before),
            leaving: Some(Leaving {
                day,
                events: events.clone(),
            }),
            ..Purged::default()
        };
        // Killed before the day was removed: it is still there and will be counted then.
        fs_err::create_dir_all(store.events_dir(day)).unwrap();
        let mut state = pending(&events);
        state.begin(&store, &lock, before).unwrap();
        assert_eq!(state.events, BTreeMap::new());
        state
            .remove_events(&store, &lock, day, events.clone())
            .unwrap();
        assert_eq!(state.events, events);
        // Killed after: it is counted now.
        let mut state = pending(&events);
        state.begin(&store, &lock, before).unwrap();
        assert_eq!(state.events, events);
        assert_eq!(Purged::read(&store).unwrap(), state);
        // A purge never gives anything back by itself.
        state.begin(&store, &lock, UtcDay(1)).unwrap();
        assert_eq!(state.before, Some(before));
        state.lift(&store, &lock).unwrap();
        assert_eq!(Purged::read(&store).unwrap().before, None);
    }
}
