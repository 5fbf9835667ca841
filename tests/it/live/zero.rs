//! From nothing to a snapshot, over the network: the same as from files.

use super::org::{Days, Folder, INGESTED, Org, now};
use crate::support::program;

/// The same users and events, taken in from files by the verbs for files.
fn from_files(days: &Days) -> Folder {
    let folder = Folder::new("http://127.0.0.1:1", "");
    let write = |name: &str, values: &[serde_json::Value]| {
        let lines: Vec<String> = values.iter().map(ToString::to_string).collect();
        std::fs::write(folder.path().join(name), lines.join("\n")).unwrap();
    };
    write("events.ndjson", &days.events);
    write("users.ndjson", &days.users);
    for line in [
        format!(
            "normalize okta events.ndjson --tenant acme --integration prod --ingested-at {INGESTED}"
        ),
        format!("users import users.ndjson --tenant acme --source prod --imported-at {INGESTED}"),
        "score --as-of 2026-11-20".to_owned(),
        "compact".to_owned(),
    ] {
        program(line.split_whitespace().chain(["--store", "risk"]))
            .inside(folder.path())
            .succeed();
    }
    folder
}

#[test]
fn one_run_over_the_network_gives_what_the_same_files_give() {
    let days = Days::demo(1);
    let org = Org::of(&days);
    let only_users = Folder::new(org.sim.url(), "inventory = [\"users\"]");
    let org = Org {
        place: only_users,
        ..org
    };
    let files = from_files(&days);
    let run = org
        .place
        .succeed(&format!("run --ingested-at {INGESTED} --as-of 2026-11-20"));
    org.place.succeed("compact --store risk");
    let (found, expected) = (org.place.content(), files.content());
    assert_eq!(found.len(), expected.len(), "{}", run.stderr);
    assert_eq!(found, expected);
    assert_eq!(
        org.place.manifest()["run"]["tenants"]["acme"]["events"]["normalized"],
        days.distinct()
    );

    // Nothing waits any more, and a second run has no news.
    let waiting = std::fs::read_dir(org.place.store().join("feeds/acme/prod/log")).unwrap();
    assert_eq!(waiting.count(), 0);
    let again = org
        .place
        .succeed(&format!("run --ingested-at {INGESTED} --as-of 2026-11-20"));
    assert!(again.stderr.contains("no news"), "{}", again.stderr);
    assert_eq!(org.place.content(), expected);
}

#[test]
fn what_comes_later_is_fetched_later_also_when_it_is_late() {
    let mut days = Days::demo(4);
    let all = days.events.len();
    let later = days.events.split_off(all / 2);
    let org = Org::of(&days);
    let run = format!("run --ingested-at {INGESTED}");
    org.place.succeed(&run);
    // Events of the past that are seen only now, in an order that nobody promised.
    let mut late = later.clone();
    late.reverse();
    org.sim.append(late, Some(now() + 1_000)).unwrap();
    org.sim.advance(std::time::Duration::from_mins(1));
    org.place.succeed(&run);
    let waited = org.place.succeed(&run);
    assert!(waited.stderr.contains("no news"), "{}", waited.stderr);
    org.place.succeed("compact --store risk");

    let whole = Days::demo(4);
    let undisturbed = Org::of(&whole);
    undisturbed.sim.advance(std::time::Duration::from_mins(1));
    undisturbed.place.succeed(&run);
    undisturbed.place.succeed("compact --store risk");
    let events = |folder: &Folder| -> Vec<(String, String)> {
        let content = folder.content().into_iter();
        content
            .filter(|(name, _)| name.starts_with("events/"))
            .collect()
    };
    assert_eq!(events(&org.place), events(&undisturbed.place));
}
