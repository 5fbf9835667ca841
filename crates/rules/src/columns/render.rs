//! A row of `identity_events` as the JSON that rules speak about.

use arrow::array::RecordBatch;
use serde_json::{Map, Value};

use crate::columns::field::{FieldEntry, Read, fields};
use crate::columns::frame::Frame;
use crate::error::Error;

/// The path of an event's targets.
pub(crate) const TARGET: &str = "target";

/// What is kept of a target, in the order of the column's struct.
pub(crate) const TARGET_PARTS: [&str; 4] = ["id", "type", "alternateId", "displayName"];

/// One row as JSON under the source's own paths, with `derived.…` beside them: what a rule sees of
/// the event. Absent fields (nulls, empty lists) are left out. It is no raw event: what no rule can
/// name is not in it.
///
/// # Errors
/// [`crate::ErrorKind::BrokenTable`] when the batch is no `identity_events`, and
/// [`crate::ErrorKind::NoSuchRow`] when it has no such row.
pub fn render(events: &RecordBatch, row: usize) -> Result<Value, Error> {
    if row >= events.num_rows() {
        return Err(Error::no_such_row(row, events.num_rows()));
    }
    let frame = Frame::new(&events.slice(row, 1))?;
    Ok(render_row(&frame, 0))
}

pub(crate) fn render_row(frame: &Frame, row: usize) -> Value {
    let mut event = Map::new();
    for entry in fields() {
        let (path, value) = match entry.read {
            // Lists of objects are put together from their parts below.
            Read::Target(_) | Read::Chain => continue,
            _ => (entry.path, column_value(frame, entry, row)),
        };
        if let Some(value) = value {
            insert(&mut event, path, value);
        }
    }
    let targets = members(frame, row);
    if !targets.is_empty() {
        event.insert(TARGET.to_owned(), Value::Array(targets));
    }
    let chain = crate::columns::field::entry("request.ipChain.ip")
        .and_then(|entry| column_value(frame, entry, row))
        .and_then(|addresses| match addresses {
            Value::Array(addresses) => Some(addresses),
            _ => None,
        });
    if let Some(addresses) = chain {
        let hops = addresses.into_iter().map(|ip| {
            let mut hop = Map::new();
            hop.insert("ip".to_owned(), ip);
            Value::Object(hop)
        });
        insert(&mut event, "request.ipChain", hops.collect());
    }
    let mut details = Map::new();
    for (key, value) in frame.details().of_row(row) {
        // A key that comes twice means its first value, as for a rule.
        details
            .entry(key)
            .or_insert_with(|| Value::String(value.to_owned()));
    }
    if !details.is_empty() {
        insert(&mut event, "debugContext.debugData", Value::Object(details));
    }
    Value::Object(event)
}

fn column_value(frame: &Frame, entry: &'static FieldEntry, row: usize) -> Option<Value> {
    let value = frame.entry_column(entry).value(row);
    value.map(|value| value.to_json())
}

fn members(frame: &Frame, row: usize) -> Vec<Value> {
    frame
        .targets_of_row(row)
        .map(|texts| {
            let named = TARGET_PARTS.iter().zip(texts);
            let object: Map<String, Value> = named
                .filter_map(|(part, text)| Some(((*part).to_owned(), Value::from(text?))))
                .collect();
            Value::Object(object)
        })
        .collect()
}

fn insert(event: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            event.insert(path.to_owned(), value);
        }
        Some((head, rest)) => {
            let inner = event
                .entry(head)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
