//! The simulated days through the real pipeline.

use std::collections::BTreeMap;
use std::path::Path;

use af_directory::ImportOptions;
use af_engine::pipeline::{RunFacts, StoreJob, score_store};
use af_engine::tally::AskedCut;
use af_engine::{Silent, people};
use af_model::tables::{attack_signals, user_scores};
use af_model::{Params, UtcDay, UtcMillis};
use af_okta_sim::organization::{Organization, event_number};
use af_rules::{Class, Network, RuleSet, Tuning};
use af_store::{Partitioned, Scan, Snapshot, Store, table_file};
use anyhow::{Context, Result, anyhow, ensure};

use crate::identity_events::{TENANT, night_after, public_key, read_day};

/// Days between two snapshots.
const WEEK: i32 = 7;

/// One signal as the judge needs it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Name of the rule.
    pub(super) rule: String,
    pub(super) family: String,
    pub(super) level: String,
    pub(super) time: UtcMillis,
    /// User id of the person it names, if it names somebody of the directory.
    pub(super) person: Option<String>,
    pub(super) events: Vec<u128>,
}

/// Everybody's level at one cut.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub(super) as_of: UtcMillis,
    /// By user id.
    pub(super) levels: BTreeMap<String, String>,
}

/// What the pipeline said of the whole simulation.
#[derive(Debug)]
pub(super) struct Lived {
    pub(super) events: u64,
    pub(super) found: Vec<Found>,
    pub(super) cuts: Vec<Cut>,
    /// Names of the rules that find attacks.
    pub(super) rules: Vec<String>,
}

/// The rules under test, tuned as the organization's administrator would tune them: with the
/// networks that the organization knows to be its own.
fn rules(own_networks: &[&str]) -> Result<RuleSet> {
    let mut rules = RuleSet::load(af_rules::shipped().into_iter()).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow!("the shipped rules do not load:\n{}", problems.join("\n"))
    })?;
    let networks = own_networks
        .iter()
        .map(|network| network.parse::<Network>())
        .collect::<Result<Vec<_>, _>>()?;
    rules.set_tuning(Tuning {
        own_networks: BTreeMap::from([(TENANT.to_owned(), networks)]),
        ..Tuning::default()
    })?;
    Ok(rules)
}

/// Lives through all days: every night the day's log is read; every week and at the end the directory
/// is imported and everybody is scored.
pub(super) fn live(organization: &mut Organization, tell: &dyn Fn(&str)) -> Result<Lived> {
    let folder = tempfile::tempdir().context("make a folder for the store")?;
    let store = Store::create_or_open(&folder.path().join("store"))?;
    let lock = store.lock()?;
    let key = public_key(&store, &lock)?;
    let rules = rules(organization.own_networks())?;
    let job = StoreJob {
        store: &store,
        lock: &lock,
        key: &key,
        rules: &rules,
    };
    let mut events = 0;
    let mut cuts = Vec::new();
    let mut lived_days = 0;
    while let Some(day) = organization.next_day() {
        let night = night_after(&day);
        events += read_day((&store, &lock), &key, &day, folder.path())?;
        lived_days += 1;
        let is_last = day.day.end() == organization.end();
        if lived_days % WEEK == 0 || is_last {
            import(&job, organization, day.day, night, folder.path())?;
            cuts.push(score(&job, day.day, night)?);
            tell(&format!(
                "{}: {events} events, {} attacks",
                day.day,
                organization.truth().stories.len()
            ));
        }
    }
    let names: BTreeMap<&str, &str> = rules
        .rules()
        .iter()
        .map(|rule| (rule.id.as_str(), rule.name.as_str()))
        .collect();
    let attack_rules = rules
        .rules()
        .iter()
        .filter(|rule| rule.class == Class::Attack)
        .map(|rule| rule.name.clone())
        .collect();
    let found = findings(&store, &names, &directory_keys(&store)?)?;
    Ok(Lived {
        events,
        found,
        cuts,
        rules: attack_rules,
    })
}

/// The directory as of a day, known in the night after it.
fn import(
    job: &StoreJob<'_>,
    organization: &Organization,
    day: UtcDay,
    night: UtcMillis,
    folder: &Path,
) -> Result<()> {
    let file = folder.join("people.csv");
    fs_err::write(&file, organization.directory(day))?;
    let options = ImportOptions {
        tenant: Some(TENANT.to_owned()),
        source: "okta".to_owned(),
        imported_at: Some(night),
        map: Vec::new(),
    };
    let report = people::import(Some((job.store, job.lock)), &file, &options)?;
    ensure!(
        report.imported.rejects.is_empty(),
        "people were refused: {:?}",
        report.imported.rejects.first()
    );
    Ok(())
}

/// Detects, scores, and reads everybody's level.
fn score(job: &StoreJob<'_>, day: UtcDay, night: UtcMillis) -> Result<Cut> {
    let asked = AskedCut {
        as_of: Some(day.end()),
        known_at: Some(night),
    };
    let run = RunFacts {
        program: "xtask detection".to_owned(),
        started_at: night,
    };
    let report = score_store(job, &Params::default(), asked, &run, &Silent)?;
    let mut levels = BTreeMap::new();
    for batch in Snapshot::open(&report.snapshot)?.table(&user_scores::TABLE)? {
        for row in user_scores::rows(&batch?)? {
            levels.insert(row.user_uid, row.level);
        }
    }
    Ok(Cut {
        as_of: day.end(),
        levels,
    })
}

/// User ids by every key a signal may name somebody by, in small letters.
fn directory_keys(store: &Store) -> Result<BTreeMap<String, String>> {
    let mut keys = BTreeMap::new();
    let (people, _) = people::people_at(store, UtcMillis(i64::MAX))?;
    for person in people {
        let login = person.login.as_deref().unwrap_or(&person.email);
        keys.insert(
            format!("login:{login}").to_lowercase(),
            person.user_uid.clone(),
        );
        keys.insert(
            format!("email:{}", person.email).to_lowercase(),
            person.user_uid.clone(),
        );
        keys.insert(
            format!("uid:{}", person.user_uid).to_lowercase(),
            person.user_uid,
        );
    }
    Ok(keys)
}

/// Every signal of the store, by day.
fn findings(
    store: &Store,
    names: &BTreeMap<&str, &str>,
    keys: &BTreeMap<String, String>,
) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for day in store.days(Partitioned::Signals)? {
        for file in store.day_files(Partitioned::Signals, day)? {
            for batch in table_file::read(&file, &attack_signals::TABLE, None, Scan::File)? {
                let batch = batch?;
                for row in 0..batch.num_rows() {
                    found.push(finding(&attack_signals::row(&batch, row), names, keys));
                }
            }
        }
    }
    Ok(found)
}

fn finding(
    row: &attack_signals::Row<'_>,
    names: &BTreeMap<&str, &str>,
    keys: &BTreeMap<String, String>,
) -> Found {
    let named = [
        row.subject_ref.as_deref().map(str::to_lowercase),
        row.subject_uid
            .as_deref()
            .map(|uid| format!("uid:{uid}").to_lowercase()),
        row.subject_login
            .as_deref()
            .map(|login| format!("login:{login}").to_lowercase()),
        row.subject_email
            .as_deref()
            .map(|email| format!("email:{email}").to_lowercase()),
    ];
    let person = named.into_iter().flatten().find_map(|key| keys.get(&key));
    let rule = names.get(row.rule_id.as_ref()).copied();
    let events = row.event_uids.iter().flatten();
    Found {
        rule: rule.unwrap_or(row.rule_id.as_ref()).to_owned(),
        family: row.family.to_string(),
        level: row.level.to_string(),
        time: row.time,
        person: person.cloned(),
        events: events.filter_map(|event| event_number(event)).collect(),
    }
}
