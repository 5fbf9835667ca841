//! What was counted, day by day, without holding it: a tenant of all days is put together when it is
//! scored.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use af_count::{Counted, PeopleIndex, TenantCounts};
use af_store::{Aside, Shelf};
use rayon::prelude::*;

use super::kept::{Cursor, Kept, SharedNames, to_bytes};
use crate::assemble::CountsByTenant;
use crate::error::{Error, ErrorKind};

/// Bytes of counts that wait in memory for their tenant to be scored.
pub(super) const IN_MEMORY: usize = 128 << 20;

/// Blocks of a tenant that are too many to be there twice.
const MANY: usize = 1 << 19;

/// The counts of whole days.
pub(crate) struct CountedDays<'p> {
    people: &'p PeopleIndex,
    sums: Counted,
    days: Vec<Kept>,
}

impl<'p> CountedDays<'p> {
    pub(super) fn none(people: &'p PeopleIndex) -> Self {
        Self {
            people,
            sums: Counted::default(),
            days: Vec::new(),
        }
    }

    /// Of every tenant all but its blocks and signals of nobody.
    pub(crate) fn sums(&self) -> &Counted {
        &self.sums
    }

    /// Hands out tenant by tenant.
    pub(crate) fn by_tenant(&self) -> Result<ByTenant<'_>, Error> {
        let mut by_tenant = ByTenant {
            counted: self,
            days: Vec::new(),
        };
        by_tenant.rewind()?;
        Ok(by_tenant)
    }

    /// All of it in memory.
    #[cfg(test)]
    pub(super) fn collect(&self) -> Counted {
        let mut all = self.sums.clone();
        let mut by_tenant = self.by_tenant().unwrap();
        for (tenant, counts) in &mut all.tenants {
            *counts = by_tenant.tenant(tenant).unwrap().unwrap().into_owned();
        }
        all
    }

    pub(super) fn add(&mut self, day: Kept) {
        self.sums.absorb(day.sums());
        self.days.push(day);
    }
}

/// Collects what several threads count.
pub(super) struct Collect<'p> {
    shelf: &'p Shelf,
    counted: Mutex<CountedDays<'p>>,
}

impl<'p> Collect<'p> {
    pub(super) fn new(shelf: &'p Shelf, so_far: CountedDays<'p>) -> Self {
        Self {
            shelf,
            counted: Mutex::new(so_far),
        }
    }

    /// Puts counts aside.
    pub(super) fn put(&self, counted: &Counted, people: &PeopleIndex) -> Result<(), Error> {
        let bytes = to_bytes("", counted, people);
        self.add(self.shelf.put(bytes)?)
    }

    /// Adds counts that lie somewhere already.
    pub(super) fn add(&self, aside: Aside) -> Result<(), Error> {
        let kept = Kept::open(aside).ok_or_else(changed)?;
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.add(kept);
        Ok(())
    }

    pub(super) fn finish(self) -> CountedDays<'p> {
        let counted = self.counted.into_inner();
        counted.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tenants in ascending order, each of all days.
pub(crate) struct ByTenant<'c> {
    counted: &'c CountedDays<'c>,
    days: Vec<Cursor<'c>>,
}

impl<'c> CountsByTenant<'c> for ByTenant<'c> {
    fn tenant(&mut self, uid: &str) -> Result<Option<Cow<'c, TenantCounts>>, Error> {
        let CountedDays { people, sums, .. } = self.counted;
        let Some(sum) = sums.tenants.get(uid) else {
            return Ok(None);
        };
        let mut counts = sum.clone();
        let blocks = self.days.iter().map(|day| day.blocks_of(uid)).sum();
        counts.blocks.reserve_exact(blocks);
        // Of many blocks a few days at a time: all of them would be there twice.
        let at_once = if blocks > MANY {
            rayon::current_num_threads()
        } else {
            self.days.len().max(1)
        };
        for some in self.days.chunks_mut(at_once) {
            let of_days: Option<Vec<TenantCounts>> = some
                .par_iter_mut()
                .map(|day| {
                    let mut counts = TenantCounts::default();
                    day.add(uid, people, &mut counts)?;
                    Some(counts)
                })
                .collect();
            for mut day in of_days.ok_or_else(changed)? {
                counts.blocks.append(&mut day.blocks);
                counts.unmatched.append(&mut day.unmatched);
            }
        }
        counts.sort();
        Ok(Some(Cow::Owned(counts)))
    }

    fn rewind(&mut self) -> Result<(), Error> {
        let mut names = SharedNames::default();
        let days = self.counted.days.iter();
        let days: Option<Vec<Cursor<'c>>> = days.map(|day| Cursor::new(day, &mut names)).collect();
        self.days = days.ok_or_else(changed)?;
        Ok(())
    }
}

fn changed() -> Error {
    let message = "read what was counted of a day: it is not what was written";
    Error::new(ErrorKind::Damaged, message)
        .with_hint("remove the folder cache of the store, which is made again, and run once more")
}
