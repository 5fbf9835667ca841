//! `org_summary`: the organization in a few figures.

use crate::contract::table;
use crate::time::UtcMillis;

table! {
    /// Figures of one population of one organization: as a whole (component null) and per component.
    /// Floors of integers throughout.
    "org_summary", version 1, sorted by ["tenant_uid", "population", "component"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// Signals up to this instant count.
        as_of: UtcMillis;
        /// What was known at this instant counts.
        known_at: UtcMillis;
        /// human or service.
        population: String, repeats;
        /// The component; null = all together.
        component: Option<String>, repeats;
        /// Size of the population.
        population_n: i64, unit "people";
        /// Mean score of the population.
        mean_score_micro: i64, unit "micro";
        /// People nothing counted against.
        n_none: i64, unit "people";
        /// People with level very_low.
        n_very_low: i64, unit "people";
        /// People with level low.
        n_low: i64, unit "people";
        /// People with level medium.
        n_medium: i64, unit "people";
        /// People with level high.
        n_high: i64, unit "people";
        /// People with level very_high.
        n_very_high: i64, unit "people";
        /// Mean load.
        mean_load_micro: i64, unit "micro-points";
        /// Share of the total load on the most loaded tenth of the people (rounded up to whole people); null without any load.
        top_tenth_load_share_micro: Option<i64>, unit "micro";
        /// Load at which a person without any reaches level low at today's baseline; null where component is null.
        load_for_low_micro: Option<i64>, unit "micro-points";
        /// The same for level medium.
        load_for_medium_micro: Option<i64>, unit "micro-points";
        /// The same for level high.
        load_for_high_micro: Option<i64>, unit "micro-points";
        /// The same for level very_high.
        load_for_very_high_micro: Option<i64>, unit "micro-points";
    }
}
