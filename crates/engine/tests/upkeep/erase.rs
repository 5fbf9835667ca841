//! Erasing one person: nothing of them stays, and nobody else changes.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use af_engine::upkeep::erase::{self, EraseOptions, Erased};
use af_engine::{ErrorKind, Silent};
use af_model::UtcMillis;
use af_model::tables::{component_scores, group_index, org_summary, tombstones, user_scores};
use af_store::{Partitioned, Snapshot};
use proptest::prelude::*;

use super::cast::{KEY, Mortal, PEOPLE, Somebody, World, everything, instant, plans, somebody};
use super::look::file_rows;

fn at() -> UtcMillis {
    instant("2026-11-21T00:00:00Z")
}

fn options(person: &str) -> EraseOptions<'_> {
    EraseOptions {
        tenant: "acme",
        person,
        at: at(),
        reason: Some("DSR-1"),
    }
}

fn erase(world: &World, person: &str) -> erase::EraseReport {
    erase::erase(&world.store, &world.lock(), &KEY, &options(person), &Silent).unwrap()
}

/// Whether a rendered row holds a trace.
fn names(row: &str, who: &Somebody) -> bool {
    let row = row.to_lowercase();
    let mut all = who.traces().into_iter().chain(who.hashes());
    all.any(|trace| row.contains(&trace))
}

fn cell<'a>(row: &'a str, column: &str) -> Option<&'a str> {
    let start = format!("{column}=");
    row.split('|').find_map(|cell| cell.strip_prefix(&start))
}

/// Holds before and after an erasure against each other.
fn compare(before: &World, after: &World, who: &Somebody) -> Result<(), TestCaseError> {
    prop_assert_eq!(after.places_of(&who.traces()), Vec::<String>::new());
    for kind in [
        Partitioned::Events,
        Partitioned::Signals,
        Partitioned::Quarantine,
    ] {
        let (old, new) = (before.day_rows(kind), after.day_rows(kind));
        // Rows that do not name them are the same rows.
        let untouched: Vec<&String> = old.iter().filter(|row| !names(row, who)).collect();
        let kept: BTreeSet<&String> = new.iter().collect();
        prop_assert!(untouched.iter().all(|row| kept.contains(row)));
        // Of the others, those about somebody else are still there, by id.
        let about_them = |row: &&String| {
            let subjects = [
                "user_uid",
                "user_name",
                "subject_ref",
                "subject_uid",
                "subject_email",
            ];
            subjects
                .iter()
                .any(|column| cell(row, column).is_some_and(|text| names(text, who)))
        };
        let id = |row: &String| {
            let columns = ["metadata_uid", "signal_uid", "reject_uid"];
            columns
                .iter()
                .find_map(|column| cell(row, column))
                .unwrap()
                .to_owned()
        };
        let expected: BTreeSet<String> =
            old.iter().filter(|row| !about_them(row)).map(id).collect();
        let found: BTreeSet<String> = new.iter().map(id).collect();
        prop_assert_eq!(found, expected, "{:?}", kind);
    }
    let (old, new) = (before.snapshot_rows(), after.snapshot_rows());
    for ((id, table), rows) in &old {
        let found = &new[&(id.clone(), *table)];
        let theirs = |row: &&String| cell(row, "user_uid") == Some(&who.uid);
        let others: Vec<String> = rows
            .iter()
            .filter(|row| !theirs(row))
            .map(|row| {
                // Whoever they managed has no manager.
                match cell(row, "manager_uid").filter(|manager| names(manager, who)) {
                    Some(manager) => row.replace(&format!("manager_uid={manager}|"), ""),
                    None => row.clone(),
                }
            })
            .collect();
        if *table == "group_index" || *table == "unmatched_signals" {
            continue;
        }
        prop_assert_eq!(found, &others, "{} of {}", table, id);
    }
    for id in after.store.snapshots().unwrap() {
        let snapshot = Snapshot::open(&after.store.snapshot_dir(id)).unwrap();
        prop_assert!(
            snapshot.verify_files().is_empty(),
            "{:?}",
            snapshot.verify_files()
        );
        prop_assert_eq!(snapshot.manifest().erased, 1);
        figures(before, &snapshot, who)?;
    }
    Ok(())
}

fn rows<R>(
    snapshot: &Snapshot,
    table: &'static af_model::contract::Table,
    read: fn(&arrow::array::RecordBatch) -> Result<Vec<R>, af_model::contract::ContractError>,
) -> Vec<R> {
    let batches = snapshot.table(table).unwrap();
    batches
        .flat_map(|batch| read(&batch.unwrap()).unwrap())
        .collect()
}

/// With the tombstones, the published figures of the organization add up again; the groups are those
/// of the people who remain.
fn figures(before: &World, snapshot: &Snapshot, who: &Somebody) -> Result<(), TestCaseError> {
    let stones = rows(snapshot, &tombstones::TABLE, tombstones::rows);
    let hash = KEY.identifier("acme", &who.uid).to_string();
    prop_assert!(
        stones
            .iter()
            .all(|row| row.person_hash == hash && row.erased_at == at())
    );
    let users = rows(snapshot, &user_scores::TABLE, user_scores::rows);
    let components = rows(snapshot, &component_scores::TABLE, component_scores::rows);
    let members = i64::try_from(users.len()).unwrap() + 1;
    prop_assert_eq!(members, i64::try_from(PEOPLE).unwrap());
    for row in rows(snapshot, &org_summary::TABLE, org_summary::rows) {
        prop_assert_eq!(row.population_n, members);
        let of_rest = components.iter().filter(|found| {
            row.component
                .as_ref()
                .is_none_or(|name| found.component == *name)
        });
        let rest: i64 = of_rest.map(|found| found.load_micro).sum();
        let erased: Vec<_> = stones
            .iter()
            .filter(|stone| stone.component == row.component)
            .collect();
        prop_assert_eq!(erased.len(), 1);
        prop_assert_eq!(row.mean_load_micro, (rest + erased[0].load_micro) / members);
        if row.component.is_none() {
            let scores: i64 = users.iter().map(|user| user.score_micro).sum();
            prop_assert_eq!(
                row.mean_score_micro,
                (scores + erased[0].score_micro) / members
            );
            let groups = rows(snapshot, &group_index::TABLE, group_index::rows);
            let mut expected = BTreeMap::new();
            for user in &users {
                for (kind, key) in [
                    ("department", &user.department),
                    ("manager", &user.manager_uid),
                ] {
                    if let Some(key) = key {
                        expected
                            .entry((kind, key.as_str()))
                            .or_insert_with(Vec::new)
                            .push(user.score_micro);
                    }
                }
            }
            expected.retain(|_, scores| scores.len() >= 5);
            let found: BTreeMap<_, _> = groups
                .iter()
                .map(|group| {
                    let key = (group.group_kind.as_str(), group.group_key.as_str());
                    (
                        key,
                        (group.n, group.mean_score_micro, group.shrunk_mean_micro),
                    )
                })
                .collect();
            let expected: BTreeMap<_, _> = expected
                .into_iter()
                .map(|(key, scores)| {
                    let (n, sum) = (
                        i64::try_from(scores.len()).unwrap(),
                        scores.iter().sum::<i64>(),
                    );
                    (
                        key,
                        (n, sum / n, (sum + 5 * row.mean_score_micro) / (n + 5)),
                    )
                })
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
    // What was published of them before is what the tombstones say.
    let id: Vec<_> = snapshot.path().iter().rev().take(2).collect();
    let folder = before.root.join("snapshots").join(id[1]).join(id[0]);
    let published = Snapshot::open(&folder).unwrap();
    let before = rows(&published, &user_scores::TABLE, user_scores::rows);
    let row = before.iter().find(|row| row.user_uid == who.uid).unwrap();
    let sum = stones
        .iter()
        .find(|stone| stone.component.is_none())
        .unwrap();
    prop_assert_eq!(
        (sum.odds_nano, sum.score_micro),
        (row.odds_nano, row.score_micro)
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_the_person_stays_and_nobody_else_changes(
        plans in plans(), victim in 0..PEOPLE, by in 0..4_usize,
    ) {
        let before = World::of(&plans);
        let who = somebody(victim);
        prop_assert!(!before.places_of(&who.traces()).is_empty());
        let world = before.copy();
        let name = [&who.uid, &who.login, &who.email, &who.alias][by];
        let planned = erase::plan(&world.store, &KEY, &options(name), &Silent).unwrap();
        prop_assert_eq!(world.files(), before.files(), "a plan writes nothing");
        let report = erase(&world, &name.to_uppercase().replace(&who.uid.to_uppercase(), &who.uid));
        prop_assert_eq!(&report, &planned);
        prop_assert_eq!(report.snapshots, 2);
        compare(&before, &world, &who)?;

        // Twice is once.
        let again = erase(&world, name);
        prop_assert_eq!(again.erased_before, Some(at()));
        prop_assert!(again.is_nothing());

        // The next export and import do not bring them back, and scoring works without them.
        let files = world.day_rows(Partitioned::Events);
        let erased = (before.day_rows(Partitioned::Events).len() - files.len()) as u64;
        let report = world.normalize(&plans, "e", "2026-11-22T00:00:00Z");
        prop_assert!(report.account.closes());
        prop_assert_eq!(report.account.normalized, 0);
        prop_assert_eq!(world.day_rows(Partitioned::Events), files);
        // New events of others that name them come in without the name.
        let report = world.normalize(&plans, "n", "2026-11-22T00:00:00Z");
        prop_assert!(report.account.closes());
        prop_assert_eq!(report.account.quarantined, report.reasons.get("erased").copied().unwrap_or_default());
        let report = world.import(true, "2026-11-22T00:00:00Z");
        prop_assert_eq!((report.erased, report.version), (1, None));
        let scored = world.score("2026-11-14T23:59:59.999Z");
        prop_assert!(scored.published);
        let population = &scored.manifest.tenants["acme"].population;
        prop_assert_eq!(population["human"], PEOPLE as u64 - 1);
        let entry = &scored.manifest.run.tenants["acme"];
        let classes = entry.classes.unwrap().normalized;
        let stored = world.day_rows(Partitioned::Events).len() as u64;
        prop_assert_eq!(classes, stored);
        prop_assert_eq!(entry.removed.erased, erased);
        prop_assert_eq!(world.places_of(&who.traces()), Vec::<String>::new());
    }

    #[test]
    fn killed_anywhere_and_run_again_is_the_same_as_never_killed(victim in 0..PEOPLE, seed in any::<u16>()) {
        let before = World::of(&everything());
        let who = somebody(victim);
        let undisturbed = before.copy();
        let told = Mortal::after(1_000_000);
        erase::erase(&undisturbed.store, &undisturbed.lock(), &KEY, &options(&who.uid), &told).unwrap();
        let total = 1_000_000 - told.0.into_inner();
        let world = before.copy();
        let lives = 1 + usize::from(seed) % (total - 1);
        let killed = catch_unwind(AssertUnwindSafe(|| {
            let lock = world.lock();
            erase::erase(&world.store, &lock, &KEY, &options(&who.uid), &Mortal::after(lives))
        }));
        prop_assert!(killed.is_err());
        // Whatever happens in between, every snapshot is whole.
        for id in world.store.snapshots().unwrap() {
            let snapshot = Snapshot::open(&world.store.snapshot_dir(id)).unwrap();
            prop_assert!(snapshot.verify_files().is_empty());
        }
        if seed % 2 == 0 {
            erase(&world, &who.uid);
        } else {
            let lock = world.lock();
            let resumed = erase::resume(&world.store, &lock, &KEY, &Silent).unwrap();
            if resumed.is_none() {
                // Killed while it was still reading.
                erase::erase(&world.store, &lock, &KEY, &options(&who.uid), &Silent).unwrap();
            }
        }
        prop_assert!(!erase::is_unfinished(&world.store).unwrap());
        prop_assert_eq!(world.places_of(&who.traces()), Vec::<String>::new());
        let (found, expected) = (world.files(), undisturbed.files());
        prop_assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, content) in &found {
            prop_assert!(content == &expected[name], "{} differs", name);
        }
    }
}

#[test]
fn two_people_are_erased_one_after_the_other_with_a_tombstone_each() {
    let world = World::of(&everything());
    let (first, second) = (somebody(1), somebody(4));
    erase(&world, &first.email);
    erase(&world, &second.alias);
    let mut traces = first.traces();
    traces.extend(second.traces());
    assert_eq!(world.places_of(&traces), Vec::<String>::new());
    let snapshot = Snapshot::open_in(&world.store, "latest").unwrap();
    assert_eq!(snapshot.manifest().erased, 2);
    assert!(snapshot.verify_files().is_empty());
    let stones = rows(&snapshot, &tombstones::TABLE, tombstones::rows);
    let sums: Vec<_> = stones
        .iter()
        .filter(|row| row.component.is_none())
        .collect();
    assert_eq!(sums.len(), 2);
    assert!(stones.is_sorted_by_key(|row| (row.person_hash.clone(), row.component.clone())));
    let users = rows(&snapshot, &user_scores::TABLE, user_scores::rows);
    assert_eq!(users.len(), PEOPLE - 2);
}

#[test]
fn a_lifted_tombstone_lets_the_next_import_and_export_in_again() {
    let world = World::of(&everything());
    let events = world.day_rows(Partitioned::Events).len();
    let who = somebody(2);
    erase(&world, &who.uid);
    let left = world.day_rows(Partitioned::Events).len();
    let refused = world.normalize(&everything(), "e", "2026-11-22T00:00:00Z");
    assert_eq!(
        refused.reasons.get("erased"),
        Some(&((events - left) as u64))
    );
    let lift = |world: &World, person: &str| {
        Erased::lift(&world.store, Some(&world.lock()), &KEY, "acme", person).unwrap()
    };
    assert_eq!(lift(&world, "nobody@example.com"), None);
    assert_eq!(lift(&world, &who.alias.to_uppercase()), Some(at()));
    assert_eq!(lift(&world, &who.alias), None);
    let report = world.import(true, "2026-11-22T00:00:00Z");
    assert_eq!(report.erased, 0);
    assert!(report.version.is_some());
    world.normalize(&everything(), "e", "2026-11-22T00:00:00Z");
    assert_eq!(world.day_rows(Partitioned::Events).len(), events);
}

#[test]
fn a_person_is_found_who_is_only_in_an_old_version_or_only_in_events() {
    // Only in the first version: the second import does not know them.
    let world = World::of(&everything());
    let stranger = "zoe.stranger@elsewhere.example";
    let mut event = super::cast::event("x1", everything()[0]);
    event["actor"] = serde_json::json!({"id": "00uzzz", "type": "User", "alternateId": stranger, "displayName": "Zoe Stranger"});
    world.normalize_lines(&[event.to_string()], "2026-11-13T00:00:00Z");
    let traces = vec![
        "00uzzz".to_owned(),
        stranger.to_owned(),
        "zoe stranger".to_owned(),
    ];
    assert!(!world.places_of(&traces).is_empty());
    let report = erase(&world, stranger);
    assert_eq!(report.snapshots, 0);
    assert_eq!(world.places_of(&traces), Vec::<String>::new());
    assert_eq!(erase(&world, "00uzzz").erased_before, Some(at()));

    let world = World::of(&everything());
    let versions = world.store.directories().unwrap();
    let latest = versions.last().unwrap();
    // The latest version and its snapshot never knew them.
    let who = somebody(12);
    let name = latest.file_name().unwrap().to_str().unwrap().to_owned();
    let people = af_store::table_file::read(
        latest,
        &af_model::tables::directory::TABLE,
        None,
        af_store::Scan::File,
    )
    .unwrap();
    let people: Vec<_> = people
        .flat_map(|batch| af_model::tables::directory::rows(&batch.unwrap()).unwrap())
        .filter(|person| person.user_uid != who.uid)
        .collect();
    let batch = af_model::tables::directory::batch(&people);
    world
        .store
        .rewrite_directory(&world.lock(), &name, [Ok(batch)])
        .unwrap();
    erase(&world, &who.login);
    assert_eq!(world.places_of(&who.traces()), Vec::<String>::new());
}

#[test]
fn a_key_of_two_people_is_refused_and_stays_with_the_other_one() {
    let world = World::empty();
    let csv = "id,login,email,aliases\nu-one,one@example.com,team@example.com,\nu-two,two@example.com,team@example.com,\n";
    world.import_csv(csv, "2026-11-01T00:00:00Z");
    let error = erase::plan(&world.store, &KEY, &options("team@example.com"), &Silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("u-one, u-two"), "{error}");
    let report = erase(&world, "u-one");
    assert_eq!(report.shared_keys, 1);
    let path = world.store.directories().unwrap().remove(0);
    let left = file_rows(&path, &af_model::tables::directory::TABLE);
    assert_eq!(left.len(), 1);
    assert!(left[0].contains("email=team@example.com"), "{left:?}");
    // The last of them takes the key along.
    assert_eq!(erase(&world, "team@example.com").shared_keys, 0);
    assert_eq!(
        world.places_of(&["team@example.com".to_owned()]),
        Vec::<String>::new()
    );
}

#[test]
fn nobody_is_erased_from_an_empty_store_or_from_another_tenant() {
    let world = World::empty();
    let error = erase::plan(&world.store, &KEY, &options("joe@example.com"), &Silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(!error.to_string().contains("joe@"), "{error}");
    let world = World::of(&everything());
    let files = world.files();
    let who = somebody(1);
    let asked = EraseOptions {
        tenant: "other",
        ..options(&who.email)
    };
    erase::erase(&world.store, &world.lock(), &KEY, &asked, &Silent).unwrap_err();
    assert_eq!(world.files(), files);
}
