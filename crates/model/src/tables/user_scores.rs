//! `user_scores`: the answer, one row per person.

use crate::contract::table;
use crate::time::UtcMillis;

table! {
    /// How much one person is attacked, compared with their colleagues. No column holds a behavior
    /// score, a run id or a revision: equal results are equal bytes.
    "user_scores", version 1, sorted by ["tenant_uid", "user_uid"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// Signals up to this instant count.
        as_of: UtcMillis;
        /// What was known at this instant counts.
        known_at: UtcMillis;
        /// Formula id.
        formula: String, repeats;
        /// Hash of the formula's parameters.
        config_hash: String, repeats;
        /// Hash of the rules; null when the signals came from elsewhere.
        rules_hash: Option<String>, repeats;
        /// Who the person is compared with: human or service.
        population: String, repeats;
        /// Size of that population.
        population_n: i64, unit "people";
        /// False for people who left, are suspended or not yet active: scored, not ranked.
        in_population: bool;
        /// The person's id in the source of truth.
        user_uid: String;
        /// Primary e-mail address.
        email: String;
        /// Name shown to people.
        display_name: Option<String>;
        /// Department.
        department: Option<String>, repeats;
        /// Location.
        location: Option<String>, repeats;
        /// The manager.
        manager_uid: Option<String>, repeats;
        /// The attack factor, 0 to below 10, in millionths.
        score_micro: i64, unit "micro";
        /// none, very_low, low, medium, high or very_high.
        level: String, repeats;
        /// Weighted sum of the components' odds, in billionths.
        odds_nano: i64, unit "nano";
        /// 1 = most attacked; equal odds share a rank. Null outside the population.
        rank: Option<i64>;
        /// Mid-rank percentile, 0 to 100. Null outside the population.
        percentile: Option<f64>, unit "percent";
        /// Share of the other people with lower odds. Null outside the population and for n = 1.
        pct_below: Option<f64>, unit "percent";
        /// Incidents that count, after collapsing.
        signal_count: i64, unit "incidents";
        /// Distinct UTC days with an attack.
        attack_days: i64, unit "days";
        /// Earliest signal that counts.
        first_attack: Option<UtcMillis>;
        /// Latest signal that counts.
        last_attack: Option<UtcMillis>;
    }
}
