//! Taking in one tenant's news.

use af_model::name::Printable;

use super::execute::RunJob;
use super::report::TenantReport;
use super::seen::{self, InputsSeen, SourceSeen};
use super::survey::{Survey, survey};
use super::{directory, domains, events, inventory, pages};
use crate::config::Tenant;
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;

/// What the stages of a run share.
pub(super) struct Ingest<'a> {
    pub(super) job: &'a RunJob<'a>,
    pub(super) seen: InputsSeen,
    pub(super) progress: &'a dyn Progress,
}

impl Ingest<'_> {
    /// Takes in what is new of a tenant. Its own failure is returned as text; what was read until
    /// then is in the report and in the store.
    pub(super) fn tenant(
        &mut self,
        tenant: &Tenant,
        report: &mut TenantReport,
    ) -> Result<Option<String>, Error> {
        match self.stages(tenant, report) {
            Ok(()) => Ok(None),
            Err(error) if is_the_tenants(&error) => {
                let name = tenant.name.as_str();
                tracing::warn!(stage = "read", tenant = name, "left out: {error}");
                Ok(Some(error.to_string()))
            }
            Err(error) => Err(error),
        }
    }

    fn stages(&mut self, tenant: &Tenant, report: &mut TenantReport) -> Result<(), Error> {
        for source in &tenant.people {
            directory::read(self, tenant, source, report)?;
        }
        for source in &tenant.okta {
            if let Some(api) = &source.api {
                inventory::read(self, tenant, source, api, report)?;
            }
        }
        domains::look(self, tenant, report)?;
        for source in &tenant.okta {
            match &source.api {
                Some(api) => pages::read(self, tenant, source, api, report)?,
                None => events::read(self, tenant, source, report)?,
            }
        }
        Ok(())
    }

    /// What was read of a source and what there is now; warnings are said.
    pub(super) fn survey(
        &self,
        stage: &str,
        tenant: &str,
        source: &str,
        files: &[String],
        report: &mut TenantReport,
    ) -> Result<(SourceSeen, Survey), Error> {
        let options = self.job.options;
        let known = self.seen.source(tenant, source);
        let survey = survey(
            &self.job.config.folder,
            files,
            &known,
            options.run.started_at,
            options.reread,
        )?;
        warn(stage, tenant, survey.warnings(), report);
        Ok((known, survey))
    }

    /// Writes down what is known of a source without news, if anything about it is new.
    pub(super) fn keep(
        &mut self,
        tenant: &str,
        source: &str,
        known: &SourceSeen,
        now: SourceSeen,
    ) -> Result<(), Error> {
        if *known == now {
            return Ok(());
        }
        self.seen.set(tenant, source, now);
        self.remember()
    }

    /// Writes down what was read; after the data, so that an interrupted run reads it again.
    pub(super) fn remember(&self) -> Result<(), Error> {
        let job = self.job;
        Ok(job.store.write_state(job.lock, seen::STATE, &self.seen)?)
    }
}

/// Whether a failure is one tenant's own. The store's failures are everybody's.
fn is_the_tenants(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Usage | ErrorKind::NoInput | ErrorKind::Gate
    )
}

/// Says warnings and keeps them.
pub(super) fn warn(stage: &str, tenant: &str, warnings: Vec<String>, report: &mut TenantReport) {
    for warning in warnings {
        tracing::warn!(stage, tenant, "{warning}");
        report.warnings.push(warning);
    }
}

/// Says which files are read and why.
pub(super) fn say_read(stage: &str, tenant: &str, name: &str, news: super::News) {
    let (file, news) = (Printable(name).to_string(), news.as_str());
    tracing::info!(stage, tenant, file, news, "reading {file} ({news})");
}
