//! From signals and people to every tenant's tables.

use std::collections::{BTreeMap, BTreeSet};

use af_model::{Person, Population, UtcMillis};

use super::admit::{
    Refusal, account_tenant, becomes_known_after, breaks_contract, deduplicate, refusal,
};
use super::arithmetic::bucket_load;
use super::attribution::{Scored, attribute};
use super::collapse::{Bucket, BucketKey, Incident, buckets, incidents};
use super::people::{Join, in_population, join, population, present};
use super::score::{Odds, combine, level, score_micro, standing};
use super::{OracleBucket, OracleComponent, OracleInput, OracleSignal, OracleTenant, OracleUser};

/// Computes everything for every tenant that has people or signals. Rows whose tenant is no valid
/// name are accounted under [`INVALID_TENANT`](super::admit::INVALID_TENANT).
///
/// # Panics
/// When the parameters do not pass [`Params::check`](af_model::Params::check).
pub fn oracle(input: &OracleInput) -> BTreeMap<String, OracleTenant> {
    input
        .params
        .check()
        .expect("an oracle is asked with checked parameters");
    let mut tenants: BTreeMap<String, OracleTenant> = BTreeMap::new();
    for person in &input.people {
        tenants.entry(person.tenant_uid.clone()).or_default();
    }
    let mut sound = Vec::new();
    for signal in &input.signals {
        let tenant = tenants
            .entry(account_tenant(signal).to_owned())
            .or_default();
        tenant.account.signals_read += 1;
        if becomes_known_after(signal, input.known_at) {
            // Nothing else is asked of it: whatever arrives later changes no other figure.
            tenant.account.not_yet_known += 1;
        } else if breaks_contract(signal) {
            tenant.account.quarantined += 1;
        } else {
            sound.push(signal);
        }
    }
    let unique = deduplicate(&sound);
    for (name, tenant) in &mut tenants {
        let of_tenant = |signal: &&&OracleSignal| signal.tenant_uid == *name;
        tenant.account.duplicate = unique.dropped.iter().filter(of_tenant).count() as u64;
        tenant.conflicts = unique.conflicts.get(name).copied().unwrap_or(0);
        let kept: Vec<&OracleSignal> = unique.kept.iter().filter(of_tenant).copied().collect();
        let people = present(&input.people, name, input.as_of);
        let counted = count(&kept, &people, input, tenant);
        fill(tenant, &people, &buckets(counted), input);
    }
    tenants
}

/// Admits, joins and collapses one tenant's signals, accounting for each.
fn count(
    kept: &[&OracleSignal],
    people: &[&Person],
    input: &OracleInput,
    tenant: &mut OracleTenant,
) -> Vec<Incident> {
    let account = &mut tenant.account;
    let mut joined = Vec::new();
    for &signal in kept {
        match refusal(signal, input.as_of, input.known_at, &input.retractions) {
            Some(Refusal::Future) => account.future += 1,
            Some(Refusal::Retracted) => account.retracted += 1,
            Some(Refusal::TooOld) => account.too_old += 1,
            None => match join(signal, people, &input.key) {
                Join::To(person) => joined.push((person.user_uid.clone(), signal)),
                Join::Unmatched(reason) => {
                    account.unmatched += 1;
                    *tenant.unmatched.entry(reason).or_default() += 1;
                }
            },
        }
    }
    let incidents = incidents(&joined);
    account.scored = incidents.len() as u64;
    account.collapsed = joined.len() as u64 - account.scored;
    incidents
}

/// Scores one tenant's people, population by population.
fn fill(
    tenant: &mut OracleTenant,
    people: &[&Person],
    buckets: &BTreeMap<BucketKey, Bucket>,
    input: &OracleInput,
) {
    tenant.buckets = buckets
        .iter()
        .map(|(key, bucket)| bucket_row(key, bucket))
        .collect();
    // A component somebody was attacked in is a component of everybody in the tenant.
    let components: BTreeSet<&str> = buckets.keys().map(|key| key.1.as_str()).collect();
    let load = |person: &Person, component: &str| -> u128 {
        buckets
            .iter()
            .filter(|(key, _)| key.0 == person.user_uid && key.1 == component)
            .map(|(key, bucket)| {
                let age = input.as_of.day().days_since(key.3);
                bucket_load(bucket.counts, age, &input.params)
            })
            .sum()
    };
    let mut total_odds: BTreeMap<&str, u128> = BTreeMap::new();
    let mut by_component: BTreeMap<&str, Vec<(&str, i64, u128, Odds)>> = BTreeMap::new();
    for person in people {
        by_component.insert(&person.user_uid, Vec::new());
    }
    for &component in &components {
        let weight = input.params.weight_permille(component);
        let loads: Vec<u128> = people
            .iter()
            .map(|person| load(person, component))
            .collect();
        for (index, person) in people.iter().enumerate() {
            let others: Vec<u128> = people
                .iter()
                .zip(&loads)
                .filter(|(other, _)| {
                    other.user_uid != person.user_uid
                        && in_population(other, input.as_of)
                        && population(other) == population(person)
                })
                .map(|(_, &load)| load)
                .collect();
            let odds = Odds::of(loads[index], &others, &input.params);
            by_component.entry(&person.user_uid).or_default().push((
                component,
                weight,
                loads[index],
                odds,
            ));
        }
    }
    for person in people {
        let parts: Vec<(i64, u128)> = by_component[person.user_uid.as_str()]
            .iter()
            .map(|&(_, weight, _, odds)| (weight, odds.odds_nano))
            .collect();
        total_odds.insert(&person.user_uid, combine(&parts));
    }
    for person in people {
        let odds_nano = total_odds[person.user_uid.as_str()];
        let ranked: Vec<u128> = people
            .iter()
            .filter(|other| {
                in_population(other, input.as_of) && population(other) == population(person)
            })
            .map(|other| total_odds[other.user_uid.as_str()])
            .collect();
        let scored = Scored {
            user_uid: &person.user_uid,
            score_micro: score_micro(odds_nano),
            components: by_component[person.user_uid.as_str()].clone(),
            buckets: buckets
                .iter()
                .filter(|(key, _)| key.0 == person.user_uid)
                .collect(),
        };
        tenant
            .users
            .push(user_row(person, &scored, odds_nano, &ranked, input.as_of));
        for &(component, weight_permille, load, odds) in &scored.components {
            tenant.components.push(OracleComponent {
                user_uid: person.user_uid.clone(),
                component: component.to_owned(),
                load_micro: figure(load),
                baseline_micro: figure(odds.baseline_micro),
                odds_nano: figure(odds.odds_nano),
                score_micro: score_micro(odds.odds_nano),
                relative_weight_micro: figure(odds.relative_weight_micro),
                weight_permille,
            });
        }
        tenant
            .blocks
            .extend(attribute(&scored, input.as_of.day(), &input.params));
    }
}

fn user_row(
    person: &Person,
    scored: &Scored<'_>,
    odds_nano: u128,
    ranked: &[u128],
    as_of: UtcMillis,
) -> OracleUser {
    let incidents: Vec<&Incident> = scored
        .buckets
        .iter()
        .flat_map(|(_, bucket)| &bucket.incidents)
        .collect();
    let days: BTreeSet<_> = incidents.iter().map(|incident| incident.day).collect();
    let in_population = in_population(person, as_of);
    let standing = in_population.then(|| standing(odds_nano, ranked));
    let population: Population = population(person);
    OracleUser {
        user_uid: person.user_uid.clone(),
        population,
        population_n: ranked.len() as u64,
        in_population,
        score_micro: scored.score_micro,
        level: level(scored.score_micro, odds_nano),
        odds_nano: figure(odds_nano),
        rank: standing.map(|(rank, ..)| rank),
        percentile: standing.map(|(_, percentile, _)| percentile),
        pct_below: standing.and_then(|(.., pct_below)| pct_below),
        signal_count: i64::try_from(incidents.len()).expect("a count of signals"),
        attack_days: i64::try_from(days.len()).expect("at most 90 days"),
        first_attack: incidents.iter().map(|incident| incident.time).min(),
        last_attack: incidents.iter().map(|incident| incident.time).max(),
    }
}

fn bucket_row(key: &BucketKey, bucket: &Bucket) -> OracleBucket {
    let times = || bucket.incidents.iter().map(|incident| incident.time);
    OracleBucket {
        user_uid: key.0.clone(),
        component: key.1.clone(),
        family: key.2.clone(),
        day: key.3,
        counts: bucket.counts,
        first_time: times().min().expect("a bucket holds an incident"),
        last_time: times().max().expect("a bucket holds an incident"),
    }
}

fn figure(value: u128) -> i64 {
    i64::try_from(value).expect("figures of checked parameters fit an i64")
}
