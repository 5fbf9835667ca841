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
fn tuning_is_checked_with_places_and_shown_in_the_manifest_without_names() {
    let wrong = "[rules.exclude.okta_acount_locked]\npeople = [\"a@example.com\"]\n\
        [rules.exclude.okta_context_plain_failure]\naddresses = [\"192.0.2.1\"]\n\
        [rules.exclude.all]\nadresses = []\naddresses = [\"192.0.2.7/24\", \"office\"]\n\
        [[tenant]]\nname = \"acme\"\nown_networks = [\"2001:db8::1/32\"]\n";
    let folder = folder_with(wrong);
    let said = check(folder.path());
    assert_eq!(said.code, 2);
    for expected in [
        "attack-factor.toml:6:1: error: unknown key rules.exclude.all.adresses",
        "did you mean addresses?",
        "attack-factor.toml:7:14: error: rules.exclude.all.addresses: 192.0.2.7/24 is an address inside a network",
        "write 192.0.2.0/24 for the network or 192.0.2.7 for the address",
        "attack-factor.toml:7:30: error: rules.exclude.all.addresses: office is no IP address",
        "attack-factor.toml:10:17: error: tenant[0].own_networks: 2001:db8::1/32 is an address inside",
    ] {
        assert!(
            said.stdout.contains(expected),
            "{expected}\n{}",
            said.stdout
        );
    }
    let wrong = wrong.split("[rules.exclude.all]").next().unwrap();
    let folder = folder_with(wrong);
    let said = check(folder.path());
    assert_eq!(said.code, 2);
    assert!(
        said.stdout.contains("did you mean okta_account_locked"),
        "{}",
        said.stdout
    );
    let folder = folder_with(
        wrong
            .split_once('\n')
            .unwrap()
            .1
            .split_once('\n')
            .unwrap()
            .1,
    );
    let said = check(folder.path());
    assert!(
        said.stdout.contains("the rule finds no attacks"),
        "{}",
        said.stdout
    );
    let list = program(["rules", "list"]).inside(folder.path()).run();
    assert_eq!(list.code, 2);

    let right = "store = \"risk\"\n[rules.exclude.okta_account_locked]\npeople = [\"kiosk@example.com\"]\n\
        [[tenant]]\nname = \"acme\"\nown_networks = [\"::ffff:192.0.2.0/120\"]\n\
        [[tenant.people]]\nfiles = [\"people.csv\"]\n";
    let folder = folder_with(right);
    std::fs::write(
        folder.path().join("people.csv"),
        "user_uid,email\n1,a@example.com\n",
    )
    .unwrap();
    let run = [
        "run",
        "--as-of",
        "2026-11-20",
        "--known-at",
        "2026-11-21",
        "--quiet",
    ];
    program(run).inside(folder.path()).succeed();
    let snapshot = super::support::latest_snapshot(&folder.path().join("risk"));
    let manifest = std::fs::read_to_string(snapshot.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let changes = &manifest["rule_changes"];
    assert_eq!(
        changes["own_networks"]["acme"],
        serde_json::json!(["192.0.2.0/24"])
    );
    let excluded = serde_json::json!({"okta_account_locked": {"people": 1, "addresses": []}});
    assert_eq!(changes["excluded"], excluded);
    assert!(!manifest.to_string().contains("kiosk"));
    let shown = program(["config", "show"])
        .inside(folder.path())
        .succeed()
        .stdout;
    assert!(
        shown.contains("rules.exclude.okta_account_locked.people"),
        "{shown}"
    );
    assert!(shown.contains("tenant[0].own_networks"), "{shown}");
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
