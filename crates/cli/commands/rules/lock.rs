//! `rules lock`: what every rule is, in one line, and what changed since.

use std::path::PathBuf;

use af_model::name::Printable;
use af_report::{Cell, Column, Format};
use af_rules::{LockChange, LockEntry, RuleLock};
use anyhow::Context;
use clap::Args;

use super::load;
use crate::args::{FormatArgument, RulesArgument};
use crate::console;
use crate::exit::Refusal;

/// `rules lock`.
#[derive(Args, Debug)]
#[command(after_help = "\
A line is: name, id, version, hash of everything about the rule that affects results; titles, prose
and samples do not. Keep the file beside your rules and check it before every release.

Examples:
  attack-factor rules lock --rules my-rules/ --write my-rules/rules.lock
  attack-factor rules lock --rules my-rules/ --check my-rules/rules.lock")]
pub(crate) struct Lock {
    /// Compare with this file; exits with 2 when rules were added, removed or changed.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,

    /// Write this file instead of printing.
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    write: Option<PathBuf>,

    #[command(flatten)]
    pub(super) rules: RulesArgument,

    #[command(flatten)]
    format: FormatArgument,
}

pub(super) fn run(arguments: &Lock, quiet: bool) -> anyhow::Result<()> {
    let now = RuleLock::of(&load(&arguments.rules)?);
    let format = arguments.format.format;
    if let Some(path) = &arguments.write {
        fs_err::write(path, now.to_string())?;
        if !quiet {
            let path = path.display().to_string();
            let n = now.entries().count();
            console::say(&format!("wrote {} ({n} rules)", Printable(&path)));
        }
        return Ok(());
    }
    let Some(path) = &arguments.check else {
        return print(&now, format);
    };
    let text = fs_err::read_to_string(path).map_err(|error| {
        Refusal::usage(
            format!("read the lock file: {error}"),
            "attack-factor rules lock --write FILE makes one",
        )
    })?;
    let before = RuleLock::parse(&text)
        .map_err(|error| Refusal::usage(error.to_string(), "make it anew with --write"))
        .with_context(|| format!("read {}", Printable(&path.display().to_string())))?;
    let changes = before.changes_to(&now);
    if changes.is_empty() {
        if !quiet {
            console::say("every rule is as it was");
        }
        return Ok(());
    }
    differences(&changes, format)?;
    let (n, what) = match changes.len() {
        1 => (1, "rule is not as it was"),
        n => (n, "rules are not as they were"),
    };
    let hint = "when this is meant: attack-factor rules lock --write FILE";
    Err(Refusal::usage(format!("{n} {what}"), hint).into())
}

fn print(lock: &RuleLock, format: Format) -> anyhow::Result<()> {
    if format == Format::Table {
        return console::print(&lock.to_string());
    }
    let columns = ["name", "id", "version", "hash"].map(Column::new);
    let rows: Vec<Vec<Cell>> = lock
        .entries()
        .map(|(name, entry)| {
            let LockEntry { id, version, hash } = entry.clone();
            vec![name.into(), id.into(), version.into(), hash.into()]
        })
        .collect();
    console::print_rows(&columns, &rows, format)
}

fn differences(changes: &[LockChange], format: Format) -> anyhow::Result<()> {
    let columns = [
        "change",
        "rule",
        "version_before",
        "version_now",
        "hash_before",
        "hash_now",
    ]
    .map(Column::new);
    let rows: Vec<Vec<Cell>> = changes
        .iter()
        .map(|change| {
            let (word, name, was, now) = match change {
                LockChange::Added { name, now } => ("added", name, None, Some(now)),
                LockChange::Removed { name, was } => ("removed", name, Some(was), None),
                LockChange::Changed { name, was, now } => ("changed", name, Some(was), Some(now)),
            };
            let version = |entry: Option<&LockEntry>| entry.map(|entry| entry.version.clone());
            let hash = |entry: Option<&LockEntry>| entry.map(|entry| entry.hash.clone());
            vec![
                word.into(),
                name.as_str().into(),
                version(was).into(),
                version(now).into(),
                hash(was).into(),
                hash(now).into(),
            ]
        })
        .collect();
    console::print_rows(&columns, &rows, format)
}
