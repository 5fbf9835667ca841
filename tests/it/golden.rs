//! Golden cases: a folder with input and expected tables; adding one needs no compiling.
//!
//! `tests/golden/<case>/case.toml` says what the case shows, which steps to run (`{input}` and
//! `{store}` stand for folders) and which tables of the snapshot are expected. The expected rows
//! stand in `expected/<table>.jsonl`. `cargo xtask golden --bless` writes them anew: read the
//! difference before you commit it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::render::json_lines;
use super::support::{latest_snapshot, program, table};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the case shows.
    about: String,
    /// The commands, without the program's name.
    steps: Vec<Vec<String>>,
    /// Tables of the latest snapshot whose rows are expected.
    tables: Vec<String>,
    /// 64 hex digits: the store's key of hashed names, where rows hold hashes. It is put into the
    /// store after the first step, which therefore imports the people.
    hash_key: Option<String>,
    /// Text that no output file and no message may hold.
    #[serde(default)]
    never: Vec<String>,
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("case.toml").is_file())
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_case_gives_the_expected_tables() {
    let bless = std::env::var_os("ATTACK_FACTOR_BLESS").is_some();
    let cases = cases();
    assert!(!cases.is_empty(), "there is no golden case");
    let mut wrong = Vec::new();
    for folder in cases {
        for difference in run(&folder, bless) {
            wrong.push(format!("{}: {difference}", folder.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nif they are right: cargo xtask golden --bless",
        wrong.join("\n")
    );
}

fn run(folder: &Path, bless: bool) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("case.toml")).unwrap();
    let case: Case =
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    assert!(
        case.about.len() > 20,
        "{}: say what the case shows",
        folder.display()
    );
    let work = tempfile::tempdir().unwrap();
    let store = work.path().join("store");
    let input = folder.join("input");
    for step in &case.steps {
        // The key goes into the store that the first step makes; steps that hash come later.
        if let Some(key) = &case.hash_key
            && store.is_dir()
            && !store.join("secret/hash.key").exists()
        {
            std::fs::create_dir_all(store.join("secret")).unwrap();
            std::fs::write(store.join("secret/hash.key"), format!("{key}\n")).unwrap();
        }
        let arguments: Vec<String> = step
            .iter()
            .map(|word| {
                word.replace("{input}", &input.to_string_lossy())
                    .replace("{store}", &store.to_string_lossy())
            })
            .collect();
        let outcome = program(&arguments).inside(work.path()).succeed();
        for word in &case.never {
            assert!(
                !outcome.stdout.contains(word) && !outcome.stderr.contains(word),
                "{word} shown"
            );
        }
    }
    program([Path::new("verify"), &store, Path::new("--all")]).succeed();
    let snapshot = latest_snapshot(&store);
    let mut differences = Vec::new();
    for name in &case.tables {
        let contract = af_model::tables::SNAPSHOT
            .into_iter()
            .find(|table| table.name == name)
            .unwrap_or_else(|| panic!("{}: no table {name}", folder.display()));
        let found = json_lines(&table(&snapshot, contract));
        let path = folder.join("expected").join(format!("{name}.jsonl"));
        if bless {
            std::fs::create_dir_all(folder.join("expected")).unwrap();
            std::fs::write(&path, &found).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(difference) = first_difference(&expected, &found) {
            differences.push(format!("{name}: {difference}"));
        }
    }
    for word in &case.never {
        differences.extend(super::support::files_holding(&store, word));
    }
    differences
}

fn first_difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let mut lines = expected.lines().zip(found.lines()).zip(1..);
    let at = lines.find(|((expected, found), _)| expected != found);
    Some(match at {
        Some(((expected, found), line)) => {
            format!("row {line}\n  expected {expected}\n  found    {found}")
        }
        None => format!(
            "{} rows expected, {} found",
            expected.lines().count(),
            found.lines().count()
        ),
    })
}
