//! Every exit code once, with a message that says what and a hint that says what to do.

use super::support::program;

#[test]
fn help_and_version_are_success() {
    let help = program(["--help"]).succeed();
    for verb in [
        "demo",
        "normalize",
        "users",
        "score",
        "top",
        "rules",
        "schema",
    ] {
        assert!(
            help.stdout.contains(verb),
            "{verb} is not in --help:\n{}",
            help.stdout
        );
    }
    assert!(help.stdout.contains("Exit codes"));
    let version = program(["--version"]).succeed();
    assert_eq!(
        version.stdout,
        format!("attack-factor {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_wrong_argument_is_two() {
    let outcome = program(["top", "--sotre", "x"]).run();
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("--store"), "{}", outcome.stderr);
    assert!(outcome.stdout.is_empty());
}

#[test]
fn a_hostile_tenant_name_is_two_and_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = program([
        "normalize",
        "okta",
        "-",
        "--tenant",
        "../\u{1b}[31m",
        "--store",
        "s",
    ])
    .inside(folder.path())
    .input("")
    .run();
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains("../\\u{1b}[31m"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("hint: "));
    assert!(
        !folder.path().join("s").exists(),
        "nothing is created for a refused name"
    );
}

#[test]
fn a_missing_input_is_three() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = program([
        "normalize",
        "okta",
        "absent.ndjson",
        "--tenant",
        "t",
        "--store",
        "s",
    ])
    .inside(folder.path())
    .run();
    assert_eq!(outcome.code, 3);
    assert!(
        outcome.stderr.contains("absent.ndjson"),
        "{}",
        outcome.stderr
    );
    let outcome = program([
        "users",
        "import",
        "absent.csv",
        "--tenant",
        "t",
        "--store",
        "s",
    ])
    .inside(folder.path())
    .run();
    assert_eq!(outcome.code, 3);
}

#[test]
fn a_folder_without_any_snapshot_is_three_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = program(["top", "--store", "."]).inside(folder.path()).run();
    assert_eq!(outcome.code, 3);
    assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
}

#[test]
fn somebody_elses_folder_is_two_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("photos")).unwrap();
    std::fs::write(folder.path().join("photos/cat.jpg"), "meow").unwrap();
    let outcome = program([
        "normalize",
        "okta",
        "-",
        "--tenant",
        "t",
        "--store",
        "photos",
    ])
    .inside(folder.path())
    .input("")
    .run();
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
    assert_eq!(
        std::fs::read_dir(folder.path().join("photos"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn a_second_writer_is_one_and_told_who_writes() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    program([
        "normalize",
        "okta",
        "-",
        "--tenant",
        "t",
        "--store",
        "store",
    ])
    .inside(folder.path())
    .input("")
    .succeed();
    let lock = std::fs::File::open(store.join("lock")).unwrap();
    lock.lock().unwrap();
    let outcome = program(["score", "--store", "store", "--as-of", "2026-11-20"])
        .inside(folder.path())
        .run();
    assert_eq!(outcome.code, 1);
    assert!(outcome.stderr.contains("lock"), "{}", outcome.stderr);
}

/// Codes 4 and 10 belong to `run`; what leads to them is tested there.
#[test]
fn a_tenant_left_out_is_four_and_every_code_is_in_the_help() {
    let help = program(["--help"]).succeed().stdout;
    for code in [
        "   0  done",
        "   1  ",
        "   2  ",
        "   3  ",
        "   4  ",
        "  10  ",
    ] {
        assert!(help.contains(code), "{code}:\n{help}");
    }
    let folder = tempfile::tempdir().unwrap();
    let config =
        "store = \"s\"\n[[tenant]]\nname = \"acme\"\n[[tenant.people]]\nfiles = [\"p.csv\"]\n";
    std::fs::write(folder.path().join("attack-factor.toml"), config).unwrap();
    std::fs::write(folder.path().join("p.csv"), "colour\nred\n").unwrap();
    let outcome = program(["run", "--as-of", "2026-11-20"])
        .inside(folder.path())
        .run();
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
    std::fs::write(folder.path().join("p.csv"), "email\nana@example.com\n").unwrap();
    program(["run", "--as-of", "2026-11-20", "--fail-on", "very_low"])
        .inside(folder.path())
        .succeed();
}

#[test]
fn a_reader_that_has_had_enough_is_success() {
    let script = format!(
        "'{}' schema | head -n 1",
        env!("CARGO_BIN_EXE_attack-factor")
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &format!("set -o pipefail; {script}")])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
