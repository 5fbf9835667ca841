//! The accounts stay honest when normalized events leave the store.

use af_model::accounting::PerTenant;
use af_model::manifest::TenantRun;
use af_store::Store;

use super::erase::{self, Erased};
use super::purge::Purged;
use crate::error::Error;

/// Says in every tenant's entry how many normalized events were purged or erased since.
///
/// # Errors
/// The store's state cannot be read.
pub fn note_removed(store: &Store, tenants: &mut PerTenant<TenantRun>) -> Result<(), Error> {
    let purged = Purged::read(store)?;
    let erased = Erased::read(store)?;
    let is_unfinished = erase::is_unfinished(store)?;
    for (tenant, entry) in tenants {
        if is_unfinished {
            entry.warnings.push(
                "an erasure was interrupted: complete it with `attack-factor erase --resume`"
                    .to_owned(),
            );
        }
        entry.removed.purged = purged.events.get(tenant).copied().unwrap_or_default();
        entry.removed.erased = erased.events(tenant);
    }
    Ok(())
}
