//! Ids that may be used once.

use std::collections::{BTreeSet, HashSet};
use std::sync::Mutex;

/// Ids that were used, until nobody could use them any more.
#[derive(Debug, Default)]
pub(super) struct Once(Mutex<Used>);

#[derive(Debug, Default)]
struct Used {
    ids: HashSet<String>,
    by_end: BTreeSet<(i64, String)>,
}

impl Once {
    /// Uses an id that is good until an instant; false if it was used before.
    pub(super) fn use_up(&self, id: &str, until: i64, now: i64) -> bool {
        let mut used = self.0.lock().expect("nobody panics with the ids");
        while let Some((end, _)) = used.by_end.first()
            && *end < now
        {
            let (_, id) = used.by_end.pop_first().expect("there is a first");
            used.ids.remove(&id);
        }
        let new = used.ids.insert(id.to_owned());
        if new {
            used.by_end.insert((until, id.to_owned()));
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_good_once_and_forgotten_when_it_would_be_too_old_anyway() {
        let once = Once::default();
        assert!(once.use_up("a", 100, 0));
        assert!(!once.use_up("a", 100, 100));
        assert!(once.use_up("b", 300, 101));
        assert_eq!(once.0.lock().unwrap().ids.len(), 1);
    }
}
