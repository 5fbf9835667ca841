//! `quarantine`: input that could not become an event, with its place, never its content.

use crate::contract::table;
use crate::time::UtcMillis;

table! {
    /// One piece of input that was refused: why and where. No raw content.
    "quarantine", version 1,
    sorted by ["tenant_uid", "file", "line", "byte_offset", "reject_uid"];
    Row {
        /// The customer organization.
        tenant_uid: String, repeats;
        /// The configured source.
        integration: Option<String>, repeats;
        /// When it was refused.
        ingested_at: UtcMillis;
        /// Why, from a fixed list, e.g. not_json, missing_uuid, bad_time.
        reason: String, repeats;
        /// The field at fault, where one is.
        field: Option<String>, repeats;
        /// The file as named on the command line; - for standard input.
        file: String, repeats;
        /// Line where the event starts, from 1.
        line: i64;
        /// Byte where the event starts in the decompressed input, from 0.
        byte_offset: i64;
        /// Length of the refused input.
        length: i64, unit "bytes";
        /// Keyed hash of the content: the same input refused again is not counted twice.
        reject_uid: String;
    }
}
