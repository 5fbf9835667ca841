//! Erasing and purging what was fetched and is kept as received.

use std::path::Path;

use af_engine::Silent;
use af_engine::upkeep::erase::{self, EraseOptions};
use af_engine::upkeep::purge::{self, PurgeOptions};
use af_model::UtcDay;
use af_store::feed::{Feed, FeedName};
use serde_json::{Value, json};

use super::cast::{KEY, Plan, Somebody, World, day, event, instant, somebody};

fn name() -> FeedName {
    FeedName {
        tenant: "acme".to_owned(),
        integration: "prod".to_owned(),
    }
}

fn user(who: &Somebody, manager: &Somebody) -> Value {
    json!({"id": who.uid, "status": "ACTIVE",
        "profile": {"login": who.login, "email": who.email, "displayName": who.name,
            "managerId": manager.uid},
        "credentials": {"emails": [{"value": who.alias, "status": "VERIFIED", "type": "OTHER"}]}})
}

fn inventory(feed: &Feed, taken: &str, steps: &[(&str, Vec<Value>)]) {
    let inventory = feed.begin_inventory(instant(taken)).unwrap();
    for (step, objects) in steps {
        let mut step = inventory.step(step).unwrap();
        for object in objects {
            step.push(object.to_string().as_bytes()).unwrap();
        }
        step.close().unwrap();
    }
    inventory.finish(&()).unwrap();
}

/// Two people in a page that waits, a raw page and two inventories.
fn fill(world: &World) {
    let feed = world.store.feed(&name()).unwrap();
    let page = |kinds: &[u8]| {
        let events: Vec<Value> = kinds
            .iter()
            .flat_map(|&kind| [(2, 2), (3, 3), (3, 2), (2, 3)].map(|who| (kind, who)))
            .map(|(kind, (who, other))| {
                let plan = Plan {
                    kind,
                    who,
                    other,
                    day: 2,
                };
                event(&format!("{kind}-{who}-{other}"), plan)
            })
            .collect();
        serde_json::to_vec(&events).unwrap()
    };
    feed.land("live-1", 1, &page(&[0, 2])).unwrap();
    let pages = world.store.waiting_pages(&name()).unwrap();
    let ingested = Some(day("2026-11-03"));
    world
        .store
        .settle_pages(&world.lock(), &name(), &pages, ingested)
        .unwrap();
    feed.land("live-1", 2, &page(&[3, 5])).unwrap();
    let (joe, ann) = (somebody(2), somebody(3));
    for taken in ["2026-11-01T00:00:00Z", "2026-11-04T00:00:00Z"] {
        let member = |who: &Somebody| json!({"group": "00g1", "user": who.uid});
        let steps = [
            ("users", vec![user(&joe, &ann), user(&ann, &joe)]),
            ("group_members", vec![member(&joe), member(&ann)]),
            ("apps", vec![json!({"id": "0oa1", "label": "Payroll Tool"})]),
        ];
        inventory(&feed, taken, &steps);
    }
}

/// The texts of everything that is packed below a folder.
fn texts(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(texts(&path));
        } else if path.extension().is_some_and(|end| end == "zst") {
            let packed = fs_err::read(&path).unwrap();
            let text = zstd::decode_all(packed.as_slice()).unwrap();
            found.push(String::from_utf8(text).unwrap());
        }
    }
    found.sort();
    found
}

fn options(person: &str) -> EraseOptions<'_> {
    EraseOptions {
        tenant: "acme",
        person,
        at: instant("2026-11-21T00:00:00Z"),
        reason: None,
    }
}

#[test]
fn a_person_leaves_pages_and_inventories_and_colleagues_stay() {
    let world = World::empty();
    fill(&world);
    let (joe, ann) = (somebody(2), somebody(3));
    let feeds = world.root.join("feeds");
    let names = |text: &str, who: &Somebody| {
        let text = text.to_lowercase();
        who.traces()
            .iter()
            .any(|trace| text.contains(trace.as_str()))
    };
    let before = texts(&feeds);
    // Nobody but the inventories knows them, and the applications name nobody.
    assert_eq!(before.len(), 8);
    assert_eq!(before.iter().filter(|text| names(text, &joe)).count(), 6);
    let planned = erase::plan(&world.store, &KEY, &options(&joe.email), &Silent).unwrap();
    assert_eq!(texts(&feeds), before, "a plan writes nothing");

    let held = world.store.feed(&name()).unwrap();
    let refused = erase::erase(
        &world.store,
        &world.lock(),
        &KEY,
        &options(&joe.email),
        &Silent,
    );
    assert!(refused.unwrap_err().to_string().contains("fetching"));
    assert_eq!(
        texts(&feeds),
        before,
        "their next page might name the person"
    );
    drop(held);

    let report = erase::erase(
        &world.store,
        &world.lock(),
        &KEY,
        &options(&joe.alias),
        &Silent,
    )
    .unwrap();
    assert_eq!(report, planned);
    let row = |table: &str| {
        let found = report.tables.iter().find(|row| row.table == table).unwrap();
        (found.files, found.removed, found.changed)
    };
    // Raw: of both kinds, the events of Joe and that of Ann with Joe as its target: 2 + 3. Kind 0
    // names nobody but its actor. Waiting: of kinds 3 and 5 each, two are about Joe, and one about Ann
    // names him; it stays without his name.
    assert_eq!(row("feeds/raw"), (1, 5, 0));
    assert_eq!(row("feeds/log"), (1, 4, 2));
    // Twice: Joe's user object and membership; Ann has no manager any more.
    assert_eq!(row("feeds/inventory"), (4, 4, 2));
    let after = texts(&feeds);
    assert_eq!(after.len(), 8);
    assert!(!after.iter().any(|text| names(text, &joe)), "{after:?}");
    assert_eq!(after.iter().filter(|text| names(text, &ann)).count(), 6);
    let again = erase::erase(
        &world.store,
        &world.lock(),
        &KEY,
        &options(&joe.email),
        &Silent,
    );
    assert!(again.unwrap().erased_before.is_some());
}

#[test]
fn old_raw_pages_inventories_and_counts_go_and_the_latest_inventory_stays() {
    let world = World::empty();
    fill(&world);
    let counts = |days: &[&str]| -> Value {
        let days = days
            .iter()
            .map(|day| ((*day).to_owned(), json!({"total": 2})));
        Value::Object(days.collect())
    };
    let read = || -> Option<Value> { world.store.feed_document(&name(), "user_counts").unwrap() };
    let feed = world.store.feed(&name()).unwrap();
    let all = counts(&["2026-11-01", "2026-11-04", "2026-11-05"]);
    feed.write("user_counts", &all).unwrap();
    drop(feed);
    let asked = |before: &str| PurgeOptions {
        before: day(before),
        snapshots: false,
        keep: 0,
        force: true,
    };
    let purge = |before: &str, write: bool| {
        let lock = world.lock();
        let lock = write.then_some(&lock);
        let report = purge::purge(&world.store, lock, &asked(before), &Silent).unwrap();
        let parts = report.parts.into_iter();
        let parts = parts.filter(|part| part.part.starts_with("feeds/"));
        parts
            .map(|part| (part.part, part.items, part.rows))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        purge("2026-11-03", false),
        [("feeds/inventory", 1, 4), ("feeds/user_counts", 1, 1)]
    );
    assert_eq!(read(), Some(all));
    let expected = [
        ("feeds/raw", 1, 1),
        ("feeds/inventory", 1, 4),
        ("feeds/user_counts", 1, 2),
    ];
    assert_eq!(purge("2026-11-05", false), expected);
    assert_eq!(purge("2026-11-05", true), expected);
    assert_eq!(purge("2026-11-05", true), []);
    assert_eq!(world.store.raw_days(&name()).unwrap(), Vec::<UtcDay>::new());
    let left = world.store.inventories(&name()).unwrap();
    assert_eq!(left.len(), 1, "people are imported from the latest");
    assert!(left[0].ends_with("2026-11-04T000000.000Z"));
    assert_eq!(read(), Some(counts(&["2026-11-05"])));
    assert_eq!(world.store.waiting_pages(&name()).unwrap().len(), 1);
}

#[test]
fn the_latest_inventory_with_users_stays_whatever_was_taken_by_hand_since() {
    let world = World::empty();
    fill(&world);
    let feed = world.store.feed(&name()).unwrap();
    for taken in ["2026-11-05T00:00:00Z", "2026-11-06T00:00:00Z"] {
        inventory(&feed, taken, &[("org", vec![json!({"id": "00o1"})])]);
    }
    // What cannot be understood is in nobody's way.
    feed.write("user_counts", &json!(["no counts"])).unwrap();
    drop(feed);
    let options = PurgeOptions {
        before: day("2026-11-10"),
        snapshots: false,
        keep: 0,
        force: true,
    };
    purge::purge(&world.store, Some(&world.lock()), &options, &Silent).unwrap();
    let left = world.store.inventories(&name()).unwrap();
    let days: Vec<&str> = left
        .iter()
        .map(|folder| &folder.file_name().unwrap().to_str().unwrap()[..10])
        .collect();
    assert_eq!(days, ["2026-11-04", "2026-11-06"]);
}
