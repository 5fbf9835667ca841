//! `rules lock`: what every rule is, and what changed since.

use std::path::Path;

use super::support::{Outcome, program};

fn lock(arguments: &[&str]) -> Outcome {
    program(["rules", "lock"].iter().chain(arguments)).run()
}

const OWN: &str = "title: ours\nid: 6f1e4a52-7d0c-4f5e-9a3b-2c1d0e9f8a7b\ndate: 2026-11-22\n\
    logsource: {product: okta, service: okta}\ndetection:\n  selection: {eventType: user.account.lock}\n  \
    condition: selection\nattack_factor: {class: context}\n";

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_written_lock_holds_until_a_rule_is_added_changed_or_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, file) = (
        path(folder.path(), "rules"),
        path(folder.path(), "rules.lock"),
    );
    std::fs::create_dir(&rules).unwrap();
    let own = Path::new(&rules).join("ours.yml");
    std::fs::write(&own, OWN).unwrap();
    let with = |arguments: &[&str]| {
        let all: Vec<&str> = ["--rules", rules.as_str()]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        lock(&all)
    };
    assert_eq!(with(&["--write", &file]).code, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), with(&[]).stdout);
    let same = with(&["--check", &file]);
    assert_eq!((same.code, same.stdout.as_str()), (0, ""));

    // Prose changes nothing.
    std::fs::write(&own, OWN.replace("title: ours", "title: still ours")).unwrap();
    assert_eq!(with(&["--check", &file]).code, 0);

    std::fs::write(&own, OWN.replace("account.lock", "account.unlock")).unwrap();
    let changed = with(&["--check", &file, "--format", "csv"]);
    assert_eq!(changed.code, 2);
    assert!(
        changed.stderr.contains("1 rule is not as it was"),
        "{}",
        changed.stderr
    );
    let line = changed.stdout.lines().nth(1).unwrap();
    let cells: Vec<&str> = line.split(',').collect();
    assert_eq!(cells[..4], ["changed", "ours", "2026-11-22", "2026-11-22"]);
    assert_ne!(cells[4], cells[5]);

    std::fs::rename(&own, Path::new(&rules).join("mine.yml")).unwrap();
    let renamed = with(&["--check", &file]);
    assert_eq!(renamed.code, 2);
    assert!(renamed.stdout.contains("added") && renamed.stdout.contains("removed"));
}

#[test]
fn what_is_no_lock_file_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "rules.lock");
    std::fs::write(&file, "# fine\n\nnot a lock\n").unwrap();
    let broken = lock(&["--check", &file]);
    assert_eq!(broken.code, 2);
    assert!(broken.stderr.contains("line 3"), "{}", broken.stderr);
    let absent = lock(&["--check", &path(folder.path(), "none.lock")]);
    assert_eq!(absent.code, 2);
    assert!(absent.stderr.contains("--write"), "{}", absent.stderr);
}
