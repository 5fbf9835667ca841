//! The pipeline from signals to tables, held against a naive oracle and against its own promises, on
//! whole files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use af_count::{Counted, Counter, PeopleIndex, Retractions};
use af_directory::ImportOptions;
use af_engine::Silent;
use af_engine::assemble::{SnapshotTables, Stamp, assemble};
use af_engine::files::{self, Input};
use af_engine::pipeline::RunFacts;
use af_engine::tally::{AskedCut, Cut};
use af_model::cell::Alias;
use af_model::key::normalize_key;
use af_model::tables::{
    attack_signals, component_scores, directory, signal_attribution, unmatched_signals, user_scores,
};
use af_model::{Person, UtcMillis};
use af_store::{Metadata, Scan, table_file};
use af_testkit::generate;
use af_testkit::oracle::{OracleInput, OracleSignal, oracle};
use arrow::array::RecordBatch;
use proptest::prelude::*;

/// Counts and scores in memory, the batches in the order of a seed.
fn compute(input: &OracleInput, seed: u64) -> (Counted, SnapshotTables) {
    let cut = Cut {
        as_of: input.as_of,
        known_at: input.known_at,
    };
    let (index, people) = PeopleIndex::with_people(input.people.clone(), &input.key);
    let retractions = Retractions::new(&input.retractions, cut.known_at);
    let mut counter = Counter::new(&index, &retractions, cut, &input.key);
    for batch in generate::to_batches(&input.signals, seed) {
        counter.push(&batch).unwrap();
    }
    let counted = counter.finish();
    let stamp = Stamp {
        cut,
        config_hash: input.params.config_hash().to_string(),
        rules_hash: None,
    };
    let tables = assemble(&people, &counted, &input.params, &stamp).unwrap();
    (counted, tables)
}

/// What tells the blocks of `signal_attribution` apart.
type Key = (
    String,
    Option<String>,
    Option<String>,
    Option<i32>,
    Option<String>,
);

fn compare(input: &OracleInput) -> Result<(), TestCaseError> {
    let (counted, tables) = compute(input, 11);
    let user_scores = tables.user_scores();
    let batch = tables.batch(&component_scores::TABLE);
    let component_scores = component_scores::rows(&batch).unwrap();
    let batch = tables.batch(&signal_attribution::TABLE);
    let signal_attribution = signal_attribution::rows(&batch).unwrap();
    let batch = tables.batch(&unmatched_signals::TABLE);
    let unmatched_signals = unmatched_signals::rows(&batch).unwrap();
    let expected = oracle(input);
    for (tenant, expected) in &expected {
        let account = counted
            .tenants
            .get(tenant)
            .map(|counts| counts.account)
            .unwrap_or_default();
        prop_assert!(account.closes());
        prop_assert_eq!(account, expected.account, "{}", tenant);

        let users: Vec<_> = user_scores
            .iter()
            .filter(|row| row.tenant_uid == *tenant)
            .collect();
        prop_assert_eq!(users.len(), expected.users.len());
        for (row, user) in users.iter().zip(&expected.users) {
            prop_assert_eq!(&row.user_uid, &user.user_uid);
            prop_assert_eq!(row.population.as_str(), user.population.as_str());
            prop_assert_eq!(row.population_n, i64::try_from(user.population_n).unwrap());
            prop_assert_eq!(row.in_population, user.in_population, "{}", user.user_uid);
            prop_assert_eq!(row.odds_nano, user.odds_nano, "{}", user.user_uid);
            prop_assert_eq!(row.score_micro, user.score_micro, "{}", user.user_uid);
            prop_assert_eq!(row.level.as_str(), user.level.as_str());
            prop_assert_eq!(row.rank, user.rank);
            prop_assert_eq!(row.percentile, user.percentile);
            prop_assert_eq!(row.pct_below, user.pct_below);
            prop_assert_eq!(row.signal_count, user.signal_count);
            prop_assert_eq!(row.attack_days, user.attack_days);
        }

        let components: Vec<_> = component_scores
            .iter()
            .filter(|row| row.tenant_uid == *tenant)
            .collect();
        prop_assert_eq!(components.len(), expected.components.len());
        for (row, figure) in components.iter().zip(&expected.components) {
            prop_assert_eq!(
                (
                    &row.user_uid,
                    &row.component,
                    row.load_micro,
                    row.baseline_micro,
                    row.odds_nano,
                    row.score_micro,
                    row.relative_weight_micro,
                ),
                (
                    &figure.user_uid,
                    &figure.component,
                    figure.load_micro,
                    figure.baseline_micro,
                    figure.odds_nano,
                    figure.score_micro,
                    figure.relative_weight_micro,
                )
            );
        }

        let mut blocks: BTreeMap<Key, (i64, i64, i64, Option<i64>)> = BTreeMap::new();
        for row in signal_attribution
            .iter()
            .filter(|row| row.tenant_uid == *tenant)
        {
            let key = (
                row.user_uid.clone(),
                row.component.clone(),
                row.family.clone(),
                row.day.map(|day| day.0),
                row.level.clone(),
            );
            let figures = (
                row.n,
                row.load_share_micro,
                row.score_share_micro,
                row.without_micro,
            );
            blocks.insert(key, figures);
        }
        let mut alone = 0;
        for block in &expected.blocks {
            let key = (
                block.user_uid.clone(),
                Some(block.component.clone()),
                Some(block.family.clone()),
                Some(block.day.0),
                Some(block.level.as_str().to_owned()),
            );
            // A person with more than fifty blocks has the rest in one row.
            let Some(figures) = blocks.get(&key) else {
                continue;
            };
            alone += 1;
            prop_assert_eq!(
                *figures,
                (
                    i64::try_from(block.n).unwrap(),
                    block.load_share_micro,
                    block.score_share_micro,
                    Some(block.without_micro),
                ),
                "{:?}",
                key
            );
        }
        let rests = blocks.keys().filter(|key| key.1.is_none()).count();
        prop_assert_eq!(alone + rests, blocks.len());
        prop_assert!(rests > 0 || alone == expected.blocks.len());

        let mut unmatched: BTreeMap<&str, u64> = BTreeMap::new();
        for row in unmatched_signals
            .iter()
            .filter(|row| row.tenant_uid == *tenant)
        {
            *unmatched.entry(row.reason.as_str()).or_default() += u64::try_from(row.n).unwrap();
        }
        let said: BTreeMap<&str, u64> = expected
            .unmatched
            .iter()
            .filter(|(_, n)| **n > 0)
            .map(|(r, n)| (*r, *n))
            .collect();
        prop_assert_eq!(unmatched, said);
    }
    let known: Vec<&String> = tables.population.keys().collect();
    prop_assert!(known.iter().all(|tenant| expected.contains_key(*tenant)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_figure_equals_the_naive_oracle(input in generate::organizations()) {
        compare(&input)?;
    }

    #[test]
    fn order_and_repetition_change_no_row(input in generate::organizations(), seed in any::<u64>()) {
        let (_, once) = compute(&input, 1);
        let mut twice = input.clone();
        twice.signals.extend(input.signals.iter().cloned());
        let (_, again) = compute(&twice, seed);
        prop_assert_eq!(once.batches(), again.batches());
    }

    #[test]
    fn another_tenants_signals_leave_my_rows_alone(input in generate::organizations()) {
        let Some(mine) = input.people.first().map(|person| person.tenant_uid.clone()) else {
            return Ok(());
        };
        let (_, together) = compute(&input, 3);
        let mut alone = input.clone();
        alone.signals.retain(|signal| signal.tenant_uid == mine);
        alone.people.retain(|person| person.tenant_uid == mine);
        let (_, alone) = compute(&alone, 4);
        let rows = |tables: &SnapshotTables| -> Vec<user_scores::Row> {
            tables.user_scores().iter().filter(|row| row.tenant_uid == mine).cloned().collect()
        };
        prop_assert_eq!(rows(&together), rows(&alone));
    }
}

fn write_signals(path: &Path, batch: &RecordBatch) {
    let sorted = af_store::sorted_batch(batch, &attack_signals::TABLE).unwrap();
    table_file::write(path, &attack_signals::TABLE, [sorted], &Metadata::new()).unwrap();
}

fn write_people(path: &Path, people: &[Person]) {
    let sorted = af_store::sorted_batch(&directory::batch(people), &directory::TABLE).unwrap();
    table_file::write(path, &directory::TABLE, [sorted], &Metadata::new()).unwrap();
}

/// Scores files as `score --signals` does, and returns the bytes of every table.
fn scored_files(
    input: &OracleInput,
    signals: &[&[OracleSignal]],
    threads: usize,
) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.parquet");
    write_people(&users, &input.people);
    let files: Vec<PathBuf> = signals
        .iter()
        .enumerate()
        .map(|(n, part)| {
            let path = folder.path().join(format!("{n}.parquet"));
            let rows: Vec<attack_signals::Row<'_>> = part.iter().map(OracleSignal::row).collect();
            write_signals(&path, &attack_signals::batch(&rows));
            path
        })
        .collect();
    let options = ImportOptions {
        tenant: None,
        source: "test".to_owned(),
        imported_at: None,
        map: Vec::new(),
    };
    let out = folder.path().join("out");
    let read = Input {
        signals: &files,
        users: &users,
        options: &options,
        key: Some(&input.key),
    };
    let run = RunFacts {
        program: "test".to_owned(),
        started_at: UtcMillis(0),
    };
    let asked = AskedCut {
        as_of: Some(input.as_of),
        known_at: Some(input.known_at),
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(|| files::score(read, &out, false, &input.params, asked, &run, &Silent))
        .unwrap();
    std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "parquet")
        })
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn whole_files_in_any_split_and_with_any_threads_give_the_same_bytes(
        input in generate::organizations(),
        cut in 0.0..1.0_f64,
    ) {
        // Files of people know no tenant-less rows; the generator's people all name theirs.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
            reason = "a share of a few hundred signals")]
        let at = (input.signals.len() as f64 * cut) as usize;
        let (head, tail) = input.signals.split_at(at);
        let one = scored_files(&input, &[&input.signals], 1);
        let two = scored_files(&input, &[tail, head, tail], 2);
        prop_assert_eq!(one.len(), 7);
        prop_assert!(one == two, "tables differ");
    }

    #[test]
    fn renaming_people_renames_rows_and_nothing_else(input in generate::organizations()) {
        let mut renamed = input.clone();
        for person in &mut renamed.people {
            person.user_uid = format!("{RENAMED}{}", person.user_uid);
            person.display_name = person.display_name.take().map(|name| format!("new {name}"));
        }
        for signal in &mut renamed.signals {
            let uid = signal.subject_uid.take();
            signal.subject_uid = uid.map(|uid| if uid.trim().is_empty() { uid } else { format!("{RENAMED}{uid}") });
            let subject = signal.subject_ref.take();
            signal.subject_ref = subject.map(|subject| match subject.strip_prefix("uid:") {
                Some(uid) => format!("uid:{RENAMED}{uid}"),
                None => subject,
            });
        }
        let before = user_rows(&scored_files(&input, &[&input.signals], 1));
        let after = user_rows(&scored_files(&renamed, &[&renamed.signals], 2));
        let back = after.into_iter().map(|row| user_scores::Row {
            user_uid: row.user_uid.strip_prefix(RENAMED).unwrap().to_owned(),
            display_name: row.display_name.map(|name| name.strip_prefix("new ").unwrap().to_owned()),
            ..row
        });
        prop_assert_eq!(before, back.collect::<Vec<_>>());
    }

    #[test]
    fn another_tenants_files_leave_my_rows_alone(input in generate::organizations()) {
        let Some(mine) = input.people.first().map(|person| person.tenant_uid.clone()) else {
            return Ok(());
        };
        let mut alone = input.clone();
        alone.signals.retain(|signal| signal.tenant_uid == mine);
        alone.people.retain(|person| person.tenant_uid == mine);
        let of_mine = |input: &OracleInput| -> Vec<user_scores::Row> {
            let rows = user_rows(&scored_files(input, &[&input.signals], 2));
            rows.into_iter().filter(|row| row.tenant_uid == mine).collect()
        };
        prop_assert_eq!(of_mine(&input), of_mine(&alone));
    }

    #[test]
    fn a_person_of_two_names_is_the_person_of_one(input in generate::organizations()) {
        // Somebody whose address nobody else holds in any way.
        let holders = |email: &str, tenant: &str| {
            let held = |person: &&Person| {
                let aliases = person.aliases.iter().flatten().map(|alias| alias.key.as_str());
                person.tenant_uid == tenant
                    && aliases.chain([person.email.as_str()]).chain(person.login.as_deref())
                        .any(|key| normalize_key(key) == normalize_key(email))
            };
            input.people.iter().filter(held).count()
        };
        let Some(chosen) = input
            .people
            .iter()
            .position(|person| holders(&person.email, &person.tenant_uid) == 1)
        else {
            return Ok(());
        };
        let mut split = input.clone();
        let person = &mut split.people[chosen];
        let (tenant, email) = (person.tenant_uid.clone(), person.email.clone());
        let other_name = "the-other-name@example.net";
        person.aliases.get_or_insert_default().push(Alias {
            key: other_name.to_owned(),
            valid_from: None,
            valid_to: None,
        });
        for signal in split.signals.iter_mut().step_by(2) {
            let by_email_alone = signal.subject_uid.is_none() && signal.subject_login.is_none();
            let names_chosen = signal
                .subject_email
                .as_deref()
                .is_some_and(|found| normalize_key(found) == normalize_key(&email));
            if signal.tenant_uid == tenant && by_email_alone && names_chosen {
                signal.subject_email = Some(other_name.to_owned());
            }
        }
        let one = user_rows(&scored_files(&input, &[&input.signals], 1));
        let two = user_rows(&scored_files(&split, &[&split.signals], 1));
        prop_assert_eq!(one, two);
    }
}

/// Put before every user id; keeps their order.
const RENAMED: &str = "renamed-";

/// The rows of `user_scores` among the bytes of all tables.
fn user_rows(tables: &BTreeMap<String, Vec<u8>>) -> Vec<user_scores::Row> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("user_scores.parquet");
    fs_err::write(&path, &tables["user_scores.parquet"]).unwrap();
    table_file::read(&path, &user_scores::TABLE, None, Scan::File)
        .unwrap()
        .flat_map(|batch| user_scores::rows(&batch.unwrap()).unwrap())
        .collect()
}
