//! A process that is killed at any step: what was there is there, what was unfinished is gone.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use af_model::{UtcDay, UtcMillis};

use super::*;
use crate::disk::{Operation, Step, Verdict, Witness, witnessed};
use crate::error::Error;

const DAY: UtcDay = UtcDay(20_777);

/// Kills the process at one step: this and all later ones have no effect, a write in part.
struct Killer {
    left: Cell<usize>,
    is_dead: Cell<bool>,
    steps: RefCell<Vec<Operation>>,
}

impl Killer {
    fn at(step: usize) -> Rc<Self> {
        Rc::new(Self {
            left: Cell::new(step),
            is_dead: Cell::new(false),
            steps: RefCell::new(Vec::new()),
        })
    }
}

impl Witness for Killer {
    fn step(&self, step: &Step<'_>) -> Verdict {
        self.steps.borrow_mut().push(step.operation);
        let Some(left) = self.left.get().checked_sub(1) else {
            let dead = io::Error::other("the process is dead");
            return match step.operation {
                Operation::Write if !self.is_dead.replace(true) => {
                    Verdict::Partly(step.bytes / 2, dead)
                }
                _ => Verdict::Fail(dead),
            };
        };
        self.left.set(left);
        Verdict::Go
    }
}

/// Runs `work` on a prepared store, killed at every step in turn; `look` sees what is left before
/// and `after` what is there after the work was done again.
fn killed_everywhere(
    prepare: impl Fn(&Store),
    work: impl Fn(&Store) -> Result<(), Error>,
    look: impl Fn(&Store),
    after: impl Fn(&Store),
) -> usize {
    for step in 0.. {
        let (_folder, store) = store();
        prepare(&store);
        let killer = Killer::at(step);
        let done = witnessed(Rc::<Killer>::clone(&killer), || work(&store));
        look(&store);
        work(&store).unwrap();
        look(&store);
        after(&store);
        let tmp = store.root().join("feeds/acme/prod/tmp");
        assert_eq!(count(&tmp), 0, "killed at step {step}");
        if done.is_ok() && killer.left.get() > 0 {
            return step;
        }
        assert!(step < 1000);
    }
    unreachable!()
}

#[test]
fn a_page_is_whole_or_absent_and_there_before_its_cursor() {
    let page = |store: &Store| {
        let pages = store.waiting_pages(&name()).unwrap();
        pages.first().map(|page| unpacked(&page.path))
    };
    let cursor = |store: &Store| store.feed_document::<u8>(&name(), "cursor").unwrap();
    let work = |store: &Store| {
        let feed = store.feed(&name())?;
        feed.land("live-1", 1, b"[\"new\"]")?;
        feed.write("cursor", &2)
    };
    let steps = killed_everywhere(
        |_| (),
        work,
        |store| match cursor(store) {
            None => assert!(page(store).is_none_or(|page| page == "[\"new\"]")),
            Some(2) => assert_eq!(page(store).unwrap(), "[\"new\"]"),
            other => panic!("{other:?}"),
        },
        |store| assert_eq!(cursor(store), Some(2)),
    );
    assert!(steps > 20, "{steps}");
    // The same over an earlier page and cursor.
    killed_everywhere(
        |store| {
            let feed = store.feed(&name()).unwrap();
            feed.land("live-1", 1, b"[\"old\"]").unwrap();
            feed.write("cursor", &1).unwrap();
        },
        work,
        |store| match (cursor(store).unwrap(), page(store).unwrap().as_str()) {
            (1, "[\"old\"]" | "[\"new\"]") | (2, "[\"new\"]") => {}
            other => panic!("{other:?}"),
        },
        |store| assert_eq!(page(store).unwrap(), "[\"new\"]"),
    );
}

#[test]
fn a_page_is_synced_before_it_is_named_and_its_name_before_anything_else() {
    let (_folder, store) = store();
    let feed = store.feed(&name()).unwrap();
    let watched = Killer::at(usize::MAX);
    witnessed(Rc::<Killer>::clone(&watched), || {
        feed.land("live-1", 1, b"[]")
    })
    .unwrap();
    assert_eq!(
        *watched.steps.borrow(),
        [
            Operation::CreateFile,
            Operation::Write,
            Operation::SyncFile,
            Operation::Rename,
            Operation::SyncFolder
        ]
    );
}

#[test]
fn an_inventory_is_the_old_one_or_the_new_one() {
    let at = UtcMillis(1_795_000_000_000);
    let take = |store: &Store, object: &str| {
        let feed = store.feed(&name())?;
        let inventory = feed.begin_inventory(at)?;
        let mut users = inventory.step("users")?;
        let mut groups = inventory.step("groups")?;
        users.push(object.as_bytes())?;
        groups.push(object.as_bytes())?;
        users.close()?;
        groups.close()?;
        inventory.finish(&object)?;
        Ok(())
    };
    let is_whole = |store: &Store, allowed: &[&str]| {
        let inventories = store.inventories(&name()).unwrap();
        let [folder] = inventories.as_slice() else {
            assert!(inventories.is_empty());
            return false;
        };
        let summary = fs_err::read_to_string(folder.join("summary.json")).unwrap();
        let object: String = serde_json::from_str(&summary).unwrap();
        assert!(allowed.contains(&object.as_str()), "{object}");
        assert_eq!(lines(folder, "users"), [object.as_str()]);
        assert_eq!(lines(folder, "groups"), [object.as_str()]);
        true
    };
    killed_everywhere(
        |_| (),
        |store| take(store, "1"),
        |store| {
            is_whole(store, &["1"]);
        },
        |store| assert!(is_whole(store, &["1"])),
    );
    killed_everywhere(
        |store| take(store, "1").unwrap(),
        |store| take(store, "2"),
        |store| assert!(is_whole(store, &["1", "2"])),
        |store| assert!(is_whole(store, &["2"])),
    );
}

#[test]
fn a_page_that_is_settled_is_waiting_or_kept() {
    let raw = |store: &Store| store.root().join(format!("feeds/acme/prod/raw/{DAY}"));
    let prepare = |store: &Store| {
        let feed = store.feed(&name()).unwrap();
        for number in 1..=3 {
            feed.land("live-1", number, b"[]").unwrap();
        }
    };
    let settle = |store: &Store, keep| {
        let lock = store.lock()?;
        let pages = store.waiting_pages(&name())?;
        store.settle_pages(&lock, &name(), &pages, keep)
    };
    killed_everywhere(
        prepare,
        |store| settle(store, Some(DAY)),
        |store| {
            let waiting = store.waiting_pages(&name()).unwrap();
            for page in &waiting {
                assert_eq!(unpacked(&page.path), "[]");
            }
            assert_eq!(waiting.len() + count(&raw(store)), 3);
        },
        |store| assert_eq!(count(&raw(store)), 3),
    );
    killed_everywhere(
        prepare,
        |store| settle(store, None),
        |_| (),
        |store| assert_eq!(store.waiting_pages(&name()).unwrap(), []),
    );
}
