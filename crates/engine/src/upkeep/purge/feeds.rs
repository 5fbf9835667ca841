//! What was fetched and is kept as received: raw pages, old inventories, daily counts of users.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use af_model::UtcDay;
use af_okta::Step;
use af_store::feed::{FeedName, inventory_steps};
use af_store::{Store, WriteLock};
use serde_json::Value;

use super::super::compact::bytes;
use super::{PurgedPart, start_of};
use crate::error::{Error, ErrorKind};

/// The document of a feed that holds how many users there were, by day.
const USER_COUNTS: &str = "user_counts";

/// Removes raw pages by the day on which they were taken in, inventories taken before the day but for
/// the latest of a feed and the latest that has users, and counts of users. Parts that hold nothing old are left out of the report.
pub(super) fn purge(
    store: &Store,
    lock: Option<&WriteLock>,
    before: UtcDay,
) -> Result<Vec<PurgedPart>, Error> {
    let part = |part| PurgedPart {
        part,
        ..PurgedPart::default()
    };
    let (mut raw, mut inventories, mut counts) = (
        part("feeds/raw"),
        part("feeds/inventory"),
        part("feeds/user_counts"),
    );
    for feed in store.feeds()? {
        for day in store.raw_days(&feed)? {
            if day >= before {
                continue;
            }
            let pages = store.raw_pages(&feed, day)?;
            raw.items += 1;
            raw.rows += pages.len() as u64;
            raw.bytes += bytes(&pages)?;
            if let Some(lock) = lock {
                store.remove_raw_day(lock, &feed, day)?;
            }
        }
        let first = start_of(before).folder_name();
        for folder in earlier_inventories(store, &feed)? {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            // Folders of instants sort as the instants do.
            if *name >= *first {
                continue;
            }
            let files = files(&folder)?;
            inventories.items += 1;
            inventories.rows += files.len() as u64;
            inventories.bytes += bytes(&files)?;
            if let Some(lock) = lock {
                store.remove_inventory(lock, &feed, &name)?;
            }
        }
        let old = user_counts(store, lock, &feed, before)?;
        counts.items += u64::from(old > 0);
        counts.rows += old;
    }
    let mut parts = vec![raw, inventories, counts];
    parts.retain(|part| part.items > 0);
    Ok(parts)
}

/// The inventories of a feed without the latest, and without the latest that has users: people are
/// imported from that one.
fn earlier_inventories(store: &Store, feed: &FeedName) -> Result<Vec<PathBuf>, Error> {
    let mut folders = store.inventories(feed)?;
    let mut with_users = None;
    for (place, folder) in folders.iter().enumerate().rev() {
        let steps = inventory_steps(folder)?;
        if steps.iter().any(|step| step == Step::Users.as_str()) {
            with_users = Some(place);
            break;
        }
    }
    folders.pop();
    if let Some(place) = with_users.filter(|&place| place < folders.len()) {
        folders.remove(place);
    }
    Ok(folders)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |error: std::io::Error| Error::new(ErrorKind::Io, error.to_string());
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    files.sort();
    Ok(files)
}

/// Takes old days out of the document; returns how many there were. Where somebody fetches, it is
/// theirs to write: the figures name nobody and wait for the next purge. A document that cannot be
/// understood is in nobody's way.
fn user_counts(
    store: &Store,
    lock: Option<&WriteLock>,
    feed: &FeedName,
    before: UtcDay,
) -> Result<u64, Error> {
    let is_old = |day: &str| UtcDay::parse(day).is_ok_and(|day| day < before);
    let mut document: BTreeMap<String, Value> = match store.feed_document(feed, USER_COUNTS) {
        Ok(document) => document.unwrap_or_default(),
        Err(error) if error.kind() == af_store::ErrorKind::Corrupt => {
            let (tenant, integration) = (feed.tenant.as_str(), feed.integration.as_str());
            tracing::warn!(tenant, integration, "{error}");
            return Ok(0);
        }
        Err(error) => return Err(error.into()),
    };
    let days = document.len();
    document.retain(|day, _| !is_old(day));
    let old = (days - document.len()) as u64;
    if old == 0 || lock.is_none() {
        return Ok(old);
    }
    match store.feed(feed) {
        Ok(held) => {
            held.update(USER_COUNTS, |counts: &mut BTreeMap<String, Value>| {
                counts.retain(|day, _| !is_old(day));
            })?;
            Ok(old)
        }
        Err(error) if error.kind() == af_store::ErrorKind::Locked => Ok(0),
        Err(error) => Err(error.into()),
    }
}
