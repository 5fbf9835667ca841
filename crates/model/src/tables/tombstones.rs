//! `tombstones`: what is left of erased people in a snapshot, so that their colleagues' figures can
//! still be recomputed.

use crate::contract::table;
use crate::time::UtcMillis;

table! {
    /// One component of one erased person's load, without a name: only in snapshots from which
    /// somebody was erased. The row without a component carries the sum.
    "tombstones", version 1, sorted by ["tenant_uid", "person_hash", "component"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// Signals up to this instant count.
        as_of: UtcMillis;
        /// What was known at this instant counts.
        known_at: UtcMillis;
        /// Keyed hash of the person's id; the key never leaves the store.
        person_hash: String;
        /// When the person was erased.
        erased_at: UtcMillis;
        /// human or service.
        population: String, repeats;
        /// Whether the person counted as a colleague.
        in_population: bool;
        /// Part of the attack factor; null in the row of the sum.
        component: Option<String>, repeats;
        /// The person's saturated, decayed points; in the row of the sum, over all components.
        load_micro: i64, unit "micro-points";
        /// Load over yardstick; in the row of the sum, the weighted sum of odds.
        odds_nano: i64, unit "nano";
        /// The score that was published.
        score_micro: i64, unit "micro";
    }
}
