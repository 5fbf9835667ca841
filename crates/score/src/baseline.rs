//! The colleagues' baseline: what the others of a population carry, leave-one-out (af-1 §2.6).

use rayon::prelude::*;

use crate::odds::Yardstick;
use crate::organization::size;
use crate::scale::Scale;

/// The loads of one component over a population, prepared for leave-one-out sums.
///
/// Building it costs O(n log n); each yardstick after that costs two bisections. Only distinct loads
/// above zero are kept, so a population of which few are attacked needs little memory.
///
/// ```
/// use af_model::Params;
/// use af_score::{Baseline, Scale};
///
/// let scale = Scale::new(&Params::default())?;
/// // Three people, one of them attacked with 9 points.
/// let baseline = Baseline::of_loads([0, 0, 9_000_000]);
/// // The attacked one has colleagues without any load: only the absolute scale counts.
/// assert_eq!(baseline.yardstick_of_member(9_000_000, &scale).odds_nano(9_000_000), 1_000_000_000);
/// // Their colleagues average 9 / (2 + 5) points, pseudo-colleagues included.
/// assert_eq!(baseline.yardstick_of_member(0, &scale).baseline_micro(), 1_285_714);
/// # Ok::<(), af_model::params::InvalidParams>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    people: u64,
    total: u128,
    /// Ascending by load, no two alike, none zero.
    runs: Vec<Run>,
}

/// People of one load, with what comes before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    load: u64,
    /// People with a load above zero up to and including this one.
    people_to_here: u64,
    /// Sum of their loads. Below 2^96 for 2^32 people.
    sum_to_here: u128,
}

impl Baseline {
    /// Prepares the loads of a population, in micro-points, zeros included. Their order does not
    /// matter.
    pub fn of_loads(loads: impl IntoIterator<Item = u64>) -> Self {
        let mut everybody = 0;
        let mut above_zero: Vec<u64> = loads
            .into_iter()
            .inspect(|_| everybody += 1)
            .filter(|&load| load > 0)
            .collect();
        above_zero.par_sort_unstable();
        let mut runs: Vec<Run> = Vec::new();
        let mut before = (0, 0);
        for equal in above_zero.chunk_by(|a, b| a == b) {
            let load = equal[0];
            let people = size(equal.len());
            before.0 += people;
            before.1 += u128::from(load) * u128::from(people);
            runs.push(Run {
                load,
                people_to_here: before.0,
                sum_to_here: before.1,
            });
        }
        Self {
            people: everybody,
            total: before.1,
            runs,
        }
    }

    /// What somebody of the population with this load is measured with.
    ///
    /// Equal loads have equal yardsticks: all the others differ only in who is left out.
    ///
    /// # Panics
    /// When the population is empty or the load exceeds the sum of all, so that nobody can have it.
    pub fn yardstick_of_member(&self, load_micro: u64, scale: &Scale) -> Yardstick {
        let others = self
            .people
            .checked_sub(1)
            .expect("a member counts as one of the people");
        if others == 0 {
            return Yardstick::new(0, 0, scale);
        }
        let others_total = self
            .total
            .checked_sub(u128::from(load_micro))
            .expect("a member's load is part of the sum");
        let tau = tau(
            others,
            others_total,
            self.largest_besides(load_micro),
            scale,
        );
        // The sum over everybody contains the member's own capped load; take it out again.
        let colleagues = self.sum_capped_at(tau) - u128::from(load_micro).min(tau);
        Yardstick::new(colleagues, others, scale)
    }

    /// What somebody outside the population is measured with, as if added to it: everybody of the
    /// population is a colleague, whatever the person's own load.
    pub fn yardstick_of_added(&self, scale: &Scale) -> Yardstick {
        if self.people == 0 {
            return Yardstick::new(0, 0, scale);
        }
        let largest = self.runs.last().map_or(0, |run| run.load);
        let tau = tau(self.people, self.total, largest, scale);
        Yardstick::new(self.sum_capped_at(tau), self.people, scale)
    }

    /// Whether anybody of the population has no load.
    pub(crate) fn has_unloaded(&self) -> bool {
        self.people > self.loaded()
    }

    /// People of the population with a load.
    fn loaded(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.people_to_here)
    }

    /// The largest load among all but one person of this load.
    fn largest_besides(&self, load: u64) -> u64 {
        let Some((last, before)) = self.runs.split_last() else {
            return 0;
        };
        let (second, people_before) = before
            .last()
            .map_or((0, 0), |run| (run.load, run.people_to_here));
        let alone = last.people_to_here - people_before == 1;
        if alone && last.load == load {
            second
        } else {
            last.load
        }
    }

    /// `Σ min(L, tau)` over the population.
    fn sum_capped_at(&self, tau: u128) -> u128 {
        let whole = self.runs.partition_point(|run| u128::from(run.load) <= tau);
        let (people, sum) = whole.checked_sub(1).map_or((0, 0), |last| {
            (self.runs[last].people_to_here, self.runs[last].sum_to_here)
        });
        // Where somebody is above tau, tau is below 2^64, so the product stays below 2^96.
        sum + u128::from(self.loaded() - people) * tau
    }
}

/// `max(cap·lambda_micro, (cap·(T − x − M)) // (n − 1))`: up to what load a colleague counts.
/// The largest of the others is left out of the average, so an outlier cannot raise its own cap.
fn tau(others: u64, others_total: u128, largest: u64, scale: &Scale) -> u128 {
    let without_largest = others_total
        .checked_sub(u128::from(largest))
        .expect("the largest of the others is one of them");
    let relative = scale.cap * without_largest / u128::from(others);
    relative.max(scale.cap * scale.lambda_micro)
}

#[cfg(test)]
mod tests {
    use super::*;
    use af_model::Params;
    use proptest::prelude::*;

    /// The definition, word for word: every pair of people.
    fn direct(loads: &[u64], own: Option<usize>, scale: &Scale) -> Yardstick {
        let others: Vec<u128> = loads
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != own)
            .map(|(_, &load)| u128::from(load))
            .collect();
        let Some(largest) = others.iter().max() else {
            return Yardstick::new(0, 0, scale);
        };
        let count = size(others.len());
        let mean = scale.cap * (others.iter().sum::<u128>() - largest) / u128::from(count);
        let tau = mean.max(scale.cap * scale.lambda_micro);
        let colleagues = others.iter().map(|&load| load.min(tau)).sum();
        Yardstick::new(colleagues, count, scale)
    }

    fn load() -> impl Strategy<Value = u64> {
        prop_oneof![
            3 => Just(0),
            2 => 1..5_u64,
            3 => 1..30_000_000_u64,
            2 => 50_000_000..5_000_000_000_u64,
            1 => (0..1_u64 << 62).prop_map(|load| load | 1 << 61),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn the_fast_sums_equal_the_direct_ones(
            loads in prop::collection::vec(load(), 0..60),
            (q, kappa, cap, lambda) in (0..50_i64, 0..20_i64, 1..30_i64, 1..50_i64),
        ) {
            let params = Params { q, kappa, cap, lambda, ..Params::default() };
            let scale = Scale::new(&params).unwrap();
            let baseline = Baseline::of_loads(loads.iter().copied());
            for (index, &load) in loads.iter().enumerate() {
                prop_assert_eq!(
                    baseline.yardstick_of_member(load, &scale),
                    direct(&loads, Some(index), &scale)
                );
            }
            prop_assert_eq!(baseline.yardstick_of_added(&scale), direct(&loads, None, &scale));
        }
    }

    #[test]
    fn the_largest_of_the_others_is_the_second_only_for_the_sole_largest() {
        let sole = Baseline::of_loads([0, 3, 7, 3]);
        assert_eq!([0, 3, 7].map(|load| sole.largest_besides(load)), [7, 7, 3]);
        let shared = Baseline::of_loads([7, 3, 7]);
        assert_eq!(shared.largest_besides(7), 7);
        assert_eq!(Baseline::of_loads([7, 0]).largest_besides(7), 0);
        assert_eq!(Baseline::of_loads([0, 0]).largest_besides(0), 0);
    }

    #[test]
    fn the_cap_follows_the_mean_without_the_largest_once_that_exceeds_the_scale() {
        let scale = Scale::new(&Params::default()).unwrap();
        // Eleven colleagues of 100 points and one of 10,000: tau = 10·1100/12 = 916.666666 points.
        let mut loads = vec![100_000_000; 11];
        loads.push(10_000_000_000);
        let yardstick = Baseline::of_loads(loads).yardstick_of_added(&scale);
        // S = 1100 + 916.666666, m = 12 + 5.
        assert_eq!(yardstick.baseline_micro(), 2_016_666_666 / 17);
    }

    #[test]
    fn one_person_alone_is_measured_with_the_absolute_scale_even_without_pseudo_colleagues() {
        let params = Params {
            kappa: 0,
            ..Params::default()
        };
        let scale = Scale::new(&params).unwrap();
        let alone = Baseline::of_loads([9_000_000]).yardstick_of_member(9_000_000, &scale);
        let added = Baseline::of_loads([]).yardstick_of_added(&scale);
        for yardstick in [alone, added] {
            assert_eq!(yardstick.odds_nano(9_000_000), 1_000_000_000);
            assert_eq!(yardstick.baseline_micro(), 0);
            assert_eq!(yardstick.relative_weight_micro(), 0);
        }
    }
}
