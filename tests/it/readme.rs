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
fn the_readme_is_short() {
    assert!(README.lines().count() <= 150);
}
