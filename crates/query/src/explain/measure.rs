//! From a snapshot's rows to the kernel: the person's buckets, measured with the yardsticks that the
//! colleagues' loads make.

use af_model::{Params, UtcDay};
use af_score::{Baseline, Bucket, Measured, Scale, Yardstick};

use super::rows::Rows;

/// The person in the kernel's terms, with the names behind its indices.
#[derive(Debug)]
pub(super) struct Measure {
    pub(super) measured: Measured,
    /// Ascending.
    pub(super) components: Vec<String>,
    /// Ascending.
    pub(super) families: Vec<String>,
}

impl Measure {
    /// Recomputes the person from counts and loads, and insists on the published figures: an
    /// explanation of another number would be none.
    ///
    /// # Errors
    /// What does not fit together, in words.
    pub(super) fn of(rows: &Rows, as_of: UtcDay, params: &Params) -> Result<Self, String> {
        let components: Vec<String> = rows
            .components
            .iter()
            .map(|row| row.component.clone())
            .collect();
        let mut families: Vec<String> = rows.buckets.iter().map(|row| row.family.clone()).collect();
        families.sort_unstable();
        families.dedup();
        let buckets = buckets(rows, &components, &families)?;
        let yardsticks = yardsticks(rows, params)?;
        let measured = Measured::new(&components, buckets, yardsticks, as_of, params)
            .map_err(|error| error.to_string())?;
        if measured.score_micro() != rows.score.score_micro
            || measured.odds_nano() != rows.score.odds_nano
        {
            return Err(format!(
                "says score_micro {} where bucket_counts and component_scores give {}",
                rows.score.score_micro,
                measured.score_micro()
            ));
        }
        let differing = rows
            .components
            .iter()
            .zip(measured.components())
            .find(|(row, figures)| row.figures != **figures);
        if let Some((row, _)) = differing {
            return Err(format!(
                "does not agree with component_scores of {}",
                row.component
            ));
        }
        Ok(Self {
            measured,
            components,
            families,
        })
    }

    /// The places of a component and a family, if the person has both.
    pub(super) fn places(&self, component: &str, family: &str) -> Option<(u32, u32)> {
        Some((
            place(&self.components, component)?,
            place(&self.families, family)?,
        ))
    }
}

fn place(names: &[String], name: &str) -> Option<u32> {
    let found = names.binary_search_by(|probe| probe.as_str().cmp(name));
    found.ok().and_then(|place| u32::try_from(place).ok())
}

fn buckets(rows: &Rows, components: &[String], families: &[String]) -> Result<Vec<Bucket>, String> {
    rows.buckets
        .iter()
        .map(|row| {
            let place = |names, name: &str| {
                place(names, name).ok_or_else(|| format!("has no row of {name} for a bucket"))
            };
            let mut counts = [0; 4];
            for (count, n) in counts.iter_mut().zip(row.counts) {
                *count = u64::try_from(n).map_err(|_| "counts less than nothing".to_owned())?;
            }
            Ok(Bucket {
                member: 0,
                component: place(components, &row.component)?,
                family: place(families, &row.family)?,
                day: row.day,
                counts,
            })
        })
        .collect()
}

fn yardsticks(rows: &Rows, params: &Params) -> Result<Vec<Yardstick>, String> {
    let scale = Scale::new(params).map_err(|error| error.to_string())?;
    let negative = || "holds a load below zero".to_owned();
    let n = usize::try_from(rows.score.population_n).map_err(|_| negative())?;
    rows.components
        .iter()
        .map(|row| {
            let loads = rows
                .loads
                .get(&row.component)
                .map_or(&[][..], Vec::as_slice);
            let loads: Vec<u64> = loads
                .iter()
                .map(|&load| u64::try_from(load).map_err(|_| negative()))
                .collect::<Result<_, _>>()?;
            let own = u64::try_from(row.figures.load_micro).map_err(|_| negative())?;
            // The kernel relies on both.
            let member = rows.person.in_population;
            let unloaded = n
                .checked_sub(loads.len())
                .filter(|&unloaded| own > 0 || !member || unloaded > 0);
            let listed = own == 0 || !member || loads.contains(&own);
            let (Some(unloaded), true) = (unloaded, listed) else {
                return Err(format!(
                    "has another population than component_scores of {}",
                    row.component
                ));
            };
            let everybody = loads.into_iter().chain(std::iter::repeat_n(0, unloaded));
            let baseline = Baseline::of_loads(everybody);
            Ok(if member {
                baseline.yardstick_of_member(own, &scale)
            } else {
                baseline.yardstick_of_added(&scale)
            })
        })
        .collect()
}
