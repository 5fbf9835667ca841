//! `bucket_counts`: the exchange format between days, shards and engines.

use crate::contract::table;
use crate::time::{UtcDay, UtcMillis};

table! {
    /// How many incidents of each level hit one person in one component, family and UTC day, after
    /// duplicates were dropped and incidents collapsed. Counts of whole days or whole people add.
    "bucket_counts", version 1,
    sorted by ["tenant_uid", "user_uid", "component", "family", "day"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// The person.
        user_uid: String;
        /// Part of the attack factor.
        component: String, repeats;
        /// Kind of attack inside the component.
        family: String, repeats;
        /// UTC day of the incidents.
        day: UtcDay;
        /// Incidents whose highest level is critical.
        n_critical: i64, unit "incidents";
        /// Incidents whose highest level is high.
        n_high: i64, unit "incidents";
        /// Incidents whose highest level is medium.
        n_medium: i64, unit "incidents";
        /// Incidents whose highest level is low.
        n_low: i64, unit "incidents";
        /// Earliest signal of the bucket.
        first_time: UtcMillis;
        /// Latest signal of the bucket.
        last_time: UtcMillis;
    }
}
