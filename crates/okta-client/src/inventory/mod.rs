//! Who and what an org has: users, groups, applications, factors, roles, devices.

use af_model::UtcMillis;
use af_model::feed::StepStatus;
use af_okta::Step;
use af_store::feed::Feed;

use crate::error::Error;
use crate::http::Client;

/// How an inventory is taken.
#[derive(Clone, Debug)]
pub struct InventoryOptions {
    /// When it is taken; names its folder.
    pub at: UtcMillis,
    /// The steps that are wanted. What a step needs of others is fetched in any case.
    pub steps: Vec<Step>,
    /// Calls made side by side.
    pub parallel: usize,
}

/// What an inventory brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InventoryReport {
    /// The steps, in their order.
    pub steps: Vec<StepStatus>,
    /// The folder in the store; none when nothing could be taken.
    pub folder: Option<std::path::PathBuf>,
}

/// Takes an inventory into a feed. A step that is not permitted is skipped, the others go on. The
/// feed's status is kept current, also when it fails.
///
/// # Errors
/// The users cannot be listed, or the store cannot take what was fetched.
pub async fn take(
    _client: &Client,
    _feed: &Feed,
    _options: &InventoryOptions,
) -> Result<InventoryReport, Error> {
    todo!()
}
