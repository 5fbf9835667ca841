mod faults;
mod inventories;
mod landing;

use std::path::Path;

use super::*;
use crate::layout::Store;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create_or_open(&folder.path().join("s")).unwrap();
    (folder, store)
}

fn name() -> FeedName {
    FeedName {
        tenant: "acme".to_owned(),
        integration: "prod".to_owned(),
    }
}

fn unpacked(path: &Path) -> String {
    let packed = fs_err::read(path).unwrap();
    String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap()
}

fn lines(folder: &Path, step: &str) -> Vec<String> {
    inventory_lines(folder, step)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn count(folder: &Path) -> usize {
    fs_err::read_dir(folder).map_or(0, Iterator::count)
}
