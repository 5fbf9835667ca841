//! Samples of rules, seen as the pipeline sees events.

use af_model::tables::identity_events;
use af_model::{HashKey, UtcMillis};
use af_okta::Normalizer;
use arrow::array::RecordBatch;

/// When samples become known: 2100-01-01, so that none is of the future.
const INGESTED_AT: UtcMillis = UtcMillis(4_102_444_800_000);

/// One sample as a row of `identity_events`: an event of one invented organization.
///
/// # Errors
/// Why the normalizer refuses it, in a word.
pub fn event(json: &[u8]) -> Result<RecordBatch, String> {
    let key = HashKey::new([0; 32]);
    let normalizer = Normalizer::new("samples", None, INGESTED_AT, &key);
    let row = normalizer
        .event(json)
        .map_err(|reject| reject.reason.as_str().to_owned())?;
    Ok(identity_events::batch([&row]))
}
