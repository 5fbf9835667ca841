//! Where the counts of a tenant come from.

use std::borrow::Cow;

use af_count::{Counted, TenantCounts};

use crate::error::Error;

/// Hands out what was counted of one tenant at a time, so that nobody has to hold all of it.
///
/// Who asks for tenants asks in ascending order of their names, each at most once, and for some not at
/// all; after [`CountsByTenant::rewind`] from the beginning again.
pub trait CountsByTenant<'c> {
    /// The tenant's blocks and signals of nobody; the rest of the counts is not looked at. `None` for
    /// a tenant of whom nothing was counted.
    ///
    /// # Errors
    /// When the counts cannot be read.
    fn tenant(&mut self, uid: &str) -> Result<Option<Cow<'c, TenantCounts>>, Error>;

    /// Begins anew.
    ///
    /// # Errors
    /// When the counts cannot be read a second time.
    fn rewind(&mut self) -> Result<(), Error>;
}

impl<'c> CountsByTenant<'c> for &'c Counted {
    fn tenant(&mut self, uid: &str) -> Result<Option<Cow<'c, TenantCounts>>, Error> {
        Ok(self.tenants.get(uid).map(Cow::Borrowed))
    }

    fn rewind(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
