//! Pages, documents, the lock.

use af_model::UtcDay;

use super::*;
use crate::error::ErrorKind;

const DAY: UtcDay = UtcDay(20_777);

fn names(pages: &[WaitingPage]) -> Vec<String> {
    pages
        .iter()
        .map(|page| format!("{} {}", page.stream, page.number))
        .collect()
}

#[test]
fn pages_wait_in_the_order_of_their_numbers_and_are_replaced_by_name() {
    let (_folder, store) = store();
    assert_eq!(store.waiting_pages(&name()).unwrap(), []);
    assert_eq!(store.feeds().unwrap(), []);
    let feed = store.feed(&name()).unwrap();
    assert_eq!(store.feeds().unwrap(), [name()]);
    for (stream, number, body) in [
        ("live-1", 10, "ten"),
        ("live-1", 9, "nine"),
        ("day-2026-11-20", 1, "day"),
        ("live-1", 10, "ten again"),
    ] {
        feed.land(stream, number, body.as_bytes()).unwrap();
    }
    // Names that we would not have given.
    let log = store.root().join("feeds/acme/prod/log");
    for foreign in ["live-1-007.json.zst", "live-1-1.json", "-3.json.zst", "x"] {
        fs_err::write(log.join(foreign), "").unwrap();
    }
    let pages = store.waiting_pages(&name()).unwrap();
    let expected = ["day-2026-11-20 1", "live-1 9", "live-1 10"];
    assert_eq!(names(&pages), expected);
    assert_eq!(unpacked(&pages[2].path), "ten again");
    assert_eq!(
        pages[2].bytes,
        fs_err::metadata(&pages[2].path).unwrap().len()
    );
    assert_eq!(feed.last_waiting("live-1").unwrap(), Some(10));
    assert_eq!(feed.last_waiting("live").unwrap(), None);
    assert_eq!(feed.last_waiting("live-2").unwrap(), None);
    assert_eq!(count(&store.root().join("feeds/acme/prod/tmp")), 0);
}

#[test]
fn a_damaged_page_cannot_be_taken_for_a_whole_one() {
    let (_folder, store) = store();
    let feed = store.feed(&name()).unwrap();
    feed.land("live-1", 1, &b"[1,2,3]".repeat(100)).unwrap();
    let page = store.waiting_pages(&name()).unwrap().remove(0);
    let mut packed = fs_err::read(&page.path).unwrap();
    // The last four bytes of a frame are its checksum.
    *packed.last_mut().unwrap() ^= 1;
    assert!(zstd::decode_all(packed.as_slice()).is_err());
}

#[test]
fn pages_that_were_taken_in_go_away_or_are_kept() {
    let (_folder, store) = store();
    let feed = store.feed(&name()).unwrap();
    let lock = store.lock().unwrap();
    let raw = store.root().join(format!("feeds/acme/prod/raw/{DAY}"));
    let settle = |keep| {
        let pages = store.waiting_pages(&name()).unwrap();
        store.settle_pages(&lock, &name(), &pages, keep).unwrap();
        // Once more: they are gone already.
        store.settle_pages(&lock, &name(), &pages, keep).unwrap();
        assert_eq!(store.waiting_pages(&name()).unwrap(), []);
    };
    feed.land("live-1", 1, b"one").unwrap();
    settle(None);
    assert!(!raw.exists());
    // The same page three times, then others of its name, as after a cursor was lost.
    for body in ["one", "one", "other", "third", "one"] {
        feed.land("live-1", 1, body.as_bytes()).unwrap();
        settle(Some(DAY));
    }
    let kept = crate::layout::entries(&raw).unwrap();
    assert_eq!(
        kept,
        [
            "live-1-1.2.json.zst",
            "live-1-1.3.json.zst",
            "live-1-1.json.zst"
        ]
    );
    assert_eq!(unpacked(&raw.join(&kept[0])), "other");
    assert_eq!(unpacked(&raw.join(&kept[1])), "third");
    assert_eq!(unpacked(&raw.join(&kept[2])), "one");
}

#[test]
fn a_page_landed_again_while_it_was_taken_in_stays() {
    let (_folder, store) = store();
    let feed = store.feed(&name()).unwrap();
    let lock = store.lock().unwrap();
    for keep in [None, Some(DAY)] {
        feed.land("live-1", 1, b"[1]").unwrap();
        feed.land("live-1", 2, b"[2]").unwrap();
        let pages = store.waiting_pages(&name()).unwrap();
        // Of the same size, so that only the file itself can tell.
        feed.land("live-1", 1, b"[3]").unwrap();
        store.settle_pages(&lock, &name(), &pages, keep).unwrap();
        let left = store.waiting_pages(&name()).unwrap();
        assert_eq!(names(&left), ["live-1 1"]);
        assert_eq!(unpacked(&left[0].path), "[3]");
    }
}

#[test]
fn no_page_is_lost_between_a_fetcher_and_a_run() {
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    let feed = store.feed(&name()).unwrap();
    let mut taken = std::collections::BTreeSet::new();
    std::thread::scope(|scope| {
        let fetcher = scope.spawn(|| {
            for number in 1..=150_u64 {
                // Each page grows once, as when it is fetched again after a kill.
                feed.land("live-1", number, format!("{number}").as_bytes())
                    .unwrap();
                feed.land("live-1", number, format!("{number} whole").as_bytes())
                    .unwrap();
            }
        });
        loop {
            let is_last = fetcher.is_finished();
            let pages = store.waiting_pages(&name()).unwrap();
            for page in &pages {
                taken.insert(unpacked(&page.path));
            }
            store.settle_pages(&lock, &name(), &pages, None).unwrap();
            if is_last {
                break;
            }
        }
    });
    for number in 1..=150 {
        assert!(taken.contains(&format!("{number} whole")), "{number}");
    }
    assert_eq!(store.waiting_pages(&name()).unwrap(), []);
}

#[test]
fn a_second_fetcher_is_told_who_fetches_and_a_run_is_not_held_up() {
    let (_folder, store) = store();
    let feed = store.feed(&name()).unwrap();
    let error = store.feed(&name()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    let holder = format!("process {} is fetching", std::process::id());
    assert!(error.to_string().contains(&holder), "{error}");
    assert!(error.hint().unwrap().contains("stop it first"));
    drop(store.lock().unwrap());
    let other = FeedName {
        tenant: "acme".to_owned(),
        integration: "test".to_owned(),
    };
    assert_eq!(store.feed(&other).unwrap().name(), &other);
    assert_eq!(store.feeds().unwrap(), [name(), other]);
    drop(feed);
    store.feed(&name()).unwrap();
}

#[test]
fn names_cannot_leave_the_folder() {
    let (folder, store) = store();
    for (tenant, integration) in [("..", "x"), ("x", "../../.."), ("", "x"), ("a/b", "x")] {
        let name = FeedName {
            tenant: tenant.to_owned(),
            integration: integration.to_owned(),
        };
        let error = store.feed(&name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName, "{name:?}");
        assert!(store.waiting_pages(&name).is_err());
        assert!(store.feed_document::<u8>(&name, "cursor").is_err());
        assert!(store.inventories(&name).is_err());
    }
    let feed = store.feed(&name()).unwrap();
    for bad in ["../x", "", "a/b", ".hidden"] {
        assert!(feed.land(bad, 1, b"").is_err(), "{bad}");
        assert!(feed.write(bad, &1).is_err(), "{bad}");
        assert!(feed.read::<u8>(bad).is_err(), "{bad}");
        assert!(inventory_lines(folder.path(), bad).is_err(), "{bad}");
    }
}

#[test]
fn documents_are_replaced_and_a_damaged_one_is_no_new_start() {
    let (_folder, store) = store();
    let feed = store.feed(&name()).unwrap();
    assert_eq!(feed.read::<u8>("cursor").unwrap(), None);
    feed.write("cursor", &1_u8).unwrap();
    feed.update("cursor", |value: &mut u8| *value += 1).unwrap();
    feed.update("count", |value: &mut u8| *value += 1).unwrap();
    assert_eq!(feed.read::<u8>("cursor").unwrap(), Some(2));
    assert_eq!(
        store.feed_document::<u8>(&name(), "count").unwrap(),
        Some(1)
    );
    let path = store.root().join("feeds/acme/prod/cursor.json");
    fs_err::write(&path, "\"https://secret.example/?after=1\"").unwrap();
    let error = feed.read::<u8>("cursor").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(error.hint().unwrap().contains("remove it"));
    assert!(feed.update("cursor", |_: &mut u8| ()).is_err());
    assert!(fs_err::read_to_string(&path).unwrap().contains("secret"));
}

#[cfg(unix)]
#[test]
fn everything_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, store) = store();
    let lock = store.lock().unwrap();
    let feed = store.feed(&name()).unwrap();
    feed.land("live-1", 1, b"[]").unwrap();
    feed.land("live-1", 2, b"[]").unwrap();
    feed.write("cursor", &1).unwrap();
    let pages = store.waiting_pages(&name()).unwrap();
    store
        .settle_pages(&lock, &name(), &pages[..1], Some(DAY))
        .unwrap();
    let inventory = feed.begin_inventory(DAY.start()).unwrap();
    let mut step = inventory.step("users").unwrap();
    step.push(b"{}").unwrap();
    step.close().unwrap();
    inventory.finish(&0).unwrap();
    let mut folders = vec![store.root().join("feeds")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        let mode = fs_err::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        for entry in fs_err::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let mode = fs_err::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", path.display());
                files += 1;
            }
        }
    }
    // lock, pages.lock, cursor, two pages, users, summary.
    assert_eq!(files, 7);
    // One that somebody opened is closed again.
    let feeds = store.root().join("feeds");
    fs_err::set_permissions(&feeds, std::fs::Permissions::from_mode(0o755)).unwrap();
    drop(feed);
    store.feed(&name()).unwrap();
    let mode = fs_err::metadata(&feeds).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
