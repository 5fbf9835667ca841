//! The one place where this crate changes anything on disk.
//!
//! Every change is a [`Step`]: an operation and the path it works on. In production a step costs one
//! look at an empty thread-local. A test puts a [`Witness`] in front of it ([`witnessed`]), which
//! sees every step of the calling thread before it happens and may refuse it or cut it short; so a
//! test can kill a writer anywhere, fill its disk or take its folder away, without another build of
//! the program and without touching any other thread.
//!
//! Reading is no step: it changes nothing, and what is on disk can be arranged beforehand.

mod calls;
mod step;

pub(crate) use calls::{
    File, create_folder, exchange, protect_folder, remove_file, remove_folder, remove_tree, rename,
    sync_folder,
};
pub use step::{Operation, Step, Verdict, Witness, witnessed};

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.ends_with("disk") || path.ends_with("tests") {
                    continue;
                }
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn nothing_else_in_this_crate_changes_the_disk() {
        let mut files = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut files,
        );
        assert!(files.len() > 15);
        for path in files {
            let text = fs_err::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            if path.file_name().unwrap() == "tests.rs" || path.file_name().unwrap() == "samples.rs"
            {
                continue;
            }
            for call in [
                "write(",
                "rename(",
                "remove_",
                "create_dir",
                "set_permissions",
                "OpenOptions",
                "copy(",
            ] {
                for module in ["fs_err::", "std::fs::", "rustix::fs::"] {
                    assert!(
                        !code.contains(&format!("{module}{call}")),
                        "{}: {module}{call}",
                        path.display()
                    );
                }
            }
        }
    }
}
