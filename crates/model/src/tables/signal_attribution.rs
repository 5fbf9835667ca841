//! `signal_attribution`: which attacks make up each person's score, exactly.

use crate::contract::table;
use crate::time::{UtcDay, UtcMillis};

table! {
    /// One block of equal signals (same component, family, day and level) and its exact share of the
    /// person's score. The 50 weightiest blocks of a person stand alone; what remains is one row
    /// whose component, family, day and level are null. Shares add up to the score.
    "signal_attribution", version 1,
    sorted by ["tenant_uid", "user_uid", "component", "family", "day", "level"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// Signals up to this instant count.
        as_of: UtcMillis;
        /// What was known at this instant counts.
        known_at: UtcMillis;
        /// The person.
        user_uid: String;
        /// Part of the attack factor; null on the row of the rest.
        component: Option<String>, repeats;
        /// Kind of attack; null on the row of the rest.
        family: Option<String>, repeats;
        /// UTC day of the incidents; null on the row of the rest.
        day: Option<UtcDay>;
        /// Level of the incidents; null on the row of the rest.
        level: Option<String>, repeats;
        /// Incidents in the block.
        n: i64, unit "incidents";
        /// The block's part of the component's load.
        load_share_micro: i64, unit "micro-points";
        /// The block's part of the score.
        score_share_micro: i64, unit "micro";
        /// By how much the score would fall without the block; null on the row of the rest.
        without_micro: Option<i64>, unit "micro";
        /// The rules behind the block, sorted.
        rule_ids: Vec<String>;
        /// The first 20 signals of the block by id.
        signal_uids: Vec<String>;
    }
}
