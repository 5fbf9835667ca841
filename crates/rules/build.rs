//! Rebuilds the crate when a rule file is added or removed: the embedding macro sees only changes
//! of files it already knows.

fn main() {
    println!("cargo::rerun-if-changed=../../data/rules/okta");
}
