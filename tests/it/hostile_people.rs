//! Hostile people files: refused row by row, or as a whole; the program goes on.

use std::path::Path;

use serde_json::Value;

use super::support::program;

/// Imports a people file; the exit code and what was said.
fn import(folder: &Path, name: &str, bytes: &[u8]) -> (i32, Value, String) {
    std::fs::write(folder.join(name), bytes).unwrap();
    let outcome = program([
        "users", "import", name, "--tenant", "acme", "--store", "store", "--format", "json",
    ])
    .inside(folder)
    .run();
    let account: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
    let row = account.get(0).cloned().unwrap_or(account);
    (outcome.code, row, outcome.stderr)
}

#[test]
fn hostile_directories_are_refused_row_by_row_or_as_a_whole() {
    let long = "x".repeat(2_000_000);
    let rows: Vec<(&str, Vec<u8>, u64, u64)> = vec![
        ("long.csv", format!("email\na@example.com\n{long}@example.com\n").into(), 1, 1),
        ("bytes.csv", b"email,name\na@example.com,\xff\xfe\n\xff@example.com,x\n".to_vec(), 1, 1),
        ("nul.csv", b"email,name\na@example.com,a\0b\nb\0@example.com,x\n".to_vec(), 1, 1),
        ("ragged.csv", b"email,name\na@example.com,x\nb@example.com\nc@example.com,x,y,z\n".to_vec(), 1, 2),
        ("formula.csv", b"email,name\na@example.com,=cmd|' /C calc'!A0\n".to_vec(), 1, 0),
        ("deep.ndjson", format!("{{\"email\":\"a@example.com\"}}\n{}\n", "{\"a\":".repeat(10_000)).into(), 1, 1),
        ("types.ndjson", b"{\"email\":\"a@example.com\",\"vip\":\"1\",\"created\":[]}\n{\"email\":{}}\n{\"email\":7}\n[]\n".to_vec(), 1, 3),
        ("twice.ndjson", b"{\"email\":\"x\",\"email\":\"a@example.com\"}\n".to_vec(), 1, 0),
        ("dates.ndjson", b"{\"email\":\"a@example.com\",\"created\":\"0000-01-01\",\"deactivated\":\"9999-12-31T23:59:59Z\"}\n".to_vec(), 1, 0),
    ];
    for (name, bytes, people, rejected) in rows {
        let folder = tempfile::tempdir().unwrap();
        let (code, account, said) = import(folder.path(), name, &bytes);
        assert_eq!(code, 0, "{name}: {said}");
        assert_eq!(
            (account["people"].as_u64(), account["rejected"].as_u64()),
            (Some(people), Some(rejected)),
            "{name}: {account}\n{said}"
        );
        assert!(said.len() < 5_000, "{name} says too much");
    }
    let whole: Vec<(&str, Vec<u8>)> = vec![
        ("empty.csv", Vec::new()),
        (
            "open.csv",
            b"email,name\na@example.com,\"open\nb@example.com,x\n".to_vec(),
        ),
        ("utf16.csv", b"\xff\xfee\0m\0".to_vec()),
        ("archive.csv", b"PK\x03\x04".to_vec()),
        ("cut.json", b"[{\"email\":\"a@example.com\"},{\"em".to_vec()),
        ("cut.parquet", b"PAR1rubbish".to_vec()),
        ("columns.csv", format!("{}\n", "c,".repeat(100_000)).into()),
        ("escape.csv", b"\x1b[31mname,size\nred,3\n".to_vec()),
    ];
    for (name, bytes) in whole {
        let folder = tempfile::tempdir().unwrap();
        let (code, _, said) = import(folder.path(), name, &bytes);
        assert!(code == 2 || code == 3, "{name}: {code} {said}");
        assert!(
            said.len() < 5_000 && !said.contains('\u{1b}'),
            "{name}: {said}"
        );
    }
}

#[test]
fn a_damaged_parquet_directory_never_brings_the_program_down() {
    let folder = tempfile::tempdir().unwrap();
    let csv = "id,email,name,created\nx1,ana@example.com,Ana,2026-01-01\nx2,bob@example.com,Bob,2026-01-02\n";
    let (code, ..) = import(folder.path(), "people.csv", csv.as_bytes());
    assert_eq!(code, 0);
    let version = std::fs::read_dir(folder.path().join("store/directory"))
        .unwrap()
        .next()
        .unwrap();
    let whole = std::fs::read(version.unwrap().path()).unwrap();
    for step in 0..24 {
        let mut bytes = whole.clone();
        if step % 2 == 0 {
            bytes.truncate(whole.len() * (step + 1) / 25);
        } else {
            let at = whole.len() * step / 25;
            bytes[at] ^= 0x5a;
            bytes[at + 1] = 0xff;
        }
        let (code, account, said) = import(folder.path(), "damaged.parquet", &bytes);
        assert!(matches!(code, 0 | 2), "{step}: {code} {said}");
        if code == 0 {
            assert_eq!(account["rows_read"], 2, "{step}: {account}");
        }
        assert!(!said.contains("panicked"), "{step}: {said}");
    }
}
