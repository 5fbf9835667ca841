//! The count once more, from the text of the design: row by row, quadratic, nothing shared with the
//! crate but the vocabulary.

use std::collections::BTreeMap;

use af_count::Counted;
use af_model::key::normalize_key;
use af_model::name::{check_tenant, check_term};
use af_model::{Level, Person, UtcMillis};

use crate::random::{AS_OF, KEY, Sample, Signal};

/// (user, component, family, day) → incidents by level slot, earliest and latest time.
type Buckets<'s> = BTreeMap<(String, &'s str, &'s str, i32), ([u64; 4], UtcMillis, UtcMillis)>;

/// What the naive count says about one tenant.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Naive<'s> {
    parts: BTreeMap<&'static str, u64>,
    conflicts: u64,
    buckets: Buckets<'s>,
    unmatched: BTreeMap<(&'static str, Option<String>), u64>,
}

/// Counts a sample. No two copies of one signal may differ and have the same `ingested_at`.
pub(crate) fn count(sample: &Sample) -> BTreeMap<&str, Naive<'_>> {
    let mut tenants: BTreeMap<&str, Naive<'_>> = BTreeMap::new();
    let mut incidents: BTreeMap<_, Vec<&Signal>> = BTreeMap::new();
    for (number, signal) in sample.signals.iter().enumerate() {
        let valid_tenant = check_tenant(&signal.tenant_uid).is_ok();
        let name = if valid_tenant {
            &*signal.tenant_uid
        } else {
            "invalid"
        };
        let tenant = tenants.entry(name).or_default();
        let fate = fate(sample, number, signal);
        match fate {
            Fate::Part(part) => *tenant.parts.entry(part).or_default() += 1,
            Fate::Duplicate { is_conflict } => {
                *tenant.parts.entry("duplicate").or_default() += 1;
                tenant.conflicts += u64::from(is_conflict);
            }
            Fate::Unmatched(reason) => {
                *tenant.parts.entry("unmatched").or_default() += 1;
                let line = (reason, identifier_hash(signal));
                *tenant.unmatched.entry(line).or_default() += 1;
            }
            Fate::Admitted(user_uid) => {
                let incident = match signal.incident_uid.as_deref() {
                    None | Some("") => format!("own {number}"),
                    Some(uid) => format!("incident {uid}"),
                };
                let key = (
                    name,
                    user_uid,
                    &*signal.component,
                    &*signal.family,
                    signal.time.day().0,
                    &*signal.source,
                    incident,
                );
                incidents.entry(key).or_default().push(signal);
            }
        }
    }
    for ((name, user_uid, component, family, day, ..), mut signals) in incidents {
        let level = |signal: &Signal| slot(&signal.level);
        signals.sort_by_key(|signal| (level(signal), signal.time, signal.signal_uid.clone()));
        let tenant = tenants.entry(name).or_default();
        *tenant.parts.entry("scored").or_default() += 1;
        let others = signals.len() as u64 - 1;
        if others > 0 {
            *tenant.parts.entry("collapsed").or_default() += others;
        }
        let first = signals[0];
        let bucket = tenant
            .buckets
            .entry((user_uid, component, family, day))
            .or_insert(([0; 4], first.time, first.time));
        bucket.0[level(first)] += 1;
        bucket.1 = bucket.1.min(first.time);
        bucket.2 = bucket.2.max(first.time);
    }
    tenants
}

/// The same figures out of the crate's result.
pub(crate) fn figures_of<'c>(
    counted: &'c Counted,
    people: &[Person],
) -> BTreeMap<&'c str, Naive<'c>> {
    let tenant = |counts: &'c af_count::TenantCounts| {
        let mut naive = Naive {
            conflicts: counts.conflicts,
            ..Naive::default()
        };
        for (part, n) in counts.account.parts() {
            if n > 0 {
                naive.parts.insert(part, n);
            }
        }
        for block in &counts.blocks {
            let user_uid = people[block.person as usize].user_uid.clone();
            let key = (user_uid, &*block.component, &*block.family, block.day.0);
            let bucket =
                naive
                    .buckets
                    .entry(key)
                    .or_insert(([0; 4], block.first_time, block.last_time));
            bucket.0[block.level.slot()] += block.n;
            bucket.1 = bucket.1.min(block.first_time);
            bucket.2 = bucket.2.max(block.last_time);
        }
        for line in &counts.unmatched {
            let key = (line.reason.as_str(), line.subject_hash.clone());
            *naive.unmatched.entry(key).or_default() += line.n;
        }
        naive
    };
    counted
        .tenants
        .iter()
        .map(|(tenant_uid, counts)| (tenant_uid.as_str(), tenant(counts)))
        .collect()
}

fn slot(level: &str) -> usize {
    let level: Level = level.parse().expect("an unknown level is quarantined");
    level.slot()
}

enum Fate {
    Part(&'static str),
    Duplicate { is_conflict: bool },
    Unmatched(&'static str),
    Admitted(String),
}

fn fate(sample: &Sample, number: usize, signal: &Signal) -> Fate {
    if is_unknown_yet(signal) {
        return Fate::Part("not_yet_known");
    }
    if is_quarantined(signal) {
        return Fate::Part("quarantined");
    }
    let key = |signal: &Signal| {
        (
            signal.tenant_uid.clone(),
            signal.source.clone(),
            signal.signal_uid.clone(),
            signal.time.day(),
        )
    };
    let (kept, winner) = sample
        .signals
        .iter()
        .enumerate()
        .filter(|(_, other)| !is_unknown_yet(other) && !is_quarantined(other))
        .filter(|(_, other)| key(other) == key(signal))
        .min_by_key(|(number, other)| (other.ingested_at, *number))
        .expect("the signal itself has its key");
    if kept != number {
        // No figure is made of these.
        let counted = |signal: &Signal| Signal {
            ingested_at: None,
            rule_version: None,
            event_uids: None,
            attack_techniques: None,
            ..signal.clone()
        };
        return Fate::Duplicate {
            is_conflict: counted(winner) != counted(signal),
        };
    }
    if signal.time > AS_OF {
        return Fate::Part("future");
    }
    if is_retracted(sample, signal) {
        return Fate::Part("retracted");
    }
    if AS_OF.day().0 - signal.time.day().0 > 89 {
        return Fate::Part("too_old");
    }
    match holder(sample, signal) {
        Ok(user_uid) => Fate::Admitted(user_uid),
        Err(reason) => Fate::Unmatched(reason),
    }
}

/// The samples are counted as known at the instant they are counted as of.
fn is_unknown_yet(signal: &Signal) -> bool {
    signal
        .ingested_at
        .is_some_and(|ingested_at| ingested_at > AS_OF)
}

fn is_quarantined(signal: &Signal) -> bool {
    check_tenant(&signal.tenant_uid).is_err()
        || check_term(&signal.component, "component").is_err()
        || check_term(&signal.family, "family").is_err()
        || signal.level.parse::<Level>().is_err()
        || signal
            .ingested_at
            .is_some_and(|ingested_at| signal.time.0 > ingested_at.0 + 600_000)
}

fn is_retracted(sample: &Sample, signal: &Signal) -> bool {
    let said = |kind: &str, uid: &str| {
        sample
            .retractions
            .iter()
            .filter(|row| row.tenant_uid == signal.tenant_uid)
            .filter(|row| row.target_kind == kind && row.target_uid == uid)
            .filter(|row| row.ingested_at <= AS_OF)
            .max_by_key(|row| (row.ingested_at, row.action == "retract"))
            .is_some_and(|row| row.action == "retract")
    };
    let events = signal.event_uids.as_deref().unwrap_or_default();
    said("signal", &signal.signal_uid)
        || signal
            .incident_uid
            .as_deref()
            .is_some_and(|uid| said("incident", uid))
        || (!events.is_empty() && events.iter().all(|uid| said("event", uid)))
}

/// The names of a signal in the order in which they are tried: kind and normalized text.
fn names(signal: &Signal) -> Vec<(&'static str, String)> {
    let mut names = Vec::new();
    let mut add = |kind: &'static str, text: &str| {
        let exact = kind == "uid" || kind == "h";
        let text = if exact {
            text.to_owned()
        } else {
            normalize_key(text).into_owned()
        };
        if !text.trim().is_empty() {
            names.push((kind, text));
        }
    };
    if let Some(text) = &signal.subject_uid {
        add("uid", text);
    }
    if let Some(text) = &signal.subject_login {
        add("login", text);
    }
    if let Some(text) = &signal.subject_email {
        add("email", text);
    }
    if let Some((kind, text)) = signal
        .subject_ref
        .as_deref()
        .and_then(|text| text.split_once(':'))
    {
        for known in ["uid", "login", "email", "h"] {
            if kind == known {
                add(known, text);
            }
        }
    }
    names
}

fn hash(tenant_uid: &str, text: &str) -> String {
    KEY.identifier(tenant_uid, text).to_string()
}

fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn identifier_hash(signal: &Signal) -> Option<String> {
    let (kind, text) = names(signal).into_iter().next()?;
    if kind == "h" && is_hash(&text) {
        return Some(text);
    }
    let text = if kind == "h" {
        normalize_key(&text).into_owned()
    } else {
        text
    };
    Some(hash(&signal.tenant_uid, &text))
}

fn holder(sample: &Sample, signal: &Signal) -> Result<String, &'static str> {
    let mut reason = "no_key";
    let people: Vec<&Person> = sample
        .people
        .iter()
        .filter(|person| person.tenant_uid == signal.tenant_uid)
        .filter(|person| person.created.is_none_or(|created| created <= AS_OF))
        .collect();
    for (kind, text) in names(signal) {
        reason = "no_match";
        if kind == "uid" {
            if people.iter().any(|person| person.user_uid == text) {
                return Ok(text);
            }
            continue;
        }
        let is_it = |key: &str| {
            let key = normalize_key(key);
            !key.is_empty()
                && if kind == "h" {
                    hash(&signal.tenant_uid, &key) == text
                } else {
                    key == text.as_str()
                }
        };
        if is_it("system@okta.com") {
            return Err("not_a_person");
        }
        let is_alias = |person: &Person| {
            person.aliases.iter().flatten().any(|alias| {
                is_it(&alias.key)
                    && alias.valid_from.is_none_or(|from| from <= signal.time)
                    && alias.valid_to.is_none_or(|to| signal.time < to)
            })
        };
        let kinds: [&dyn Fn(&Person) -> bool; 3] = [
            &|person| person.login.as_deref().is_some_and(is_it),
            &|person| is_it(&person.email),
            &is_alias,
        ];
        for holds in kinds {
            let holders: Vec<&&Person> = people.iter().filter(|person| holds(person)).collect();
            match &holders[..] {
                [] => {}
                [sole] => return Ok(sole.user_uid.clone()),
                several => return one_of(several, signal.time).ok_or("ambiguous"),
            }
        }
    }
    Err(reason)
}

fn one_of(holders: &[&&Person], time: UtcMillis) -> Option<String> {
    let staying: Vec<_> = holders
        .iter()
        .filter(|person| person.status.as_deref() != Some("DEPROVISIONED"))
        .collect();
    if let [sole] = &staying[..]
        && sole.created.is_none_or(|created| created <= time)
    {
        return Some(sole.user_uid.clone());
    }
    let then: Vec<_> = holders
        .iter()
        .filter(|person| {
            person.created.is_none_or(|created| created <= time)
                && person.deactivated.is_none_or(|left| time < left)
        })
        .collect();
    match &then[..] {
        [sole] => Some(sole.user_uid.clone()),
        _ => None,
    }
}
