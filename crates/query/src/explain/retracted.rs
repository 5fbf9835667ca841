//! What was taken back of one tenant, as known at one instant (af-1 §2.1, §5).

use std::collections::BTreeMap;

use af_model::UtcMillis;
use af_model::tables::retractions;
use af_store::{Error, Scan, Store, table_file};

use super::signals::StoredSignal;

/// The statements of one tenant that hold, by kind and id of their target.
#[derive(Debug, Default)]
pub(super) struct Statements {
    holding: BTreeMap<(String, String), retractions::Row>,
}

impl Statements {
    /// Reads the statements known at an instant. The latest of a target holds; of two of one instant
    /// the retraction. Kinds and actions are read in any case, unknown ones say nothing.
    pub(super) fn read(store: &Store, tenant: &str, known_at: UtcMillis) -> Result<Self, Error> {
        let mut latest: BTreeMap<(String, String), retractions::Row> = BTreeMap::new();
        for path in store.retractions()? {
            for batch in table_file::read(&path, &retractions::TABLE, None, Scan::File)? {
                // The reader hands out conformed batches; rows it cannot read it refuses itself.
                let rows = retractions::rows(&batch?).unwrap_or_default();
                for mut row in rows {
                    row.target_kind.make_ascii_lowercase();
                    row.action.make_ascii_lowercase();
                    let says = matches!(row.target_kind.as_str(), "event" | "signal" | "incident")
                        && matches!(row.action.as_str(), "retract" | "restore");
                    if !says || row.tenant_uid != tenant || row.ingested_at > known_at {
                        continue;
                    }
                    let target = (row.target_kind.clone(), row.target_uid.clone());
                    // "retract" < "restore": the retraction has to win among equals.
                    let order = |row: &retractions::Row| (row.ingested_at, row.action == "retract");
                    match latest.get(&target) {
                        Some(held) if order(held) >= order(&row) => {}
                        _ => {
                            latest.insert(target, row);
                        }
                    }
                }
            }
        }
        latest.retain(|_, row| row.action == "retract");
        Ok(Self { holding: latest })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.holding.is_empty()
    }

    /// The statement by which a signal is dead: about itself, its incident, or all of its events (of
    /// these the latest).
    pub(super) fn about(&self, signal: &StoredSignal) -> Option<&retractions::Row> {
        let held = |kind: &str, uid: &str| self.holding.get(&(kind.to_owned(), uid.to_owned()));
        if let Some(row) = held("signal", &signal.signal_uid) {
            return Some(row);
        }
        let incident = signal.incident_uid.as_deref();
        if let Some(row) = incident.and_then(|uid| held("incident", uid)) {
            return Some(row);
        }
        let events: Option<Vec<&retractions::Row>> = signal
            .event_uids
            .iter()
            .map(|uid| held("event", uid))
            .collect();
        events?.into_iter().max_by_key(|row| row.ingested_at)
    }
}
