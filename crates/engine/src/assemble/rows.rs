//! A scored population: the kernel's figures into rows.

use std::collections::BTreeSet;

use af_model::tables::{
    component_scores, org_summary, signal_attribution, tombstones, user_scores,
};
use af_model::{FORMULA, Params, UtcDay};
use af_score::{ComponentScore, Scores};

use super::cohort::Cohort;
use super::groups::group_rows;
use super::tenant::{Erased, Member};
use super::{SnapshotTables, Stamp};

/// Blocks of a person that stand alone in `signal_attribution`; the rest is one row.
const BLOCKS_PER_PERSON: usize = 50;

/// One population of one tenant, scored.
pub(super) struct Scored<'a> {
    cohort: &'a Cohort<'a>,
    scores: Scores,
    params: &'a Params,
    stamp: &'a Stamp,
}

impl<'a> Scored<'a> {
    /// Scores everybody.
    pub(super) fn new(
        cohort: &'a Cohort<'a>,
        params: &'a Params,
        stamp: &'a Stamp,
    ) -> Result<Self, af_score::Error> {
        Ok(Self {
            cohort,
            scores: cohort.score(stamp.cut.as_of.day(), params)?,
            params,
            stamp,
        })
    }

    /// Appends the rows of every table.
    pub(super) fn write(&self, tables: &mut SnapshotTables) {
        for (position, member) in self.cohort.members().enumerate() {
            tables.user_scores.push(self.user_score(position, member));
            self.component_scores(position, member, &mut tables.component_scores);
            self.attribution(position, member, &mut tables.signal_attribution);
        }
        for (position, erased) in (self.cohort.len()..).zip(self.cohort.erased()) {
            self.tombstones(position, erased, &mut tables.tombstones);
        }
        self.org_summary(&mut tables.org_summary);
        tables
            .group_index
            .extend(group_rows(self.cohort, &self.scores, self.stamp.cut));
        tables
            .population
            .entry(self.cohort.tenant.name.to_owned())
            .or_default()
            .insert(
                self.cohort.population.as_str().to_owned(),
                self.scores.population_n,
            );
    }

    fn user_score(&self, position: usize, member: &Member<'_>) -> user_scores::Row {
        let score = &self.scores.members[position];
        let buckets = self.cohort.buckets_of(position);
        let days: BTreeSet<UtcDay> = buckets.iter().map(|bucket| bucket.day).collect();
        let owned = |text: Option<&str>| text.map(str::to_owned);
        user_scores::Row {
            tenant_uid: self.cohort.tenant.name.to_owned(),
            as_of: self.stamp.cut.as_of,
            known_at: self.stamp.cut.known_at,
            formula: FORMULA.to_owned(),
            config_hash: self.stamp.config_hash.clone(),
            rules_hash: self.stamp.rules_hash.clone(),
            population: self.cohort.population.as_str().to_owned(),
            population_n: to_i64(self.scores.population_n),
            in_population: member.in_population,
            user_uid: member.user_uid.to_owned(),
            email: member.email.to_owned(),
            display_name: owned(member.display_name),
            department: owned(member.department),
            location: owned(member.location),
            manager_uid: owned(member.manager_uid),
            score_micro: score.score_micro,
            level: score.level.as_str().to_owned(),
            odds_nano: score.odds_nano,
            rank: score.rank,
            percentile: score.percentile,
            pct_below: score.pct_below,
            // The kernel has checked that all counts together fit.
            signal_count: to_i64(buckets.iter().flat_map(|bucket| bucket.counts).sum()),
            attack_days: to_i64(days.len() as u64),
            first_attack: buckets.iter().map(|bucket| bucket.first_time).min(),
            last_attack: buckets.iter().map(|bucket| bucket.last_time).max(),
        }
    }

    /// The figures of each component of one member or erased person, with the component's name.
    fn figures(&self, position: usize) -> impl Iterator<Item = (&String, &ComponentScore)> {
        let components = &self.cohort.names.components;
        let from = position * components.len();
        let figures = &self.scores.components[from..from + components.len()];
        components.iter().zip(figures)
    }

    fn component_scores(
        &self,
        position: usize,
        member: &Member<'_>,
        rows: &mut Vec<component_scores::Row>,
    ) {
        rows.extend(
            self.figures(position)
                .map(|(component, figure)| component_scores::Row {
                    tenant_uid: self.cohort.tenant.name.to_owned(),
                    as_of: self.stamp.cut.as_of,
                    known_at: self.stamp.cut.known_at,
                    user_uid: member.user_uid.to_owned(),
                    component: component.clone(),
                    load_micro: figure.load_micro,
                    baseline_micro: figure.baseline_micro,
                    odds_nano: figure.odds_nano,
                    score_micro: figure.score_micro,
                    relative_weight_micro: figure.relative_weight_micro,
                    weight_permille: figure.weight_permille,
                }),
        );
    }

    fn tombstones(&self, position: usize, erased: &Erased<'_>, rows: &mut Vec<tombstones::Row>) {
        let row =
            |component: Option<&String>, load_micro, odds_nano, score_micro| tombstones::Row {
                tenant_uid: self.cohort.tenant.name.to_owned(),
                as_of: self.stamp.cut.as_of,
                known_at: self.stamp.cut.known_at,
                person_hash: erased.person_hash.to_owned(),
                erased_at: erased.erased_at,
                population: self.cohort.population.as_str().to_owned(),
                in_population: erased.in_population,
                component: component.cloned(),
                load_micro,
                odds_nano,
                score_micro,
            };
        // The kernel has checked that a person's loads add up to what fits.
        let sum = self.figures(position).map(|(_, figure)| figure.load_micro);
        let whole = &self.scores.members[position];
        rows.push(row(None, sum.sum(), whole.odds_nano, whole.score_micro));
        rows.extend(self.figures(position).map(|(component, figure)| {
            row(
                Some(component),
                figure.load_micro,
                figure.odds_nano,
                figure.score_micro,
            )
        }));
    }

    fn attribution(
        &self,
        position: usize,
        member: &Member<'_>,
        rows: &mut Vec<signal_attribution::Row>,
    ) {
        let buckets = self.cohort.buckets_of(position);
        if buckets.is_empty() {
            return;
        }
        let blocks = af_score::attribute(
            &self.cohort.organization(),
            &self.scores,
            self.stamp.cut.as_of.day(),
            self.params,
            u32::try_from(position).expect("a population has fewer than 2^32 members"),
        );
        let (kept, rest) = af_score::fold_rest(blocks, BLOCKS_PER_PERSON);
        let empty = |n: u64, load: i64, score: i64| signal_attribution::Row {
            tenant_uid: self.cohort.tenant.name.to_owned(),
            as_of: self.stamp.cut.as_of,
            known_at: self.stamp.cut.known_at,
            user_uid: member.user_uid.to_owned(),
            component: None,
            family: None,
            day: None,
            level: None,
            n: to_i64(n),
            load_share_micro: load,
            score_share_micro: score,
            without_micro: None,
            rule_ids: Vec::new(),
            signal_uids: Vec::new(),
        };
        if let Some(rest) = rest {
            rows.push(empty(rest.n, rest.load_share_micro, rest.score_share_micro));
        }
        for block in kept {
            let component = self.cohort.names.components[block.component as usize].as_str();
            let family = self.cohort.names.families[block.family as usize].as_str();
            let bucket = buckets
                .binary_search_by(|probe| {
                    (probe.component, probe.family, probe.day).cmp(&(component, family, block.day))
                })
                .expect("every attributed block is of one of the member's buckets");
            let behind = buckets[bucket]
                .behind
                .iter()
                .find(|counted| counted.level == block.level);
            rows.push(signal_attribution::Row {
                component: Some(component.to_owned()),
                family: Some(family.to_owned()),
                day: Some(block.day),
                level: Some(block.level.as_str().to_owned()),
                without_micro: Some(block.without_micro),
                rule_ids: behind.map_or_else(Vec::new, |counted| {
                    counted.rule_ids.iter().map(ToString::to_string).collect()
                }),
                signal_uids: behind.map_or_else(Vec::new, |counted| {
                    counted.signal_uids.iter().map(str::to_owned).collect()
                }),
                ..empty(block.n, block.load_share_micro, block.score_share_micro)
            });
        }
    }

    fn org_summary(&self, rows: &mut Vec<org_summary::Row>) {
        let figures = af_score::org_summary(&self.cohort.organization(), &self.scores, self.params);
        let components = &self.cohort.names.components;
        rows.extend(figures.into_iter().map(|figure| org_summary::Row {
            tenant_uid: self.cohort.tenant.name.to_owned(),
            as_of: self.stamp.cut.as_of,
            known_at: self.stamp.cut.known_at,
            population: self.cohort.population.as_str().to_owned(),
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
        }));
    }
}

/// Counts of people and signals stay far below 2^63.
fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
