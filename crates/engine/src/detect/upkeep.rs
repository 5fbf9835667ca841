//! The state document follows what upkeep does to the files of events.

use std::path::PathBuf;

use af_model::UtcDay;
use af_store::{Store, WriteLock};

use super::STATE;
use super::days::file_names;
use super::state::Detected;
use crate::error::Error;

/// Follows the files of a day's events to their new names, when they still hold the same events.
pub(crate) fn renamed_inputs(
    store: &Store,
    lock: &WriteLock,
    day: UtcDay,
    before: &[PathBuf],
    after: &[PathBuf],
) -> Result<(), Error> {
    let Some(mut detected) = Detected::read(store)? else {
        return Ok(());
    };
    let (before, after) = (file_names(before), file_names(after));
    // Never classified, or not up to date: it will be.
    let mut is_changed = false;
    let mut follow = |names: &mut Vec<String>| {
        if *names == before {
            names.clone_from(&after);
            is_changed = true;
        }
    };
    for (&of, known) in &mut detected.days {
        if of == day {
            follow(&mut known.inputs);
        }
        if let Some(names) = known.looked_back.get_mut(&day) {
            follow(names);
        }
    }
    if is_changed {
        store.write_state(lock, STATE, &detected)?;
    }
    Ok(())
}

/// Forgets days whose events are no longer in the store. Those that looked back on them stay as they
/// are, and what was found in them stays found.
pub(crate) fn forget_days(store: &Store, lock: &WriteLock, before: UtcDay) -> Result<(), Error> {
    let Some(mut detected) = Detected::read(store)? else {
        return Ok(());
    };
    let kept = detected.days.split_off(&before);
    let mut is_changed = !detected.days.is_empty();
    detected.days = kept;
    for known in detected.days.values_mut() {
        let kept = known.looked_back.split_off(&before);
        if !known.looked_back.is_empty() {
            known.thinned = true;
            is_changed = true;
        }
        known.looked_back = kept;
    }
    if is_changed {
        store.write_state(lock, STATE, &detected)?;
    }
    Ok(())
}

/// Remembers that events of a day are about to leave its files: what was found in it, and in the days
/// that looked back on it, stays found.
pub(crate) fn thinned(store: &Store, lock: &WriteLock, day: UtcDay) -> Result<(), Error> {
    let Some(mut detected) = Detected::read(store)? else {
        return Ok(());
    };
    let mut is_changed = false;
    for (&of, known) in &mut detected.days {
        if !known.thinned && (of == day || known.looked_back.contains_key(&day)) {
            known.thinned = true;
            is_changed = true;
        }
    }
    if is_changed {
        store.write_state(lock, STATE, &detected)?;
    }
    Ok(())
}
