//! The README shows what the program prints.

use super::support::program;

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_shows_the_demos_real_output() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = program(["demo"]).inside(folder.path()).succeed();
    assert!(
        README.contains(outcome.stdout.trim_end()),
        "the README should show\n{}",
        outcome.stdout
    );
    let summary = outcome
        .stderr
        .lines()
        .find(|line| line.contains(" events, "))
        .unwrap();
    assert!(
        README.contains(summary),
        "the README should show\n{summary}"
    );
}

#[test]
fn the_readme_is_short_and_names_verbs_that_exist() {
    assert!(README.lines().count() <= 150);
    let commands = README
        .lines()
        .filter_map(|line| line.trim().strip_prefix("attack-factor "));
    let verbs: Vec<&str> = commands.filter_map(|rest| rest.split(' ').next()).collect();
    assert!(verbs.len() >= 3, "{verbs:?}");
    for verb in verbs {
        program([verb, "--help"]).succeed();
    }
}
