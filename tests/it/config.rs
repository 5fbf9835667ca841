//! The configuration: found, checked, shown, overridden; every verb works without one.

use std::path::Path;

use serde_json::Value;

use super::support::{Outcome, program};

fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("attack-factor.toml"), text).unwrap();
    folder
}

fn check(folder: &Path) -> Outcome {
    program(["config", "check"]).inside(folder).run()
}

#[test]
fn every_problem_is_named_at_once_with_its_place_and_the_nearest_name() {
    let folder = folder_with(
        "stor = \"risk\"\n\
         threads = \"four\"\n\
         [formula]\n\
         lamda = 9\n\
         points.medium = 2\n\
         [rules]\n\
         disable = [\"okta_acount_locked\"]\n\
         folders = [\"my-rules\"]\n\
         levels = { okta_high_risk_sign_in = \"severe\" }\n\
         [gates]\n\
         quarantined_permille = 1001\n\
         [[tenant]]\n\
         name = \"Acme Inc\"\n\
         [[tenant]]\n\
         name = \"globex\"\n\
         api_token = \"00aBcDeFgHiJkLmNoP\"\n\
         [[tenant]]\n\
         name = \"globex\"\n\
         [[tenant]]\n\
         name = \"initech\"\n\
         [[tenant.people]]\n\
         source = \"hr\"\n\
         files = [\"absent.csv\", \"*.parquet\"]\n",
    );
    let outcome = check(folder.path());
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    for (place, message) in [
        (":1:1:", "unknown key stor"),
        (":2:11:", "threads is a string"),
        (":4:1:", "unknown key formula.lamda"),
        (":5:8:", "formula.points.medium is 2"),
        (":8:1:", "my-rules"),
        (":9:12:", "severe"),
        (":11:24:", "must be from 0 to 1000"),
        (":13:1:", "tenant Acme Inc"),
        (":16:1:", "tenant[1].api_token looks like a secret"),
        (":18:1:", "a second tenant globex"),
        (":23:1:", "absent.csv: no such file"),
        (":23:1:", "*.parquet matches no file"),
    ] {
        let found = outcome
            .stdout
            .lines()
            .any(|line| line.contains(place) && line.contains(message));
        assert!(found, "{place} {message}\n{}", outcome.stdout);
    }
    assert!(
        outcome.stdout.contains("did you mean store?"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("did you mean lambda?"),
        "{}",
        outcome.stdout
    );
    let said = outcome.stdout + &outcome.stderr;
    assert!(
        !said.contains("00aBcDeF"),
        "a secret is never repeated: {said}"
    );
}

#[test]
fn rules_that_do_not_exist_are_errors_with_the_nearest_name() {
    let folder = folder_with("[rules]\ndisable = [\"okta_acount_locked\"]\n");
    let outcome = check(folder.path());
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stdout.contains("did you mean okta_account_locked"),
        "{}",
        outcome.stdout
    );
    let list = program(["rules", "list"]).inside(folder.path()).run();
    assert_eq!(list.code, 2);
    assert!(
        list.stderr.contains("okta_account_locked"),
        "{}",
        list.stderr
    );
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_place() {
    for text in [
        "store = ",
        "[formula\n",
        "a = 1\na = 2\n",
        "store = \"\u{1b}[31m",
        "\u{0}",
    ] {
        let folder = folder_with(text);
        let outcome = check(folder.path());
        assert_eq!(outcome.code, 2, "{text:?}: {}", outcome.stdout);
        assert!(
            outcome.stdout.contains("attack-factor.toml:"),
            "{text:?}: {}",
            outcome.stdout
        );
        assert!(!outcome.stdout.contains('\u{1b}'));
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("attack-factor.toml"), [0xff, 0xfe]).unwrap();
    assert_eq!(check(folder.path()).code, 2);
}

#[test]
fn the_starter_file_is_complete_and_valid() {
    let starter = program(["config", "show", "--example"]).succeed().stdout;
    let folder = folder_with(&starter);
    std::fs::write(folder.path().join("people.csv"), "email\nana@example.com\n").unwrap();
    std::fs::create_dir(folder.path().join("drop")).unwrap();
    std::fs::write(folder.path().join("drop/a.ndjson.gz"), "").unwrap();
    let outcome = check(folder.path());
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "no problem\n"));
    assert!(
        !folder.path().join("risk").exists(),
        "checking writes nothing"
    );
}

#[test]
fn every_value_says_where_it_comes_from() {
    let folder = folder_with("store = \"risk\"\nthreads = 3\n[formula]\nlambda = 12\n");
    let shown = |arguments: &[&str]| {
        let mut all = vec!["config", "show", "--format", "json"];
        all.extend(arguments);
        let outcome = program(all).inside(folder.path()).succeed();
        let rows: Value = serde_json::from_str(&outcome.stdout).unwrap();
        move |key: &str| {
            let row = rows
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["key"] == key)
                .unwrap_or_else(|| panic!("{key} in {rows}"));
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            (text("value"), text("from"))
        }
    };
    let value = shown(&[]);
    assert_eq!(
        value("formula.lambda"),
        ("12".into(), "attack-factor.toml:4".into())
    );
    assert_eq!(value("formula.q"), ("3".into(), "default".into()));
    assert_eq!(
        value("store"),
        ("\"risk\"".into(), "attack-factor.toml:1".into())
    );
    let value = shown(&["--threads", "2", "--store", "other"]);
    assert_eq!(value("threads"), ("2".into(), "--threads".into()));
    assert_eq!(value("store"), ("\"other\"".into(), "--store".into()));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_attack-factor"))
        .args(["config", "show", "--format", "jsonl"])
        .env_clear()
        .env("ATTACK_FACTOR_STORE", "elsewhere")
        .env("RAYON_NUM_THREADS", "5")
        .env(
            "ATTACK_FACTOR_CONFIG",
            folder.path().join("attack-factor.toml"),
        )
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        r#"{"key":"store","value":"\"elsewhere\"","from":"environment ATTACK_FACTOR_STORE"}"#,
        r#"{"key":"threads","value":"5","from":"environment RAYON_NUM_THREADS"}"#,
        r#"{"key":"formula.lambda","value":"12","from":"attack-factor.toml:4"}"#,
    ] {
        assert!(
            text.lines().any(|line| line == expected),
            "{expected}\n{text}"
        );
    }
}

#[test]
fn a_configuration_above_is_found_and_its_paths_are_relative_to_it() {
    let folder = folder_with("store = \"risk\"\n");
    let deep = folder.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("p.csv"), "email\nana@example.com\n").unwrap();
    program(["users", "import", "p.csv", "--tenant", "acme"])
        .inside(&deep)
        .succeed();
    assert!(folder.path().join("risk/directory").is_dir());
    // A flag wins.
    program([
        "users", "import", "p.csv", "--tenant", "acme", "--store", "own",
    ])
    .inside(&deep)
    .succeed();
    assert!(deep.join("own/directory").is_dir());
}

#[test]
fn without_a_configuration_verbs_ask_for_what_they_need() {
    let folder = tempfile::tempdir().unwrap();
    let score = program(["score"]).inside(folder.path()).run();
    assert_eq!(score.code, 2);
    assert!(score.stderr.contains("--store"), "{}", score.stderr);
    let run = program(["run"]).inside(folder.path()).run();
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("attack-factor.toml"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    let named = program(["score", "--config", "absent.toml"])
        .inside(folder.path())
        .run();
    assert_eq!(named.code, 2);
    assert!(named.stderr.contains("absent.toml"), "{}", named.stderr);
}

#[test]
fn a_broken_configuration_stops_who_depends_on_it_and_nobody_else() {
    let folder = folder_with("stor = \"risk\"\n");
    for arguments in [&["score"][..], &["run"], &["rules", "list"], &["top"]] {
        let outcome = program(arguments).inside(folder.path()).run();
        assert_eq!(outcome.code, 2, "{arguments:?}");
        assert!(
            outcome.stderr.contains("unknown key stor"),
            "{arguments:?}: {}",
            outcome.stderr
        );
    }
    program(["schema", "user_scores"])
        .inside(folder.path())
        .succeed();
    program(["--help"]).inside(folder.path()).succeed();
}
