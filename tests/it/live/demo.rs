//! `demo --live`: over the network, and the same table.

use crate::support::program;

#[test]
fn the_live_demo_shows_what_the_demo_shows_and_twice_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let demo = program(["demo"]).inside(folder.path()).succeed();
    let live = program(["demo", "--live"]).inside(folder.path()).succeed();
    assert_eq!(live.stdout, demo.stdout, "{}", live.stderr);
    assert!(live.stderr.contains("5571 events"), "{}", live.stderr);
    let again = program(["demo", "--live"]).inside(folder.path()).succeed();
    assert_eq!(again.stdout, demo.stdout);
    assert!(again.stderr.contains("nothing changed"), "{}", again.stderr);
}
