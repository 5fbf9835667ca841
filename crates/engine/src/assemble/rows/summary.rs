//! `org_summary`, and `tombstones`: few rows.

use af_model::tables::{org_summary, tombstones};

use super::{ScoredCohort, ScoredTenant};
use crate::assemble::tenant::Erased;

impl ScoredTenant<'_> {
    pub(super) fn org_summary(&self) -> Vec<org_summary::Row> {
        let cohorts = self.cohorts.iter();
        cohorts.flat_map(|scored| self.summary_of(scored)).collect()
    }

    fn summary_of(&self, scored: &ScoredCohort<'_>) -> Vec<org_summary::Row> {
        let organization = scored.cohort.organization();
        let figures = af_score::org_summary(&organization, &scored.scores, self.params);
        let components = &self.names.components;
        let rows = figures.into_iter().map(|figure| org_summary::Row {
            tenant_uid: self.tenant.name.to_owned(),
            as_of: self.stamp.cut.as_of,
            known_at: self.stamp.cut.known_at,
            population: scored.cohort.population.as_str().to_owned(),
            component: figure.component.map(|index| components[index].clone()),
            population_n: figure.population_n,
            mean_score_micro: figure.mean_score_micro,
            n_none: figure.people[0],
            n_very_low: figure.people[1],
            n_low: figure.people[2],
            n_medium: figure.people[3],
            n_high: figure.people[4],
            n_very_high: figure.people[5],
            mean_load_micro: figure.mean_load_micro,
            top_tenth_load_share_micro: figure.top_tenth_load_share_micro,
            load_for_low_micro: figure.load_for_micro[0],
            load_for_medium_micro: figure.load_for_micro[1],
            load_for_high_micro: figure.load_for_micro[2],
            load_for_very_high_micro: figure.load_for_micro[3],
        });
        rows.collect()
    }

    /// What is left of the erased of both populations, by hash and component.
    pub(super) fn tombstones(&self) -> Vec<tombstones::Row> {
        let mut rows = Vec::new();
        for scored in &self.cohorts {
            let first = scored.cohort.len();
            for (position, erased) in (first..).zip(scored.cohort.erased()) {
                self.tombstones_of(scored, position, erased, &mut rows);
            }
        }
        rows.sort_by(|a, b| (&a.person_hash, &a.component).cmp(&(&b.person_hash, &b.component)));
        rows
    }

    fn tombstones_of(
        &self,
        scored: &ScoredCohort<'_>,
        position: usize,
        erased: &Erased<'_>,
        rows: &mut Vec<tombstones::Row>,
    ) {
        let row =
            |component: Option<&String>, load_micro, odds_nano, score_micro| tombstones::Row {
                tenant_uid: self.tenant.name.to_owned(),
                as_of: self.stamp.cut.as_of,
                known_at: self.stamp.cut.known_at,
                person_hash: erased.person_hash.to_owned(),
                erased_at: erased.erased_at,
                population: scored.cohort.population.as_str().to_owned(),
                in_population: erased.in_population,
                component: component.cloned(),
                load_micro,
                odds_nano,
                score_micro,
            };
        let figures = scored.components(position);
        // The kernel has checked that a person's loads add up to what fits.
        let sum = figures.iter().map(|figure| figure.load_micro).sum();
        let whole = &scored.scores.members[position];
        rows.push(row(None, sum, whole.odds_nano, whole.score_micro));
        let named = self.names.components.iter().zip(figures);
        rows.extend(named.map(|(component, figure)| {
            row(
                Some(component),
                figure.load_micro,
                figure.odds_nano,
                figure.score_micro,
            )
        }));
    }
}
