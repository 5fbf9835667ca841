//! How many events are in which class, per tenant.

use std::collections::BTreeMap;

use af_model::accounting::{ClassAccount, PerTenant};
use arrow::array::Array;

use crate::columns::frame::Frame;
use crate::columns::rows::Rows;

/// The rows of each class; no row is in two of them.
pub(crate) struct Classes {
    pub(crate) context: Rows,
    pub(crate) attack: Rows,
    pub(crate) behavior: Rows,
}

/// Puts every event in exactly one account of its tenant. Sets are counted, not rows walked.
pub(crate) fn account(
    frame: &Frame,
    classes: &Classes,
    known_type: &dyn Fn(&str) -> bool,
) -> PerTenant<ClassAccount> {
    let types = frame.event_types();
    let known = |place: usize| types.is_valid(place) && known_type(types.value(place));
    let by_type = frame.rows_by_type();
    let unknown: Vec<bool> = (0..types.len())
        .map(|place| by_type.len_of(place) > 0 && !known(place))
        .collect();
    let unknown = frame
        .rows_of_types(&unknown)
        .without(&classes.context)
        .without(&classes.attack)
        .without(&classes.behavior);
    let (_, tenants) = frame.dictionary(TENANT);
    let by_tenant = frame.groups(TENANT);
    let mut accounts: PerTenant<ClassAccount> = BTreeMap::new();
    for place in (0..tenants.len()).filter(|&place| by_tenant.len_of(place) > 0) {
        let own = by_tenant.rows_of(place);
        let count = |rows: &Rows| rows.count_common(&own) as u64;
        let mut account = ClassAccount {
            normalized: own.len() as u64,
            context: count(&classes.context),
            attack: count(&classes.attack),
            behavior: count(&classes.behavior),
            unknown_type: count(&unknown),
            ..ClassAccount::default()
        };
        account.unclassified = account.normalized
            - account.context
            - account.attack
            - account.behavior
            - account.unknown_type;
        // Foreign dictionaries may hide a null behind a key.
        let tenant = if tenants.is_valid(place) {
            tenants.value(place)
        } else {
            ""
        };
        *accounts.entry(tenant.to_owned()).or_default() += account;
    }
    accounts
}

const TENANT: &str = "tenant_uid";
