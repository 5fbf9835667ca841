//! One population before and after, and the scores in between.

use std::collections::BTreeMap;

use af_model::view::DiffParts;
use af_model::{Params, Population, UtcMillis};
use af_score::{Baseline, Scale, Scores, Yardstick, score_of_components};

use super::causes::{Cause, Change, Days, Evidence};
use crate::assemble::{Cohort, Names, Tenant};

/// One population of a tenant in both snapshots.
pub(super) struct Comparison<'a> {
    pub(super) before: Cohort<'a>,
    pub(super) after: Cohort<'a>,
    /// As published.
    pub(super) scores_before: Scores,
    /// The earlier snapshot with the later one's parameters.
    pub(super) scores_settled: Scores,
    /// As published.
    pub(super) scores_after: Scores,
    /// By component: the earlier colleagues with the loads they had.
    colleagues_then: Vec<Baseline>,
    /// By component: the earlier colleagues with the loads they have.
    colleagues_now: Vec<Baseline>,
    weights: Vec<u64>,
    scale: &'a Scale,
}

/// The two cuts and parameters.
#[derive(Clone, Copy)]
pub(super) struct Cuts<'a> {
    pub(super) as_of: [UtcMillis; 2],
    pub(super) params: [&'a Params; 2],
    /// Of the later parameters.
    pub(super) scale: &'a Scale,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(
        tenants: [&'a Tenant<'a>; 2],
        population: Population,
        names: &'a Names,
        cuts: Cuts<'a>,
    ) -> Result<Self, af_score::Error> {
        let [before, after] = tenants.map(|tenant| Cohort::new(tenant, population, names));
        let [day_before, day_after] = cuts.as_of.map(UtcMillis::day);
        let scores_before = before.score(day_before, cuts.params[0])?;
        let scores_settled = if cuts.params[0] == cuts.params[1] {
            scores_before.clone()
        } else {
            before.score(day_before, cuts.params[1])?
        };
        let scores_after = after.score(day_after, cuts.params[1])?;
        let weights = names
            .components
            .iter()
            .map(|component| cuts.params[1].weight_permille(component).unsigned_abs());
        let mut comparison = Self {
            before,
            after,
            scores_before,
            scores_settled,
            scores_after,
            colleagues_then: Vec::new(),
            colleagues_now: Vec::new(),
            weights: weights.collect(),
            scale: cuts.scale,
        };
        comparison.colleagues_then = comparison.baselines(|_| None);
        let still_there = comparison.still_there();
        comparison.colleagues_now = comparison.baselines(|position| still_there[position]);
        Ok(comparison)
    }

    /// The place in the later population of everybody who is a colleague in both; the erased are
    /// known by their hash.
    fn still_there(&self) -> Vec<Option<usize>> {
        let inside = self.after.in_population();
        let mut later: BTreeMap<(bool, &str), usize> = BTreeMap::new();
        for (position, who) in identities(&self.after).enumerate() {
            if inside[position] {
                later.insert(who, position);
            }
        }
        identities(&self.before)
            .map(|who| later.get(&who).copied())
            .collect()
    }

    /// Baselines of the earlier colleagues; those for whom `later` knows a place carry the load they
    /// have there.
    fn baselines(&self, later: impl Fn(usize) -> Option<usize>) -> Vec<Baseline> {
        let inside = self.before.in_population();
        (0..self.weights.len())
            .map(|component| {
                let colleagues = (0..inside.len()).filter(|&position| inside[position]);
                Baseline::of_loads(colleagues.map(|position| match later(position) {
                    Some(later) => self.load(&self.scores_after, later, component),
                    None => self.load(&self.scores_settled, position, component),
                }))
            })
            .collect()
    }

    fn load(&self, scores: &Scores, position: usize, component: usize) -> u64 {
        let row = &scores.components[position * self.weights.len() + component];
        row.load_micro.unsigned_abs()
    }

    /// The change of somebody who is there in both snapshots, by cause: `position` here, and
    /// `score_after` and own loads in the later snapshot, wherever the person is compared there.
    pub(super) fn parts(
        &self,
        position: usize,
        later: &Later,
        changes: &[Change<'_>],
        evidence: &Evidence<'_>,
        names: &Names,
    ) -> DiffParts {
        let component_of = |change: &Change<'_>| {
            let component = change.place.0;
            let place = names
                .components
                .binary_search_by(|name| name.as_str().cmp(component));
            place.expect("the names are those of both tenants")
        };
        let mut loads: Vec<u64> = (0..self.weights.len())
            .map(|component| self.load(&self.scores_settled, position, component))
            .collect();
        let yardsticks = self.yardsticks(&self.colleagues_then, position, &loads);
        let published = self.scores_before.members[position].score_micro;
        let mut last = self.scores_settled.members[position].score_micro;
        let mut parts = DiffParts {
            settings: last - published,
            ..DiffParts::default()
        };
        let mut step = |loads: &[u64], yardsticks: &[Yardstick]| {
            let score = self.score(loads, yardsticks);
            let part = score - last;
            last = score;
            part
        };
        // Time passes over what was known.
        for change in changes {
            let load = &mut loads[component_of(change)];
            *load = *load - change.then + change.now;
        }
        parts.decay = step(&loads, &yardsticks);
        // Then the counts change, cause by cause.
        for cause in Cause::ALL {
            for change in changes {
                if change.now != change.after && evidence.cause(change) == cause {
                    let load = &mut loads[component_of(change)];
                    *load = *load - change.now + change.after;
                }
            }
            let part = step(&loads, &yardsticks);
            match cause {
                Cause::Retracted => parts.retracted = part,
                Cause::Directory => parts.directory = part,
                Cause::Rules => parts.rules = part,
                Cause::Late => parts.late = part,
                Cause::NewSignals => parts.new_signals = part,
            }
        }
        // Then the others' loads. Somebody who is no colleague here any more is still counted with
        // the load from before, and leaves their own yardstick with that.
        let own: Vec<u64> = (0..self.weights.len())
            .map(|component| {
                if later.stays {
                    loads[component]
                } else {
                    self.load(&self.scores_settled, position, component)
                }
            })
            .collect();
        let now = self.yardsticks(&self.colleagues_now, position, &own);
        parts.colleagues = step(&loads, &now);
        parts.population = later.score_micro - last;
        parts
    }

    /// What somebody is measured with; `own` are the loads with which they are among the baselines.
    fn yardsticks(&self, baselines: &[Baseline], position: usize, own: &[u64]) -> Vec<Yardstick> {
        let is_colleague = self.before.in_population()[position];
        baselines
            .iter()
            .zip(own)
            .map(|(baseline, &load)| {
                if is_colleague {
                    baseline.yardstick_of_member(load, self.scale)
                } else {
                    baseline.yardstick_of_added(self.scale)
                }
            })
            .collect()
    }

    fn score(&self, loads: &[u64], yardsticks: &[Yardstick]) -> i64 {
        let components = self.weights.iter().zip(loads).zip(yardsticks);
        score_of_components(
            components.map(|((&weight, &load), yardstick)| (weight, yardstick.odds_nano(load))),
        )
    }
}

/// Where somebody ends up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Later {
    pub(super) score_micro: i64,
    /// Whether they are a colleague in the same population in both snapshots.
    pub(super) stays: bool,
}

/// Members by user id, then the erased by hash.
fn identities<'c>(cohort: &'c Cohort<'_>) -> impl Iterator<Item = (bool, &'c str)> {
    let members = cohort.members().map(|member| (false, member.user_uid));
    members.chain(cohort.erased().map(|erased| (true, erased.person_hash)))
}

impl<'a> Cuts<'a> {
    pub(super) fn days(&self) -> Days<'a> {
        Days {
            before: self.as_of[0],
            after: self.as_of[1],
            scale: self.scale,
        }
    }
}
