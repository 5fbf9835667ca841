//! Tests of the repository that also write what they compare with.

use std::process::Command;

use anyhow::{Context, bail};

/// Runs `tests/golden`; with `bless`, what is found becomes what is expected.
pub(crate) fn golden(bless: bool) -> anyhow::Result<String> {
    run_tests(&["golden::"], bless).context("the golden cases failed")?;
    Ok(if bless {
        "the golden cases were written anew: git diff tests/golden".to_owned()
    } else {
        "the golden cases are as expected".to_owned()
    })
}

/// Holds the lock file of the shipped rules against them; with `bless`, writes it anew.
pub(crate) fn rules(bless: bool) -> anyhow::Result<String> {
    run_tests(&["shipped_lock::is_current"], bless).context("the lock file is not current")?;
    Ok(if bless {
        "the lock file was written anew: git diff data/rules/rules.lock".to_owned()
    } else {
        "the shipped rules are as their lock file says".to_owned()
    })
}

/// Adds the fixtures that tables and snapshots of today's versions lack; with `bless`, writes those
/// of today's versions anew. Fixtures of earlier versions are never touched.
pub(crate) fn fixtures(bless: bool) -> anyhow::Result<String> {
    run_tests(&["old_tables::write_fixtures", "--ignored"], bless)
        .context("the fixtures were not written")?;
    run_tests(&["old_tables::"], false).context("the fixtures cannot be read")?;
    Ok("every table has its fixture, and all can be read: git status tests/fixtures".to_owned())
}

/// Runs tests of the binaries named `it`.
fn run_tests(arguments: &[&str], bless: bool) -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    command.args(["test", "--workspace", "--test", "it", "--"]);
    command.args(arguments);
    // Cargo describes this package to its own child processes. Build scripts of dependencies look at
    // such variables, and a cargo that inherits them compiles half the world again.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    if bless {
        command.env("ATTACK_FACTOR_BLESS", "1");
    }
    let status = command.status().context("run cargo")?;
    if !status.success() {
        bail!("the tests failed");
    }
    Ok(())
}
