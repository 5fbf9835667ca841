//! `component_scores`: how each component contributes to each person's score.

use crate::contract::table;
use crate::time::UtcMillis;

table! {
    /// One component of one person's score. A row for every person and every component that a
    /// matched signal of the tenant names within the window.
    "component_scores", version 1, sorted by ["tenant_uid", "user_uid", "component"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// Signals up to this instant count.
        as_of: UtcMillis;
        /// What was known at this instant counts.
        known_at: UtcMillis;
        /// The person.
        user_uid: String;
        /// Part of the attack factor.
        component: String, repeats;
        /// The person's saturated, decayed points.
        load_micro: i64, unit "micro-points";
        /// What colleagues carry on average, leaving this person out.
        baseline_micro: i64, unit "micro-points";
        /// Load over yardstick.
        odds_nano: i64, unit "nano";
        /// The component's own score, 0 to below 10.
        score_micro: i64, unit "micro";
        /// How far colleagues rather than the absolute scale set the yardstick, 0 to 1.
        relative_weight_micro: i64, unit "micro";
        /// Weight of the component in the sum of odds.
        weight_permille: i64, unit "per mille";
    }
}
