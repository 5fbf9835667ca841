//! `unmatched_signals`: attacks on somebody the directory does not know, counted, never named.

use crate::contract::table;
use crate::time::{UtcDay, UtcMillis};

table! {
    /// Signals of one day that hit one identifier which belongs to no single person. The raw
    /// identifier is never written: people type passwords into user-name fields.
    "unmatched_signals", version 1,
    sorted by ["tenant_uid", "reason", "source", "day", "component", "family", "level", "rule_id", "subject_hash"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// Signals up to this instant count.
        as_of: UtcMillis;
        /// What was known at this instant counts.
        known_at: UtcMillis;
        /// no_key, no_match, ambiguous or not_a_person.
        reason: String, repeats;
        /// Who produced the signals.
        source: String, repeats;
        /// UTC day of the signals.
        day: UtcDay;
        /// Part of the attack factor.
        component: String, repeats;
        /// Kind of attack.
        family: String, repeats;
        /// Level of the signals.
        level: String, repeats;
        /// The rule that found them.
        rule_id: String, repeats;
        /// Keyed hash of the identifier; null without one.
        subject_hash: Option<String>;
        /// How many signals.
        n: i64, unit "signals";
    }
}
