//! What the generator promises of its rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use af_model::tables::{attack_signals, directory};
use af_store::{Scan, table_file};

use super::chance::Shuffle;
use super::plan::{LEVELS, Plan};
use super::{Arguments, Compression, Layout, run};

#[test]
fn a_shuffle_has_every_number_once() {
    for count in [1, 2, 3, 63, 64, 65, 1000] {
        let shuffle = Shuffle::new(7, count);
        let shuffled: Vec<u64> = (0..count).map(|position| shuffle.at(position)).collect();
        let all: BTreeSet<u64> = shuffled.iter().copied().collect();
        assert_eq!(all, (0..count).collect());
        assert!(count < 1000 || !shuffled.is_sorted());
    }
}

#[test]
fn people_are_spread_like_zipf() {
    let plan = Plan::new(1, 100, 10_000, 100);
    let people = plan.population();
    let size = |tenant: usize| people.people_of(tenant).count();
    assert_eq!((0..100).map(size).sum::<usize>(), 10_000);
    // 10,000 / H(100) = 10,000 / 5.187.
    assert_eq!(size(0), 1927);
    assert_eq!(size(1), 964);
    for person in [0, 1926, 1927, 9_999] {
        let tenant = people.tenant_of(person);
        assert!(people.people_of(tenant).contains(&person));
    }
}

#[test]
fn rows_are_shared_out_as_promised() {
    let plan = Plan::new(3, 90_000, 900, 10);
    let people = plan.population();
    let (mut hot, mut unknown, mut loud, mut named, mut copies, mut changed) = (0, 0, 0, 0, 0, 0);
    let mut levels = [0_u32; 4];
    let mut incidents: HashMap<(u64, i32), u32> = HashMap::new();
    let mut first: HashMap<u128, super::plan::Signal> = HashMap::new();
    for day in 0..90 {
        for row in plan.rows_of(day) {
            let signal = plan.signal(row);
            assert_eq!(signal.time.day(), Plan::day(day));
            hot += u32::from(signal.person < people.people() && signal.person.is_multiple_of(100));
            unknown += u32::from(signal.person >= people.people());
            loud += u32::from(signal.spelling != super::plan::Spelling::Normal);
            named += u32::from(signal.names_uid);
            levels[signal.level] += 1;
            if let Some(incident) = signal.incident {
                *incidents
                    .entry((incident, signal.time.day().0))
                    .or_default() += 1;
            }
            if let Some(earlier) = first.get(&signal.uid) {
                copies += 1;
                changed += u32::from(earlier.level != signal.level);
                assert!(earlier.ingested_at.unwrap_or(earlier.time) < signal.ingested_at.unwrap());
                let mut same = signal.clone();
                (same.ingested_at, same.level) = (earlier.ingested_at, earlier.level);
                assert_eq!(&same, earlier);
            } else {
                first.insert(signal.uid, signal);
            }
        }
    }
    assert_eq!(copies, 900);
    assert!((60..120).contains(&changed), "{changed}");
    assert!((34_000..40_000).contains(&hot), "{hot}");
    assert!((1_500..2_100).contains(&unknown), "{unknown}");
    assert!((17_500..18_500).contains(&loud), "{loud}");
    assert!((44_000..46_000).contains(&named), "{named}");
    for (found, (_, share)) in levels.iter().zip(LEVELS) {
        let expected = u32::try_from(share).unwrap() * 900;
        assert!(found.abs_diff(expected) < expected / 10, "{levels:?}");
    }
    let shared: u32 = incidents.values().filter(|count| **count > 1).sum();
    // Forty of a hundred; the copies of these, 900 · 40/99; lone signals that name their incident and
    // their copies, 2 · 900 · 39/99: 36,000 + 364 + 709.
    assert!(shared.abs_diff(37_073) < 200, "{shared}");
}

fn generate(folder: &Path, layout: Layout) {
    let arguments = Arguments {
        rows: 12_345,
        people: Some(300),
        tenants: 7,
        seed: 5,
        out: folder.to_owned(),
        layout,
        compression: Compression::Snappy,
    };
    run(&arguments).unwrap();
}

/// All rows of all files below a folder, each as text, sorted.
fn all(folder: &Path) -> Vec<String> {
    let mut rows = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rows.extend(all(&path));
            continue;
        }
        let table = &attack_signals::TABLE;
        for batch in table_file::read(&path, table, None, Scan::File).unwrap() {
            let batch = batch.unwrap();
            rows.extend(
                (0..batch.num_rows()).map(|row| format!("{:?}", attack_signals::row(&batch, row))),
            );
        }
    }
    rows.sort_unstable();
    rows
}

#[test]
fn both_layouts_hold_the_same_rows_and_the_people_they_are_about() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), Layout::Sorted);
    generate(folder.path(), Layout::Foreign);
    let sorted = all(&folder.path().join("sorted"));
    assert_eq!(sorted.len(), 12_345);
    assert_eq!(sorted, all(&folder.path().join("foreign")));
    assert_eq!(
        fs_err::read_dir(folder.path().join("sorted"))
            .unwrap()
            .count(),
        90
    );

    let path = folder.path().join("people.parquet");
    let mut known = BTreeMap::new();
    for batch in table_file::read(&path, &directory::TABLE, None, Scan::File).unwrap() {
        for row in directory::rows(&batch.unwrap()).unwrap() {
            known.insert((row.tenant_uid, row.email), row.user_uid);
        }
    }
    assert_eq!(known.len(), 300);
    let mut matched = 0;
    for entry in fs_err::read_dir(folder.path().join("foreign")).unwrap() {
        let table = &attack_signals::TABLE;
        let path = entry.unwrap().path();
        for batch in table_file::read(&path, table, None, Scan::File).unwrap() {
            let batch = batch.unwrap();
            for row in (0..batch.num_rows()).map(|row| attack_signals::row(&batch, row)) {
                let email = row.subject_email.unwrap().trim().to_lowercase();
                let found = known.get(&(row.tenant_uid.into_owned(), email));
                matched += u32::from(found.is_some());
                // Who is found by address is found by id, too; a stranger by neither.
                if let (Some(uid), Some(found)) = (&row.subject_uid, found) {
                    assert_eq!(uid, found);
                }
            }
        }
    }
    assert!((11_900..12_250).contains(&matched), "{matched}");
}
