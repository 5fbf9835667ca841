//! Two writers, and readers beside one.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{PEOPLE, check_failure, events, filled, run, succeed, words};

/// A writer that holds the store until its standard input ends.
fn waiting_writer(folder: &Path) -> Child {
    let line = "normalize okta - --tenant acme --store s --ingested-at 2026-11-06";
    let child = Command::new(env!("CARGO_BIN_EXE_attack-factor"))
        .env_clear()
        .args(words(line))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let holder = format!("{}\n", child.id());
    while std::fs::read_to_string(folder.join("s/lock")).ok().as_ref() != Some(&holder) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child
}

/// Gives the waiting writer events and lets it end; its exit code and what it said.
fn finish(mut child: Child, input: &str) -> (i32, String) {
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), said)
}

#[test]
fn a_second_writer_is_told_which_process_writes_and_readers_are_not_kept() {
    let folder = filled(40);
    let child = waiting_writer(folder.path());
    let holder = format!("process {}", child.id());
    for line in [
        "score --store s",
        "users import people.csv --tenant acme --store s",
        "normalize okta events.ndjson --tenant acme --store s",
    ] {
        check_failure(&run(folder.path(), line), 1, &[&holder, "s/lock", "wait"]);
    }
    succeed(folder.path(), "top --store s");
    assert_eq!(finish(child, "").0, 0);
    succeed(folder.path(), "score --store s");
}

#[test]
fn every_read_is_whole_while_a_writer_publishes() {
    let folder = filled(40);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for day in 6..14 {
                succeed(
                    folder.path(),
                    &format!("score --store s --as-of 2026-11-{day:02}"),
                );
            }
            done.store(true, Ordering::Relaxed);
        });
        let mut reads = 0;
        let mut seen = std::collections::BTreeSet::new();
        while !done.load(Ordering::Relaxed) {
            let top = succeed(folder.path(), "top --store s --format jsonl");
            assert_eq!(top.stdout.lines().count(), PEOPLE.len(), "{}", top.stdout);
            seen.insert(std::fs::read(folder.path().join("s/snapshots/LATEST")).unwrap());
            reads += 1;
        }
        assert!(
            reads > 4 && seen.len() > 2,
            "{reads} reads of {}",
            seen.len()
        );
    });
}

#[test]
fn a_store_that_vanishes_under_its_writer_is_named_and_complete_when_it_is_back() {
    let folder = filled(40);
    let child = waiting_writer(folder.path());
    let (store, away) = (folder.path().join("s"), folder.path().join("away"));
    std::fs::rename(&store, &away).unwrap();
    let (code, said) = finish(child, &events(40..60));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("s/") || said.contains("s:"), "{said}");
    assert!(said.contains("bring it back"), "{said}");
    assert!(!store.exists(), "nothing is made where the store was");
    std::fs::rename(&away, &store).unwrap();
    std::fs::write(folder.path().join("more.ndjson"), events(40..60)).unwrap();
    let line = "normalize okta more.ndjson --tenant acme --store s --format csv";
    let again = succeed(folder.path(), line);
    assert!(again.stdout.contains("20,20,0,0"), "{}", again.stdout);
}
