//! What was fetched and is kept as received: pages that wait, raw pages, inventories.
//!
//! What becomes of an event, `pages` says. Of an inventory the objects that are
//! the person's own leave, and in those of others their keys are replaced: a colleague must not
//! vanish from the people because of a manager. Cursor and status hold nobody.

use std::path::Path;

use af_model::{HashKey, Person, UtcMillis};
use af_okta::{Normalizer, Step, inventory};
use af_store::feed::{Feed, FeedName, inventory_lines, inventory_steps};
use af_store::{Store, WriteLock};
use serde_json::Value;

use super::ErasedTable;
use super::json::clean;
use super::pages::{page_without, text_of};
use super::scrub::{Scrubber, Tally};
use crate::error::Error;
use crate::progress::Progress;

/// Keeps everybody else from fetching for an organization: their next page might name the person.
/// Clears up what a killed fetch left, too.
pub(super) fn hold(store: &Store, tenant: &str) -> Result<Vec<Feed>, Error> {
    feeds_of(store, tenant)?
        .iter()
        .map(|feed| Ok(store.feed(feed)?))
        .collect()
}

fn feeds_of(store: &Store, tenant: &str) -> Result<Vec<FeedName>, Error> {
    let mut feeds = store.feeds()?;
    feeds.retain(|feed| feed.tenant == tenant);
    Ok(feeds)
}

/// The people of all inventories of an organization. What is no user is left out.
pub(super) fn people(
    store: &Store,
    tenant: &str,
) -> Result<impl Iterator<Item = Result<Person, Error>>, Error> {
    let mut lines = Vec::new();
    for feed in feeds_of(store, tenant)? {
        for folder in store.inventories(&feed)? {
            lines.push(inventory_lines(&folder, Step::Users.as_str())?);
        }
    }
    let tenant = tenant.to_owned();
    Ok(lines.into_iter().flatten().filter_map(move |line| {
        let line = match line {
            Ok(line) => line,
            Err(error) => return Some(Err(error.into())),
        };
        let person = inventory::person(&tenant, line.as_bytes(), None, None);
        person.ok().map(Ok)
    }))
}

/// Goes through every feed of the organization. `held` are its feeds, when files may be written; `at`
/// is the instant of the erasure.
pub(super) fn all(
    store: &Store,
    held: Option<(&WriteLock, &[Feed])>,
    scrubber: &Scrubber,
    key: &HashKey,
    at: UtcMillis,
    progress: &dyn Progress,
) -> Result<Vec<ErasedTable>, Error> {
    let normalizer = Normalizer::new(scrubber.tenant(), None, at, key);
    let mut log = ErasedTable::of("feeds/log");
    let mut raw = ErasedTable::of("feeds/raw");
    let mut inventories = ErasedTable::of("feeds/inventory");
    for name in feeds_of(store, scrubber.tenant())? {
        progress.begin("looking through feeds", None);
        let feed = held.and_then(|(lock, feeds)| {
            let feed = feeds.iter().find(|feed| *feed.name() == name)?;
            Some((lock, feed))
        });
        for page in store.waiting_pages(&name)? {
            rewrite_page(feed, &page.path, scrubber, Some(&normalizer), &mut log)?;
            progress.advance(1);
        }
        for day in store.raw_days(&name)? {
            for page in store.raw_pages(&name, day)? {
                rewrite_page(feed, &page, scrubber, None, &mut raw)?;
                progress.advance(1);
            }
        }
        for folder in store.inventories(&name)? {
            for step in inventory_steps(&folder)? {
                rewrite_step(feed, &folder, &step, scrubber, &mut inventories)?;
                progress.advance(1);
            }
        }
        progress.end();
    }
    Ok(vec![log, raw, inventories])
}

fn rewrite_page(
    feed: Option<(&WriteLock, &Feed)>,
    path: &Path,
    scrubber: &Scrubber,
    waiting: Option<&Normalizer<'_>>,
    table: &mut ErasedTable,
) -> Result<(), Error> {
    let text = text_of(path)?;
    let (body, tally) = page_without(&text, scrubber, waiting);
    if tally.is_none() {
        return Ok(());
    }
    table.add(tally);
    if let Some((lock, feed)) = feed {
        feed.rewrite_page(lock, path, body.as_bytes())?;
    }
    Ok(())
}

fn rewrite_step(
    feed: Option<(&WriteLock, &Feed)>,
    folder: &Path,
    step: &str,
    scrubber: &Scrubber,
    table: &mut ErasedTable,
) -> Result<(), Error> {
    let mut tally = Tally::default();
    for line in inventory_lines(folder, step)? {
        object_without(line?, scrubber, &mut tally);
    }
    if tally.is_none() {
        return Ok(());
    }
    table.add(tally);
    if let Some((lock, feed)) = feed {
        let lines = inventory_lines(folder, step)?;
        let kept = lines.filter_map(|line| match line {
            Ok(line) => object_without(line, scrubber, &mut Tally::default()).map(Ok),
            Err(error) => Some(Err(error)),
        });
        feed.rewrite_step(lock, folder, step, kept)?;
    }
    Ok(())
}

/// An object of an inventory without the person; none when it is the person's own.
fn object_without(line: String, scrubber: &Scrubber, tally: &mut Tally) -> Option<String> {
    let Ok(mut value) = serde_json::from_str::<Value>(&line) else {
        if scrubber.clean_inside(&line).is_none() {
            return Some(line);
        }
        tally.removed += 1;
        return None;
    };
    if is_theirs(&value, scrubber) {
        tally.removed += 1;
        return None;
    }
    let is_fewer = leave_lists(&mut value, scrubber);
    if clean(&mut value, scrubber) | is_fewer {
        tally.changed += 1;
        return Some(value.to_string());
    }
    Some(line)
}

/// Whether an object is about the person and nobody else: their user object, their factor, their
/// membership.
fn is_theirs(value: &Value, scrubber: &Scrubber) -> bool {
    let Value::Object(members) = value else {
        return false;
    };
    let key = |name: &str| members.get(name).and_then(Value::as_str);
    if key("id").is_some_and(|id| scrubber.uids().contains(id)) {
        return true;
    }
    if ["user", "userId"]
        .iter()
        .filter_map(|name| key(name))
        .any(|text| scrubber.is_them(text))
        || members
            .get("user")
            .is_some_and(|user| is_theirs(user, scrubber))
    {
        return true;
    }
    // With another id beside it, a key may have changed hands.
    let has_id = key("id").is_some() && !scrubber.uids().is_empty();
    let profile = members.get("profile").filter(|_| !has_id);
    ["login", "email"].iter().any(|name| {
        let text = profile.and_then(|profile| profile.get(*name)?.as_str());
        text.is_some_and(|text| scrubber.is_them(text))
    })
}

/// Takes the person out of every list, at any depth; says whether they were in one.
fn leave_lists(value: &mut Value, scrubber: &Scrubber) -> bool {
    match value {
        Value::Array(items) => {
            let before = items.len();
            items.retain(|item| match item {
                Value::String(text) => !scrubber.is_them(text),
                other => !is_theirs(other, scrubber),
            });
            let is_fewer = items.len() < before;
            items
                .iter_mut()
                .fold(is_fewer, |fewer, item| leave_lists(item, scrubber) | fewer)
        }
        Value::Object(members) => members
            .values_mut()
            .fold(false, |fewer, item| leave_lists(item, scrubber) | fewer),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use af_model::HashKey;
    use serde_json::json;

    use super::super::{Identity, REPLACEMENT};
    use super::*;

    fn scrubber() -> Scrubber {
        let mut joe = Identity::nobody("acme");
        joe.add(Some("00u1joe"), Some("joe@example.com"), Some("Joe Doe"));
        // An ordinary word that is also a login of theirs.
        joe.add(None, Some("mark"), None);
        Scrubber::new(&joe, &HashKey::new([7; 32]), &BTreeSet::new())
    }

    fn without(object: &Value) -> Option<Value> {
        let line = object_without(object.to_string(), &scrubber(), &mut Tally::default())?;
        Some(serde_json::from_str(&line).unwrap())
    }

    #[test]
    fn what_is_the_persons_own_leaves_an_inventory() {
        for own in [
            json!({"id": "00u1joe", "profile": {"login": "x"}}),
            json!({"user": "00u1joe", "role": {"type": "SUPER_ADMIN"}}),
            json!({"group": "00g1", "user": "00u1joe"}),
            json!({"app": "0oa1", "user": {"id": "00u1joe", "scope": "USER"}}),
            json!({"profile": {"login": "Mark"}}),
        ] {
            assert_eq!(without(&own), None, "{own}");
        }
    }

    #[test]
    fn colleagues_stay_without_the_persons_name() {
        let colleague = |manager: &str| {
            json!({"id": "00u2", "profile": {"login": "ann@example.com", "firstName": "Mark",
                "managerId": manager}})
        };
        assert_eq!(without(&colleague("00u1joe")), Some(colleague(REPLACEMENT)));
        assert_eq!(without(&colleague("00u9")), Some(colleague("00u9")));
        // A login that is now somebody else's.
        let heir = json!({"id": "00u3", "profile": {"login": "joe@example.com"}});
        let cleaned = json!({"id": "00u3", "profile": {"login": REPLACEMENT}});
        assert_eq!(without(&heir), Some(cleaned));
        let device = |users: Value| json!({"id": "guo1", "_embedded": {"users": users}});
        let both = json!([{"user": {"id": "00u1joe"}}, {"user": {"id": "00u2"}}]);
        let left = json!([{"user": {"id": "00u2"}}]);
        assert_eq!(without(&device(both)), Some(device(left)));
    }
}
