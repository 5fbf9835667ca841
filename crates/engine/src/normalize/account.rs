//! The store's running account of events, written together with the rows that it speaks of.

use af_model::accounting::{EventAccount, PerTenant};
use af_store::{Commit, Store};

use crate::error::Error;
use crate::pipeline::EVENTS_STATE;

/// Adds what one run read to the tenant's account.
pub(super) fn add(
    store: &Store,
    commit: &mut Commit<'_>,
    tenant: &str,
    read: EventAccount,
) -> Result<(), Error> {
    if read.duplicate == read.events_read {
        // Reading a file again adds nothing, to the account neither.
        return Ok(());
    }
    let mut accounts: PerTenant<EventAccount> = store.read_state(EVENTS_STATE)?.unwrap_or_default();
    *accounts.entry(tenant.to_owned()).or_default() += read;
    commit.write_state(EVENTS_STATE, &accounts)?;
    Ok(())
}
