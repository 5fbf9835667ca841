//! `verify` passes what was published and names every cell that was changed afterwards.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod support;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use af_engine::verify::verify;
use af_model::cell::Kind;
use af_model::contract::Table;
use af_model::tables::{
    self, bucket_counts, component_scores, group_index, org_summary, signal_attribution,
    tombstones, unmatched_signals, user_scores,
};
use af_model::view::VerifyView;
use af_model::{MICRO, UtcMillis};
use af_testkit::generate::{self, Size};
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use proptest::prelude::*;
use proptest::sample::Index;
use support::{attack, edit_manifest, empty, erase, forge, person, publish, table};

/// A snapshot with several tenants, leavers, service accounts, groups and signals of nobody.
fn published() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let size = Size {
                people: 40,
                signals: 160,
            };
            let mut input = generate::organization(11, size);
            // Groups need five people each.
            for (n, person) in input.people.iter_mut().enumerate() {
                person.department = Some(["Finance", "Sales"][n % 2].to_owned());
            }
            let folder = tempfile::tempdir().unwrap();
            publish(&input, None, &folder.path().join("out"));
            folder
        })
        .path()
}

fn out() -> std::path::PathBuf {
    published().join("out")
}

/// A copy of a snapshot to be spoiled.
fn copy(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        fs_err::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// Every column of figures of every table of the snapshot that has rows.
fn figures() -> Vec<(&'static Table, usize)> {
    let mut all = Vec::new();
    for contract in tables::SNAPSHOT {
        assert!(
            table(&out(), contract).num_rows() > 0,
            "{} is empty",
            contract.name
        );
        for (place, column) in contract.columns.iter().enumerate() {
            if matches!(column.kind, Kind::Int | Kind::Real) {
                all.push((contract, place));
            }
        }
    }
    all
}

/// The column with one cell changed; a null becomes a number.
fn changed(column: &ArrayRef, row: usize, by: i64) -> ArrayRef {
    if let Some(column) = column.as_primitive_opt::<Int64Type>() {
        let cell = |n: usize| column.is_valid(n).then(|| column.value(n));
        let new = cell(row).unwrap_or(0).wrapping_add(by);
        let cells = (0..column.len()).map(|n| if n == row { Some(new) } else { cell(n) });
        return Arc::new(cells.collect::<Int64Array>());
    }
    let column = column.as_primitive::<Float64Type>();
    let cell = |n: usize| column.is_valid(n).then(|| column.value(n));
    let new = cell(row).map_or(50.0, |old| old + 1e-9);
    let cells = (0..column.len()).map(|n| if n == row { Some(new) } else { cell(n) });
    Arc::new(cells.collect::<Float64Array>())
}

/// Changes one cell and returns what `verify` says.
fn with_changed_cell(contract: &'static Table, place: usize, row: usize, by: i64) -> VerifyView {
    let folder = copy(&out());
    let batch = table(folder.path(), contract);
    let mut columns = batch.columns().to_vec();
    columns[place] = changed(&columns[place], row, by);
    let spoiled = RecordBatch::try_new(batch.schema(), columns).unwrap();
    forge(folder.path(), contract, spoiled);
    verify(folder.path()).unwrap()
}

fn assert_names(view: &VerifyView, contract: &Table, column: &str) {
    assert!(!view.passed, "{} {column} was changed", contract.name);
    assert_eq!(
        (view.findings.len(), view.more_findings),
        (1, 0),
        "{} {column}: {:#?}",
        contract.name,
        view.findings
    );
    let finding = &view.findings[0];
    assert_eq!(finding.table, contract.name);
    assert_eq!(finding.column.as_deref(), Some(column), "{finding:?}");
}

#[test]
fn what_was_published_passes_and_says_what_was_checked() {
    let view = verify(&out()).unwrap();
    assert!(view.passed, "{:#?}", view.findings);
    assert_eq!(view.files, 7);
    let people = table(&out(), &user_scores::TABLE).num_rows() as u64;
    assert_eq!(view.people, people);
    let cells = |table_of: &'static Table, compared: u64| {
        compared * table(&out(), table_of).num_rows() as u64
    };
    // Columns of each table without its key and without what the table alone says.
    let expected = cells(&user_scores::TABLE, 25 - 2 - 7)
        + cells(&component_scores::TABLE, 11 - 3)
        + cells(&signal_attribution::TABLE, 14 - 6 - 2)
        + cells(&org_summary::TABLE, 19 - 3)
        + cells(&group_index::TABLE, 10 - 3);
    assert_eq!(view.cells, expected);
}

#[test]
fn a_changed_figure_of_every_column_is_named_in_the_first_and_last_row() {
    for (contract, place) in figures() {
        let rows = table(&out(), contract).num_rows();
        for row in [0, rows - 1] {
            let view = with_changed_cell(contract, place, row, 1);
            assert_names(&view, contract, contract.columns[place].name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whichever_figure_changes_is_named_with_its_row(
        figure in any::<Index>(), row in any::<Index>(),
        by in prop_oneof![Just(1), Just(-1), Just(i64::MAX), Just(i64::MIN), any::<i64>()],
    ) {
        prop_assume!(by != 0);
        let figures = figures();
        let (contract, place) = figures[figure.index(figures.len())];
        let batch = table(&out(), contract);
        let row = row.index(batch.num_rows());
        let view = with_changed_cell(contract, place, row, by);
        let column = contract.columns[place].name;
        assert_names(&view, contract, column);
        // The key of the row is told; of signals of nobody only their sum is known twice.
        let tenant = batch.column_by_name("tenant_uid").unwrap().as_string::<i32>().value(row);
        let told = view.findings[0].row.as_deref().unwrap();
        prop_assert!(told.contains(&format!("tenant_uid={tenant}")), "{}", told);
        if let Some(user) = batch.column_by_name("user_uid") {
            let user = user.as_string::<i32>().value(row);
            prop_assert!(told.contains(&format!("user_uid={user}")), "{}", told);
        }
    }

    #[test]
    fn a_flipped_bit_of_any_file_fails_its_checksum(
        file in any::<Index>(), byte in any::<Index>(), bit in 0..8_u8, cut in any::<bool>(),
    ) {
        let folder = copy(&out());
        let names: Vec<String> = tables::SNAPSHOT.map(|t| format!("{}.parquet", t.name)).to_vec();
        let name = &names[file.index(names.len())];
        let path = folder.path().join(name);
        let mut bytes = fs_err::read(&path).unwrap();
        let place = byte.index(bytes.len());
        if cut {
            bytes.truncate(place);
        } else {
            bytes[place] ^= 1 << bit;
        }
        fs_err::write(&path, bytes).unwrap();
        let view = verify(folder.path()).unwrap();
        let said = |column: &str| {
            view.findings.iter().any(|f| f.table == *name && f.column.as_deref() == Some(column))
        };
        prop_assert!(said(if cut { "bytes" } else { "blake3" }), "{:#?}", view.findings);
    }

    #[test]
    fn every_organization_verifies(input in generate::organizations()) {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = publish(&input, None, &folder.path().join("out"));
        let view = verify(snapshot.path()).unwrap();
        prop_assert!(view.passed, "{:#?}", view.findings);
    }
}

#[test]
fn other_instants_flags_and_texts_are_named_too() {
    type Edit = fn(&mut user_scores::Row);
    let spoil = |edit: &dyn Fn(&mut user_scores::Row)| {
        let folder = copy(&out());
        let mut rows = user_scores::rows(&table(folder.path(), &user_scores::TABLE)).unwrap();
        edit(&mut rows[3]);
        forge(
            folder.path(),
            &user_scores::TABLE,
            user_scores::batch(&rows),
        );
        verify(folder.path()).unwrap()
    };
    let cases: [(&str, Edit); 7] = [
        ("as_of", |row| row.as_of.0 += 1),
        ("known_at", |row| row.known_at.0 -= 1),
        ("formula", |row| row.formula = "af-2".to_owned()),
        ("config_hash", |row| row.config_hash.push('0')),
        ("level", |row| row.level = "maximal".to_owned()),
        ("in_population", |row| {
            row.in_population = !row.in_population;
        }),
        ("population", |row| row.population = "robots".to_owned()),
    ];
    for (column, edit) in cases {
        assert_names(&spoil(&edit), &user_scores::TABLE, column);
    }
}

#[test]
fn rows_taken_away_added_or_moved_are_named() {
    let contract = &component_scores::TABLE;
    let rows = component_scores::rows(&table(&out(), contract)).unwrap();
    let only_finding = |rows: &[component_scores::Row]| {
        let folder = copy(&out());
        forge(folder.path(), contract, component_scores::batch(rows));
        let mut findings = verify(folder.path()).unwrap().findings;
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    };
    let fewer = only_finding(&[&rows[..5], &rows[6..]].concat());
    assert_eq!(fewer.found.as_deref(), Some("no such row"));
    assert!(fewer.row.unwrap().contains(&rows[5].user_uid));
    let mut more = rows.clone();
    more[0].component.push('a');
    more.insert(0, rows[0].clone());
    let more = only_finding(&more);
    assert_eq!(more.found.as_deref(), Some("this row"));
    let twice = only_finding(&[&rows[..2], &rows[1..]].concat());
    assert!(twice.found.unwrap().contains("not after"));
}

#[test]
fn one_wrong_input_that_changes_everything_names_twenty_places_and_counts_the_rest() {
    let folder = copy(&out());
    let mut rows = bucket_counts::rows(&table(folder.path(), &bucket_counts::TABLE)).unwrap();
    // Nobody bears witness against a bucket that is gone: attribution and sum speak of more.
    for row in &mut rows {
        row.n_low += 3;
    }
    forge(
        folder.path(),
        &bucket_counts::TABLE,
        bucket_counts::batch(&rows),
    );
    edit_manifest(folder.path(), |manifest| {
        manifest.params.lambda = 10;
        manifest.config_hash = manifest.params.config_hash().to_string();
    });
    let view = verify(folder.path()).unwrap();
    assert_eq!(view.findings.len(), 20);
    assert!(view.more_findings > 0);
}

#[test]
fn hostile_snapshots_end_in_findings() {
    let spoil = |edit: &dyn Fn(&Path)| {
        let folder = copy(&out());
        edit(folder.path());
        let view = verify(folder.path()).unwrap();
        assert!(!view.passed);
        view.findings
    };
    let manifest = |edit: fn(&mut af_model::manifest::Manifest)| {
        spoil(&|folder: &Path| edit_manifest(folder, edit))
    };
    // A path that leads out is never opened.
    let found = manifest(|m| m.files[0].path = "../out/bucket_counts.parquet".to_owned());
    assert_eq!(
        found[0].found.as_deref(),
        Some("../out/bucket_counts.parquet")
    );
    let found = manifest(|m| m.files.push(m.files[0].clone()));
    assert_eq!(found[0].expected, "each file once");
    let found = manifest(|m| m.params.points.high = i64::MAX);
    assert!(
        found
            .iter()
            .any(|f| f.column.as_deref() == Some("params.points.high")),
        "{found:#?}"
    );
    let found = manifest(|m| m.params.weights.extend([("x".to_owned(), -1)]));
    assert!(
        found
            .iter()
            .any(|f| f.column.as_deref() == Some("params.weights.x")),
        "{found:#?}"
    );
    let found = manifest(|m| {
        for entry in m.tenants.values_mut() {
            (entry.signals.signals_read, entry.signals.duplicate) = (u64::MAX, u64::MAX);
        }
    });
    assert!(
        found[0].column.as_ref().unwrap().ends_with("signals_read"),
        "{found:#?}"
    );
    let found = manifest(|m| {
        for entry in m.tenants.values_mut() {
            entry.population.insert("human".to_owned(), 5_000);
        }
    });
    assert!(
        found[0].column.as_ref().unwrap().ends_with("population"),
        "{found:#?}"
    );
    let found = manifest(|m| m.tenants.clear());
    assert!(
        found.iter().any(|f| f.found.as_deref() == Some("nothing")),
        "{found:#?}"
    );
    let found = manifest(|m| m.as_of = UtcMillis(i64::MAX / 2));
    assert!(!found.is_empty());

    let found = spoil(&|folder| fs_err::remove_file(folder.join("user_scores.parquet")).unwrap());
    assert_eq!(found[0].table, "user_scores.parquet");
    let found = spoil(&|folder| fs_err::write(folder.join("more.parquet"), "x").unwrap());
    assert_eq!(found[0].table, "more.parquet");
    let found = spoil(&|folder| {
        fs_err::copy(
            folder.join("org_summary.parquet"),
            folder.join("group_index.parquet"),
        )
        .unwrap();
    });
    assert!(found.iter().any(|f| f.table == "group_index"), "{found:#?}");
    let found = spoil(&|folder| fs_err::write(folder.join("manifest.json"), "{").unwrap());
    assert_eq!(found[0].table, "manifest.json");

    let bucket = |edit: &dyn Fn(&mut bucket_counts::Row)| {
        spoil(&|folder: &Path| {
            let contract = &bucket_counts::TABLE;
            let mut rows = bucket_counts::rows(&table(folder, contract)).unwrap();
            let last = rows.len() - 1;
            edit(&mut rows[last]);
            forge(folder, contract, bucket_counts::batch(&rows));
        })
    };
    let found = bucket(&|row| row.user_uid.push('z'));
    assert!(
        found
            .iter()
            .any(|f| f.expected == "somebody of user_scores"),
        "{found:#?}"
    );
    let found = bucket(&|row| row.day.0 += 200);
    assert!(
        found.iter().any(|f| f.column.as_deref() == Some("day")),
        "{found:#?}"
    );
    let found = bucket(&|row| row.first_time.0 -= 200 * 86_400_000);
    assert_eq!(found[0].column.as_deref(), Some("first_time"));
    let found = bucket(&|row| row.last_time = UtcMillis(i64::MAX));
    assert_eq!(found[0].column.as_deref(), Some("last_time"));

    // What is no hash is a typed name, perhaps a password: it is named but not shown.
    let found = spoil(&|folder| {
        let contract = &unmatched_signals::TABLE;
        let mut rows = unmatched_signals::rows(&table(folder, contract)).unwrap();
        let last = rows.len() - 1;
        rows[last].subject_hash = Some("zz-Secret-2026".to_owned());
        forge(folder, contract, unmatched_signals::batch(&rows));
    });
    assert_eq!(found[0].column.as_deref(), Some("subject_hash"));
    assert!(!format!("{found:?}").contains("Secret"));
}

/// Twelve people in one department; three of them attacked.
fn small() -> af_testkit::oracle::OracleInput {
    let mut input = empty("2026-11-20");
    input.people = (0..12)
        .map(|n| {
            let mut person = person(&format!("u{n:02}"));
            person.department = Some("Finance".to_owned());
            person
        })
        .collect();
    input.signals = vec![
        attack("s1", "u00", "high", "2026-11-20T08:00:00Z"),
        attack("s2", "u00", "low", "2026-11-20T09:00:00Z"),
        attack("s3", "u01", "critical", "2026-11-06T08:00:00Z"),
        attack("s4", "u02", "medium", "2026-11-19T08:00:00Z"),
    ];
    "email".clone_into(&mut input.signals[3].component);
    input
}

#[test]
fn a_snapshot_from_which_somebody_was_erased_verifies_as_it_was_published() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    publish(&small(), None, &out);
    // The only one whose attacks were by e-mail: the component stays, with nobody's counts in it.
    for uid in ["u01", "u02"] {
        let copy = copy(&out);
        erase(copy.path(), uid);
        let view = verify(copy.path()).unwrap();
        assert!(view.passed, "{uid}: {:#?}", view.findings);
        assert_eq!((view.people, view.erased, view.files), (12, 1, 8));

        // Her figures are still checked, and so are those of her colleagues.
        let mut stones = tombstones::rows(&table(copy.path(), &tombstones::TABLE)).unwrap();
        stones[0].score_micro += MICRO;
        forge(copy.path(), &tombstones::TABLE, tombstones::batch(&stones));
        assert_names(
            &verify(copy.path()).unwrap(),
            &tombstones::TABLE,
            "score_micro",
        );
        stones[0].score_micro -= MICRO;
        stones[1].load_micro = -1;
        forge(copy.path(), &tombstones::TABLE, tombstones::batch(&stones));
        assert_names(
            &verify(copy.path()).unwrap(),
            &tombstones::TABLE,
            "load_micro",
        );
        stones.clear();
        forge(copy.path(), &tombstones::TABLE, tombstones::batch(&stones));
        let view = verify(copy.path()).unwrap();
        assert!(
            view.findings
                .iter()
                .any(|f| f.column.as_deref() == Some("population_n"))
        );
    }
}

#[test]
fn another_formula_is_refused_and_an_absent_snapshot_is_an_error() {
    let folder = copy(&out());
    edit_manifest(folder.path(), |manifest| {
        manifest.formula = "af-2".to_owned();
    });
    let error = verify(folder.path()).unwrap_err();
    assert_eq!(error.kind(), af_engine::ErrorKind::Usage);
    assert!(error.to_string().contains("af-2"), "{error}");
    assert!(verify(Path::new("/nonexistent/folder")).is_err());
}
