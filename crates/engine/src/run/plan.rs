//! What a run would do. Reads, and writes nothing at all, not even a lock.

use std::path::Path;

use af_directory::ImportOptions;
use af_model::{UtcDay, UtcMillis};
use af_rules::RuleSet;
use af_store::Store;
use serde::Serialize;

use super::directory::{people_of, settings_hash};
use super::execute::{RunOptions, read_seen};
use super::inventory;
use super::pages::in_store;
use super::seen::{InputsSeen, source_key};
use super::survey::{News, Survey, survey};
use crate::config::{Config, OktaApi, OktaSource, PeopleSource, Tenant};
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
    /// The file, relative to the configuration; of a feed, relative to the store.
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
        let planning = Planning {
            config,
            store: store.as_ref(),
            seen: &seen,
            options,
        };
        if let Err(error) = planning.tenant(tenant, &mut planned) {
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

/// What a plan is made from.
#[derive(Clone, Copy)]
struct Planning<'a> {
    config: &'a Config,
    store: Option<&'a Store>,
    seen: &'a InputsSeen,
    options: &'a RunOptions,
}

impl Planning<'_> {
    fn tenant(self, tenant: &Tenant, planned: &mut TenantPlan) -> Result<(), Error> {
        for source in &tenant.people {
            self.people(tenant, source, planned)?;
        }
        for source in &tenant.okta {
            match (&source.api, self.store) {
                (Some(api), Some(store)) => self.feed(store, tenant, source, api, planned)?,
                // Without a store nothing waits.
                (Some(_), None) => {}
                (None, _) => self.events(tenant, source, planned)?,
            }
        }
        Ok(())
    }

    fn people(
        self,
        tenant: &Tenant,
        source: &PeopleSource,
        planned: &mut TenantPlan,
    ) -> Result<(), Error> {
        let options = self.options;
        let now = options.run.started_at;
        let known = self
            .seen
            .source(&tenant.name, &source_key("people", &source.source));
        let found = survey(
            &self.config.folder,
            &source.files,
            &known,
            now,
            options.reread,
        )?;
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
        Ok(())
    }

    fn events(
        self,
        tenant: &Tenant,
        source: &OktaSource,
        planned: &mut TenantPlan,
    ) -> Result<(), Error> {
        let options = self.options;
        let now = options.run.started_at;
        let name = source.name.as_deref().unwrap_or_default();
        let known = self.seen.source(&tenant.name, &source_key("okta", name));
        let found = survey(
            &self.config.folder,
            &source.files,
            &known,
            now,
            options.reread,
        )?;
        let integration = source.name.as_ref();
        note(planned, "normalize", integration, &found, |news| {
            news != News::Same
        });
        for file in &found.files {
            // Opening tells what reading would.
            fs_err::File::open(&file.path)
                .map_err(|error| Error::new(ErrorKind::NoInput, error.to_string()))?;
        }
        Ok(())
    }

    /// The inventory and the pages that wait in a feed. What a run would fetch first, nobody knows.
    fn feed(
        self,
        store: &Store,
        tenant: &Tenant,
        source: &OktaSource,
        api: &OktaApi,
        planned: &mut TenantPlan,
    ) -> Result<(), Error> {
        let feed = source.feed_name(&tenant.name);
        let shown = |path: &Path| in_store(store, path);
        let key = source_key("inventory", source.label());
        let known = self.seen.source(&tenant.name, &key);
        let latest = inventory::latest(store, &feed, tenant, &known)?;
        if let Some(latest) = latest.filter(|_| api.people) {
            let news = match (latest.is_news, self.options.reread) {
                (true, _) => News::New,
                (false, true) => News::Again,
                (false, false) => News::Same,
            };
            let mut bytes = 0;
            for entry in fs_err::read_dir(&latest.folder)
                .map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?
            {
                let metadata = entry.and_then(|entry| entry.metadata());
                bytes += metadata.map_or(0, |found| found.len());
            }
            planned.files.push(PlannedFile {
                stage: "people",
                source: Some(source.label().to_owned()),
                file: shown(&latest.folder),
                news,
                read: news != News::Same,
                bytes,
            });
        }
        for page in store.waiting_pages(&feed)? {
            planned.files.push(PlannedFile {
                stage: "normalize",
                source: source.name.clone(),
                file: shown(&page.path),
                news: News::New,
                read: true,
                bytes: page.bytes,
            });
        }
        Ok(())
    }
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
