//! Rebuilds the crate when a rule file is added or removed: the embedding macro sees only changes
//! of files it already knows.
#![expect(
    clippy::print_stdout,
    reason = "cargo reads a build script's stdout; that is its only channel"
)]

fn main() {
    println!("cargo::rerun-if-changed=../../data/rules/okta");
}
