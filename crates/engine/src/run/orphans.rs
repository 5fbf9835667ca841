//! Pages that wait and that nobody will take in: their integration left the configuration.

use af_model::name::Printable;
use af_store::feed::FeedName;

use super::execute::RunJob;
use crate::config::Config;
use crate::error::Error;

/// Says for which feeds pages wait that no integration of the configuration reads.
pub(super) fn look(job: &RunJob<'_>) -> Result<Vec<String>, Error> {
    let mut warnings = Vec::new();
    for feed in job.store.feeds()? {
        if is_read(job.config, &feed) {
            continue;
        }
        let wait = match job.store.waiting_pages(&feed)?.len() {
            0 => continue,
            1 => "1 page waits".to_owned(),
            pages => format!("{pages} pages wait"),
        };
        let (tenant, integration) = (feed.tenant.as_str(), feed.integration.as_str());
        let warning = format!(
            "{wait} in feeds/{}/{}, which no integration of the configuration reads",
            Printable(tenant),
            Printable(integration)
        );
        tracing::warn!(stage = "fetch", tenant, integration, "{warning}");
        warnings.push(warning);
    }
    Ok(warnings)
}

/// Whether an integration takes in what waits there; one with files does not.
fn is_read(config: &Config, feed: &FeedName) -> bool {
    config.tenants.iter().any(|tenant| {
        let mut sources = tenant.okta.iter();
        sources.any(|source| source.api.is_some() && source.feed_name(&tenant.name) == *feed)
    })
}
