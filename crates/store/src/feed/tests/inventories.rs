//! Inventories: together or not at all, one line at a time.

use af_model::UtcMillis;

use super::*;
use crate::error::ErrorKind;

fn at(text: &str) -> UtcMillis {
    UtcMillis::parse(text).unwrap()
}

fn file_of(folder: &Path, step: &str) -> std::path::PathBuf {
    folder.join(format!("{step}.ndjson.zst"))
}

#[test]
fn steps_written_side_by_side_become_visible_together() {
    let (_folder, store) = store();
    let feed = store.feed(&name()).unwrap();
    let inventory = feed.begin_inventory(at("2026-11-20T08:00:00Z")).unwrap();
    let mut users = inventory.step("users").unwrap();
    let mut groups = inventory.step("groups").unwrap();
    let mut broken = inventory.step("devices").unwrap();
    let forgotten = inventory.step("idps").unwrap();
    assert!(inventory.step("users").is_err());
    for number in 0..1000 {
        let object = format!(r#"{{"id":"u{number}"}}"#);
        users.push(object.as_bytes()).unwrap();
        groups.push(b"{}").unwrap();
        broken.push(b"{}").unwrap();
    }
    // A step may end on another thread.
    std::thread::scope(|scope| {
        scope.spawn(move || users.close().unwrap());
    });
    groups.close().unwrap();
    inventory.discard(broken).unwrap();
    drop(forgotten);
    assert!(store.inventories(&name()).unwrap().is_empty());
    let folder = inventory.finish(&vec!["users", "groups"]).unwrap();
    assert!(folder.ends_with("feeds/acme/prod/inventory/2026-11-20T080000.000Z"));
    assert_eq!(
        store.inventories(&name()).unwrap(),
        std::slice::from_ref(&folder)
    );
    let found = lines(&folder, "users");
    assert_eq!(found.len(), 1000);
    assert_eq!(found[999], r#"{"id":"u999"}"#);
    assert_eq!(lines(&folder, "groups").len(), 1000);
    for missing in ["devices", "idps", "never"] {
        assert_eq!(lines(&folder, missing), [""; 0]);
        assert!(!file_of(&folder, missing).exists());
    }
    let summary = fs_err::read_to_string(folder.join("summary.json")).unwrap();
    assert!(summary.contains("groups"));
    assert_eq!(count(&store.root().join("feeds/acme/prod/tmp")), 0);
}

#[test]
fn an_inventory_of_the_same_instant_is_replaced_and_a_dropped_one_leaves_nothing() {
    let (_folder, store) = store();
    let feed = store.feed(&name()).unwrap();
    let take = |instant: &str, object: &str| {
        let inventory = feed.begin_inventory(at(instant)).unwrap();
        let mut step = inventory.step("users").unwrap();
        step.push(object.as_bytes()).unwrap();
        step.close().unwrap();
        inventory
    };
    let late = take("2026-11-21T08:00:00Z", "1").finish(&0).unwrap();
    let early = take("2026-11-20T08:00:00Z", "2").finish(&0).unwrap();
    drop(take("2026-11-22T08:00:00Z", "3"));
    assert_eq!(take("2026-11-21T08:00:00Z", "4").finish(&0).unwrap(), late);
    fs_err::create_dir(store.root().join("feeds/acme/prod/inventory/notes")).unwrap();
    assert_eq!(
        store.inventories(&name()).unwrap(),
        [early.clone(), late.clone()]
    );
    assert_eq!(lines(&early, "users"), ["2"]);
    assert_eq!(lines(&late, "users"), ["4"]);
    assert_eq!(count(&store.root().join("feeds/acme/prod/tmp")), 0);
}

#[test]
#[should_panic(expected = "while a step of it was open")]
fn an_open_step_never_becomes_visible() {
    let (_folder, store) = store();
    let feed = store.feed(&name()).unwrap();
    let inventory = feed.begin_inventory(UtcMillis(0)).unwrap();
    let _open = inventory.step("users").unwrap();
    let _ = inventory.finish(&0);
}

#[test]
fn objects_that_would_not_be_one_line_are_refused() {
    let (_folder, store) = store();
    let feed = store.feed(&name()).unwrap();
    let inventory = feed.begin_inventory(UtcMillis(0)).unwrap();
    let mut step = inventory.step("users").unwrap();
    for object in [b"{\n}".to_vec(), vec![b'1'; (16 << 20) + 1]] {
        let error = step.push(&object).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract);
    }
    step.push(&vec![b'1'; 16 << 20]).unwrap();
    step.close().unwrap();
    let folder = inventory.finish(&0).unwrap();
    assert_eq!(lines(&folder, "users")[0].len(), 16 << 20);
}

#[test]
fn damaged_lines_end_the_reading_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_of(folder.path(), "users");
    let reads = |bytes: &[u8]| -> (usize, Option<String>) {
        fs_err::write(&path, bytes).unwrap();
        let read: Vec<_> = inventory_lines(folder.path(), "users").unwrap().collect();
        let good = read.iter().filter(|line| line.is_ok()).count();
        assert!(read.len() <= good + 1);
        let error = read.into_iter().find_map(Result::err);
        let error = error.inspect(|error| assert_eq!(error.kind(), ErrorKind::Corrupt));
        (good, error.map(|error| error.to_string()))
    };
    let packed = zstd::encode_all(&b"1\n2\n3"[..], 3).unwrap();
    assert_eq!(reads(&packed), (3, None));
    let (good, error) = reads(&packed[..packed.len() - 1]);
    assert!(good < 3);
    assert!(error.unwrap().contains("damaged, behind line"));
    let (good, error) = reads(b"no zstd");
    assert_eq!(good, 0);
    assert!(error.unwrap().contains("behind line 0"));
    let (good, error) = reads(&zstd::encode_all(&b"1\n\xff\n3\n"[..], 3).unwrap());
    assert_eq!(good, 1);
    assert!(error.unwrap().contains("no UTF-8, behind line 1"));
    let long = vec![b'1'; (16 << 20) + 1];
    let (good, error) = reads(&zstd::encode_all(&long[..], 3).unwrap());
    assert_eq!(good, 0);
    assert!(error.unwrap().contains("16 MiB"));
}
