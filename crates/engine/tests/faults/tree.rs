//! Folders as a whole: copied, compared, removed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every folder and file below `root` by relative name; files with their bytes. What is unfinished
/// (`tmp/`), who writes or fetches (`lock`, `pages.lock`) and hidden names are left out.
pub(crate) fn read(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    walk(root, "", &mut found);
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Option<Vec<u8>>>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let relative = format!("{prefix}{name}");
        let is_lock = name == "lock" || name == "pages.lock";
        if relative == "store/tmp" || is_lock || name.starts_with('.') {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &format!("{relative}/"), found);
            found.insert(relative, None);
        } else {
            found.insert(relative, Some(fs::read(entry.path()).unwrap()));
        }
    }
}

/// What differs between two trees, by name.
pub(crate) fn difference(
    one: &BTreeMap<String, Option<Vec<u8>>>,
    other: &BTreeMap<String, Option<Vec<u8>>>,
) -> Vec<String> {
    let names = one.keys().chain(other.keys());
    let mut differing: Vec<String> = names
        .filter(|name| one.get(*name) != other.get(*name))
        .map(|name| match (one.get(name), other.get(name)) {
            (Some(_), None) => format!("- {name}"),
            (None, _) => format!("+ {name}"),
            _ => format!("! {name}"),
        })
        .collect();
    differing.sort();
    differing.dedup();
    differing
}

/// Copies a tree; files are linked, because a store never writes into a finished one.
pub(crate) fn link(from: &Path, to: &Path) {
    let is_folder = fs::symlink_metadata(from).unwrap().is_dir();
    if is_folder {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            link(&entry.path(), &to.join(entry.file_name()));
        }
        // Whoever may look inside decides what a writer still has to protect.
        fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    } else if from.ends_with("lock") {
        // The one file that is written in place.
        fs::copy(from, to).unwrap();
    } else {
        fs::hard_link(from, to).unwrap();
    }
}

/// Removes a file or tree, if it is there.
pub(crate) fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

/// Swaps two names. On a disk that lies one of them may be lost already; then the other moves.
pub(crate) fn exchange(one: &Path, other: &Path) {
    match (one.exists(), other.exists()) {
        (true, true) => {}
        (true, false) => return fs::rename(one, other).unwrap(),
        (false, true) => return fs::rename(other, one).unwrap(),
        (false, false) => return,
    }
    let aside = one.with_extension("swapping");
    fs::rename(one, &aside).unwrap();
    fs::rename(other, one).unwrap();
    fs::rename(&aside, other).unwrap();
}
