//! The days of events in a store: their files, their rows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use af_model::UtcDay;
use af_store::{Partitioned, Store};

use super::OWN_FILES;
use crate::error::Error;
use crate::upkeep::purge::Purged;

/// The files of every day of events, and how far days look back on each other.
pub(super) struct Days {
    inputs: BTreeMap<UtcDay, Vec<String>>,
    look_back: u32,
    purged_before: Option<UtcDay>,
}

impl Days {
    pub(super) fn of(store: &Store, look_back_days: u32) -> Result<Self, Error> {
        let mut inputs = BTreeMap::new();
        for day in store.days(Partitioned::Events)? {
            inputs.insert(day, file_names(&store.day_files(Partitioned::Events, day)?));
        }
        Ok(Self {
            inputs,
            look_back: look_back_days,
            purged_before: Purged::read(store)?.before,
        })
    }

    /// All days, ascending.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = UtcDay> {
        self.inputs.keys().copied()
    }

    /// The files of a day.
    pub(super) fn inputs(&self, day: UtcDay) -> &[String] {
        self.inputs.get(&day).map_or(&[], Vec::as_slice)
    }

    /// The days that a day looks back on, ascending, with their files.
    pub(super) fn before(&self, day: UtcDay) -> impl Iterator<Item = (&UtcDay, &Vec<String>)> {
        let span = i32::try_from(self.look_back).unwrap_or(i32::MAX);
        self.inputs.range(UtcDay(day.0.saturating_sub(span))..day)
    }

    /// Whether a day is gone because it was purged.
    pub(super) fn is_purged(&self, day: UtcDay) -> bool {
        self.purged_before.is_some_and(|before| day < before) && !self.inputs.contains_key(&day)
    }
}

/// The files of a day's signals that this stage wrote, without extension.
pub(super) fn own_files(store: &Store, day: UtcDay) -> Result<Vec<String>, Error> {
    Ok(file_names(&store.day_files(Partitioned::Signals, day)?)
        .into_iter()
        .filter_map(|name| name.strip_suffix(".parquet").map(str::to_owned))
        .filter(|name| name.starts_with(OWN_FILES))
        .collect())
}

pub(crate) fn file_names(paths: &[PathBuf]) -> Vec<String> {
    paths
        .iter()
        .map(|path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}
