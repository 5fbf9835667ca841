//! What a run would do. Reads, and writes nothing at all, not even a lock.

use std::path::Path;

use af_directory::ImportOptions;
use af_model::{UtcDay, UtcMillis};
use af_rules::RuleSet;
use af_store::Store;
use serde::Serialize;

use super::directory::{people_of, settings_hash};
use super::execute::{RunOptions, read_seen};
use super::seen::{InputsSeen, source_key};
use super::survey::{News, Survey, survey};
use crate::config::{Config, Tenant};
use crate::detect;
use crate::error::{Error, ErrorKind};

/// What a run would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Plan {
    /// Whether the store would be made.
    pub creates_store: bool,
    /// By tenant, in the order of the configuration.
    pub tenants: Vec<TenantPlan>,
    /// Days in the store whose events, or those of days that they look back on, or rules changed; the
    /// days of new events join them, and those that look back on these.
    pub days_to_detect: Vec<UtcDay>,
    /// The point in time that would be scored, as far as it is known before reading.
    pub as_of: Option<UtcMillis>,
    /// The snapshot that would be published unless its rows equal those of the one before.
    pub snapshot: Option<String>,
}

/// What a run would do for one tenant.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TenantPlan {
    /// The tenant.
    pub tenant: String,
    /// Why it would be left out.
    pub problem: Option<String>,
    /// Its files.
    pub files: Vec<PlannedFile>,
    /// What the run would warn of.
    pub warnings: Vec<String>,
}

/// What a run would do with one file.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedFile {
    /// The stage that would read it: `people` or `normalize`.
    pub stage: &'static str,
    /// Its source or integration.
    pub source: Option<String>,
    /// The file, relative to the configuration.
    pub file: String,
    /// What is new about it.
    pub news: News,
    /// Whether it would be read.
    pub read: bool,
    /// Its size.
    pub bytes: u64,
}

/// Says what [`execute`](super::execute()) would do with the store in `root`.
///
/// # Errors
/// The store cannot be read, or the folder is none.
pub fn plan(
    config: &Config,
    root: &Path,
    rules: &RuleSet,
    options: &RunOptions,
) -> Result<Plan, Error> {
    let store = open(root)?;
    let seen = match &store {
        Some(store) => read_seen(store)?,
        None => InputsSeen::default(),
    };
    let mut plan = Plan {
        creates_store: store.is_none(),
        ..Plan::default()
    };
    for tenant in &config.tenants {
        let mut planned = TenantPlan {
            tenant: tenant.name.clone(),
            ..TenantPlan::default()
        };
        if let Err(error) = plan_tenant(config, tenant, &seen, options, &mut planned) {
            planned.problem = Some(error.to_string());
        }
        plan.tenants.push(planned);
    }
    if let Some(store) = &store {
        plan.days_to_detect = detect::pending(store, rules)?;
    }
    let asked = options.cut();
    plan.as_of = asked.as_of.or(asked.known_at);
    if let Some(as_of) = plan.as_of {
        let before = match &store {
            Some(store) => store.latest_of(as_of)?,
            None => None,
        };
        let revision = before.map_or(1, |id| id.revision + 1);
        plan.snapshot = Some(format!("{}/r{revision}", as_of.folder_name()));
    }
    Ok(plan)
}

/// The store, or none if it would be made.
fn open(root: &Path) -> Result<Option<Store>, Error> {
    match Store::open(root) {
        Ok(store) => Ok(Some(store)),
        Err(error) => {
            let free = match fs_err::read_dir(root) {
                Ok(mut entries) => entries.next().is_none(),
                Err(error) => error.kind() == std::io::ErrorKind::NotFound,
            };
            if free { Ok(None) } else { Err(error.into()) }
        }
    }
}

fn plan_tenant(
    config: &Config,
    tenant: &Tenant,
    seen: &InputsSeen,
    options: &RunOptions,
    planned: &mut TenantPlan,
) -> Result<(), Error> {
    let now = options.run.started_at;
    for source in &tenant.people {
        let known = seen.source(&tenant.name, &source_key("people", &source.source));
        let found = survey(&config.folder, &source.files, &known, now, options.reread)?;
        // One file that changed brings the others of its source along.
        let read = found.files.iter().any(|file| file.news != News::Same)
            || !found.vanished.is_empty()
            || known.settings != settings_hash(tenant, source);
        note(planned, "people", Some(&source.source), &found, |_| read);
        if read && !found.files.is_empty() {
            let import = ImportOptions {
                tenant: Some(tenant.name.clone()),
                source: source.source.clone(),
                imported_at: Some(options.ingested_at),
                map: source.map.clone(),
            };
            let paths = found.files.iter().map(|file| file.path.as_path());
            people_of(paths, &import, &tenant.service)?;
        }
    }
    for source in &tenant.okta {
        let name = source.name.as_deref().unwrap_or_default();
        let known = seen.source(&tenant.name, &source_key("okta", name));
        let found = survey(&config.folder, &source.files, &known, now, options.reread)?;
        let integration = source.name.as_ref();
        note(planned, "normalize", integration, &found, |news| {
            news != News::Same
        });
        for file in &found.files {
            // Opening tells what reading would.
            fs_err::File::open(&file.path)
                .map_err(|error| Error::new(ErrorKind::NoInput, error.to_string()))?;
        }
    }
    Ok(())
}

fn note(
    planned: &mut TenantPlan,
    stage: &'static str,
    source: Option<&String>,
    survey: &Survey,
    read: impl Fn(News) -> bool,
) {
    planned.warnings.extend(survey.warnings());
    for file in &survey.files {
        planned.files.push(PlannedFile {
            stage,
            source: source.cloned(),
            file: file.name.clone(),
            news: file.news,
            read: read(file.news),
            bytes: file.seen.bytes,
        });
    }
}
