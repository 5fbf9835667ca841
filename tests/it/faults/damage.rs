//! Bytes that changed on disk.

use std::path::{Path, PathBuf};

use super::{check_failure, content, filled, run, succeed};

/// The only file of the first day of a table.
fn first_file(folder: &Path, table: &str) -> PathBuf {
    let mut days: Vec<PathBuf> = std::fs::read_dir(folder.join("s").join(table))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    days.sort();
    let mut files = std::fs::read_dir(&days[0]).unwrap();
    files.next().unwrap().unwrap().path()
}

#[test]
fn a_flipped_byte_in_a_day_file_stops_the_run_and_names_the_file() {
    let folder = filled(40);
    let base = folder.path();
    let stored = || {
        let mut files = content(base);
        files.retain(|(name, _)| !name.starts_with("cache/"));
        files
    };
    let before = stored();
    for (table, line) in [
        ("signals", "score --store s --as-of 2026-11-06"),
        // Every day of events is looked at again when there are events of that day.
        (
            "events",
            "normalize okta events.ndjson --tenant acme --store s",
        ),
    ] {
        let file = first_file(base, table);
        let whole = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        for place in [4, whole.len() / 3, whole.len() / 2, whole.len() - 200] {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x10;
            std::fs::write(&file, &damaged).unwrap();
            // What was counted of the day before the damage would do without the file.
            std::fs::remove_dir_all(base.join("s/cache")).unwrap_or_default();
            check_failure(&run(base, line), 1, &[name, "restore the file"]);
        }
        std::fs::write(&file, &whole[..whole.len() - 9]).unwrap();
        check_failure(&run(base, line), 1, &[name, "restore the file"]);
        std::fs::write(&file, &whole).unwrap();
    }
    assert_eq!(stored(), before);
    succeed(base, "score --store s --as-of 2026-11-06");
}

#[test]
fn what_was_counted_before_the_damage_still_counts() {
    let folder = filled(40);
    let base = folder.path();
    succeed(base, "score --store s --as-of 2026-11-06");
    let file = first_file(base, "signals");
    let mut damaged = std::fs::read(&file).unwrap();
    // Behind the first bytes comes the first page; the footer, which is read, stays sound.
    damaged[4] ^= 0x10;
    std::fs::write(&file, &damaged).unwrap();
    succeed(base, "score --store s --as-of 2026-11-06");
}

#[test]
fn a_flipped_byte_in_what_was_counted_costs_a_count_and_no_figure() {
    let folder = filled(40);
    let base = folder.path();
    succeed(base, "score --store s --as-of 2026-11-06");
    let whole_store = content(base);
    let days = std::fs::read_dir(base.join("s/cache/counts")).unwrap();
    let mut days: Vec<PathBuf> = days.map(|entry| entry.unwrap().path()).collect();
    days.retain(|path| path.extension().is_some_and(|end| end == "arrow"));
    let file = days.iter().min().unwrap();
    let whole = std::fs::read(file).unwrap();
    for place in (0..whole.len()).step_by(whole.len() / 23) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        std::fs::write(file, &damaged).unwrap();
        succeed(base, "score --store s --as-of 2026-11-06");
        let mut store = content(base);
        store.retain(|(name, _)| !name.contains("CONFIRMED"));
        assert!(store == whole_store, "byte {place}");
    }
}

#[test]
fn a_file_of_another_program_is_taken_as_it_is() {
    let folder = filled(40);
    let base = folder.path();
    let file = first_file(base, "signals");
    let foreign = file.with_file_name("0123456789abcdef0123456789abcdef.parquet");
    std::fs::copy(&file, foreign).unwrap();
    // Every signal of it is a duplicate; its name says nothing to us.
    succeed(base, "score --store s --as-of 2026-11-06");
}
