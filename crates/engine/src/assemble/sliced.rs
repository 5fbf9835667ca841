//! A tenant whose counts are too many to be held: looked at twice, in slices of its people.
//!
//! The first look makes the kernel's buckets of everybody, which are a quarter of what was counted; with
//! these everybody is scored. The second makes the rows of one slice after the other.

use std::collections::BTreeMap;
use std::ops::Range;

use af_score::Bucket;
use rayon::prelude::*;

use super::assembly::{Assembly, hand_over, refusal, rows_of, unmatched_parts, unmatched_rows};
use super::cohort::{Cohort, MemberBuckets, Names, POPULATIONS};
use super::provider::{Look, Slices};
use super::rows::{ScoredTenant, Slice};
use super::{TableSink, Tenant};
use crate::error::Error;
use crate::pipeline::LeftOut;

/// Blocks of a slice, about.
const SLICE: usize = 1 << 17;

impl Assembly<'_> {
    /// Scores a tenant that comes in slices and hands its rows over.
    pub(super) fn write_sliced(
        &self,
        (name, people): (&str, Range<usize>),
        slices: &mut (dyn Slices + '_),
        refused: &mut LeftOut,
        sink: &mut (dyn TableSink + Send),
    ) -> Result<(), Error> {
        let as_of = self.stamp.cut.as_of;
        let ranges = ranges(&people, slices.blocks());
        let last = people.end;
        let end = |range: &Range<usize>| (range.end < last).then(|| number(range.end));
        let first = people.start;
        let people = self.people.people(people);
        let own = |range: &Range<usize>| &people[range.start - first..range.end - first];
        let everybody = Tenant::of_counts(name, &people, first, &[], as_of);

        let mut gathered = Gathered::new(slices.blocks());
        for range in &ranges {
            let blocks = slices.take(end(range), Look::Figures)?;
            gathered.add(&Tenant::of_counts(
                name,
                own(range),
                range.start,
                &blocks,
                as_of,
            ));
        }
        let (names, buckets) = gathered.finish();
        let mut populations = POPULATIONS.into_iter();
        let cohorts = buckets.map(|buckets| {
            let population = populations.next().expect("as many as there are buckets");
            Cohort::of_buckets(&everybody, population, &names, buckets)
        });
        let scored = ScoredTenant::of_cohorts(&everybody, &names, cohorts, self.params, self.stamp);
        let scored = match scored {
            Ok(scored) => scored,
            Err(error) => {
                refused.insert(name.to_owned(), refusal(name, &error));
                return Ok(());
            }
        };

        let mut before = 0;
        for range in &ranges {
            let blocks = slices.take(end(range), Look::Details)?;
            let tenant = &Tenant::of_counts(name, own(range), range.start, &blocks, as_of);
            let slice = Slice {
                tenant,
                first: before,
            };
            let make = |members: &Range<usize>| Some(rows_of(&scored, slice, members.clone()));
            hand_over(&slice.parts(), make, sink)?;
            before += tenant.members.len();
        }
        let unmatched = slices.unmatched()?;
        let parts: Vec<_> = unmatched_parts(&unmatched).collect();
        let make = |rows: &&[_]| Some(unmatched_rows(name, rows, self.stamp));
        hand_over(&parts, make, sink)?;
        sink.take(scored.summary())?;
        sink.settle()
    }
}

/// A tenant's people in ranges of about as many blocks as a slice is to have.
fn ranges(people: &Range<usize>, blocks: usize) -> Vec<Range<usize>> {
    let wanted = SLICE.saturating_mul(people.len()) / blocks.max(1);
    let starts = people.clone().step_by(wanted.max(1));
    starts
        .map(|start| start..people.end.min(start + wanted.max(1)))
        .collect()
}

/// The kernel's buckets of everybody, while slices come.
struct Gathered {
    /// Names by the numbers that they got when they came.
    components: BTreeMap<String, u32>,
    families: BTreeMap<String, u32>,
    of: [MemberBuckets; POPULATIONS.len()],
}

impl Gathered {
    fn new(blocks: usize) -> Self {
        let mut of = POPULATIONS.map(|_| MemberBuckets::none());
        // Nearly all are people; growing would copy what is the most of the memory.
        of[0].reserve(blocks);
        Self {
            components: BTreeMap::new(),
            families: BTreeMap::new(),
            of,
        }
    }

    /// Adds the next members.
    fn add(&mut self, slice: &Tenant<'_>) {
        let names = Names::of(slice);
        let components = numbers(&mut self.components, &names.components);
        let families = numbers(&mut self.families, &names.families);
        for (population, buckets) in POPULATIONS.into_iter().zip(&mut self.of) {
            rename(
                buckets.add(slice, population, &names),
                &components,
                &families,
            );
        }
    }

    /// All names ascending, and buckets whose places are theirs. Buckets of a member were ascending by
    /// name before, and stay so.
    fn finish(self) -> (Names, [MemberBuckets; POPULATIONS.len()]) {
        let (components, component_places) = sorted(self.components);
        let (families, family_places) = sorted(self.families);
        let of = self.of.map(|mut buckets| {
            rename(buckets.all(), &component_places, &family_places);
            buckets
        });
        let names = Names {
            components,
            families,
        };
        (names, of)
    }
}

/// The numbers of names, of which those that have none yet get the next.
fn numbers(known: &mut BTreeMap<String, u32>, names: &[String]) -> Vec<u32> {
    let mut number_of = |name: &String| {
        let next = number(known.len());
        *known.entry(name.clone()).or_insert(next)
    };
    names.iter().map(&mut number_of).collect()
}

/// Names in ascending order, and by number where each is now.
fn sorted(names: BTreeMap<String, u32>) -> (Vec<String>, Vec<u32>) {
    let mut places = vec![0; names.len()];
    for (place, &old) in names.values().enumerate() {
        places[old as usize] = number(place);
    }
    (names.into_keys().collect(), places)
}

/// Gives components and families other places.
fn rename(buckets: &mut [Bucket], components: &[u32], families: &[u32]) {
    buckets
        .par_iter_mut()
        .with_min_len(1 << 14)
        .for_each(|bucket| {
            bucket.component = components[bucket.component as usize];
            bucket.family = families[bucket.family as usize];
        });
}

fn number(place: usize) -> u32 {
    u32::try_from(place).expect("fewer than 2^32 people and names fit into memory")
}
