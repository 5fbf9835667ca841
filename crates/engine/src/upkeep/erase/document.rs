//! JSON documents: texts in which somebody may be named, such as paths of files that were read.

use af_model::manifest::Manifest;
use af_store::{Store, WriteLock};
use serde_json::{Map, Value};

use super::scrub::{Scrubber, Tally};
use super::{ErasedTable, STATE};
use crate::error::{Error, ErrorKind};

/// The documents of this module's own making that hold the person on purpose, or only hashes.
const OWN: [&str; 3] = [STATE, "erased", "store"];

/// The store's own documents without the person.
pub(super) fn states(
    store: &Store,
    lock: Option<&WriteLock>,
    scrubber: &Scrubber,
) -> Result<ErasedTable, Error> {
    let mut table = ErasedTable::of("state");
    for name in store.state_names()? {
        if OWN.contains(&name.as_str()) {
            continue;
        }
        let Some(mut document) = store.read_state::<Value>(&name)? else {
            continue;
        };
        if !clean(&mut document, scrubber) {
            continue;
        }
        table.add(Tally {
            removed: 0,
            changed: 1,
        });
        if let Some(lock) = lock {
            store.write_state(lock, &name, &document)?;
        }
    }
    Ok(table)
}

/// A manifest without the person; none when it does not name them.
pub(super) fn manifest(
    manifest: &Manifest,
    scrubber: &Scrubber,
) -> Result<Option<Manifest>, Error> {
    let failed = |error: serde_json::Error| {
        Error::new(ErrorKind::Io, format!("look through a manifest: {error}"))
    };
    let mut document = serde_json::to_value(manifest).map_err(failed)?;
    if !clean(&mut document, scrubber) {
        return Ok(None);
    }
    serde_json::from_value(document).map(Some).map_err(failed)
}

/// Replaces the person in every text, names of fields included; says whether anything changed.
fn clean(value: &mut Value, scrubber: &Scrubber) -> bool {
    match value {
        Value::String(text) => match scrubber.clean(text) {
            Some(cleaned) => {
                *text = cleaned;
                true
            }
            None => false,
        },
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |changed, item| clean(item, scrubber) | changed),
        Value::Object(fields) => {
            let mut is_changed = false;
            let mut cleaned = Map::new();
            for (name, mut value) in std::mem::take(fields) {
                is_changed |= clean(&mut value, scrubber);
                let new = scrubber.clean(&name);
                is_changed |= new.is_some();
                cleaned.insert(new.unwrap_or(name), value);
            }
            *fields = cleaned;
            is_changed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
