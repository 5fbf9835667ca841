//! Where the counts of a tenant come from.

use std::borrow::Cow;

use af_count::{Counted, CountedBlock, TenantCounts, Unmatched};

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

    /// The same tenant in slices of its people, if it is too large to be held; then
    /// [`CountsByTenant::tenant`] is not asked for it.
    ///
    /// # Errors
    /// When the counts cannot be read.
    fn in_slices<'s>(&'s mut self, _uid: &'s str) -> Result<Option<Box<dyn Slices + 's>>, Error> {
        Ok(None)
    }

    /// Begins anew.
    ///
    /// # Errors
    /// When the counts cannot be read a second time.
    fn rewind(&mut self) -> Result<(), Error>;
}

/// How closely blocks are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// What figures are made of: the signals behind a block are not named.
    Figures,
    /// All of it.
    Details,
}

/// A tenant whose counts are too many to be held. They are taken in slices of people, all for their
/// figures first, because nobody's score is known before everybody's load is, then all again for their
/// details.
pub trait Slices {
    /// How many blocks there are.
    fn blocks(&self) -> usize;

    /// The sorted blocks of people who stand before `end`, a position of somebody of the tenant, and were
    /// not taken yet in this look; without `end` those of all who are left.
    ///
    /// # Errors
    /// When the counts cannot be read.
    fn take(&mut self, end: Option<u32>, look: Look) -> Result<Vec<CountedBlock>, Error>;

    /// The tenant's sorted signals of nobody.
    ///
    /// # Errors
    /// When the counts cannot be read.
    fn unmatched(&mut self) -> Result<Vec<Unmatched>, Error>;
}

impl<'c> CountsByTenant<'c> for &'c Counted {
    fn tenant(&mut self, uid: &str) -> Result<Option<Cow<'c, TenantCounts>>, Error> {
        Ok(self.tenants.get(uid).map(Cow::Borrowed))
    }

    fn rewind(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
