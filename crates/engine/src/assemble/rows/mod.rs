//! A scored tenant: the kernel's figures into rows, part by part.

mod attribution;
mod column;
mod counts;
mod groups;
mod people;
mod summary;

use std::ops::Range;

use af_model::Params;
use af_model::tables::{
    bucket_counts, component_scores, group_index, org_summary, signal_attribution, tombstones,
    user_scores,
};
use af_score::{Attribution, ComponentScore, MemberScore, Scores};

use super::Stamp;
use super::cohort::{Cohort, Names, POPULATIONS};
use super::tables::SnapshotTables;
use super::tenant::{Buckets, Member, Tenant};
pub(super) use counts::unmatched;

/// Members and counted blocks of one part, about: what one thread turns into rows at a time.
const PART: usize = 16_384;

/// One population of a tenant, scored.
#[derive(Debug)]
struct ScoredCohort<'a> {
    cohort: Cohort<'a>,
    scores: Scores,
}

/// A tenant whose people are scored.
#[derive(Debug)]
pub(crate) struct ScoredTenant<'a> {
    tenant: &'a Tenant<'a>,
    names: &'a Names,
    /// Without populations of nobody.
    cohorts: Vec<ScoredCohort<'a>>,
    params: &'a Params,
    stamp: &'a Stamp,
}

/// Some of a tenant's members, one after the other, with what was counted against them.
#[derive(Clone, Copy)]
pub(crate) struct Slice<'s, 'a> {
    /// They, as if nobody else were of the tenant.
    pub(crate) tenant: &'s Tenant<'a>,
    /// The place of the first of them among all members.
    pub(crate) first: usize,
}

/// A member where the kernel has them.
#[derive(Clone, Copy)]
struct Placed<'s, 'a> {
    member: &'a Member<'a>,
    cohort: &'s ScoredCohort<'a>,
    position: usize,
    /// What was counted against the member.
    tenant_position: usize,
}

impl<'a> ScoredTenant<'a> {
    /// Scores everybody.
    ///
    /// # Errors
    /// When the kernel refuses the counts.
    pub(crate) fn new(
        tenant: &'a Tenant<'a>,
        names: &'a Names,
        params: &'a Params,
        stamp: &'a Stamp,
    ) -> Result<Self, af_score::Error> {
        let cohorts = POPULATIONS.map(|population| Cohort::new(tenant, population, names));
        Self::of_cohorts(tenant, names, cohorts, params, stamp)
    }

    /// Scores everybody of a tenant whose counts are not held: its populations have them as the kernel
    /// wants them.
    ///
    /// # Errors
    /// When the kernel refuses the counts.
    pub(super) fn of_cohorts(
        tenant: &'a Tenant<'a>,
        names: &'a Names,
        cohorts: [Cohort<'a>; POPULATIONS.len()],
        params: &'a Params,
        stamp: &'a Stamp,
    ) -> Result<Self, af_score::Error> {
        let as_of = stamp.cut.as_of.day();
        let cohorts = cohorts.into_iter().filter(|cohort| !cohort.is_empty());
        let cohorts: Result<Vec<ScoredCohort<'a>>, af_score::Error> = cohorts
            .map(|cohort| {
                let scores = cohort.score(as_of, params)?;
                Ok(ScoredCohort { cohort, scores })
            })
            .collect();
        Ok(Self {
            tenant,
            names,
            cohorts: cohorts?,
            params,
            stamp,
        })
    }

    /// All members of a tenant whose counts are held.
    pub(crate) fn whole(&self) -> Slice<'a, 'a> {
        Slice {
            tenant: self.tenant,
            first: 0,
        }
    }

    /// The rows of some members of a slice in every table that has rows of people, `bucket_counts` aside.
    pub(crate) fn people(&self, slice: Slice<'_, '_>, members: Range<usize>) -> SnapshotTables {
        let placed = self.place(members);
        let uids = column::names(placed.iter().map(|placed| placed.member.user_uid));
        let mut tables = SnapshotTables::default();
        tables.push(&user_scores::TABLE, self.user_scores(slice, &placed, &uids));
        let components = self.component_scores(&placed, &uids);
        tables.push(&component_scores::TABLE, components);
        let attribution = self.signal_attribution(slice, &placed, &uids);
        tables.push(&signal_attribution::TABLE, attribution);
        tables
    }

    /// The same members' rows of `bucket_counts`, which are none of the formula's figures.
    pub(crate) fn bucket_counts(
        &self,
        slice: Slice<'_, '_>,
        members: Range<usize>,
    ) -> SnapshotTables {
        let mut tables = SnapshotTables::default();
        let counts = counts::bucket_counts(slice, self.names, members);
        tables.push(&bucket_counts::TABLE, counts);
        tables
    }

    /// The rows that sum the tenant up, what is left of the erased, and who was compared.
    pub(crate) fn summary(&self) -> SnapshotTables {
        let mut tables = SnapshotTables::default();
        let groups: Vec<group_index::Row> = self
            .cohorts
            .iter()
            .flat_map(|scored| groups::group_rows(&scored.cohort, &scored.scores, self.stamp.cut))
            .collect();
        tables.push(&group_index::TABLE, group_index::batch(&groups));
        tables.push(&org_summary::TABLE, org_summary::batch(&self.org_summary()));
        tables.push(&tombstones::TABLE, tombstones::batch(&self.tombstones()));
        for scored in &self.cohorts {
            let population = scored.cohort.population.as_str().to_owned();
            tables
                .population
                .entry(self.tenant.name.to_owned())
                .or_default()
                .insert(population, scored.scores.population_n);
        }
        tables
    }

    /// All rows at once, `bucket_counts` and `unmatched_signals` aside.
    pub(crate) fn all(&self) -> SnapshotTables {
        let mut tables = SnapshotTables::default();
        let slice = self.whole();
        for members in slice.parts() {
            tables.append(self.people(slice, members));
        }
        tables.append(self.summary());
        tables
    }

    /// Where the kernel has these members.
    fn place(&self, members: Range<usize>) -> Vec<Placed<'_, 'a>> {
        let mut next: Vec<usize> = self
            .cohorts
            .iter()
            .map(|scored| scored.cohort.members_before(members.start))
            .collect();
        members
            .map(|tenant_position| {
                let member = &self.tenant.members[tenant_position];
                let place = self
                    .cohorts
                    .iter()
                    .position(|scored| scored.cohort.population == member.population)
                    .expect("a member's population is not empty");
                let position = next[place];
                next[place] += 1;
                Placed {
                    member,
                    cohort: &self.cohorts[place],
                    position,
                    tenant_position,
                }
            })
            .collect()
    }

    /// What attributes the scores of each population.
    fn attributions(&self) -> Vec<Attribution<'_>> {
        let day = self.stamp.cut.as_of.day();
        self.cohorts
            .iter()
            .map(|scored| {
                let organization = scored.cohort.organization();
                Attribution::new(&organization, &scored.scores, day, self.params)
            })
            .collect()
    }
}

impl<'s> Placed<'s, '_> {
    fn score(&self) -> &'s MemberScore {
        &self.cohort.scores.members[self.position]
    }

    fn components(&self) -> &'s [ComponentScore] {
        self.cohort.components(self.position)
    }

    /// What was counted against the member, who is of this slice.
    fn buckets<'c>(&self, slice: Slice<'_, 'c>) -> Buckets<'c> {
        slice.buckets_of(self.tenant_position)
    }
}

impl<'a> Slice<'_, 'a> {
    /// The members in parts of about equal work, in their order.
    pub(crate) fn parts(self) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut from, count) = (0, self.tenant.members.len());
        let work = |member: usize| member + self.tenant.counted_before(member);
        for member in 1..=count {
            if member == count || work(member) - work(from) >= PART {
                parts.push(self.first + from..self.first + member);
                from = member;
            }
        }
        parts
    }

    /// What was counted against a member, by the place among all members.
    fn buckets_of(self, member: usize) -> Buckets<'a> {
        self.tenant.buckets_of(member - self.first)
    }

    fn member(&self, member: usize) -> &Member<'a> {
        &self.tenant.members[member - self.first]
    }
}

impl ScoredCohort<'_> {
    /// The figures of each component of one member or erased person.
    fn components(&self, position: usize) -> &[ComponentScore] {
        let count = self.cohort.names.components.len();
        &self.scores.components[position * count..][..count]
    }
}

/// Counts of people and signals stay far below 2^63.
fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
