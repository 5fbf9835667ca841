//! What administrators say about detections at the source becomes retractions by itself.
//!
//! Okta logs `analytics.feedback.provide` when an administrator labels a detection: `eventUuid` names
//! the event, `label` the verdict. `false_positive` takes the event back; `true_positive` and
//! `false_negative` say that it was an attack after all and undo an earlier false positive; other
//! words say nothing. Of several labels of one event the one given last (by the source's clock)
//! among those known by then holds, so a label that arrives late does not outvote a newer one.
//!
//! The statements are a function of the events and written anew as a whole: nothing is added by
//! running again, and the order in which events arrive makes no difference.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use af_model::cell::Cell;
use af_model::tables::{identity_events, retractions};
use af_model::{UtcDay, UtcMillis};
use af_store::{Partitioned, Scan, Store, WriteLock, table_file};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use serde::{Deserialize, Serialize};

use crate::detect::file_names;
use crate::error::Error;

/// The source's event type.
const FEEDBACK: &str = "analytics.feedback.provide";

/// The state document that remembers which labels every day's events hold.
const STATE: &str = "feedback";

/// How the names of the files begin that hold the derived statements, and who is said to have made
/// them. The administrator's name stays with the event.
const OWNER: &str = "feedback";

/// OCSF's number for an attempt that failed.
const FAILED: i64 = 2;

/// The longest id that is taken over.
const LONGEST_UID: usize = 200;

const COLUMNS: [&str; 7] = [
    "tenant_uid",
    "metadata_uid",
    "metadata_event_code",
    "time",
    "ingested_at",
    "status_id",
    "debug_data",
];

/// Labels by day, with the files they were read from.
#[derive(Default, Serialize, Deserialize)]
struct Known {
    days: BTreeMap<UtcDay, KnownDay>,
}

#[derive(Default, Serialize, Deserialize)]
struct KnownDay {
    /// By name; names tell the content.
    inputs: Vec<String>,
    labels: Vec<Label>,
}

/// One verdict of an administrator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Label {
    tenant_uid: String,
    /// The event that is labelled.
    target_uid: String,
    ingested_at: UtcMillis,
    time: UtcMillis,
    /// The event that carries the label.
    event_uid: String,
    is_false_positive: bool,
}

/// Brings the retractions that follow from the store's events up to date and returns how many
/// statements they are. Only days whose files changed are read.
///
/// # Errors
/// The store cannot be read or written.
pub fn derive(store: &Store, lock: &WriteLock) -> Result<usize, Error> {
    let mut before: Known = store.read_state(STATE)?.unwrap_or_default();
    let mut known = Known::default();
    let mut changed = false;
    for day in store.days(Partitioned::Events)? {
        let files = store.day_files(Partitioned::Events, day)?;
        let inputs = file_names(&files);
        let found = match before.days.remove(&day) {
            Some(found) if found.inputs == inputs => found,
            _ => {
                changed = true;
                let mut labels = Vec::new();
                for file in &files {
                    labels.extend(labels_of(file)?);
                }
                KnownDay { inputs, labels }
            }
        };
        known.days.insert(day, found);
    }
    changed |= !before.days.is_empty();
    let labels = known.days.values().flat_map(|day| day.labels.clone());
    let rows = statements(labels.collect());
    // Also when nothing changed: a crash may have come between the document and the rows.
    let batches = (!rows.is_empty()).then(|| retractions::batch(&rows));
    store.replace_retractions(lock, OWNER, batches)?;
    if changed {
        store.write_state(lock, STATE, &known)?;
    }
    Ok(rows.len())
}

/// The labels of one file of events. Most files hold none, which the types alone tell.
fn labels_of(file: &Path) -> Result<Vec<Label>, Error> {
    let table = &identity_events::TABLE;
    let types = Some(&["metadata_event_code"][..]);
    let mut holds_feedback = false;
    for batch in table_file::read(file, table, types, Scan::Dictionaries)? {
        let batch = batch?;
        let values = batch.column(0).as_dictionary::<Int32Type>().values();
        let mut values = values.as_string::<i32>().iter().flatten();
        holds_feedback |= values.any(|value| value == FEEDBACK);
    }
    let mut labels = Vec::new();
    if holds_feedback {
        for batch in table_file::read(file, table, Some(&COLUMNS), Scan::File)? {
            let batch = batch?;
            labels.extend((0..batch.num_rows()).filter_map(|row| label(&batch, row)));
        }
    }
    Ok(labels)
}

/// The label of a row, if it is an event that carries one.
fn label(events: &RecordBatch, row: usize) -> Option<Label> {
    let text = |column: usize| events.column(column).as_string::<i32>().value(row);
    if text(2) != FEEDBACK || i64::read(events.column(5), row) == FAILED {
        return None;
    }
    let details = Option::<Vec<(Cow<'_, str>, Cow<'_, str>)>>::read(events.column(6), row)?;
    let detail = |name: &str| {
        let found = details
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    };
    let target_uid = detail("eventUuid").filter(|uid| (1..=LONGEST_UID).contains(&uid.len()))?;
    Some(Label {
        tenant_uid: text(0).to_owned(),
        target_uid: target_uid.to_owned(),
        ingested_at: UtcMillis::read(events.column(4), row),
        time: UtcMillis::read(events.column(3), row),
        event_uid: text(1).to_owned(),
        is_false_positive: verdict(detail("label")?)?,
    })
}

/// Whether a label takes the event back; `None` for a word that says nothing of it.
fn verdict(label: &str) -> Option<bool> {
    let word = label.to_ascii_lowercase().replace([' ', '-'], "_");
    match word.as_str() {
        "false_positive" => Some(true),
        "true_positive" | "false_negative" => Some(false),
        _ => None,
    }
}

/// What the labels come to, in the order of the table.
fn statements(mut labels: Vec<Label>) -> Vec<retractions::Row> {
    labels.sort_unstable();
    labels.dedup();
    let mut rows = Vec::new();
    for of_target in
        labels.chunk_by(|a, b| (&a.tenant_uid, &a.target_uid) == (&b.tenant_uid, &b.target_uid))
    {
        let mut holds: Option<&Label> = None;
        let mut is_retracted = false;
        for arrived in of_target.chunk_by(|a, b| a.ingested_at == b.ingested_at) {
            let given = |label: &&Label| (label.time, label.event_uid.clone());
            let latest = arrived.iter().chain(holds).max_by_key(given);
            let Some(latest) = latest.filter(|latest| holds != Some(*latest)) else {
                continue;
            };
            holds = Some(latest);
            // A confirmation takes back a label, never what somebody retracted by hand.
            if latest.is_false_positive || is_retracted {
                is_retracted = latest.is_false_positive;
                rows.push(row(latest));
            }
        }
    }
    rows
}

fn row(label: &Label) -> retractions::Row {
    let (action, word) = if label.is_false_positive {
        ("retract", "a false positive")
    } else {
        ("restore", "an attack after all")
    };
    retractions::Row {
        tenant_uid: label.tenant_uid.clone(),
        target_kind: "event".to_owned(),
        target_uid: label.target_uid.clone(),
        action: action.to_owned(),
        ingested_at: label.ingested_at,
        reason: Some(format!(
            "labelled {word} at the source (event {})",
            label.event_uid
        )),
        by: Some(OWNER.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A label of event `e`, given at `time` and known at `ingested_at`.
    fn label(time: i64, ingested_at: i64, is_false_positive: bool) -> Label {
        Label {
            tenant_uid: "acme".to_owned(),
            target_uid: "e".to_owned(),
            ingested_at: UtcMillis(ingested_at),
            time: UtcMillis(time),
            event_uid: format!("feedback-{time}"),
            is_false_positive,
        }
    }

    fn said(labels: &[Label]) -> Vec<(String, i64)> {
        let rows = statements(labels.to_vec());
        rows.into_iter()
            .map(|row| (row.action, row.ingested_at.0))
            .collect()
    }

    fn expected(said: &[(&str, i64)]) -> Vec<(String, i64)> {
        said.iter().map(|(a, at)| ((*a).to_owned(), *at)).collect()
    }

    #[test]
    fn every_word_of_okta_is_understood_and_others_say_nothing() {
        for (word, meaning) in [
            ("false_positive", Some(true)),
            ("FALSE_POSITIVE", Some(true)),
            ("False Positive", Some(true)),
            ("true_positive", Some(false)),
            ("false_negative", Some(false)),
            ("unsure", None),
            ("", None),
        ] {
            assert_eq!(verdict(word), meaning, "{word}");
        }
    }

    #[test]
    fn the_last_label_known_by_then_holds() {
        let wrong = label(1, 10, true);
        let right = label(2, 20, false);
        assert_eq!(
            said(std::slice::from_ref(&wrong)),
            expected(&[("retract", 10)])
        );
        assert_eq!(
            said(&[right.clone(), wrong.clone()]),
            expected(&[("retract", 10), ("restore", 20)])
        );
        // Both known at once: only the last one speaks.
        assert_eq!(said(&[wrong, label(2, 10, false)]), expected(&[]));
        // Known later, but given before.
        assert_eq!(
            said(&[label(3, 10, false), label(1, 20, true)]),
            expected(&[])
        );
        assert_eq!(
            said(&[label(3, 10, true), label(1, 20, false)]),
            expected(&[("retract", 10)])
        );
    }

    #[test]
    fn a_confirmation_alone_restores_nothing() {
        assert_eq!(said(&[label(1, 10, false)]), expected(&[]));
    }

    #[test]
    fn what_arrives_later_adds_to_what_was_said_and_changes_none_of_it() {
        let labels = [
            label(5, 10, true),
            label(2, 20, false),
            label(7, 30, false),
            label(9, 30, true),
            label(8, 40, false),
            label(11, 50, false),
        ];
        let whole = said(&labels);
        for known_at in [10, 20, 30, 40, 50] {
            let by_then: Vec<Label> = labels
                .iter()
                .filter(|label| label.ingested_at.0 <= known_at)
                .rev()
                .cloned()
                .collect();
            let of_whole: Vec<(String, i64)> = whole
                .iter()
                .filter(|(_, at)| *at <= known_at)
                .cloned()
                .collect();
            assert_eq!(said(&by_then), of_whole);
        }
        assert_eq!(
            whole,
            expected(&[("retract", 10), ("retract", 30), ("restore", 50)])
        );
    }
}
