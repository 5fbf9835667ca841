//! What became known since counts were kept, and whom it touches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use af_count::{ChangedKeys, KeyStates, Subject};
use af_store::{Scan, Store, TableFile};
use arrow::array::{Array, AsArray, StringArray};

use super::index::{Index, Targets, read_people};
use crate::error::Error;
use crate::tally::open;

/// What changed.
pub(super) struct Changes {
    keys: ChangedKeys,
    retracted: Targets,
}

impl Changes {
    /// `None` when so much changed, or so little is known of it, that all days are counted anew.
    pub(super) fn since(
        index: &Index,
        store: &Store,
        (states, people): (&KeyStates, &str),
        retracted: &Targets,
    ) -> Result<Option<Self>, Error> {
        if index.days.is_empty() {
            return Ok(None);
        }
        let keys = if index.people == people {
            ChangedKeys::default()
        } else {
            let Some(before) = read_people(store, &index.people)? else {
                return Ok(None);
            };
            ChangedKeys::between(&before, states)
        };
        let retracted = index.retracted.symmetric_difference(retracted);
        Ok(Some(Self {
            keys,
            retracted: retracted.cloned().collect(),
        }))
    }

    /// Whether it may change what counts of some files.
    pub(super) fn touch(&self, files: &[PathBuf]) -> Result<bool, Error> {
        if self.keys.is_empty() && self.retracted.is_empty() {
            return Ok(false);
        }
        for path in files {
            let file = open(path)?;
            if !self.keys.is_empty() && names_changed_key(&self.keys, &file)? {
                return Ok(true);
            }
            if !self.retracted.is_empty() && holds_target(&self.retracted, &file)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn names_changed_key(keys: &ChangedKeys, file: &TableFile) -> Result<bool, Error> {
    const COLUMNS: [&str; 5] = [
        "tenant_uid",
        "subject_ref",
        "subject_uid",
        "subject_login",
        "subject_email",
    ];
    for batch in file.read(Some(&COLUMNS), Scan::File)? {
        let batch = batch?;
        let columns: Vec<&StringArray> = batch.columns().iter().map(AsArray::as_string).collect();
        let cell = |column: usize, row: usize| {
            let column = columns[column];
            column.is_valid(row).then(|| column.value(row))
        };
        let mut before = None;
        for row in 0..batch.num_rows() {
            let subject = Subject {
                subject_ref: cell(1, row),
                uid: cell(2, row),
                login: cell(3, row),
                email: cell(4, row),
            };
            let named = (cell(0, row).unwrap_or_default(), subject);
            if before.replace(named) != Some(named) && keys.name(named.0, subject) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn holds_target(targets: &Targets, file: &TableFile) -> Result<bool, Error> {
    const COLUMNS: [&str; 4] = ["tenant_uid", "signal_uid", "incident_uid", "event_uids"];
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (tenant, _, uid) in targets {
        wanted.entry(tenant).or_default().insert(uid);
    }
    for batch in file.read(Some(&COLUMNS), Scan::File)? {
        let batch = batch?;
        let text = |column: usize| batch.column(column).as_string::<i32>();
        let events = batch.column(3).as_list::<i32>();
        let event_uids = events.values().as_string::<i32>();
        for row in 0..batch.num_rows() {
            let Some(wanted) = wanted.get(text(0).value(row)) else {
                continue;
            };
            let of_row = events.value_offsets()[row]..events.value_offsets()[row + 1];
            let mut of_row = of_row.filter_map(|event| usize::try_from(event).ok());
            let is_hit = wanted.contains(text(1).value(row))
                || wanted.contains(text(2).value(row))
                || of_row.any(|event| wanted.contains(event_uids.value(event)));
            if is_hit {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
