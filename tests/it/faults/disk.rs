//! A disk that is full, or may not be written: in earnest, on a file system of one megabyte.

use std::path::Path;
use std::process::Command;

use super::{IMPORT, NORMALIZE, SCORE, write_inputs};

/// Runs a shell script in a name space of its own, with a small file system mounted at `small`;
/// `None`, visibly, where the system does not let us.
fn on_small_disk(folder: &Path, script: &str) -> Option<String> {
    let whole = format!(
        "mount -t tmpfs -o size=1m none small && cp events.ndjson people.csv small/ && cd small || exit 77\n\
         af='{}'\n{script}",
        env!("CARGO_BIN_EXE_attack-factor")
    );
    std::fs::create_dir(folder.join("small")).unwrap();
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", &whole])
        .current_dir(folder)
        .output();
    let output = match output {
        Ok(output) if output.status.code() != Some(77) => output,
        _ => {
            eprintln!("SKIPPED: no small file system can be mounted here");
            return None;
        }
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    if !text.contains("started") {
        eprintln!("SKIPPED: no small file system can be mounted here: {said}");
        return None;
    }
    Some(format!("{text}{said}"))
}

#[test]
fn a_full_disk_is_said_and_the_next_run_with_space_completes() {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path(), 40);
    let script = format!(
        "echo started; \"$af\" {NORMALIZE} >/dev/null 2>&1; \"$af\" {IMPORT} >/dev/null 2>&1
         cat /dev/zero > filler 2>/dev/null
         \"$af\" {SCORE} 2>&1; echo \"full $?\"
         \"$af\" top --store s 2>&1; echo \"read $?\"
         rm filler
         \"$af\" {SCORE} 2>&1; echo \"free $?\"
         \"$af\" top --store s >/dev/null 2>&1; echo \"read again $?\"
         ls s/tmp | wc -l"
    );
    let Some(said) = on_small_disk(folder.path(), &script) else {
        return;
    };
    for text in [
        "full 1",
        "free some space",
        "read 3",
        "free 0",
        "read again 0",
    ] {
        assert!(said.contains(text), "{text} in\n{said}");
    }
    assert!(said.trim_end().ends_with("\n0"), "tmp is empty:\n{said}");
}

#[test]
fn a_read_only_store_is_read_and_said_to_be_read_only() {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path(), 40);
    let script = format!(
        "echo started; \"$af\" {NORMALIZE} >/dev/null 2>&1; \"$af\" {IMPORT} >/dev/null 2>&1
         \"$af\" {SCORE} >/dev/null 2>&1; echo \"scored $?\"
         mount -o remount,ro none . || exit 77
         \"$af\" top --store s >/dev/null 2>&1; echo \"read $?\"
         \"$af\" score --store s 2>&1; echo \"write $?\""
    );
    let Some(said) = on_small_disk(folder.path(), &script) else {
        return;
    };
    for text in [
        "scored 0",
        "read 0",
        "write 1",
        "s/lock",
        "hint: the file system is read-only",
    ] {
        assert!(said.contains(text), "{text} in\n{said}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_a_failure_and_a_closed_one_is_not() {
    let folder = super::filled(20);
    let shell = |redirect: &str| {
        let script = format!(
            "'{}' top --store s --format csv {redirect}",
            env!("CARGO_BIN_EXE_attack-factor")
        );
        let output = Command::new("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    };
    let (code, said) = shell("> /dev/full");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("error: "), "{said}");
    let (code, said) = shell(">&-");
    assert_eq!((code, said.as_str()), (0, ""));
}
