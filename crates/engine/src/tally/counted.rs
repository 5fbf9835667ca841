//! What was counted, day by day, without holding it: a tenant of all days is put together when it is
//! scored.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use af_count::{Counted, CountedBlock, PeopleIndex, TenantCounts, Unmatched};
use af_store::{Aside, Shelf};
use rayon::prelude::*;

use super::kept::{Cursor, Kept, SharedNames, Writer};
use crate::assemble::{CountsByTenant, Look, Slices};
use crate::error::{Error, ErrorKind};

/// Bytes of counts that wait in memory for their tenant to be scored.
pub(super) const IN_MEMORY: usize = 32 << 20;

/// Blocks of a tenant that are held at a time; one of more comes in slices.
const WHOLE: usize = 1 << 18;

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
        self.by_tenant_whole_up_to(WHOLE)
    }

    /// The same, where a tenant of more blocks than this comes in slices.
    pub(super) fn by_tenant_whole_up_to(&self, whole: usize) -> Result<ByTenant<'_>, Error> {
        let mut by_tenant = ByTenant {
            counted: self,
            whole,
            days: Vec::new(),
            ahead: Vec::new(),
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

    /// As [`CountedDays::collect`], every tenant in slices of so many people.
    #[cfg(test)]
    pub(super) fn collect_in_slices(&self, people: u32) -> Counted {
        let mut all = self.sums.clone();
        let mut by_tenant = self.by_tenant_whole_up_to(0).unwrap();
        for (tenant, counts) in &mut all.tenants {
            let last = u32::try_from(self.people.people()).unwrap();
            let Some(mut slices) = by_tenant.in_slices(tenant).unwrap() else {
                *counts = by_tenant.tenant(tenant).unwrap().unwrap().into_owned();
                continue;
            };
            let looks = [Look::Figures, Look::Details].map(|look| {
                let ends = (people..last).step_by(people as usize).map(Some);
                let slices = ends
                    .chain([None])
                    .map(|end| slices.take(end, look).unwrap());
                slices.collect::<Vec<_>>().concat()
            });
            let [figures, details] = looks;
            assert_eq!(slices.blocks(), details.len());
            let bare = details.iter().cloned().map(|block| CountedBlock {
                signal_uids: af_count::SignalUids::new([]),
                ..block
            });
            assert!(figures.into_iter().eq(bare));
            counts.blocks = details;
            counts.unmatched = slices.unmatched().unwrap();
        }
        all
    }

    /// Adds days, and of them all but their rows.
    pub(super) fn add(&mut self, days: Vec<Kept>, sums: Counted) {
        self.sums.absorb(sums);
        // A day outside of the window has accounts and no rows: nothing will be read of it.
        self.days.extend(days.into_iter().filter(Kept::has_rows));
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
    pub(super) fn put(&self, written: Writer<'_>) -> Result<(), Error> {
        let (bytes, sums) = written.finish();
        self.add(self.shelf.put(bytes)?, sums)
    }

    /// Adds counts that lie somewhere already.
    pub(super) fn add(&self, aside: Aside, sums: Counted) -> Result<(), Error> {
        let kept = Kept::open(aside).ok_or_else(changed)?;
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.add(vec![kept], sums);
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
    /// A tenant of more blocks comes in slices.
    whole: usize,
    days: Vec<Cursor<'c>>,
    /// The first look at tenants in slices goes ahead of the second; opened for the first of them.
    ahead: Vec<Cursor<'c>>,
}

impl<'c> ByTenant<'c> {
    fn cursors(&self, look: Look) -> Result<Vec<Cursor<'c>>, Error> {
        let mut names = SharedNames::default();
        let days = self.counted.days.iter();
        let days: Option<Vec<Cursor<'c>>> =
            days.map(|day| Cursor::new(day, look, &mut names)).collect();
        days.ok_or_else(changed)
    }
}

impl<'c> CountsByTenant<'c> for ByTenant<'c> {
    fn tenant(&mut self, uid: &str) -> Result<Option<Cow<'c, TenantCounts>>, Error> {
        let Some(sum) = self.counted.sums.tenants.get(uid) else {
            return Ok(None);
        };
        let people = self.counted.people;
        let mut counts = sum.clone();
        counts.blocks = blocks(&mut self.days, uid, None, people)?;
        counts.unmatched = unmatched(&mut self.days, uid)?;
        counts.sort();
        Ok(Some(Cow::Owned(counts)))
    }

    fn in_slices<'s>(&'s mut self, uid: &'s str) -> Result<Option<Box<dyn Slices + 's>>, Error> {
        let blocks = self.days.iter().map(|day| day.blocks_of(uid)).sum();
        if blocks <= self.whole {
            return Ok(None);
        }
        if self.ahead.is_empty() {
            self.ahead = self.cursors(Look::Figures)?;
        }
        Ok(Some(Box::new(InSlices {
            uid,
            blocks,
            of: self,
        })))
    }

    fn rewind(&mut self) -> Result<(), Error> {
        self.days = self.cursors(Look::Details)?;
        self.ahead.clear();
        Ok(())
    }
}

/// A tenant too large to be held.
struct InSlices<'s, 'c> {
    uid: &'s str,
    blocks: usize,
    of: &'s mut ByTenant<'c>,
}

impl Slices for InSlices<'_, '_> {
    fn blocks(&self) -> usize {
        self.blocks
    }

    fn take(&mut self, end: Option<u32>, look: Look) -> Result<Vec<CountedBlock>, Error> {
        let people = self.of.counted.people;
        let days = match look {
            Look::Figures => &mut self.of.ahead,
            Look::Details => &mut self.of.days,
        };
        let mut counts = TenantCounts {
            blocks: blocks(days, self.uid, end, people)?,
            ..TenantCounts::default()
        };
        counts.sort();
        Ok(counts.blocks)
    }

    fn unmatched(&mut self) -> Result<Vec<Unmatched>, Error> {
        let mut counts = TenantCounts {
            unmatched: unmatched(&mut self.of.days, self.uid)?,
            ..TenantCounts::default()
        };
        counts.sort();
        Ok(counts.unmatched)
    }
}

/// Blocks of all days, one day after the other.
fn blocks(
    days: &mut [Cursor<'_>],
    tenant: &str,
    end: Option<u32>,
    people: &PeopleIndex,
) -> Result<Vec<CountedBlock>, Error> {
    let of_days: Option<Vec<Vec<CountedBlock>>> = days
        .par_iter_mut()
        .map(|day| day.blocks(tenant, end, people))
        .collect();
    Ok(joined(of_days.ok_or_else(changed)?))
}

fn unmatched(days: &mut [Cursor<'_>], tenant: &str) -> Result<Vec<Unmatched>, Error> {
    let days = days.par_iter_mut().map(|day| day.unmatched(tenant));
    let of_days: Option<Vec<Vec<Unmatched>>> = days.collect();
    Ok(joined(of_days.ok_or_else(changed)?))
}

/// One after the other; each is gone when it was taken.
fn joined<T>(parts: Vec<Vec<T>>) -> Vec<T> {
    let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    for mut part in parts {
        all.append(&mut part);
    }
    all
}

pub(super) fn changed() -> Error {
    let message = "read what was counted of a day: it is not what was written";
    Error::new(ErrorKind::Derived, message)
        .with_hint("remove the folder cache of the store, which is made again, and run once more")
}

#[cfg(test)]
mod tests {
    use af_count::Retractions;
    use af_testkit::generate::{self, Size, organization};

    use super::*;
    use crate::progress::Silent;
    use crate::tally::testing::counting;
    use crate::tally::{count_with, shelf};

    const SIZE: Size = Size {
        people: 20,
        signals: 300,
    };

    /// The first piece of a tenant has all that is not about blocks; each has the blocks of so many people.
    fn pieces(whole: &Counted, people: usize) -> Vec<Counted> {
        let mut pieces = Vec::new();
        for (tenant, counts) in &whole.tenants {
            let mut rest = counts.clone();
            let blocks = std::mem::take(&mut rest.blocks);
            let mut persons: Vec<&[CountedBlock]> = blocks
                .chunk_by(|left, right| left.person == right.person)
                .collect();
            if persons.is_empty() {
                persons.push(&[]);
            }
            for persons in persons.chunks(people) {
                let counts = TenantCounts {
                    blocks: persons.concat(),
                    ..std::mem::take(&mut rest)
                };
                pieces.push(Counted {
                    tenants: [(tenant.clone(), counts)].into(),
                    latest_ingested: whole.latest_ingested,
                });
            }
        }
        pieces
    }

    #[test]
    fn what_came_in_pieces_is_read_as_if_it_had_come_whole() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path());
        for seed in 0..4 {
            let input = organization(seed, SIZE);
            let people = PeopleIndex::new(input.people.clone(), &input.key);
            let retractions = Retractions::default();
            let counting = counting(&input, &people, &retractions);
            let batches = generate::to_batches(&input.signals, seed);
            let whole = count_with(counting, &batches, &[], &Silent).unwrap();
            let most = whole.tenants.values().map(|counts| counts.blocks.len());
            assert!(most.max() > Some(20));
            for people_at_once in [1, 2, 100] {
                let mut writer = Writer::new(&people);
                for piece in pieces(&whole, people_at_once) {
                    writer.add(piece);
                }
                let collect = Collect::new(&shelf, CountedDays::none(&people));
                collect.put(writer).unwrap();
                let read = collect.finish();
                assert_eq!(read.collect(), whole, "{seed} {people_at_once}");
                assert_eq!(read.collect_in_slices(3), whole, "{seed} {people_at_once}");
            }
        }
    }
}
