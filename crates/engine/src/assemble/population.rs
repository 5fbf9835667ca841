//! One population of one tenant: counts into the kernel, figures into rows.

use std::collections::{BTreeMap, BTreeSet};

use af_count::CountedBlock;
use af_model::tables::{
    component_scores, group_index, org_summary, signal_attribution, user_scores,
};
use af_model::{FORMULA, Person, Population, UtcDay};
use af_score::{Bucket, Organization};

use super::{SnapshotTables, Tenant};
use crate::error::{Error, ErrorKind};

/// Blocks of a person that stand alone in `signal_attribution`; the rest is one row.
const BLOCKS_PER_PERSON: usize = 50;

/// One population of one tenant, scored.
pub(super) struct Scoring<'a> {
    tenant: &'a Tenant<'a>,
    population: Population,
    /// Indices into the directory, ascending, which is ascending by user id.
    members: &'a [u32],
    in_population: Vec<bool>,
    components: &'a [String],
    families: &'a [String],
    buckets: Vec<Bucket>,
    /// The counted blocks of each member: a range of the tenant's blocks.
    blocks: Vec<std::ops::Range<usize>>,
    scores: af_score::Scores,
    as_of: UtcDay,
}

impl<'a> Scoring<'a> {
    /// Scores the members: indices into the directory, ascending.
    pub(super) fn new(
        tenant: &'a Tenant<'a>,
        population: Population,
        members: &'a [u32],
        components: &'a [String],
        families: &'a [String],
    ) -> Result<Self, Error> {
        let cut = tenant.stamp.cut;
        let in_population: Vec<bool> = members
            .iter()
            .map(|&member| tenant.person(member).in_population(cut.as_of))
            .collect();
        let all = &tenant.counts.blocks;
        let mut buckets: Vec<Bucket> = Vec::new();
        let mut blocks = Vec::with_capacity(members.len());
        for (position, &member) in (0_u32..).zip(members) {
            let from = all.partition_point(|block| block.person < member);
            let to = from + all[from..].partition_point(|block| block.person == member);
            for block in &all[from..to] {
                let bucket = Bucket {
                    member: position,
                    component: place(components, &block.component),
                    family: place(families, &block.family),
                    day: block.day,
                    counts: [0; 4],
                };
                let same = buckets.last().is_some_and(|last| {
                    (last.member, last.component, last.family, last.day)
                        == (bucket.member, bucket.component, bucket.family, bucket.day)
                });
                if !same {
                    buckets.push(bucket);
                }
                let last = buckets.last_mut().expect("a bucket was just pushed");
                last.counts[block.level.slot()] += block.n;
            }
            blocks.push(from..to);
        }
        let as_of = cut.as_of.day();
        let organization = Organization {
            in_population: &in_population,
            components,
            buckets: &buckets,
        };
        let scores = af_score::score(&organization, as_of, tenant.params).map_err(|error| {
            Error::new(
                ErrorKind::Gate,
                format!("the kernel refuses the counts: {error}"),
            )
        })?;
        Ok(Self {
            tenant,
            population,
            members,
            in_population,
            components,
            families,
            buckets,
            blocks,
            scores,
            as_of,
        })
    }

    /// Appends the rows of every table.
    pub(super) fn write(&self, tables: &mut SnapshotTables) {
        for position in 0..self.members.len() {
            tables.user_scores.push(self.user_score(position));
            self.component_scores(position, &mut tables.component_scores);
            self.attribution(position, &mut tables.signal_attribution);
        }
        self.org_summary(&mut tables.org_summary);
        if self.population == Population::Human {
            self.group_index(&mut tables.group_index);
        }
        tables
            .population
            .entry(self.tenant.name.to_owned())
            .or_default()
            .insert(
                self.population.as_str().to_owned(),
                self.scores.population_n,
            );
    }

    fn organization(&self) -> Organization<'_> {
        Organization {
            in_population: &self.in_population,
            components: self.components,
            buckets: &self.buckets,
        }
    }

    fn counted_blocks(&self, position: usize) -> &[CountedBlock] {
        &self.tenant.counts.blocks[self.blocks[position].clone()]
    }

    fn user_score(&self, position: usize) -> user_scores::Row {
        let person = self.tenant.person(self.members[position]);
        let score = &self.scores.members[position];
        let blocks = self.counted_blocks(position);
        let days: BTreeSet<UtcDay> = blocks.iter().map(|block| block.day).collect();
        let stamp = self.tenant.stamp;
        user_scores::Row {
            tenant_uid: person.tenant_uid.clone(),
            as_of: stamp.cut.as_of,
            known_at: stamp.cut.known_at,
            formula: FORMULA.to_owned(),
            config_hash: stamp.config_hash.clone(),
            rules_hash: stamp.rules_hash.clone(),
            population: self.population.as_str().to_owned(),
            population_n: to_i64(self.scores.population_n),
            in_population: self.in_population[position],
            user_uid: person.user_uid.clone(),
            email: person.email.clone(),
            display_name: person.display_name.clone(),
            department: person.department.clone(),
            location: person.location.clone(),
            manager_uid: person.manager_uid.clone(),
            score_micro: score.score_micro,
            level: score.level.as_str().to_owned(),
            odds_nano: score.odds_nano,
            rank: score.rank,
            percentile: score.percentile,
            pct_below: score.pct_below,
            signal_count: to_i64(blocks.iter().map(|block| block.n).sum()),
            attack_days: to_i64(days.len() as u64),
            first_attack: blocks.iter().map(|block| block.first_time).min(),
            last_attack: blocks.iter().map(|block| block.last_time).max(),
        }
    }

    fn component_scores(&self, position: usize, rows: &mut Vec<component_scores::Row>) {
        let person = self.tenant.person(self.members[position]);
        let from = position * self.components.len();
        let figures = &self.scores.components[from..from + self.components.len()];
        for (component, figure) in self.components.iter().zip(figures) {
            rows.push(component_scores::Row {
                tenant_uid: person.tenant_uid.clone(),
                as_of: self.tenant.stamp.cut.as_of,
                known_at: self.tenant.stamp.cut.known_at,
                user_uid: person.user_uid.clone(),
                component: component.clone(),
                load_micro: figure.load_micro,
                baseline_micro: figure.baseline_micro,
                odds_nano: figure.odds_nano,
                score_micro: figure.score_micro,
                relative_weight_micro: figure.relative_weight_micro,
                weight_permille: figure.weight_permille,
            });
        }
    }

    fn attribution(&self, position: usize, rows: &mut Vec<signal_attribution::Row>) {
        let counted = self.counted_blocks(position);
        if counted.is_empty() {
            return;
        }
        let person = self.tenant.person(self.members[position]);
        let member = u32::try_from(position).expect("a population has fewer than 2^32 members");
        let blocks = af_score::attribute(
            &self.organization(),
            &self.scores,
            self.as_of,
            self.tenant.params,
            member,
        );
        let (kept, rest) = af_score::fold_rest(blocks, BLOCKS_PER_PERSON);
        let empty = |n: u64, load: i64, score: i64| signal_attribution::Row {
            tenant_uid: person.tenant_uid.clone(),
            as_of: self.tenant.stamp.cut.as_of,
            known_at: self.tenant.stamp.cut.known_at,
            user_uid: person.user_uid.clone(),
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
            let component = &self.components[block.component as usize];
            let family = &self.families[block.family as usize];
            let behind = counted
                .iter()
                .find(|counted| {
                    counted.component.as_ref() as &str == component.as_str()
                        && counted.family.as_ref() as &str == family.as_str()
                        && counted.day == block.day
                        && counted.level == block.level
                })
                .expect("every attributed block was counted");
            rows.push(signal_attribution::Row {
                component: Some(component.clone()),
                family: Some(family.clone()),
                day: Some(block.day),
                level: Some(block.level.as_str().to_owned()),
                without_micro: Some(block.without_micro),
                rule_ids: behind.rule_ids.iter().map(ToString::to_string).collect(),
                signal_uids: behind.signal_uids.iter().map(ToString::to_string).collect(),
                ..empty(block.n, block.load_share_micro, block.score_share_micro)
            });
        }
    }

    fn org_summary(&self, rows: &mut Vec<org_summary::Row>) {
        let figures = af_score::org_summary(&self.organization(), &self.scores, self.tenant.params);
        for figure in figures {
            rows.push(org_summary::Row {
                tenant_uid: self.tenant.name.to_owned(),
                as_of: self.tenant.stamp.cut.as_of,
                known_at: self.tenant.stamp.cut.known_at,
                population: self.population.as_str().to_owned(),
                component: figure.component.map(|index| self.components[index].clone()),
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
        }
    }

    fn group_index(&self, rows: &mut Vec<group_index::Row>) {
        type KeyOf = fn(&Person) -> Option<&String>;
        let kinds: [(&str, KeyOf); 3] = [
            ("department", |person| person.department.as_ref()),
            ("location", |person| person.location.as_ref()),
            ("manager", |person| person.manager_uid.as_ref()),
        ];
        let ranked: Vec<usize> = (0..self.members.len())
            .filter(|&position| self.in_population[position])
            .collect();
        let scores: Vec<i64> = ranked
            .iter()
            .map(|&position| self.scores.members[position].score_micro)
            .collect();
        for (kind, key_of) in kinds {
            let mut groups: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
            for (index, &position) in (0_u32..).zip(&ranked) {
                if let Some(key) = key_of(self.tenant.person(self.members[position])) {
                    groups.entry(key).or_default().push(index);
                }
            }
            let members: Vec<&[u32]> = groups.values().map(Vec::as_slice).collect();
            let figures = af_score::group_figures(&scores, &members)
                .expect("every group was made of the scores' own positions");
            for (key, figure) in groups.keys().zip(figures) {
                let Some(figure) = figure else { continue };
                rows.push(group_index::Row {
                    tenant_uid: self.tenant.name.to_owned(),
                    as_of: self.tenant.stamp.cut.as_of,
                    known_at: self.tenant.stamp.cut.known_at,
                    group_kind: kind.to_owned(),
                    group_key: (*key).to_owned(),
                    n: figure.n,
                    mean_score_micro: figure.mean_score_micro,
                    sd_score_micro: figure.sd_score_micro,
                    shrunk_mean_micro: figure.shrunk_mean_micro,
                    lower_bound_micro: figure.lower_bound_micro,
                });
            }
        }
    }
}

/// The place of a name in an ascending list that holds it.
fn place(names: &[String], name: &str) -> u32 {
    let place = names
        .binary_search_by(|probe| probe.as_str().cmp(name))
        .expect("the list was made of the same blocks");
    u32::try_from(place).expect("a tenant has fewer than 2^32 components and families")
}

/// Counts of people and signals stay far below 2^63.
fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
