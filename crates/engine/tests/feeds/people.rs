//! Inventories.

use af_engine::people::people_at;
use af_model::{Person, UtcMillis};

use super::world::{World, event, user};

fn people(world: &World) -> Vec<Person> {
    people_at(&world.store, UtcMillis(i64::MAX)).unwrap().0
}

#[test]
fn an_inventory_is_imported_once_and_the_latest_counts() {
    let world = World::new("");
    world.land(1, &[event("a")]);
    let ana = user("00u1", "ana@acme.example");
    let bob = user("00u2", "bob@elsewhere.example");
    world.inventory("2026-11-19T00:00:00Z", std::slice::from_ref(&bob), &[]);
    world.inventory("2026-11-20T00:00:00Z", &[ana.clone(), bob], &["00u2"]);
    let report = world.run("2026-11-21T02:00:00.000Z");
    let read = &report.tenants["acme"].people[0];
    assert_eq!(
        (read.source.as_str(), read.people, read.read),
        ("prod", 2, true)
    );
    assert!(read.version.is_some());
    let said = report.tenants["acme"].warnings.join("\n");
    assert!(said.contains("1 of 2 active people"), "{said}");
    let found = people(&world);
    assert_eq!(found[0].source.as_deref(), Some("prod"));
    // Who has a role is privileged; of the others that is not known.
    assert_eq!(
        (found[0].privileged, found[1].privileged),
        (None, Some(true))
    );

    let again = world.run("2026-11-21T03:00:00.000Z");
    assert!(!again.tenants["acme"].people[0].read);
    world.inventory("2026-11-21T04:00:00Z", &[ana], &[]);
    let report = world.run("2026-11-21T05:00:00.000Z");
    assert_eq!(report.tenants["acme"].people[0].people, 1);
    assert_eq!(people(&world).len(), 1);
}

#[test]
fn an_inventory_that_holds_nobody_or_is_damaged_leaves_the_people_as_they_are() {
    let world = World::new("");
    world.land(1, &[event("a")]);
    let ana = user("00u1", "ana@acme.example");
    world.inventory("2026-11-19T00:00:00Z", std::slice::from_ref(&ana), &[]);
    world.run("2026-11-21T02:00:00.000Z");
    world.inventory("2026-11-20T00:00:00Z", &[], &[]);
    let report = world.run("2026-11-21T03:00:00.000Z");
    let said = report.tenants["acme"].warnings.join("\n");
    assert!(said.contains("it holds nobody"), "{said}");
    assert!(report.left_out.is_empty());

    world.inventory("2026-11-20T04:00:00Z", &[ana], &[]);
    let folder = world
        .store
        .inventories(&World::name())
        .unwrap()
        .pop()
        .unwrap();
    std::fs::write(folder.join("users.ndjson.zst"), "no zstd").unwrap();
    let report = world.run("2026-11-21T05:00:00.000Z");
    let said = report.tenants["acme"].warnings.join("\n");
    assert!(said.contains("the people imported before stay"), "{said}");
    assert!(report.left_out.is_empty());
    assert_eq!(people(&world).len(), 1);
}

#[test]
fn users_are_nobodys_people_where_others_are_or_it_is_said() {
    for settings in [
        "people = false\n",
        "[[tenant.people]]\nsource = \"hr\"\nfiles = [\"*.csv\"]\n",
    ] {
        let world = World::new(settings);
        world.land(1, &[event("a")]);
        world.inventory(
            "2026-11-19T00:00:00Z",
            &[user("00u1", "ana@acme.example")],
            &[],
        );
        world.run("2026-11-21T02:00:00.000Z");
        assert_eq!(people(&world).len(), 0, "{settings}");
    }
}
