//! `retractions`: what turned out not to be an attack.

use crate::contract::table;
use crate::time::UtcMillis;

table! {
    /// One statement that an event, a signal or an incident is no attack (retract), or is one after
    /// all (restore). Effective from its own ingested_at; nothing published is ever rewritten.
    "retractions", version 1,
    sorted by ["tenant_uid", "target_kind", "target_uid", "ingested_at"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// event, signal or incident.
        target_kind: String, repeats;
        /// Id of the event, signal or incident.
        target_uid: String;
        /// retract or restore.
        action: String, repeats;
        /// From when on the statement holds.
        ingested_at: UtcMillis;
        /// Why, in the words of whoever said so.
        reason: Option<String>;
        /// Who said so.
        by: Option<String>;
    }
}
