//! Which files a configuration means: walking up, whole paths, patterns.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use af_model::name::Printable;
use glob::MatchOptions;

use super::FILE_NAME;
use crate::error::{Error, ErrorKind};

/// The configuration of a folder: its own, or the nearest above it.
pub fn find(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .map(|folder| folder.join(FILE_NAME))
        .find(|file| file.is_file())
}

/// The files that patterns mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Files that are there, sorted, each once.
    pub files: Vec<PathBuf>,
    /// Names without any pattern that are not there.
    pub missing: Vec<PathBuf>,
    /// Patterns that match nothing.
    pub unmatched: Vec<String>,
}

/// Lists the files that `written` names or matches, relative to `folder`.
///
/// A name that exists is taken literally, also when it looks like a pattern. `*` stops at a slash,
/// `**` does not; a leading dot has to be written.
///
/// # Errors
/// [`ErrorKind::NoInput`] when a folder on the way cannot be read, [`ErrorKind::Usage`] for a
/// broken pattern.
pub fn list(folder: &Path, written: &[String]) -> Result<Listed, Error> {
    let mut files = BTreeSet::new();
    let mut listed = Listed::default();
    for text in written {
        let path = folder.join(text);
        if path.is_file() {
            files.insert(path);
            continue;
        }
        if !text.contains(['*', '?', '[']) {
            listed.missing.push(path);
            continue;
        }
        let before = files.len();
        let mut matched = false;
        for found in matches(folder, text)? {
            matched = true;
            files.insert(found);
        }
        if files.len() == before && !matched {
            listed.unmatched.push(text.clone());
        }
    }
    listed.files = files.into_iter().collect();
    Ok(listed)
}

fn matches(folder: &Path, text: &str) -> Result<Vec<PathBuf>, Error> {
    let broken = |error: &dyn std::fmt::Display| {
        let message = format!("use the pattern {}: {error}", Printable(text));
        Error::new(ErrorKind::Usage, message)
    };
    // The folder is no pattern, whatever characters it has.
    let pattern = if Path::new(text).is_absolute() {
        text.to_owned()
    } else {
        let folder = folder
            .to_str()
            .ok_or_else(|| broken(&"the folder of the configuration is not UTF-8"))?;
        match folder {
            "" => text.to_owned(),
            folder => format!("{}/{text}", glob::Pattern::escape(folder)),
        }
    };
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let mut found = Vec::new();
    for path in glob::glob_with(&pattern, options).map_err(|error| broken(&error))? {
        let path = path.map_err(|error| {
            let place = Printable(&error.path().display().to_string()).to_string();
            let message = format!("look through {place}: {}", error.error());
            Error::new(ErrorKind::NoInput, message)
                .with_hint("check owner and permissions of the folder")
        })?;
        if path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_patterns_and_absent_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        // A folder that would be a pattern itself.
        let root = folder.path().join("a[1]*");
        for name in [
            "b.csv",
            "drop/x.ndjson",
            "drop/y.ndjson",
            "drop/.hidden.ndjson",
            "lit[x].csv",
        ] {
            let path = root.join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "").unwrap();
        }
        let written = [
            "drop/*.ndjson",
            "b.csv",
            "drop/x.*",
            "lit[x].csv",
            "gone.csv",
            "*.gz",
        ];
        let listed = list(&root, &written.map(str::to_owned)).unwrap();
        let names = ["b.csv", "drop/x.ndjson", "drop/y.ndjson", "lit[x].csv"];
        assert_eq!(listed.files, names.map(|name| root.join(name)));
        assert_eq!(listed.missing, [root.join("gone.csv")]);
        assert_eq!(listed.unmatched, ["*.gz"]);
    }

    #[test]
    fn the_nearest_configuration_above_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        fs_err::create_dir_all(&deep).unwrap();
        let above = folder.path().join(FILE_NAME);
        fs_err::write(&above, "").unwrap();
        assert_eq!(find(&deep).unwrap(), above);
        let own = deep.join(FILE_NAME);
        fs_err::write(&own, "").unwrap();
        assert_eq!(find(&deep).unwrap(), own);
    }
}
