//! `users import`: people from anywhere, versioned.

use std::path::Path;

use super::support::{Outcome, program};

fn import(folder: &Path, arguments: &[&str]) -> Outcome {
    let mut all = vec!["users", "import"];
    all.extend(arguments);
    all.extend(["--store", "store"]);
    program(all).inside(folder).run()
}

fn versions(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("store/directory")).map_or(0, Iterator::count)
}

#[test]
fn an_import_that_changes_nobody_makes_no_version() {
    let folder = tempfile::tempdir().unwrap();
    let csv = "mail,Full Name,Dept\nAna@Example.com,Ana,Sales\nbob@example.com,Bob,IT\n";
    std::fs::write(folder.path().join("a.csv"), csv).unwrap();
    assert_eq!(
        import(folder.path(), &["a.csv", "--tenant", "acme"]).code,
        0
    );
    assert_eq!(versions(folder.path()), 1);
    let again = import(folder.path(), &["a.csv", "--tenant", "acme"]);
    assert!(again.stderr.contains("nobody changed"), "{}", again.stderr);
    assert_eq!(versions(folder.path()), 1);
    std::fs::write(folder.path().join("a.csv"), csv.replace("IT", "HR")).unwrap();
    assert_eq!(
        import(folder.path(), &["a.csv", "--tenant", "acme"]).code,
        0
    );
    assert_eq!(versions(folder.path()), 2);
}

#[test]
fn an_unclear_column_is_settled_by_map() {
    let folder = tempfile::tempdir().unwrap();
    let csv = "work mail,mail\nana@example.com,private@example.org\n";
    std::fs::write(folder.path().join("a.csv"), csv).unwrap();
    let arguments = ["a.csv", "--tenant", "acme", "--map", "email=work mail"];
    let outcome = import(folder.path(), &arguments);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("work mail → email"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_file_without_any_key_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "colour,size\nred,3\n").unwrap();
    let outcome = import(folder.path(), &["a.csv", "--tenant", "acme"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
}
