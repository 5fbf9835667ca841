//! Killed at a random moment, and run again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{IMPORT, NORMALIZE, SCORE, content, run, succeed, words, write_inputs};

/// How often each command is killed.
const KILLS: u32 = 18;

fn start(folder: &Path, line: &str) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_attack-factor"))
        .env_clear()
        .args(words(line))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Kills `line` at moments spread over its whole duration; run again, it gives what it gives
/// undisturbed.
fn kill_and_repeat(before: &Path, line: &str) {
    let undisturbed = tempfile::tempdir().unwrap();
    copy(before, undisturbed.path());
    let started = Instant::now();
    succeed(undisturbed.path(), line);
    let duration = started.elapsed();
    let expected = content(undisturbed.path());
    let mut killed = 0;
    for number in 0..KILLS {
        let folder = tempfile::tempdir().unwrap();
        copy(before, folder.path());
        let mut child = start(folder.path(), line);
        std::thread::sleep(duration.mul_f64(f64::from(number) / f64::from(KILLS)));
        // It may have ended by itself by then.
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        let top = run(folder.path(), "top --store s --format jsonl");
        assert!([0, 3].contains(&top.code), "{}", top.stderr);
        succeed(folder.path(), line);
        let found = content(folder.path());
        assert!(
            found == expected,
            "kill {number} of {line}: {found:#?}\n{expected:#?}"
        );
        let unfinished = std::fs::read_dir(folder.path().join("s/tmp")).unwrap();
        assert_eq!(unfinished.count(), 0);
    }
    assert!(killed > 2, "only {killed} runs were killed");
}

#[test]
fn normalize_killed_at_any_moment_and_run_again_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path(), 4_000);
    kill_and_repeat(folder.path(), NORMALIZE);
}

#[test]
fn score_killed_at_any_moment_and_run_again_publishes_one_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path(), 1_000);
    succeed(folder.path(), NORMALIZE);
    succeed(folder.path(), IMPORT);
    kill_and_repeat(folder.path(), SCORE);
}
