//! Parts, groups and refusals: what an organization too large for one part shows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use af_count::{Counted, CountedBlock, SignalUids, TenantCounts, Unmatched, UnmatchedReason};
use af_model::tables::{bucket_counts, signal_attribution, user_scores};
use af_model::{Level, Params, Person, UtcDay, UtcMillis};

use super::{Assembly, CountsByTenant, Look, Roster, Slices, SnapshotTables, Stamp};
use crate::error::Error;
use crate::pipeline::LeftOut;
use crate::tally::Cut;

const PEOPLE: u32 = 625;

/// Those who exist at the cut.
const EXISTING: usize = 500;

fn as_of() -> UtcMillis {
    UtcMillis::parse_cut("2026-11-20").unwrap()
}

/// Everybody else exists at the cut.
fn is_yet_to_come(person: u32) -> bool {
    person % 5 == 4
}

/// Three tenants; everybody who exists has 72 blocks, every seventh is a service account.
fn people() -> Vec<Person> {
    let mut people = Vec::new();
    for tenant in ["acme", "beta", "gamma"] {
        people.extend((0..PEOPLE).map(|n| Person {
            user_type: (n % 7 == 3).then(|| "service".to_owned()),
            department: Some(format!("d{}", n % 3)),
            created: is_yet_to_come(n).then(|| UtcMillis(as_of().0 + 1)),
            ..Person::new(
                tenant,
                &format!("u{n:04}"),
                &format!("u{n}@{tenant}.example"),
            )
        }));
    }
    people
}

fn counts(first: u32, broken: bool) -> TenantCounts {
    let names: Vec<Arc<str>> = ["email", "identity"].map(Arc::from).to_vec();
    let mut counts = TenantCounts::default();
    let existing = (first..first + PEOPLE).filter(|person| !is_yet_to_come(person - first));
    for person in existing {
        for (component, family, age) in
            (0..2).flat_map(|c| (0..2).flat_map(move |f| (0..9).map(move |a| (c, f, a))))
        {
            for level in [Level::High, Level::Medium, Level::Low].into_iter().skip(1) {
                let age = if broken { 200 } else { 10 * (8 - age) };
                let day = UtcDay(as_of().day().0 - age);
                let n = 1 + u64::from((person * 31 + u32::try_from(age).unwrap()) % 5);
                let uid = format!("{person}-{component}-{family}-{age}-{level}");
                counts.blocks.push(CountedBlock {
                    person,
                    component: Arc::clone(&names[component]),
                    family: Arc::clone(&names[family]),
                    day,
                    level,
                    n,
                    first_time: day.start(),
                    last_time: day.start(),
                    rule_ids: Arc::new([Arc::from("rule")]),
                    signal_uids: SignalUids::new(std::iter::once(uid.as_str())),
                });
            }
        }
    }
    counts.unmatched = (0..30).map(nobody).collect();
    counts
}

/// A signal of nobody.
fn nobody(number: u8) -> Unmatched {
    Unmatched {
        reason: UnmatchedReason::NoMatch,
        source: "gateway".into(),
        day: as_of().day(),
        component: "email".into(),
        family: "phishing".into(),
        level: Level::Low,
        rule_id: "rule".into(),
        subject_hash: Some(format!("{number:064}")),
        n: u64::from(number) + 1,
    }
}

/// Says that every tenant is too large to be held.
struct TooLarge<'c>(&'c Counted);

struct Halves<'c> {
    blocks: &'c [CountedBlock],
    unmatched: &'c [Unmatched],
    taken: BTreeMap<bool, usize>,
}

impl<'c> CountsByTenant<'c> for TooLarge<'c> {
    fn tenant(&mut self, _: &str) -> Result<Option<Cow<'c, TenantCounts>>, Error> {
        panic!("a tenant that comes in slices is not asked for whole")
    }

    fn in_slices<'s>(&'s mut self, uid: &'s str) -> Result<Option<Box<dyn Slices + 's>>, Error> {
        let counts = &self.0.tenants[uid];
        Ok(Some(Box::new(Halves {
            blocks: &counts.blocks,
            unmatched: &counts.unmatched,
            taken: BTreeMap::new(),
        })))
    }

    fn rewind(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl Slices for Halves<'_> {
    /// So many that a slice is of 40 people.
    fn blocks(&self) -> usize {
        PEOPLE as usize * (1 << 17) / 40
    }

    fn take(&mut self, end: Option<u32>, look: Look) -> Result<Vec<CountedBlock>, Error> {
        let taken = self.taken.entry(look == Look::Details).or_default();
        let end = end.map_or(self.blocks.len(), |end| {
            self.blocks.partition_point(|block| block.person < end)
        });
        let mut slice = self.blocks[*taken..end].to_vec();
        *taken = end;
        if look == Look::Figures {
            for block in &mut slice {
                block.signal_uids = SignalUids::new([]);
            }
        }
        Ok(slice)
    }

    fn unmatched(&mut self) -> Result<Vec<Unmatched>, Error> {
        Ok(self.unmatched.to_vec())
    }
}

#[test]
fn a_tenant_in_slices_has_the_rows_that_it_has_as_a_whole() {
    let (people, counted) = (people(), counted(""));
    let (whole, _) = run(&people, &counted, &LeftOut::new());
    let (sliced, refused) = run_with(&people, &counted, &LeftOut::new(), &mut TooLarge(&counted));
    assert!(refused.is_empty());
    let parts = |tables: &SnapshotTables| tables.parts(&user_scores::TABLE).len();
    assert!(parts(&sliced) > 3 * parts(&whole), "slices");
    for table in af_model::tables::SNAPSHOT {
        assert_eq!(whole.batch(table), sliced.batch(table), "{}", table.name);
    }
    let left_out = LeftOut::from([("acme".to_owned(), "a gate".to_owned())]);
    let broken = self::counted("beta");
    let (whole, refused) = run(&people, &broken, &left_out);
    let (sliced, as_well) = run_with(&people, &broken, &left_out, &mut TooLarge(&broken));
    assert_eq!(refused, as_well);
    assert_eq!(whole.user_scores(), sliced.user_scores());
}

fn run(people: &[Person], counted: &Counted, left_out: &LeftOut) -> (SnapshotTables, LeftOut) {
    run_with(people, counted, left_out, &mut &*counted)
}

fn run_with<'c>(
    people: &[Person],
    counted: &'c Counted,
    left_out: &LeftOut,
    counts: &mut dyn CountsByTenant<'c>,
) -> (SnapshotTables, LeftOut) {
    let params = Params::default();
    let stamp = Stamp {
        cut: Cut {
            as_of: as_of(),
            known_at: as_of(),
        },
        config_hash: params.config_hash().to_string(),
        rules_hash: None,
    };
    let assembly = Assembly {
        people: &Roster::new(people.to_vec()),
        params: &params,
        stamp: &stamp,
    };
    let mut tables = SnapshotTables::default();
    let tenants = counted.tenants.keys().map(String::as_str);
    let refused = assembly
        .run(tenants, left_out, counts, &mut tables)
        .unwrap();
    let population = assembly.population();
    assert!(
        tables
            .population
            .iter()
            .all(|(tenant, found)| population[tenant] == *found),
        "what gates are told is what is published"
    );
    (tables, refused)
}

fn counted(broken: &str) -> Counted {
    let tenants = ["acme", "beta", "gamma"].into_iter().enumerate();
    Counted {
        latest_ingested: None,
        tenants: tenants
            .map(|(place, name)| {
                let first = PEOPLE * u32::try_from(place).unwrap();
                (name.to_owned(), counts(first, name == broken))
            })
            .collect(),
    }
}

#[test]
fn an_organization_in_many_parts_adds_up_and_is_in_order() {
    let (tables, refused) = run(&people(), &counted(""), &LeftOut::new());
    assert!(refused.is_empty());
    assert!(tables.parts(&user_scores::TABLE).len() > 6, "parts");
    let folder = tempfile::tempdir().unwrap();
    for table in af_model::tables::SNAPSHOT {
        let path = folder.path().join(table.name);
        let metadata = af_store::Metadata::new();
        // The writer refuses rows out of order.
        let parts = tables.parts(table).iter().cloned();
        af_store::table_file::write(&path, table, parts, &metadata).unwrap();
    }
    let mut shares: BTreeMap<(String, String), (i64, i64, usize)> = BTreeMap::new();
    let batch = tables.batch(&signal_attribution::TABLE);
    for row in signal_attribution::rows(&batch).unwrap() {
        if let Some(level) = &row.level {
            let (component, family) = (row.component.unwrap(), row.family.unwrap());
            let uid = &row.signal_uids[0];
            let place = |name: &str| usize::from(name == "identity");
            let tail = format!(
                "-{}-{}-{}-{level}",
                place(&component),
                place(&family),
                as_of().day().0 - row.day.unwrap().0
            );
            assert!(uid.ends_with(&tail), "{uid} {tail}");
        }
        let sum = shares.entry((row.tenant_uid, row.user_uid)).or_default();
        *sum = (sum.0 + row.score_share_micro, sum.1 + row.n, sum.2 + 1);
    }
    let users = tables.user_scores();
    assert_eq!(users.len(), 3 * EXISTING);
    for user in users {
        let key = (user.tenant_uid, user.user_uid);
        // Fifty blocks alone and the rest of 72 in one row.
        assert_eq!(
            shares[&key],
            (user.score_micro, user.signal_count, 51),
            "{key:?}"
        );
    }
    let buckets = tables.batch(&bucket_counts::TABLE);
    assert_eq!(buckets.num_rows(), 3 * EXISTING * 36);
}

#[test]
fn the_number_of_threads_changes_no_row() {
    let (all, counted) = (people(), counted(""));
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| run(&all, &counted, &LeftOut::new()).0.batches())
    };
    assert_eq!(with(1), with(5));
}

#[test]
fn a_refused_tenant_and_one_left_out_have_no_row_and_change_nobody_elses() {
    let left_out = LeftOut::from([("acme".to_owned(), "a gate".to_owned())]);
    let (tables, refused) = run(&people(), &counted("beta"), &left_out);
    assert_eq!(refused.keys().collect::<Vec<_>>(), ["beta"]);
    assert!(
        refused["beta"].starts_with("score tenant beta: "),
        "{refused:?}"
    );
    let (whole, _) = run(&people(), &counted(""), &LeftOut::new());
    let gamma: Vec<_> = whole
        .user_scores()
        .into_iter()
        .filter(|row| row.tenant_uid == "gamma")
        .collect();
    assert_eq!(tables.user_scores(), gamma);
    for table in af_model::tables::SNAPSHOT {
        let tenants = tables.batch(table);
        let tenants = tenants.column_by_name("tenant_uid").unwrap();
        let tenants = arrow::array::AsArray::as_string::<i32>(tenants);
        assert!(
            tenants.iter().all(|tenant| tenant == Some("gamma")),
            "{}",
            table.name
        );
    }
}
