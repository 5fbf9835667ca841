//! How fetching fares for the integrations of a tenant, and what to say about it.

use af_model::UtcDay;
use af_model::feed::{FeedStatus, Problem};
use af_model::manifest::IntegrationState;
use af_model::name::Printable;

use super::execute::RunJob;
use super::ingest::warn;
use super::report::TenantReport;
use crate::config::{OktaApi, OktaSource, Tenant};
use crate::error::Error;
use crate::feeds;

const STAGE: &str = "fetch";

/// The state of every integration of a tenant that is asked over the network; trouble is a warning.
pub(super) fn look(
    job: &RunJob<'_>,
    tenant: &Tenant,
    report: &mut TenantReport,
) -> Result<Vec<IntegrationState>, Error> {
    let today = job.options.run.started_at.day();
    let mut states = Vec::new();
    for source in &tenant.okta {
        let Some(api) = &source.api else { continue };
        let feed = source.feed_name(&tenant.name);
        let status = feeds::status(job.store, &feed)?;
        let mut warnings = warnings(source, status.as_ref());
        warnings.extend(expiring(job, api, today));
        warn(STAGE, &tenant.name, warnings, report);
        states.push(feeds::state(&feed, &status.unwrap_or_default()));
    }
    states.sort_by(|a, b| a.integration.cmp(&b.integration));
    Ok(states)
}

fn expiring(job: &RunJob<'_>, api: &OktaApi, today: UtcDay) -> Option<String> {
    let mut credentials = job.config.credentials.iter();
    let credential = credentials.find(|credential| credential.name == api.credential)?;
    credential.expiry_warning(today)
}

fn warnings(source: &OktaSource, status: Option<&FeedStatus>) -> Vec<String> {
    let name = source.label();
    let Some(status) = status else {
        return vec![format!("nothing was ever fetched for integration {name}")];
    };
    let mut warnings = Vec::new();
    let log = &status.log;
    if let Some(since) = log.failing_since {
        let why = why(log.problem.as_ref());
        warnings.push(format!(
            "fetching events of {name} fails since {since}{why}"
        ));
    }
    if log.history_days_done < log.history_days {
        warnings.push(format!(
            "{} of {} days of the history of {name} are here",
            log.history_days_done, log.history_days
        ));
    }
    let inventory = &status.inventory;
    if let Some(since) = inventory.failing_since {
        let why = why(inventory.problem.as_ref());
        warnings.push(format!(
            "taking the inventory of {name} fails since {since}{why}"
        ));
    }
    warnings
}

fn why(problem: Option<&Problem>) -> String {
    problem.map_or_else(String::new, |problem| {
        format!(": {}", Printable(&problem.message))
    })
}

#[cfg(test)]
mod tests {
    use af_model::UtcMillis;

    use super::*;

    #[test]
    fn trouble_is_said_and_its_absence_is_not() {
        let source = OktaSource::default();
        assert_eq!(
            warnings(&source, None),
            ["nothing was ever fetched for integration okta"]
        );
        let mut status = FeedStatus::default();
        assert!(warnings(&source, Some(&status)).is_empty());
        status.log.history_days = 90;
        status.log.history_days_done = 89;
        status.log.failing_since = Some(UtcMillis(0));
        status.log.problem = Some(Problem {
            message: "the token is not valid".to_owned(),
            ..Problem::default()
        });
        status.inventory.failing_since = Some(UtcMillis(0));
        assert_eq!(
            warnings(&source, Some(&status)),
            [
                "fetching events of okta fails since 1970-01-01T00:00:00.000Z: the token is not valid",
                "89 of 90 days of the history of okta are here",
                "taking the inventory of okta fails since 1970-01-01T00:00:00.000Z",
            ]
        );
    }
}
