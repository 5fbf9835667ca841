//! What goes in: one population of one tenant and the bucket counts of its people.

use af_model::UtcDay;
use af_model::params::WINDOW_DAYS;
use rayon::prelude::*;

use crate::error::{Error, ErrorKind};

/// One population of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Organization<'a> {
    /// One entry per person: whether they belong to the population. Who does not (a leaver) is scored
    /// as if added to it, is not ranked, and is nobody's colleague.
    pub in_population: &'a [bool],
    /// Component names, strictly ascending: the components that some matched signal of the tenant
    /// names within the window.
    pub components: &'a [String],
    /// Strictly ascending by member, component, family and day.
    pub buckets: &'a [Bucket],
}

/// How many incidents of each level hit one person in one component, family and UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Index into [`Organization::in_population`].
    pub member: u32,
    /// Index into [`Organization::components`].
    pub component: u32,
    /// Index into a list of family names in ascending order, so that index order is name order.
    pub family: u32,
    /// UTC day of the incidents, 0 to 89 days before the day scored.
    pub day: UtcDay,
    /// Incidents by [`af_model::Level::slot`]: critical, high, medium, low.
    pub counts: [u64; 4],
}

/// The load of somebody whose buckets are not at hand, in one component: an erased person, of whom
/// nothing is left but what colleagues are measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenLoad {
    /// Index into [`Organization::in_population`]; nobody who has buckets.
    pub member: u32,
    /// Index into [`Organization::components`].
    pub component: u32,
    /// The saturated, decayed points, in micro-points.
    pub load_micro: u64,
}

impl Bucket {
    /// What a bucket is sorted by and what makes it one: member, component, family, day.
    pub const fn key(&self) -> (u32, u32, u32, UtcDay) {
        (self.member, self.component, self.family, self.day)
    }
}

impl<'a> Organization<'a> {
    /// People of the population.
    pub fn population_n(&self) -> u64 {
        self.in_population
            .iter()
            .map(|&inside| u64::from(inside))
            .sum()
    }

    /// The buckets of one person, found by bisection; empty for a person without any.
    pub fn buckets_of(&self, member: u32) -> &'a [Bucket] {
        let start = self
            .buckets
            .partition_point(|bucket| bucket.member < member);
        let rest = &self.buckets[start..];
        &rest[..rest.partition_point(|bucket| bucket.member == member)]
    }

    /// Checks everything the arithmetic relies on. Linear in the buckets, in parallel; of several
    /// faults the first in order is reported, whatever the number of threads.
    pub(crate) fn check(&self, as_of: UtcDay) -> Result<(), Error> {
        let members = self.in_population.len();
        if u32::try_from(members).is_err() {
            return Err(Error::new(ErrorKind::TooManyMembers { members }));
        }
        if let Some(pair) = self.components.windows(2).find(|pair| pair[0] >= pair[1]) {
            let name = pair[1].clone();
            return Err(Error::new(ErrorKind::ComponentOrder { name }));
        }
        let fault = (0..self.buckets.len())
            .into_par_iter()
            .with_min_len(1 << 14)
            .find_map_first(|index| {
                let kind = self.fault(index, as_of)?;
                Some(Error::at(index, kind))
            });
        if let Some(error) = fault {
            return Err(error);
        }
        // Four counts below 2^64 in each of at most 2^58 buckets that any address space could hold:
        // the sum stays below 2^124.
        let signals: u128 = self
            .buckets
            .par_iter()
            .with_min_len(1 << 14)
            .map(|bucket| {
                bucket
                    .counts
                    .iter()
                    .map(|&count| u128::from(count))
                    .sum::<u128>()
            })
            .sum();
        if i64::try_from(signals).is_err() {
            return Err(Error::new(ErrorKind::TooManySignals));
        }
        Ok(())
    }

    /// Checks loads that stand in for buckets.
    pub(crate) fn check_given(&self, given: &[GivenLoad]) -> Result<(), Error> {
        let mut before = None;
        for (index, load) in given.iter().enumerate() {
            let key = (load.member, load.component);
            let problem = if before.is_some_and(|before| before >= key) {
                "out of order or repeated; the order is member, component"
            } else if !is_index(load.member, self.in_population.len()) {
                "its member is out of range"
            } else if !is_index(load.component, self.components.len()) {
                "its component is out of range"
            } else if !self.buckets_of(load.member).is_empty() {
                "its member has buckets, from which the load follows"
            } else {
                before = Some(key);
                continue;
            };
            return Err(Error::new(ErrorKind::GivenLoad { index, problem }));
        }
        Ok(())
    }

    fn fault(&self, index: usize, as_of: UtcDay) -> Option<ErrorKind> {
        let bucket = &self.buckets[index];
        let (members, components) = (self.in_population.len(), self.components.len());
        if !is_index(bucket.member, members) {
            return Some(ErrorKind::MemberRange {
                member: bucket.member,
                members,
            });
        }
        if !is_index(bucket.component, components) {
            return Some(ErrorKind::ComponentRange {
                component: bucket.component,
                components,
            });
        }
        if index > 0 && self.buckets[index - 1].key() >= bucket.key() {
            return Some(ErrorKind::BucketOrder);
        }
        let age = as_of.days_since(bucket.day);
        let day = bucket.day;
        match age {
            ..0 => Some(ErrorKind::DayAfterAsOf { day, as_of }),
            0..WINDOW_DAYS => None,
            _ => Some(ErrorKind::DayTooOld { day, age }),
        }
    }
}

/// The bucket's age in whole days; the check has proved it to be 0 to 89.
pub(crate) fn age(bucket: &Bucket, as_of: UtcDay) -> usize {
    usize::try_from(as_of.days_since(bucket.day)).expect("checked not to be in the future")
}

/// A 32-bit index as a place in a slice.
pub(crate) fn place(index: u32) -> usize {
    usize::try_from(index).expect("a 32-bit index fits every machine this builds for")
}

/// A length as a 64-bit number of people.
pub(crate) fn size(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits 64 bits on every machine this builds for")
}

fn is_index(index: u32, length: usize) -> bool {
    usize::try_from(index).is_ok_and(|index| index < length)
}

/// Sorts bucket counts and adds those of one key, so that shards become one list.
///
/// Exact provided each shard holds whole UTC days or whole resolved people and collapsed its
/// duplicates and incidents itself: then no incident is in two of them. Order and grouping of the
/// shards do not matter.
///
/// # Errors
/// [`ErrorKind::TooManySignals`] when one count leaves 64 bits.
pub fn merge_buckets(mut buckets: Vec<Bucket>) -> Result<Vec<Bucket>, Error> {
    buckets.par_sort_unstable_by_key(Bucket::key);
    let mut merged: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        match merged.last_mut() {
            Some(last) if last.key() == bucket.key() => {
                for (sum, count) in last.counts.iter_mut().zip(bucket.counts) {
                    *sum = sum
                        .checked_add(count)
                        .ok_or_else(|| Error::new(ErrorKind::TooManySignals))?;
                }
            }
            _ => merged.push(bucket),
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: UtcDay = UtcDay(20_000);

    fn bucket(member: u32, component: u32, family: u32, age: i32, low: u64) -> Bucket {
        Bucket {
            member,
            component,
            family,
            day: UtcDay(TODAY.0 - age),
            counts: [0, 0, 0, low],
        }
    }

    fn check(buckets: &[Bucket]) -> Result<(), Error> {
        let components = ["email".to_owned(), "identity".to_owned()];
        Organization {
            in_population: &[true, true, false],
            components: &components,
            buckets,
        }
        .check(TODAY)
    }

    #[test]
    fn given_loads_at_fault_are_named() {
        let components = ["email".to_owned(), "identity".to_owned()];
        let organization = Organization {
            in_population: &[true, true, false],
            components: &components,
            buckets: &[bucket(1, 0, 0, 0, 1)],
        };
        let given = |member, component| GivenLoad {
            member,
            component,
            load_micro: 1,
        };
        assert_eq!(
            organization.check_given(&[given(0, 0), given(0, 1), given(2, 0)]),
            Ok(())
        );
        for (second, expected) in [
            (given(0, 0), "order"),
            (given(3, 0), "member"),
            (given(2, 2), "component"),
            (given(1, 1), "buckets"),
        ] {
            let error = organization
                .check_given(&[given(0, 0), second])
                .unwrap_err();
            let ErrorKind::GivenLoad { index: 1, problem } = error.kind() else {
                panic!("{error}");
            };
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn each_fault_is_named_with_its_bucket() {
        let good = bucket(0, 0, 0, 0, 1);
        let cases = [
            (
                bucket(3, 0, 0, 0, 1),
                ErrorKind::MemberRange {
                    member: 3,
                    members: 3,
                },
            ),
            (
                bucket(2, 2, 0, 0, 1),
                ErrorKind::ComponentRange {
                    component: 2,
                    components: 2,
                },
            ),
            (good, ErrorKind::BucketOrder),
            (bucket(0, 0, 0, 1, 1), ErrorKind::BucketOrder),
            (
                bucket(1, 0, 0, -1, 1),
                ErrorKind::DayAfterAsOf {
                    day: UtcDay(20_001),
                    as_of: TODAY,
                },
            ),
            (
                bucket(1, 0, 0, 90, 1),
                ErrorKind::DayTooOld {
                    day: UtcDay(19_910),
                    age: 90,
                },
            ),
        ];
        for (second, expected) in cases {
            let error = check(&[good, second]).unwrap_err();
            assert_eq!((error.bucket(), error.kind()), (Some(1), &expected));
        }
        assert_eq!(check(&[good, bucket(1, 0, 0, 89, 1)]), Ok(()));
        assert_eq!(check(&[]), Ok(()));
    }

    #[test]
    fn days_at_the_ends_of_the_calendar_are_refused_without_overflow() {
        let mut extreme = bucket(0, 0, 0, 0, 1);
        for day in [i32::MIN, i32::MAX] {
            extreme.day = UtcDay(day);
            assert!(check(&[extreme]).is_err());
        }
    }

    #[test]
    fn counts_that_cannot_be_true_are_refused() {
        let half = 1 << 62;
        let error = check(&[bucket(0, 0, 0, 0, half), bucket(1, 0, 0, 0, half)]).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::TooManySignals);
        assert_eq!(
            check(&[bucket(0, 0, 0, 0, half), bucket(1, 0, 0, 0, half - 1)]),
            Ok(())
        );
    }

    #[test]
    fn component_names_out_of_order_are_refused() {
        let components = ["identity".to_owned(), "identity".to_owned()];
        let organization = Organization {
            in_population: &[],
            components: &components,
            buckets: &[],
        };
        let error = organization.check(TODAY).unwrap_err();
        assert_eq!(
            error.kind(),
            &ErrorKind::ComponentOrder {
                name: "identity".to_owned()
            }
        );
    }

    #[test]
    fn merging_adds_equal_keys_and_sorts() {
        let shards = vec![
            bucket(1, 0, 0, 0, 2),
            bucket(0, 0, 0, 3, 1),
            bucket(1, 0, 0, 0, 5),
        ];
        assert_eq!(
            merge_buckets(shards).unwrap(),
            [bucket(0, 0, 0, 3, 1), bucket(1, 0, 0, 0, 7)]
        );
        let error =
            merge_buckets(vec![bucket(0, 0, 0, 0, u64::MAX), bucket(0, 0, 0, 0, 1)]).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::TooManySignals);
    }

    #[test]
    fn a_person_without_buckets_has_none() {
        let buckets = [
            bucket(0, 0, 0, 0, 1),
            bucket(2, 0, 0, 1, 1),
            bucket(2, 0, 0, 0, 1),
        ];
        let organization = Organization {
            in_population: &[true; 4],
            components: &[],
            buckets: &buckets,
        };
        assert_eq!(organization.buckets_of(2), &buckets[1..]);
        assert!(organization.buckets_of(1).is_empty());
        assert!(organization.buckets_of(3).is_empty());
    }
}
