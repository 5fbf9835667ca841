//! How fetching fares, from what is written down beside the pages.

use af_model::feed::FeedStatus;
use af_model::manifest::IntegrationState;
use af_store::Store;
use af_store::feed::{FeedName, STATUS};

use crate::error::Error;

/// What is known of every integration that something was ever fetched for, sorted by tenant and
/// integration.
///
/// # Errors
/// The store cannot be read.
pub fn states(store: &Store) -> Result<Vec<IntegrationState>, Error> {
    let mut states = Vec::new();
    for feed in store.feeds()? {
        states.extend(status(store, &feed)?.map(|status| state(&feed, &status)));
    }
    Ok(states)
}

/// The status of one feed; none when nothing was ever fetched, or when it cannot be understood: that
/// costs a look at how fetching fares, and no figure.
///
/// # Errors
/// The store cannot be read.
pub fn status(store: &Store, feed: &FeedName) -> Result<Option<FeedStatus>, Error> {
    match store.feed_document(feed, STATUS) {
        Err(error) if error.kind() == af_store::ErrorKind::Corrupt => {
            let (tenant, integration) = (feed.tenant.as_str(), feed.integration.as_str());
            tracing::warn!(tenant, integration, "{error}");
            Ok(None)
        }
        other => Ok(other?),
    }
}

/// The same for a manifest.
pub(crate) fn state(feed: &FeedName, status: &FeedStatus) -> IntegrationState {
    IntegrationState::of(&feed.tenant, &feed.integration, status)
}
