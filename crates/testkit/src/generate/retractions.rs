//! Statements that something was no attack after all, and that it was.

use af_model::UtcMillis;
use af_model::tables::retractions::Row;

use super::dice::pick;
use crate::oracle::OracleSignal;

/// Dice a retraction.
pub(super) const DICE: usize = 5;

/// Grows retractions of the signals' own ids, incidents and events.
pub(super) fn retractions(
    dice: &[[u8; DICE]],
    signals: &[OracleSignal],
    known_at: UtcMillis,
) -> Vec<Row> {
    dice.iter()
        .filter_map(|&[which, kind, more, action, when]| {
            let place = usize::from(which) * 256 + usize::from(more);
            let signal = signals.get(place % signals.len().max(1))?;
            let (kind, uid) = match pick(kind, &[(90, 0), (70, 1), (96, 2)]) {
                0 => ("signal", Some(signal.signal_uid.clone())),
                1 => ("incident", signal.incident_uid.clone()),
                _ => {
                    let events = signal.event_uids.as_deref().unwrap_or_default();
                    let place = usize::from(more) % events.len().max(1);
                    ("event", events.get(place).cloned())
                }
            };
            // Some statements share an instant, some come after known_at.
            let minutes = i64::from(when % 8) - 1;
            Some(Row {
                tenant_uid: signal.tenant_uid.clone(),
                target_kind: kind.to_owned(),
                target_uid: uid?,
                action: pick(action, &[(190, "retract"), (66, "restore")]).to_owned(),
                ingested_at: UtcMillis(known_at.0 - minutes * 60_000),
                reason: Some("false alarm".to_owned()),
                by: None,
            })
        })
        .collect()
}
