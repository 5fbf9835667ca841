//! Loads: the saturated, decayed points of every person and component (af-1 §2.5).

use af_model::UtcDay;
use rayon::prelude::*;

use crate::decay::decayed;
use crate::error::{Error, ErrorKind};
use crate::organization::{Bucket, GivenLoad, Organization, age, place};
use crate::saturate::saturated;
use crate::scale::Scale;

/// People per unit of parallel work.
const CHUNK: usize = 1024;

/// What one bucket adds to its person's load, in micro-points, floored per bucket.
pub(crate) fn bucket_load(bucket: &Bucket, as_of: UtcDay, scale: &Scale) -> u64 {
    decayed(
        saturated(&bucket.counts, &scale.points_micro),
        age(bucket, as_of),
    )
}

/// Loads in micro-points, people by components, one person after the other.
pub(crate) struct Loads {
    components: usize,
    values: Vec<u64>,
}

impl Loads {
    /// Adds up the buckets of a checked organization.
    ///
    /// # Errors
    /// [`ErrorKind::LoadTooLarge`] for the first person whose figures would leave 64 bits.
    pub(crate) fn of(
        organization: &Organization<'_>,
        as_of: UtcDay,
        scale: &Scale,
        weights: &[u64],
    ) -> Result<Self, Error> {
        let components = organization.components.len();
        let mut values = vec![0; organization.in_population.len() * components];
        if components > 0 {
            // Collected in order, so that of several errors the first is reported.
            let refused: Vec<Option<Error>> = values
                .par_chunks_mut(CHUNK * components)
                .enumerate()
                .map(|(chunk, rows)| {
                    let first = chunk * CHUNK;
                    add_up(organization, as_of, scale, weights, first, rows).err()
                })
                .collect();
            if let Some(error) = refused.into_iter().flatten().next() {
                return Err(error);
            }
        }
        Ok(Self { components, values })
    }

    /// Puts in the loads of people without buckets, checked and ascending by member.
    ///
    /// # Errors
    /// As [`Loads::of`].
    pub(crate) fn give(
        &mut self,
        given: &[GivenLoad],
        scale: &Scale,
        weights: &[u64],
    ) -> Result<(), Error> {
        for own in given.chunk_by(|a, b| a.member == b.member) {
            let member = place(own[0].member);
            let row = &mut self.values[member * self.components..][..self.components];
            for load in own {
                row[place(load.component)] = load.load_micro;
            }
            if !fits(row, scale, weights) {
                return Err(Error::new(ErrorKind::LoadTooLarge { member }));
            }
        }
        Ok(())
    }

    /// One load by place: person · components + component.
    pub(crate) fn at(&self, place: usize) -> u64 {
        self.values[place]
    }

    /// Places in all.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The loads of one component, one per person.
    pub(crate) fn column(&self, component: usize) -> impl Iterator<Item = u64> {
        self.values
            .iter()
            .skip(component)
            .step_by(self.components.max(1))
            .copied()
    }
}

/// Fills the rows of the people from `first` on.
fn add_up(
    organization: &Organization<'_>,
    as_of: UtcDay,
    scale: &Scale,
    weights: &[u64],
    first: usize,
    rows: &mut [u64],
) -> Result<(), Error> {
    let components = weights.len();
    let people = rows.len() / components;
    let buckets = organization.buckets;
    let start = buckets.partition_point(|bucket| place(bucket.member) < first);
    let end = buckets.partition_point(|bucket| place(bucket.member) < first + people);
    for own in buckets[start..end].chunk_by(|a, b| a.member == b.member) {
        let member = place(own[0].member);
        let row = &mut rows[(member - first) * components..][..components];
        let too_large = || Error::new(ErrorKind::LoadTooLarge { member });
        for bucket in own {
            let load = &mut row[place(bucket.component)];
            *load = load
                .checked_add(bucket_load(bucket, as_of, scale))
                .ok_or_else(too_large)?;
        }
        if !fits(row, scale, weights) {
            return Err(too_large());
        }
    }
    Ok(())
}

/// Whether everything computed from these loads fits an Int64 column.
///
/// * A component's odds are at most `x·m·10^9 / (lambda_micro·m) = 1000·x / lambda`.
/// * The odds of the whole are at most `Σ weight·(1000·x / lambda) / 1000 = Σ weight·x / lambda`.
/// * A person's whole load is `Σ x`; with it, means and attributed shares fit too.
///
/// `weight·x` is below 2^20 · 2^64, so even 2^32 components stay within 128 bits. The bound is
/// 9.2 · 10^9 times lambda for each load (less with weights above 1000); a bucket of default points
/// carries at most 70 points.
fn fits(row: &[u64], scale: &Scale, weights: &[u64]) -> bool {
    let most = u128::from(i64::MAX.unsigned_abs());
    let wide = |load: &u64| u128::from(*load);
    let whole: u128 = row.iter().map(wide).sum();
    let weighted: u128 = row
        .iter()
        .zip(weights)
        .map(|(load, weight)| wide(load) * u128::from(*weight))
        .sum();
    let largest = row.iter().map(wide).max().unwrap_or(0);
    whole <= most && 1000 * largest <= scale.lambda * most && weighted <= scale.lambda * most
}

#[cfg(test)]
mod tests {
    use super::*;
    use af_model::Params;

    const TODAY: UtcDay = UtcDay(20_000);

    fn loads_of(buckets: &[Bucket], params: &Params) -> Result<Vec<u64>, Error> {
        let components = ["email".to_owned(), "identity".to_owned()];
        let organization = Organization {
            in_population: &[true; 3],
            components: &components,
            buckets,
        };
        let scale = Scale::new(params).unwrap();
        Loads::of(&organization, TODAY, &scale, &[1000, 1000]).map(|loads| loads.values)
    }

    fn bucket(member: u32, component: u32, family: u32, age: i32, counts: [u64; 4]) -> Bucket {
        Bucket {
            member,
            component,
            family,
            day: UtcDay(TODAY.0 - age),
            counts,
        }
    }

    #[test]
    fn families_and_days_saturate_apart_and_add() {
        let loads = loads_of(
            &[
                bucket(0, 1, 0, 0, [0, 1, 1, 40]),
                bucket(0, 1, 1, 14, [0, 1, 0, 0]),
                bucket(2, 0, 0, 7, [0, 0, 1, 0]),
                bucket(2, 1, 0, 28, [0, 1, 0, 0]),
            ],
            &Params::default(),
        );
        // Ana: 11,012,701 today plus 9,000,000 halved. Bob: 3,000,000 · 2^-0.5. Cho: a quarter of 9.
        let expected = vec![0, 11_012_701 + 4_500_000, 0, 0, 2_121_320, 2_250_000];
        assert_eq!(loads, Ok(expected));
    }

    #[test]
    fn each_bucket_is_floored_by_itself() {
        // One low 89 days ago: 10^6 · 13,412,481,620 / 2^40 = 12,198.58…; two families: 2 · 12,198.
        let loads = loads_of(
            &[
                bucket(0, 0, 0, 89, [0, 0, 0, 1]),
                bucket(0, 0, 1, 89, [0, 0, 0, 1]),
            ],
            &Params::default(),
        );
        assert_eq!(loads.unwrap()[0], 24_396);
    }

    #[test]
    fn a_load_that_leaves_64_bits_is_refused_with_the_first_person() {
        let mut params = Params::default();
        params.points.critical = 1_000_000_000;
        params.lambda = 1;
        // One critical alone is 10^15 micro-points: 10^18 in odds, just inside an i64. Ten times that
        // is not.
        let one = bucket(1, 0, 0, 0, [1, 0, 0, 0]);
        assert_eq!(loads_of(&[one], &params).unwrap()[2], 1_000_000_000_000_000);
        let many: Vec<Bucket> = (1..3)
            .flat_map(|member| (0..10).map(move |family| (member, family)))
            .map(|(member, family)| bucket(member, 0, family, 0, [1, 0, 0, 0]))
            .collect();
        let error = loads_of(&many, &params).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::LoadTooLarge { member: 1 });
    }
}
