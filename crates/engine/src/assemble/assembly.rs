//! Tenant after tenant: counts in, rows out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use af_count::{Counted, TenantCounts, Unmatched};
use af_model::tables::unmatched_signals;
use af_model::{Params, Person};
use rayon::prelude::*;

use super::provider::CountsByTenant;
use super::rows::{ScoredTenant, Slice, unmatched};
use super::{Names, POPULATIONS, Roster, SnapshotTables, Stamp, TableSink, Tenant};
use crate::error::{Error, ErrorKind};
use crate::pipeline::LeftOut;

/// People and blocks of the tenants that are held at a time, unless one alone has more.
const GROUP: usize = 1 << 17;

/// Rows of signals of nobody in one part.
const UNMATCHED_AT_ONCE: usize = 1 << 16;

/// Parts for each thread between two looks at the sink: enough to even out unequal ones.
const PARTS_PER_THREAD: usize = 4;

/// Members by tenant and population name.
pub type Population = BTreeMap<String, BTreeMap<String, u64>>;

/// Who is scored, and how.
#[derive(Clone, Copy, Debug)]
pub struct Assembly<'a> {
    /// Everybody, at the positions of which blocks speak.
    pub people: &'a Roster,
    /// Parameters of the formula.
    pub params: &'a Params,
    /// What every row carries.
    pub stamp: &'a Stamp,
}

/// A tenant whose people and counts are held.
struct Held<'n, 'c> {
    name: &'n str,
    /// The position of the first of its people.
    first: usize,
    people: Vec<Person>,
    counts: Cow<'c, TenantCounts>,
}

/// A part of the rows of a group of tenants that are held together.
enum Part<'g> {
    People(usize, Range<usize>),
    Unmatched(usize, &'g [Unmatched]),
    Summary(usize),
}

impl<'a> Assembly<'a> {
    /// Who is compared with whom: the members of every population of every tenant that has people, as
    /// scores will count them.
    pub fn population(&self) -> Population {
        let as_of = self.stamp.cut.as_of;
        let mut all = Population::new();
        for (tenant, people) in self.people.tenants() {
            let people = self.people.people(people);
            let existing = || people.iter().filter(|person| person.exists_at(as_of));
            let mut found: BTreeMap<String, u64> = BTreeMap::new();
            for population in POPULATIONS {
                let own = || existing().filter(|person| person.population() == population);
                if own().next().is_some() {
                    let inside = own().filter(|person| person.in_population(as_of)).count();
                    found.insert(population.as_str().to_owned(), inside as u64);
                }
            }
            if !found.is_empty() {
                all.insert(tenant.to_owned(), found);
            }
        }
        all
    }

    /// Scores every tenant of the directory and every one of `counted`, those in `left_out` aside, and
    /// hands the rows to the sink. Returned are the tenants whose counts the kernel refuses, with its
    /// reason: no row of theirs was handed over.
    ///
    /// # Errors
    /// When counts cannot be had or the sink fails.
    pub fn run<'c>(
        &self,
        counted: impl IntoIterator<Item = &'a str>,
        left_out: &LeftOut,
        counts: &mut dyn CountsByTenant<'c>,
        sink: &mut (dyn TableSink + Send),
    ) -> Result<LeftOut, Error> {
        let mut tenants: BTreeMap<&str, Range<usize>> =
            counted.into_iter().map(|tenant| (tenant, 0..0)).collect();
        tenants.extend(self.people.tenants());
        tenants.retain(|tenant, _| !left_out.contains_key(*tenant));
        let mut refused = LeftOut::new();
        let mut group = Vec::new();
        let mut size = 0;
        for (tenant, people) in tenants {
            if let Some(mut slices) = counts.in_slices(tenant)? {
                self.write(&mut group, &mut refused, sink)?;
                size = 0;
                self.write_sliced((tenant, people), &mut *slices, &mut refused, sink)?;
                continue;
            }
            let counts = counts.tenant(tenant)?.unwrap_or_default();
            size += people.len() + counts.blocks.len() + counts.unmatched.len();
            group.push(Held {
                name: tenant,
                first: people.start,
                people: self.people.people(people),
                counts,
            });
            if size >= GROUP {
                self.write(&mut group, &mut refused, sink)?;
                size = 0;
            }
        }
        self.write(&mut group, &mut refused, sink)?;
        Ok(refused)
    }

    /// Scores tenants side by side, hands their rows over, one after the other, and lets go of them.
    fn write(
        &self,
        group: &mut Vec<Held<'_, '_>>,
        refused: &mut LeftOut,
        sink: &mut (dyn TableSink + Send),
    ) -> Result<(), Error> {
        let as_of = self.stamp.cut.as_of;
        let tenants: Vec<(Tenant<'_>, Names)> = group
            .par_iter()
            .with_max_len(1)
            .map(|held| {
                let Held {
                    name,
                    first,
                    people,
                    counts,
                } = held;
                let tenant = Tenant::of_counts(name, people, *first, &counts.blocks, as_of);
                let names = Names::of(&tenant);
                (tenant, names)
            })
            .collect();
        let scored: Vec<Result<ScoredTenant<'_>, af_score::Error>> = tenants
            .par_iter()
            .with_max_len(1)
            .map(|(tenant, names)| ScoredTenant::new(tenant, names, self.params, self.stamp))
            .collect();
        let mut parts = Vec::new();
        for (place, tenant) in scored.iter().enumerate() {
            match tenant {
                Ok(tenant) => {
                    let people = tenant.whole().parts().into_iter();
                    parts.extend(people.map(|members| Part::People(place, members)));
                    let nobody = unmatched_parts(&group[place].counts.unmatched);
                    parts.extend(nobody.map(|rows| Part::Unmatched(place, rows)));
                    parts.push(Part::Summary(place));
                }
                Err(error) => {
                    let name = group[place].name;
                    refused.insert(name.to_owned(), refusal(name, error));
                }
            }
        }
        let make = |part: &Part<'_>| match part {
            Part::People(place, members) => {
                let tenant = scored[*place].as_ref().ok()?;
                Some(rows_of(tenant, tenant.whole(), members.clone()))
            }
            Part::Unmatched(place, rows) => {
                Some(unmatched_rows(group[*place].name, rows, self.stamp))
            }
            Part::Summary(place) => scored[*place].as_ref().ok().map(ScoredTenant::summary),
        };
        hand_over(&parts, make, sink)?;
        drop(parts);
        drop(scored);
        drop(tenants);
        group.clear();
        Ok(())
    }
}

/// Makes the rows of parts side by side and hands them over in the order of the parts.
pub(super) fn hand_over<P: Sync>(
    parts: &[P],
    make: impl Fn(&P) -> Option<SnapshotTables> + Sync,
    sink: &mut (dyn TableSink + Send),
) -> Result<(), Error> {
    let wave = PARTS_PER_THREAD * rayon::current_num_threads();
    let mut made = SnapshotTables::default();
    for parts in parts.chunks(wave) {
        // What was made is taken while the next is made.
        let (taken, next) = rayon::join(
            || sink.take(std::mem::take(&mut made)),
            || {
                let next: Vec<SnapshotTables> =
                    parts.par_iter().with_max_len(1).filter_map(&make).collect();
                next
            },
        );
        taken?;
        sink.settle()?;
        for part in next {
            made.append(part);
        }
    }
    sink.take(made)?;
    sink.settle()
}

/// The rows of some members of a slice in all tables that have rows of people.
pub(super) fn rows_of(
    tenant: &ScoredTenant<'_>,
    slice: Slice<'_, '_>,
    members: Range<usize>,
) -> SnapshotTables {
    let mut tables = tenant.people(slice, members.clone());
    tables.append(tenant.bucket_counts(slice, members));
    tables
}

/// Signals of nobody in parts.
pub(super) fn unmatched_parts(all: &[Unmatched]) -> impl Iterator<Item = &[Unmatched]> {
    all.chunks(UNMATCHED_AT_ONCE)
}

pub(super) fn unmatched_rows(tenant: &str, rows: &[Unmatched], stamp: &Stamp) -> SnapshotTables {
    let mut tables = SnapshotTables::default();
    tables.push(
        &unmatched_signals::TABLE,
        unmatched(tenant, rows, stamp.cut),
    );
    tables
}

/// Why a tenant has no scores.
pub(super) fn refusal(tenant: &str, error: &af_score::Error) -> String {
    format!("score tenant {tenant}: {error}")
}

/// Scores every tenant of the directory and of the counts, and holds all rows.
///
/// # Errors
/// [`ErrorKind::Gate`] when the kernel refuses the counts, which means that a stage before it broke
/// its promise.
pub fn assemble(
    people: &[Person],
    counted: &Counted,
    params: &Params,
    stamp: &Stamp,
) -> Result<SnapshotTables, Error> {
    let assembly = Assembly {
        people: &Roster::new(people.to_vec()),
        params,
        stamp,
    };
    let mut tables = SnapshotTables::default();
    let tenants = counted.tenants.keys().map(String::as_str);
    let mut counts = counted;
    let refused = assembly.run(tenants, &LeftOut::new(), &mut counts, &mut tables)?;
    match refused.into_iter().next() {
        None => Ok(tables),
        Some((_, reason)) => Err(Error::new(ErrorKind::Gate, reason)),
    }
}
