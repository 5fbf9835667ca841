//! Pages that wait.

use std::rc::Rc;

use af_model::UtcDay;
use af_store::disk::{Operation, Step, Verdict, Witness, witnessed};

use super::world::{World, event};

const NOW: &str = "2026-11-21T02:00:00.000Z";
const LATER: &str = "2026-11-21T03:00:00.000Z";

#[test]
fn pages_become_events_once_and_leave_the_feed() {
    let world = World::new("");
    world.land(1, &[event("a"), event("b")]);
    world.land(2, &[event("b"), event("c")]);
    let report = world.run(NOW);
    let read = &report.tenants["acme"].events[0];
    assert_eq!(
        (read.files, read.files_read, read.account.events_read),
        (2, 2, 4)
    );
    assert_eq!((read.account.normalized, read.account.duplicate), (3, 1));
    assert_eq!(read.integration.as_deref(), Some("prod"));
    assert_eq!(report.files_read, 2);
    let (rows, account) = world.events();
    assert_eq!((rows, world.waiting()), (3, 0));
    assert!(world.store.raw_days(&World::name()).unwrap().is_empty());

    // Without news nothing is read; a page fetched again adds nothing.
    assert_eq!(world.run(LATER).files_read, 0);
    world.land(2, &[event("b"), event("c")]);
    let read = &world.run(LATER).tenants["acme"].events[0];
    assert_eq!((read.account.normalized, read.account.duplicate), (0, 2));
    assert_eq!(world.events(), (3, account));
}

#[test]
fn raw_pages_are_kept_by_the_day_of_ingest_when_asked() {
    let world = World::new("keep_raw = true\n");
    world.land(1, &[event("a")]);
    world.run(NOW);
    let day = UtcDay::parse("2026-11-21").unwrap();
    assert_eq!(world.store.raw_days(&World::name()).unwrap(), [day]);
    let kept = world.store.raw_pages(&World::name(), day).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(world.waiting(), 0);
}

/// Lets no page leave the feed.
struct Clinging;

impl Witness for Clinging {
    fn step(&self, step: &Step<'_>) -> Verdict {
        let leaves = matches!(step.operation, Operation::RemoveFile | Operation::Rename);
        if leaves && step.path.components().any(|part| part.as_os_str() == "log") {
            return Verdict::Fail(std::io::Error::other("killed here"));
        }
        Verdict::Go
    }
}

#[test]
fn killed_between_commit_and_settling_the_next_run_finds_duplicates_only() {
    for settings in ["", "keep_raw = true\n"] {
        let world = World::new(settings);
        world.land(1, &[event("a"), event("b")]);
        let died = witnessed(Rc::new(Clinging), || world.try_run(NOW, false));
        assert!(died.is_err());
        assert_eq!((world.events().0, world.waiting()), (2, 1));
        let (rows, account) = world.events();
        let read = &world.run(LATER).tenants["acme"].events[0];
        assert_eq!((read.account.normalized, read.account.duplicate), (0, 2));
        assert_eq!(world.events(), (rows, account));
        assert_eq!(world.waiting(), 0);
    }
}

#[test]
fn a_page_that_cannot_be_read_is_named_and_kept_and_in_nobodys_way() {
    let world = World::new("");
    world.land(1, &[event("a")]);
    world.land(2, &[event("b"), event("c")]);
    world.land(3, &[event("d")]);
    let pages = world.store.waiting_pages(&World::name()).unwrap();
    std::fs::write(&pages[0].path, "PAR1").unwrap();
    let cut = std::fs::read(&pages[1].path).unwrap();
    std::fs::write(&pages[1].path, &cut[..cut.len() - 9]).unwrap();
    for now in [NOW, LATER] {
        let report = world.run(now);
        assert!(report.left_out.is_empty(), "{:?}", report.left_out);
        let warnings = report.tenants["acme"].warnings.join("\n");
        for name in ["page live-1-1:", "page live-1-2 to its end"] {
            assert!(warnings.contains(name), "{warnings}");
        }
        assert!(!warnings.contains("page live-1-3"), "{warnings}");
        assert_eq!(world.waiting(), 2);
    }
    assert!(world.events().0 >= 1);
    // Nothing but such a page: no event was ever read, and it is still there to be looked at.
    let all = World::new("");
    all.land(1, &[event("a")]);
    let page = all.store.waiting_pages(&World::name()).unwrap().remove(0);
    std::fs::write(&page.path, "PAR1").unwrap();
    let error = all.try_run(NOW, false).unwrap_err();
    assert_eq!(error.kind(), af_engine::ErrorKind::NoInput);
    assert!(error.to_string().contains("acme/prod"), "{error}");
    assert_eq!(all.waiting(), 1);
}

#[test]
fn pages_that_nobody_will_take_in_are_warned_of() {
    let world = World::new("");
    world.land(1, &[event("a")]);
    assert!(world.run(NOW).warnings.is_empty());
    let other = af_store::feed::FeedName {
        tenant: "acme".to_owned(),
        integration: "former".to_owned(),
    };
    let former = world.store.feed(&other).unwrap();
    assert!(world.run(NOW).warnings.is_empty(), "nothing waits there");
    for number in [1, 2] {
        former.land("live-1", number, b"[]").unwrap();
    }
    let report = world.run(NOW);
    assert_eq!(
        report.warnings,
        ["2 pages wait in feeds/acme/former, which no integration of the configuration reads"]
    );
    assert!(report.left_out.is_empty());
    assert_eq!(world.store.waiting_pages(&other).unwrap().len(), 2);
}
