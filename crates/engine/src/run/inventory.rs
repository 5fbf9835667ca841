//! The latest inventory of an integration: its users become the people of the tenant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use af_directory::{ImportOptions, Imported, import_okta_users};
use af_model::HexHash;
use af_model::name::Printable;
use af_okta::Step;
use af_store::Store;
use af_store::feed::{FeedName, inventory_lines, inventory_steps};
use serde::Deserialize;

use super::directory::{STAGE, mark_service, replace};
use super::ingest::{Ingest, warn};
use super::report::{PeopleRead, TenantReport};
use super::seen::{FileSeen, SourceSeen, source_key};
use crate::config::{OktaApi, OktaSource, Tenant};
use crate::error::Error;

/// An inventory that has users.
pub(super) struct Latest {
    pub(super) folder: PathBuf,
    /// The instant it was taken at, as its folder is named.
    pub(super) name: String,
    /// Whether it was not imported yet, or something about the import changed.
    pub(super) is_news: bool,
    /// What is remembered once it is imported.
    pub(super) seen: SourceSeen,
}

/// Imports the users of the latest inventory, unless that was done. An inventory that holds nobody or
/// cannot be read is a warning: the people imported before stay.
pub(super) fn read(
    ingest: &mut Ingest<'_>,
    tenant: &Tenant,
    source: &OktaSource,
    api: &OktaApi,
    report: &mut TenantReport,
) -> Result<(), Error> {
    if !api.people {
        return Ok(());
    }
    let job = ingest.job;
    let label = source.label();
    let key = source_key("inventory", label);
    let mut read = PeopleRead {
        source: label.to_owned(),
        ..PeopleRead::default()
    };
    let known = ingest.seen.source(&tenant.name, &key);
    let feed = source.feed_name(&tenant.name);
    let Some(latest) = latest(job.store, &feed, tenant, &known)? else {
        report.people.push(read);
        return Ok(());
    };
    read.files = 1;
    if !latest.is_news && !job.options.reread {
        report.people.push(read);
        return Ok(());
    }
    let name = &latest.name;
    tracing::info!(
        stage = STAGE,
        tenant = tenant.name,
        integration = label,
        "reading the inventory of {label} of {name}"
    );
    let options = ImportOptions {
        tenant: Some(tenant.name.clone()),
        source: label.to_owned(),
        imported_at: Some(job.options.ingested_at),
        map: Vec::new(),
    };
    ingest.progress.begin("importing people", None);
    let imported = people_of(&latest.folder, &options, &tenant.service);
    ingest.progress.end();
    let trouble = match imported {
        Ok(imported) if !imported.people.is_empty() => {
            replace(ingest, tenant, imported, &options, read, report)?;
            ingest.seen.set(&tenant.name, &key, latest.seen);
            return ingest.remember();
        }
        // Nobody must not replace somebody.
        Ok(_) => "it holds nobody".to_owned(),
        Err(error) => Printable(&error.to_string()).to_string(),
    };
    report.people.push(read);
    let warning = format!(
        "failed to import the inventory of {label} of {name}: {trouble}; the people imported before stay"
    );
    warn(STAGE, &tenant.name, vec![warning], report);
    Ok(())
}

/// The latest inventory that has users, and whether it is new.
pub(super) fn latest(
    store: &Store,
    feed: &FeedName,
    tenant: &Tenant,
    known: &SourceSeen,
) -> Result<Option<Latest>, Error> {
    for folder in store.inventories(feed)?.into_iter().rev() {
        let steps = inventory_steps(&folder)?;
        if !steps.iter().any(|step| step == Step::Users.as_str()) {
            continue;
        }
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let service = tenant.service.iter().map(String::as_str);
        let settings = HexHash::of_parts(["service"].into_iter().chain(service)).to_string();
        return Ok(Some(Latest {
            is_news: known.settings != settings || !known.files.contains_key(&name),
            seen: SourceSeen {
                settings,
                files: [(name.clone(), FileSeen::default())].into(),
            },
            folder,
            name,
        }));
    }
    Ok(None)
}

/// The people of an inventory. Who holds an admin role is privileged; of the others that is not known,
/// because a role may come from elsewhere.
fn people_of(
    folder: &Path,
    options: &ImportOptions,
    service: &[String],
) -> Result<Imported, Error> {
    let users = inventory_lines(folder, Step::Users.as_str())?;
    let mut imported = import_okta_users(users, options)?;
    let administrators = administrators(folder)?;
    for person in &mut imported.people {
        if administrators.contains(&person.user_uid) {
            person.privileged = Some(true);
        }
    }
    mark_service(&mut imported.people, service);
    Ok(imported)
}

/// A line of the step `user_roles`.
#[derive(Deserialize)]
struct Assignment {
    user: String,
    #[serde(default)]
    role: Role,
}

#[derive(Default, Deserialize)]
struct Role {
    status: Option<String>,
}

/// Whoever has a role that is in force. A step that was not permitted or broke off has no file.
fn administrators(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    for line in inventory_lines(folder, Step::UserRoles.as_str())? {
        // What is no such line says nothing about anybody.
        let Ok(assignment) = serde_json::from_str::<Assignment>(&line?) else {
            continue;
        };
        let status = assignment.role.status.as_deref();
        if status.is_none_or(|status| status.eq_ignore_ascii_case("ACTIVE")) {
            found.insert(assignment.user);
        }
    }
    Ok(found)
}
