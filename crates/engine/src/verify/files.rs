//! Files against the manifest, and the manifest against itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr as _;

use af_model::contract::Table;
use af_model::manifest::{FileEntry, Manifest};
use af_model::tables;
use af_model::view::VerifyFinding;
use af_store::{Snapshot, SnapshotId};

use super::findings::Findings;
use crate::assemble::snapshot_name;

/// The manifest's own name.
pub(super) const MANIFEST: &str = "manifest.json";

/// A field of the manifest that is not what it must be.
pub(super) fn manifest_finding(field: &str, found: &str, expected: &str) -> VerifyFinding {
    VerifyFinding {
        table: MANIFEST.to_owned(),
        row: None,
        column: Some(field.to_owned()),
        found: Some(found.to_owned()),
        expected: expected.to_owned(),
    }
}

/// The table that a file of a snapshot may hold. Only such names become paths, so no manifest leads
/// out of its folder.
fn table_of(file_name: &str) -> Option<&'static Table> {
    let name = file_name.strip_suffix(".parquet")?;
    tables::SNAPSHOT
        .into_iter()
        .chain([&tables::tombstones::TABLE])
        .find(|table| table.name == name)
}

/// Checks what the manifest says of itself; false when its parameters cannot be computed with.
pub(super) fn check_manifest(snapshot: &Snapshot, findings: &mut Findings) -> bool {
    let manifest = snapshot.manifest();
    let mut wrong = |field: &str, found: &str, expected: &str| {
        findings.add(manifest_finding(field, found, expected));
    };
    let config_hash = manifest.params.config_hash().to_string();
    if manifest.config_hash != config_hash {
        wrong("config_hash", &manifest.config_hash, &config_hash);
    }
    if let Ok(id) = SnapshotId::from_str(&snapshot_name(snapshot.path())) {
        if id.as_of != manifest.as_of {
            let found = manifest.as_of.to_string();
            wrong(
                "as_of",
                &found,
                &format!("{}, as its folder says", id.as_of),
            );
        }
        if id.revision != manifest.revision {
            let found = manifest.revision.to_string();
            wrong(
                "revision",
                &found,
                &format!("{}, as its folder says", id.revision),
            );
        }
    }
    if let Some(before) = &manifest.supersedes {
        let follows = SnapshotId::from_str(before).is_ok_and(|before| {
            before.as_of == manifest.as_of && before.revision < manifest.revision
        });
        if !follows {
            wrong(
                "supersedes",
                before,
                "an earlier revision of the same as_of",
            );
        }
    }
    check_accounts(manifest, findings);
    match manifest.params.check() {
        Ok(()) => true,
        Err(invalid) => {
            let field = format!("params.{}", invalid.name);
            findings.add(manifest_finding(
                &field,
                &invalid.value.to_string(),
                invalid.rule,
            ));
            false
        }
    }
}

/// Every account of every tenant closes. Summed in 128 bits: the figures may be anything.
fn check_accounts(manifest: &Manifest, findings: &mut Findings) {
    let mut check = |field: String, total: u64, parts: Vec<(&str, u64)>| {
        let sum: u128 = parts.iter().map(|(_, part)| u128::from(*part)).sum();
        if u128::from(total) != sum {
            let expected = format!("{sum}, the sum of its parts");
            findings.add(manifest_finding(&field, &total.to_string(), &expected));
        }
    };
    for (tenant, entry) in &manifest.tenants {
        let account = entry.signals;
        let field = format!("tenants.{tenant}.signals.signals_read");
        check(field, account.signals_read, account.parts());
    }
    for (tenant, seen) in &manifest.run.tenants {
        let account = seen.signals;
        let field = format!("run.tenants.{tenant}.signals.signals_read");
        check(field, account.signals_read, account.parts());
        if let Some(events) = seen.events {
            let field = format!("run.tenants.{tenant}.events.events_read");
            check(field, events.events_read, events.parts());
        }
        if let Some(classes) = seen.classes {
            let field = format!("run.tenants.{tenant}.classes.normalized");
            check(field, classes.normalized, classes.parts());
        }
    }
}

/// Compares every file with the manifest: that it is there, its size, checksum and number of rows,
/// its table's version, and that no other file is there. Returns how many were compared.
pub(super) fn check_files(snapshot: &Snapshot, findings: &mut Findings) -> u64 {
    let manifest = snapshot.manifest();
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for file in &manifest.files {
        if table_of(&file.path).is_none() {
            findings.add(manifest_finding(
                "files",
                &file.path,
                "files of a snapshot's tables",
            ));
        } else if !named.insert(&file.path) {
            findings.add(manifest_finding("files", &file.path, "each file once"));
        } else {
            check_file(snapshot, file, findings);
        }
    }
    for table in tables::SNAPSHOT {
        let name = format!("{}.parquet", table.name);
        if !named.contains(name.as_str()) {
            findings.add(manifest_finding("files", "nothing", &name));
        }
    }
    for name in manifest.tables.keys() {
        if !named.contains(format!("{name}.parquet").as_str()) {
            findings.add(manifest_finding("tables", name, "tables that have a file"));
        }
    }
    match names_in(snapshot.path()) {
        Ok(names) => {
            for name in names {
                if name != MANIFEST && !named.contains(name.as_str()) {
                    findings.add(file_finding(
                        &name,
                        None,
                        None,
                        "no file that the manifest does not name",
                    ));
                }
            }
        }
        Err(error) => {
            findings.add(file_finding(
                ".",
                None,
                Some(error.to_string()),
                "a folder that can be read",
            ));
        }
    }
    named.len() as u64
}

fn check_file(snapshot: &Snapshot, file: &FileEntry, findings: &mut Findings) {
    let path = snapshot.path().join(&file.path);
    let found = match af_store::checksum(&path) {
        Ok(found) => found,
        Err(error) => {
            let found = Some(error.to_string());
            findings.add(file_finding(
                &file.path,
                None,
                found,
                "a file that can be read",
            ));
            return;
        }
    };
    if found.bytes != file.bytes {
        let (found, expected) = (found.bytes.to_string(), file.bytes.to_string());
        findings.add(file_finding(
            &file.path,
            Some("bytes"),
            Some(found),
            &expected,
        ));
    } else if found.blake3 != file.blake3 {
        findings.add(file_finding(
            &file.path,
            Some("blake3"),
            Some(found.blake3),
            &file.blake3,
        ));
    }
    let Some(table) = table_of(&file.path) else {
        return;
    };
    // What cannot be opened, the table's own check says.
    let Ok(opened) = snapshot.table_file(table) else {
        return;
    };
    if opened.rows() != file.rows {
        let (found, expected) = (opened.rows().to_string(), file.rows.to_string());
        findings.add(file_finding(
            &file.path,
            Some("rows"),
            Some(found),
            &expected,
        ));
    }
    let stated = snapshot.manifest().tables.get(table.name);
    let written = opened.value(af_store::table_file::TABLE_VERSION_KEY);
    let is_same = match (stated, written) {
        (Some(stated), Some(written)) => stated.to_string() == written,
        // Somebody else's file says nothing of versions; ours is the one it is read as.
        (Some(stated), None) => *stated <= table.version,
        (None, _) => false,
    };
    if !is_same {
        findings.add(manifest_finding(
            &format!("tables.{}", table.name),
            &stated.map_or_else(|| "nothing".to_owned(), ToString::to_string),
            written.unwrap_or("a version this program knows"),
        ));
    }
}

fn file_finding(
    name: &str,
    column: Option<&str>,
    found: Option<String>,
    expected: &str,
) -> VerifyFinding {
    VerifyFinding {
        table: name.to_owned(),
        row: None,
        column: column.map(str::to_owned),
        found,
        expected: expected.to_owned(),
    }
}

fn names_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}
