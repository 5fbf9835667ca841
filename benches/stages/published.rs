//! A published snapshot of many organizations, scored by the engine itself, so that every figure of
//! it can be explained.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use af_count::{Counter, Cut, PeopleIndex, Retractions};
use af_engine::assemble::{Stamp, assemble};
use af_model::manifest::{Manifest, RuleChanges, Run, TenantEntry, TenantRun};
use af_model::tables::{self, attack_signals};
use af_model::{FORMULA, Params, Person, UtcMillis};
use af_store::{MANIFEST_VERSION, Metadata, begin_output};
use arrow::array::RecordBatch;

use crate::input::{Dice, as_of, key};

/// The name of a tenant; the first is the largest.
pub(crate) fn tenant(n: u64) -> String {
    // Multiplied so that large and small tenants alternate in the files.
    format!(
        "org-{:08x}",
        u32::try_from(n).unwrap_or(0).wrapping_mul(0x9e37_79b1)
    )
}

/// The id of a person; the first hundredth of a tenant's people is attacked most.
pub(crate) fn user(n: u64) -> String {
    format!("00u{:017x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 4)
}

/// Sizes of tenants that fall as 1, 1/2, 1/3, … and add up to about `people`.
fn sizes(tenants: u64, people: u64) -> Vec<u64> {
    let weight = |rank: u64| 1_000_000_000 / (rank + 1);
    let all: u64 = (0..tenants).map(weight).sum();
    (0..tenants)
        .map(|rank| (people * weight(rank) / all).max(1))
        .collect()
}

/// Writes a snapshot into the folder `path`, which is not there yet: two people in five attacked, up
/// to eight times, one in a hundred sixty times, within four components.
pub(crate) fn publish(path: &Path, tenants: u64, people: u64) {
    let params = Params::default();
    let cut = Cut {
        as_of: as_of(),
        known_at: as_of(),
    };
    let stamp = Stamp {
        cut,
        config_hash: params.config_hash().to_string(),
        rules_hash: None,
    };
    let metadata = Metadata::new().with_formula(FORMULA);
    let mut publication = begin_output(path, false).expect("nothing is there");
    let mut writers: Vec<_> = tables::SNAPSHOT
        .into_iter()
        .map(|table| publication.writer(table, &metadata).expect("a new file"))
        .collect();
    let mut order: Vec<(String, u64, u64)> = sizes(tenants, people)
        .into_iter()
        .zip(0..)
        .map(|(size, n)| (tenant(n), n, size))
        .collect();
    order.sort();
    let mut entries = BTreeMap::new();
    for (name, n, size) in &order {
        let (index, people) = PeopleIndex::with_people(staff(name, *size), &key());
        let retractions = Retractions::default();
        let mut counter = Counter::new(&index, &retractions, cut, &key());
        counter
            .push(&signals(name, *n, *size))
            .expect("the contract is kept");
        let counted = counter.finish();
        let rows = assemble(&people, &counted, &params, &stamp).expect("scored");
        for (writer, batch) in writers.iter_mut().zip(rows.batches()) {
            writer.append(&batch).expect("tenants come in name order");
        }
        let counts = counted.tenants.get(name).cloned().unwrap_or_default();
        let entry = TenantEntry {
            signals: counts.account,
            conflicts: counts.conflicts,
            population: rows.population.get(name).cloned().unwrap_or_default(),
            feeds: counts.feeds.clone(),
            warnings: Vec::new(),
        };
        entries.insert(name.clone(), entry);
    }
    for writer in writers {
        publication.add(writer).expect("written");
    }
    let seen = entries.iter().map(|(name, entry)| {
        let run = TenantRun {
            signals: entry.signals,
            ..TenantRun::default()
        };
        (name.clone(), run)
    });
    let run = Run {
        tenants: seen.collect(),
        ..Run::default()
    };
    publication
        .publish(Manifest {
            manifest_version: MANIFEST_VERSION,
            as_of: cut.as_of,
            known_at: cut.known_at,
            revision: 1,
            supersedes: None,
            formula: FORMULA.to_owned(),
            config_hash: stamp.config_hash,
            params,
            rules_hash: None,
            rule_changes: RuleChanges::default(),
            tables: BTreeMap::new(),
            directories: Vec::new(),
            files: Vec::new(),
            tenants: entries,
            left_out: BTreeMap::new(),
            erased: 0,
            run,
        })
        .expect("published");
}

fn staff(tenant: &str, size: u64) -> Vec<Person> {
    const DEPARTMENTS: [&str; 6] = [
        "Engineering",
        "Finance",
        "Legal",
        "Marketing",
        "People",
        "Sales",
    ];
    let person = |n: u64| {
        let department = DEPARTMENTS[usize::try_from(n % 6).unwrap_or(0)];
        Person {
            display_name: Some(format!("Person Number {n}")),
            department: Some(department.to_owned()),
            location: Some(format!("Site {}", n % 20)),
            manager_uid: Some(user(n / 8)),
            ..Person::new(tenant, &user(n), &format!("person{n}@{tenant}.example.com"))
        }
    };
    (0..size).map(person).collect()
}

fn signals(tenant: &str, seed: u64, size: u64) -> RecordBatch {
    let mut dice = Dice::new(seed);
    let mut builder = attack_signals::Builder::default();
    let text = Cow::Borrowed::<str>;
    let mut number = 0_u64;
    for person in 0..size {
        let attacks = match person {
            person if person < size.div_ceil(100) => 60,
            person if person % 5 < 2 => 1 + dice.below(8),
            _ => 0,
        };
        for _ in 0..attacks {
            let of = |dice: &mut Dice, names: &[&'static str]| {
                names[usize::try_from(dice.below(names.len() as u64)).unwrap_or(0)]
            };
            let component = of(&mut dice, &["email", "identity", "malware", "web"]);
            let family = of(&mut dice, &["credential_attack", "delivery", "probing"]);
            let level = of(
                &mut dice,
                &["low", "low", "low", "medium", "medium", "high", "critical"],
            );
            let rule = of(
                &mut dice,
                &["rule-one", "rule-two", "rule-three", "rule-four"],
            );
            let ago = i64::try_from(dice.below(7_776_000)).unwrap_or(0);
            builder.append(&attack_signals::Row {
                tenant_uid: text(tenant),
                signal_uid: Cow::Owned(format!("{seed:012x}{number:020x}")),
                time: UtcMillis(as_of().0 - 1000 * ago),
                ingested_at: Some(as_of()),
                subject_ref: Some(Cow::Owned(format!("uid:{}", user(person)))),
                subject_uid: Some(Cow::Owned(user(person))),
                subject_login: None,
                subject_email: None,
                component: text(component),
                family: text(family),
                level: text(level),
                rule_id: text(rule),
                rule_version: None,
                incident_uid: None,
                event_uids: None,
                source: text("bench"),
                integration: None,
                attack_techniques: None,
            });
            number += 1;
        }
    }
    builder.finish()
}
