//! The one place that calls on `af-okta` to read a user object of Okta's inventory.

use af_model::Person;

use crate::import::ImportOptions;

/// The person of one object of `GET /api/v1/users`, or why it is none and which field says so.
pub(crate) fn person(
    tenant: &str,
    user_json: &str,
    options: &ImportOptions,
) -> Result<Person, (&'static str, Option<&'static str>)> {
    af_okta::inventory::person(
        tenant,
        user_json.as_bytes(),
        Some(&options.source),
        options.imported_at,
    )
    .map_err(|reject| (reject.reason.as_str(), reject.field))
}
