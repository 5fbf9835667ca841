//! All people and populations of both snapshots.

use std::collections::{BTreeMap, BTreeSet};

use af_model::tables::user_scores;
use af_model::view::{DiffFigures, DiffOrganization, DiffParts, DiffPerson};
use af_model::{Params, ScoreLevel};
use af_score::{Scale, Scores};
use af_store::Snapshot;

use super::causes::{Evidence, Unmatched, directories_differ, unmatched};
use super::steps::{Comparison, Cuts, Later};
use super::{DiffQuery, is_moved, unsound};
use crate::assemble::{Cohort, Member, Names, POPULATIONS, Published, Tenant, read_unmatched};
use crate::error::{Error, ErrorKind};

/// Everybody, and every organization.
pub(super) struct Found {
    pub(super) notes: Vec<String>,
    pub(super) organizations: Vec<DiffOrganization>,
    pub(super) people: Vec<DiffPerson>,
}

/// Compares every tenant that was asked for.
pub(super) fn compare(
    snapshots: [&Snapshot; 2],
    rows: [&Published; 2],
    query: &DiffQuery,
) -> Result<Found, Error> {
    let manifests = snapshots.map(Snapshot::manifest);
    let params = manifests.map(|manifest| &manifest.params);
    let scale =
        Scale::new(params[1]).map_err(|invalid| unsound(snapshots[1], &invalid.to_string()))?;
    let cuts = Cuts {
        as_of: manifests.map(|manifest| manifest.as_of),
        params,
        scale: &scale,
    };
    let [before, after] = [
        tenants(snapshots[0], rows[0])?,
        tenants(snapshots[1], rows[1])?,
    ];
    let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let wanted = |name: &&str| query.tenant.as_deref().is_none_or(|tenant| tenant == *name);
    let names: Vec<&str> = names.into_iter().filter(wanted).collect();
    if let (Some(tenant), true) = (&query.tenant, names.is_empty()) {
        let message = format!(
            "find tenant {} in either snapshot",
            af_model::name::Printable(tenant)
        );
        let hint = "the organizations of a snapshot stand in its manifest.json, under tenants";
        return Err(Error::new(ErrorKind::Usage, message).with_hint(hint));
    }
    let mut found = Found {
        notes: Vec::new(),
        organizations: Vec::new(),
        people: Vec::new(),
    };
    if params[0] != params[1] {
        found
            .notes
            .push("parameters differ: what they change is in settings".to_owned());
    }
    if manifests[0].rules_hash != manifests[1].rules_hash {
        let note = "rules differ: own changes on days before are in rules, late arrivals and \
                    retractions among them";
        found.notes.push(note.to_owned());
    }
    let nobody = [
        unmatched(&read_unmatched(snapshots[0])?),
        unmatched(&read_unmatched(snapshots[1])?),
    ];
    for name in names {
        match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) => {
                if directories_differ(name, manifests) {
                    found.notes.push(format!(
                        "the directory of {name} differs: own changes on days before are in \
                         directory where the same kind of attack left or reached somebody else"
                    ));
                }
                let both = Both {
                    snapshots,
                    tenants: [before, after],
                    rows,
                    unmatched: [&nobody[0], &nobody[1]],
                    cuts,
                };
                both.compare(query, &mut found)?;
            }
            (Some(tenant), None) => {
                found
                    .notes
                    .push(format!("{name} is only in the earlier snapshot"));
                only(snapshots[0], tenant, params[0], false, &mut found)?;
            }
            (None, Some(tenant)) => {
                found
                    .notes
                    .push(format!("{name} is only in the later snapshot"));
                only(snapshots[1], tenant, params[1], true, &mut found)?;
            }
            (None, None) => {}
        }
    }
    Ok(found)
}

fn tenants<'a>(
    snapshot: &Snapshot,
    rows: &'a Published,
) -> Result<BTreeMap<&'a str, Tenant<'a>>, Error> {
    let mut faults = Vec::new();
    let mut tenants = BTreeMap::new();
    for (name, slices) in rows.tenants() {
        let tenant = slices.tenant(name, snapshot.manifest().as_of, &mut faults);
        tenants.extend(tenant.map(|tenant| (name, tenant)));
    }
    match faults.first() {
        None => Ok(tenants),
        Some(fault) => {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let problem = format!(
                "{} {} {} is {}, expected {}",
                fault.table,
                text(&fault.row),
                text(&fault.column),
                text(&fault.found),
                fault.expected
            );
            Err(unsound(snapshot, &problem))
        }
    }
}

/// A tenant of one snapshot only: its figures, and nobody of it as if they had joined or left.
fn only(
    snapshot: &Snapshot,
    tenant: &Tenant<'_>,
    params: &Params,
    is_later: bool,
    found: &mut Found,
) -> Result<(), Error> {
    let names = Names::of(tenant);
    for population in POPULATIONS {
        let cohort = Cohort::new(tenant, population, &names);
        let scores = cohort
            .score(snapshot.manifest().as_of.day(), params)
            .map_err(|error| unsound(snapshot, &error.to_string()))?;
        let figures = figures(&cohort, &scores, params);
        if figures.is_some() {
            let (before, after) = if is_later {
                (None, figures)
            } else {
                (figures, None)
            };
            found.organizations.push(DiffOrganization {
                tenant_uid: tenant.name.to_owned(),
                population: population.as_str().to_owned(),
                before,
                after,
                moved_by_cause: BTreeMap::new(),
            });
        }
    }
    Ok(())
}

/// A population in a few figures; none where there is nobody.
fn figures(cohort: &Cohort<'_>, scores: &Scores, params: &Params) -> Option<DiffFigures> {
    if cohort.is_empty() {
        return None;
    }
    let summary = af_score::org_summary(&cohort.organization(), scores, params);
    let whole = summary.first()?;
    Some(DiffFigures {
        population_n: scores.population_n,
        mean_score_micro: whole.mean_score_micro,
        levels: whole.people.map(i64::unsigned_abs),
    })
}

/// A tenant that both snapshots have.
struct Both<'a> {
    snapshots: [&'a Snapshot; 2],
    tenants: [&'a Tenant<'a>; 2],
    rows: [&'a Published; 2],
    unmatched: [&'a Unmatched; 2],
    cuts: Cuts<'a>,
}

/// Where somebody stands in one of the snapshots.
#[derive(Clone, Copy)]
struct Standing<'a> {
    member: &'a Member<'a>,
    /// Which of the populations, and the place in it.
    population: usize,
    position: usize,
    score_micro: i64,
    level: ScoreLevel,
}

impl<'a> Both<'a> {
    fn compare(&self, query: &DiffQuery, found: &mut Found) -> Result<(), Error> {
        let names = Names::of_all(self.tenants);
        let mut comparisons = Vec::new();
        for population in POPULATIONS {
            let comparison = Comparison::new(self.tenants, population, &names, self.cuts)
                .map_err(|error| unsound(self.snapshots[0], &error.to_string()))?;
            comparisons.push(comparison);
        }
        let evidence = Evidence::of(
            self.tenants,
            self.snapshots.map(Snapshot::manifest),
            self.unmatched,
            self.cuts.days(),
        );
        let mut everybody: BTreeMap<&str, [Option<Standing<'_>>; 2]> = BTreeMap::new();
        for (population, comparison) in comparisons.iter().enumerate() {
            let sides = [
                (&comparison.before, &comparison.scores_before),
                (&comparison.after, &comparison.scores_after),
            ];
            for (side, (cohort, scores)) in sides.into_iter().enumerate() {
                for (position, member) in cohort.members().enumerate() {
                    let score = &scores.members[position];
                    self.check_published(side, member, score.score_micro)?;
                    everybody.entry(member.user_uid).or_default()[side] = Some(Standing {
                        member,
                        population,
                        position,
                        score_micro: score.score_micro,
                        level: score.level,
                    });
                }
            }
        }
        let mut causes = vec![BTreeMap::<String, u64>::new(); POPULATIONS.len()];
        for standings in everybody.into_values() {
            let parts = match standings {
                [Some(before), Some(after)] => {
                    self.parts(&comparisons, before, after, &evidence, &names)
                }
                [before, after] => DiffParts {
                    joined: after.map_or(0, |after| after.score_micro),
                    left: before.map_or(0, |before| -before.score_micro),
                    ..DiffParts::default()
                },
            };
            let [before, after] = standings;
            let Some(latest) = after.or(before) else {
                continue;
            };
            let person = self.person(before, after, latest.member, parts);
            if is_moved(person.change_micro, query.min_change_micro)
                && let Some((cause, _)) = parts.weightiest().first()
            {
                *causes[latest.population]
                    .entry((*cause).to_owned())
                    .or_default() += 1;
            }
            found.people.push(person);
        }
        for ((comparison, population), moved_by_cause) in
            comparisons.iter().zip(POPULATIONS).zip(causes)
        {
            let [params_before, params_after] = self.cuts.params;
            let before = figures(&comparison.before, &comparison.scores_before, params_before);
            let after = figures(&comparison.after, &comparison.scores_after, params_after);
            if before.is_some() || after.is_some() {
                found.organizations.push(DiffOrganization {
                    tenant_uid: self.tenants[0].name.to_owned(),
                    population: population.as_str().to_owned(),
                    before,
                    after,
                    moved_by_cause,
                });
            }
        }
        Ok(())
    }

    fn parts(
        &self,
        comparisons: &[Comparison<'a>],
        before: Standing<'_>,
        after: Standing<'_>,
        evidence: &Evidence<'_>,
        names: &Names,
    ) -> DiffParts {
        let here = &comparisons[before.population];
        let there = &comparisons[after.population];
        let own = here.before.buckets_of(before.position);
        let changes = self
            .cuts
            .days()
            .changes(own, there.after.buckets_of(after.position));
        let later = Later {
            score_micro: after.score_micro,
            stays: before.population == after.population
                && before.member.in_population
                && after.member.in_population,
        };
        here.parts(before.position, &later, &changes, evidence, names)
    }

    fn person(
        &self,
        before: Option<Standing<'_>>,
        after: Option<Standing<'_>>,
        member: &Member<'_>,
        parts: DiffParts,
    ) -> DiffPerson {
        let score = |standing: Option<Standing<'_>>| standing.map(|standing| standing.score_micro);
        let level = |standing: Option<Standing<'_>>| {
            standing.map(|standing| standing.level.as_str().to_owned())
        };
        DiffPerson {
            tenant_uid: self.tenants[0].name.to_owned(),
            user_uid: member.user_uid.to_owned(),
            email: member.email.to_owned(),
            display_name: member.display_name.map(str::to_owned),
            department: member.department.map(str::to_owned),
            population: member.population.as_str().to_owned(),
            level_before: level(before),
            level_after: level(after),
            score_before_micro: score(before),
            score_after_micro: score(after),
            change_micro: score(after).unwrap_or(0) - score(before).unwrap_or(0),
            parts,
        }
    }

    /// The parts are made from recomputed scores; they speak of the published ones only if these are
    /// the same.
    fn check_published(
        &self,
        side: usize,
        member: &Member<'_>,
        score_micro: i64,
    ) -> Result<(), Error> {
        let tenant = self.tenants[side].name;
        let rows = &self.rows[side].user_scores;
        let key = |row: &user_scores::Row| {
            (row.tenant_uid.as_str(), row.user_uid.as_str()).cmp(&(tenant, member.user_uid))
        };
        let published = rows
            .binary_search_by(key)
            .map(|place| rows[place].score_micro);
        if published == Ok(score_micro) {
            return Ok(());
        }
        let problem = format!(
            "the score of {} in {tenant} is not what its own counts make it",
            member.user_uid
        );
        Err(unsound(self.snapshots[side], &problem))
    }
}
