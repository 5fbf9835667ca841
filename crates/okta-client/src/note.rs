//! Failures that come before the first call, for whoever looks at the status.

use af_model::UtcMillis;
use af_model::feed::FeedStatus;
use af_store::feed::{Feed, STATUS};

use crate::error::Error;

/// What was to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The System Log.
    Log,
    /// The inventory.
    Inventory,
}

/// Writes into a feed's status that nothing could be asked for, because of a secret that is not there
/// for example. The next attempt that works takes it away.
///
/// # Errors
/// The status cannot be read or written.
pub fn note_failure(
    feed: &Feed,
    wanted: Wanted,
    at: UtcMillis,
    error: &Error,
) -> Result<(), Error> {
    feed.update(STATUS, |status: &mut FeedStatus| {
        let (attempted_at, failing_since, problem) = match wanted {
            Wanted::Log => {
                let log = &mut status.log;
                (
                    &mut log.attempted_at,
                    &mut log.failing_since,
                    &mut log.problem,
                )
            }
            Wanted::Inventory => {
                let inventory = &mut status.inventory;
                (
                    &mut inventory.attempted_at,
                    &mut inventory.failing_since,
                    &mut inventory.problem,
                )
            }
        };
        *attempted_at = Some(at);
        failing_since.get_or_insert(at);
        *problem = Some(error.problem());
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use af_store::Store;
    use af_store::feed::FeedName;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_failure_is_noted_where_it_belongs_since_when_it_began() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("store")).unwrap();
        let name = FeedName {
            tenant: "acme".to_owned(),
            integration: "prod".to_owned(),
        };
        let feed = store.feed(&name).unwrap();
        let missing = Error::new(ErrorKind::Usage, "read the secret").with_hint("export it");
        for at in [5, 9] {
            note_failure(&feed, Wanted::Log, UtcMillis(at), &missing).unwrap();
        }
        note_failure(&feed, Wanted::Inventory, UtcMillis(7), &missing).unwrap();
        let status: FeedStatus = feed.read(STATUS).unwrap().unwrap();
        let (log, inventory) = (&status.log, &status.inventory);
        assert_eq!(
            (log.attempted_at, log.failing_since),
            (Some(UtcMillis(9)), Some(UtcMillis(5)))
        );
        assert_eq!(log.problem, Some(missing.problem()));
        assert_eq!(
            (inventory.attempted_at, inventory.failing_since),
            (Some(UtcMillis(7)), Some(UtcMillis(7)))
        );
        assert_eq!(inventory.problem, Some(missing.problem()));
    }
}
