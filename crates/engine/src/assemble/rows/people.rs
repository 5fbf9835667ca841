//! `user_scores` and `component_scores`.

use std::sync::Arc;

use af_model::tables::{component_scores, user_scores};
use af_model::{FORMULA, ScoreLevel, UtcMillis};
use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};

use super::column::{
    self, batch, instants, integers, key, named, names, optional_instants, repeated,
    repeated_option,
};
use super::{Placed, ScoredTenant, Slice, to_i64};
use crate::assemble::cohort::POPULATIONS;
use crate::assemble::tenant::Member;

/// What a person's buckets come to.
#[derive(Default)]
struct Sum {
    signals: u64,
    days: u64,
    first: Option<UtcMillis>,
    last: Option<UtcMillis>,
}

impl ScoredTenant<'_> {
    /// What was counted against one member; `days` is room to sort in.
    fn sum(slice: Slice<'_, '_>, placed: &Placed<'_, '_>, days: &mut Vec<i32>) -> Sum {
        let mut sum = Sum::default();
        days.clear();
        for bucket in placed.buckets(slice) {
            // The kernel has checked that all counts together fit.
            sum.signals += bucket.counts.iter().sum::<u64>();
            sum.first = Some(
                sum.first
                    .map_or(bucket.first_time, |at| at.min(bucket.first_time)),
            );
            sum.last = sum.last.max(Some(bucket.last_time));
            days.push(bucket.day.0);
        }
        days.sort_unstable();
        days.dedup();
        sum.days = days.len() as u64;
        sum
    }

    pub(super) fn user_scores(
        &self,
        slice: Slice<'_, '_>,
        people: &[Placed<'_, '_>],
        uids: &column::Names,
    ) -> RecordBatch {
        let rows = people.len();
        let mut days = Vec::new();
        let sums: Vec<Sum> = people
            .iter()
            .map(|placed| Self::sum(slice, placed, &mut days))
            .collect();
        let text = |of: for<'m> fn(&Member<'m>) -> Option<&'m str>| -> ArrayRef {
            let texts = people.iter().map(|placed| of(placed.member));
            Arc::new(texts.collect::<StringArray>())
        };
        let integer =
            |of: &dyn Fn(&Placed<'_, '_>) -> i64| integers(people.iter().map(of).collect());
        let emails = people.iter().map(|placed| placed.member.email);
        let inside = people
            .iter()
            .map(|placed| Some(placed.member.in_population));
        let levels = names(ScoreLevel::ASCENDING.iter().map(|level| level.as_str()));
        let level = |placed: &Placed<'_, '_>| {
            let level = placed.score().level;
            let place = ScoreLevel::ASCENDING.iter().position(|one| *one == level);
            key(place.expect("every level is one of all"))
        };
        let population = |placed: &Placed<'_, '_>| {
            let own = placed.member.population;
            let place = POPULATIONS.iter().position(|one| *one == own);
            key(place.expect("every population is one of all"))
        };
        let cut = self.stamp.cut;
        let share = |of: fn(&Placed<'_, '_>) -> Option<f64>| -> ArrayRef {
            Arc::new(people.iter().map(of).collect::<Float64Array>())
        };
        batch(
            &user_scores::TABLE,
            [
                ("tenant_uid", repeated(self.tenant.name, rows)),
                ("as_of", instants((0..rows).map(|_| cut.as_of))),
                ("known_at", instants((0..rows).map(|_| cut.known_at))),
                ("formula", repeated(FORMULA, rows)),
                ("config_hash", repeated(&self.stamp.config_hash, rows)),
                (
                    "rules_hash",
                    repeated_option(self.stamp.rules_hash.as_deref(), rows),
                ),
                (
                    "population",
                    named(
                        people.iter().map(population).collect::<Vec<i32>>(),
                        &names(POPULATIONS.iter().map(|population| population.as_str())),
                    ),
                ),
                (
                    "population_n",
                    integer(&|placed| to_i64(placed.cohort.scores.population_n)),
                ),
                (
                    "in_population",
                    Arc::new(inside.collect::<BooleanArray>()) as ArrayRef,
                ),
                ("user_uid", Arc::clone(uids) as ArrayRef),
                ("email", Arc::new(StringArray::from_iter_values(emails))),
                ("display_name", text(|member| member.display_name)),
                ("department", text(|member| member.department)),
                ("location", text(|member| member.location)),
                ("manager_uid", text(|member| member.manager_uid)),
                ("score_micro", integer(&|placed| placed.score().score_micro)),
                (
                    "level",
                    named(people.iter().map(level).collect::<Vec<i32>>(), &levels),
                ),
                ("odds_nano", integer(&|placed| placed.score().odds_nano)),
                (
                    "rank",
                    Arc::new(
                        people
                            .iter()
                            .map(|placed| placed.score().rank)
                            .collect::<Int64Array>(),
                    ),
                ),
                ("percentile", share(|placed| placed.score().percentile)),
                ("pct_below", share(|placed| placed.score().pct_below)),
                (
                    "signal_count",
                    integers(sums.iter().map(|sum| to_i64(sum.signals)).collect()),
                ),
                (
                    "attack_days",
                    integers(sums.iter().map(|sum| to_i64(sum.days)).collect()),
                ),
                (
                    "first_attack",
                    optional_instants(sums.iter().map(|sum| sum.first)),
                ),
                (
                    "last_attack",
                    optional_instants(sums.iter().map(|sum| sum.last)),
                ),
            ],
        )
    }

    pub(super) fn component_scores(
        &self,
        people: &[Placed<'_, '_>],
        uids: &column::Names,
    ) -> RecordBatch {
        let components = &self.names.components;
        let rows = people.len() * components.len();
        let figures = || people.iter().flat_map(Placed::components);
        let cut = self.stamp.cut;
        let person =
            (0..people.len()).flat_map(|place| (0..components.len()).map(move |_| key(place)));
        let component = people.iter().flat_map(|_| (0..components.len()).map(key));
        batch(
            &component_scores::TABLE,
            [
                ("tenant_uid", repeated(self.tenant.name, rows)),
                ("as_of", instants((0..rows).map(|_| cut.as_of))),
                ("known_at", instants((0..rows).map(|_| cut.known_at))),
                ("user_uid", named(person.collect::<Vec<i32>>(), uids)),
                (
                    "component",
                    named(
                        component.collect::<Vec<i32>>(),
                        &names(components.iter().map(String::as_str)),
                    ),
                ),
                (
                    "load_micro",
                    integers(figures().map(|figure| figure.load_micro).collect()),
                ),
                (
                    "baseline_micro",
                    integers(figures().map(|figure| figure.baseline_micro).collect()),
                ),
                (
                    "odds_nano",
                    integers(figures().map(|figure| figure.odds_nano).collect()),
                ),
                (
                    "score_micro",
                    integers(figures().map(|figure| figure.score_micro).collect()),
                ),
                (
                    "relative_weight_micro",
                    integers(
                        figures()
                            .map(|figure| figure.relative_weight_micro)
                            .collect(),
                    ),
                ),
                (
                    "weight_permille",
                    integers(figures().map(|figure| figure.weight_permille).collect()),
                ),
            ],
        )
    }
}
