//! `group_index`: departments, locations and teams compared.

use crate::contract::table;
use crate::time::UtcMillis;

table! {
    /// Figures of one group of at least five people of the human population. Floors of integers.
    "group_index", version 1, sorted by ["tenant_uid", "group_kind", "group_key"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// Signals up to this instant count.
        as_of: UtcMillis;
        /// What was known at this instant counts.
        known_at: UtcMillis;
        /// department, location or manager.
        group_kind: String, repeats;
        /// Name of the department or location, or the manager.
        group_key: String;
        /// People in the group.
        n: i64, unit "people";
        /// Mean score.
        mean_score_micro: i64, unit "micro";
        /// Standard deviation of the group as a population.
        sd_score_micro: i64, unit "micro";
        /// (sum of scores + 5 · organization mean) / (n + 5): small groups lean on the organization.
        shrunk_mean_micro: i64, unit "micro";
        /// max(0, mean − 1.65 · sd / √n), for comparison with other products.
        lower_bound_micro: i64, unit "micro";
    }
}
