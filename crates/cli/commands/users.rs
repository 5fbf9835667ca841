//! `users import`: the people of an organization into the store.

use std::path::PathBuf;

use af_directory::ImportOptions;
use af_engine::known;
use af_engine::people::{self, ImportReport};
use af_model::UtcMillis;
use af_model::name::{Printable, check_tenant};
use af_store::Store;
use clap::{Args, Subcommand};

use crate::args::{FormatArgument, StoreArgument, parse_cut, parse_mapping};
use crate::exit::Refusal;
use crate::{clock, console};

/// `users`.
#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// Import people from CSV, NDJSON, JSON, Parquet or Okta's /api/v1/users answers
    ///
    /// Columns are recognized by name ("E-mail", "mail", "userPrincipalName", …); --map settles
    /// doubts. An import replaces the people of the same --source; older versions are kept.
    #[command(after_help = "\
Examples:
  attack-factor users import people.csv --tenant acme --store risk/
  attack-factor users import hr.parquet --tenant acme --store risk/ --source hr --map email=work_mail")]
    Import(UsersImport),
}

/// `users import`.
#[derive(Args, Debug)]
pub(crate) struct UsersImport {
    /// The file of people.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) store: StoreArgument,

    /// The organization; not needed when the file has a column tenant_uid.
    #[arg(long, value_name = "T")]
    pub(crate) tenant: Option<String>,

    /// Name of the source: an import replaces the people of the same source.
    #[arg(long, value_name = "NAME", default_value = "directory")]
    pub(crate) source: String,

    /// Take our column from theirs, e.g. --map email=work_mail; may be repeated.
    #[arg(long = "map", value_name = "OURS=THEIRS", value_parser = parse_mapping)]
    pub(crate) mapping: Vec<(String, String)>,

    /// When this version became known. Default: now.
    #[arg(long, value_name = "T", value_parser = parse_cut)]
    pub(crate) imported_at: Option<UtcMillis>,

    /// Read and judge everything, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(users: &Users, quiet: bool) -> anyhow::Result<()> {
    match users {
        Users::Import(import) => run_import(import, quiet),
    }
}

fn run_import(arguments: &UsersImport, quiet: bool) -> anyhow::Result<()> {
    if let Some(tenant) = &arguments.tenant {
        check_tenant(tenant).map_err(|error| {
            Refusal::usage(
                format!("--tenant {}: {error}", Printable(tenant)),
                "use lower-case letters, digits, dots, dashes and underscores",
            )
        })?;
    }
    let mut options = ImportOptions {
        tenant: arguments.tenant.clone(),
        source: arguments.source.clone(),
        imported_at: Some(arguments.imported_at.unwrap_or_else(clock::now)),
        map: arguments.mapping.clone(),
    };
    let report = if arguments.dry_run {
        people::import(None, &arguments.file, &options)?
    } else {
        let store = Store::create_or_open(&arguments.store.store)?;
        let lock = store.lock()?;
        if arguments.imported_at.is_none() {
            let instant = known::not_before_people(&store, clock::now())?;
            options.imported_at = Some(instant.at);
            console::say_if_clock_is_behind(&instant, "--imported-at");
        }
        people::import(Some((&store, &lock)), &arguments.file, &options)?
    };
    let imported = &report.imported;
    console::print_account(
        ("rows_read", imported.read),
        &[
            ("people", imported.people.len() as u64),
            ("duplicate", imported.duplicates),
            ("conflict", imported.conflicts.len() as u64),
            ("rejected", imported.rejects.len() as u64),
            ("erased", report.erased),
        ],
        arguments.format.format,
    )?;
    if !quiet {
        tell(&report, arguments.dry_run);
    }
    Ok(())
}

fn tell(report: &ImportReport, dry_run: bool) {
    let imported = &report.imported;
    let mapping: Vec<String> = imported
        .mapping
        .iter()
        .filter(|(theirs, ours)| theirs != ours)
        .map(|(theirs, ours)| format!("{} → {ours}", Printable(theirs)))
        .collect();
    if !mapping.is_empty() {
        console::say(&format!("columns: {}", mapping.join(", ")));
    }
    if !imported.ignored_columns.is_empty() {
        let ignored: Vec<String> = imported
            .ignored_columns
            .iter()
            .map(|name| Printable(name).to_string())
            .collect();
        console::say(&format!(
            "not used: {} (take one with --map OURS=THEIRS)",
            ignored.join(", ")
        ));
    }
    for reject in imported.rejects.iter().take(5) {
        console::say(&format!(
            "rejected: line {}: {}",
            reject.line, reject.reason
        ));
    }
    if imported.rejects.len() > 5 {
        console::say(&format!("… and {} more", imported.rejects.len() - 5));
    }
    for warning in &imported.warnings {
        console::say(&format!(
            "warning: {}: {} in {} rows, first in line {}",
            warning.field, warning.kind, warning.count, warning.first_line
        ));
    }
    match (&report.version, dry_run) {
        (_, true) => console::say("dry run: nothing was written"),
        (Some(version), false) => console::say(&format!("new directory version {version}")),
        (None, false) => {
            console::say("nobody changed since the latest version: nothing was written");
        }
    }
}
