//! Runs the golden cases through their test, which may also write them anew.

use std::process::Command;

use anyhow::{Context, bail};

/// Runs `tests/golden`; with `bless`, what is found becomes what is expected.
pub(crate) fn run(bless: bool) -> anyhow::Result<String> {
    let mut command = Command::new("cargo");
    command.args(["test", "--workspace", "--test", "it", "golden::"]);
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
        bail!("the golden cases failed");
    }
    Ok(if bless {
        "the golden cases were written anew: git diff tests/golden".to_owned()
    } else {
        "the golden cases are as expected".to_owned()
    })
}
