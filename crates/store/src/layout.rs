//! Where everything lies in a store.

use std::path::{Path, PathBuf};

use af_model::UtcDay;
use af_model::contract::Table;
use af_model::tables::{attack_signals, identity_events, quarantine};
use serde::{Deserialize, Serialize};

use crate::atomic::{Access, create_folder, write_atomically};
use crate::error::{BRING_IT_BACK, Error, ErrorKind};

/// The version of the layout that this program writes and the newest it reads.
const STORE_VERSION: u32 = 1;

/// How the names of a marker begin that was being written when its writer died.
pub(crate) const UNFINISHED_MARKER: &str = "store.json.";

/// The tables that are cut into UTC days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Partitioned {
    /// `identity_events`, by the day of `time`.
    Events,
    /// `attack_signals`, by the day of `time`.
    Signals,
    /// `quarantine`, by the day of `ingested_at`.
    Quarantine,
}

impl Partitioned {
    /// The contract of the table.
    pub fn table(self) -> &'static Table {
        match self {
            Self::Events => &identity_events::TABLE,
            Self::Signals => &attack_signals::TABLE,
            Self::Quarantine => &quarantine::TABLE,
        }
    }

    /// The folder in the store.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Signals => "signals",
            Self::Quarantine => "quarantine",
        }
    }

    /// The instant whose UTC day decides where a row lies.
    pub const fn day_column(self) -> &'static str {
        match self {
            Self::Events | Self::Signals => "time",
            Self::Quarantine => "ingested_at",
        }
    }
}

/// What says that a folder is a store, and of which layout.
#[derive(Serialize, Deserialize)]
struct Marker {
    store_version: u32,
}

/// A folder with everything the engine keeps. Opening it reads one small file and holds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Opens an existing store, for reading or writing.
    ///
    /// # Errors
    /// [`ErrorKind::NotAStore`] when the folder is none or absent, [`ErrorKind::NewerVersion`] when
    /// a newer program laid it out.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let store = Self {
            root: root.to_owned(),
        };
        let text = match fs_err::read(store.marker()) {
            Ok(text) => text,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                let problem = "no store (it has no state/store.json)";
                return Err(Error::at(ErrorKind::NotAStore, "open", root, problem));
            }
            Err(error) => return Err(Error::io("open", root, &error)),
        };
        let marker: Marker = serde_json::from_slice(&text).map_err(|error| {
            Error::at(
                ErrorKind::Corrupt,
                "read",
                &store.marker(),
                error.to_string(),
            )
        })?;
        if marker.store_version > STORE_VERSION {
            let problem = format!(
                "the store has layout version {}, this program knows {STORE_VERSION}",
                marker.store_version
            );
            return Err(Error::at(ErrorKind::NewerVersion, "open", root, problem));
        }
        Ok(store)
    }

    /// Opens a store, or makes one in a folder that is absent or empty.
    ///
    /// # Errors
    /// [`ErrorKind::NotAStore`] when the folder holds anything else: a store empties its `tmp/`, so
    /// it never moves into a folder that is in use.
    pub fn create_or_open(root: &Path) -> Result<Self, Error> {
        match Self::open(root) {
            Err(error) if error.kind() == ErrorKind::NotAStore => Self::create(root),
            other => other,
        }
    }

    fn create(root: &Path) -> Result<Self, Error> {
        let store = Self {
            root: root.to_owned(),
        };
        create_folder(root)?;
        // What an interrupted creation leaves behind is no obstacle; anything else is.
        let foreign = names(root)?.into_iter().find(|name| match name.as_str() {
            "lost+found" => false,
            "tmp" => names(&store.tmp_dir()).map_or(true, |inside| !inside.is_empty()),
            "state" => names(&store.state_dir()).map_or(true, |inside| {
                inside
                    .iter()
                    .any(|name| !name.starts_with(UNFINISHED_MARKER))
            }),
            _ => true,
        });
        if let Some(name) = foreign {
            let problem = format!("no store, and not empty (it holds {name})");
            return Err(
                Error::at(ErrorKind::NotAStore, "create store in", root, problem)
                    .with_hint("give the store a new or empty folder of its own"),
            );
        }
        create_folder(&store.tmp_dir())?;
        create_folder(&store.state_dir())?;
        let marker = crate::state::to_sorted_json(&Marker {
            store_version: STORE_VERSION,
        })
        .expect("a version number is always JSON");
        // Two first runs at once replace each other's equal file.
        write_atomically(
            &store.state_dir(),
            &store.marker(),
            marker.as_bytes(),
            Access::Usual,
        )?;
        Ok(store)
    }

    /// Makes a folder inside the store, but never the store itself: where its folder is gone, a disk
    /// was unmounted, and what is written in its place would be hidden when it comes back.
    pub(crate) fn create_folder(&self, folder: &Path) -> Result<(), Error> {
        if !self.root.is_dir() {
            let problem = "the store's folder is gone";
            let gone = Error::at(ErrorKind::Io, "write to", &self.root, problem);
            return Err(gone.with_hint(BRING_IT_BACK));
        }
        create_folder(folder)
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `lock`: held by the one writer.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn secret_dir(&self) -> PathBuf {
        self.root.join("secret")
    }

    /// `secret/hash.key`.
    pub fn hash_key_file(&self) -> PathBuf {
        self.secret_dir().join("hash.key")
    }

    /// `tmp/`: everything unfinished.
    pub fn tmp_dir(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// `state/`: cursors, inputs seen, runs.
    pub fn state_dir(&self) -> PathBuf {
        self.root.join("state")
    }

    fn marker(&self) -> PathBuf {
        self.state_dir().join("store.json")
    }

    /// `directory/`: the directory's versions.
    pub fn directory_dir(&self) -> PathBuf {
        self.root.join("directory")
    }

    /// `retractions/`: what turned out not to be an attack.
    pub fn retractions_dir(&self) -> PathBuf {
        self.root.join("retractions")
    }

    /// `snapshots/`: what was published.
    pub fn snapshots_dir(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// `cache/counts/`: what was counted of days; derived, deletable at any time.
    pub fn counts_cache_dir(&self) -> PathBuf {
        self.root.join("cache").join("counts")
    }

    /// The folder of one day of a table.
    pub fn day_dir(&self, kind: Partitioned, day: UtcDay) -> PathBuf {
        self.root.join(kind.folder()).join(format!("day={day}"))
    }

    /// `events/day=…`
    pub fn events_dir(&self, day: UtcDay) -> PathBuf {
        self.day_dir(Partitioned::Events, day)
    }

    /// `signals/day=…`
    pub fn signals_dir(&self, day: UtcDay) -> PathBuf {
        self.day_dir(Partitioned::Signals, day)
    }

    /// `quarantine/day=…`
    pub fn quarantine_dir(&self, day: UtcDay) -> PathBuf {
        self.day_dir(Partitioned::Quarantine, day)
    }

    /// The days of a table that have a folder, ascending. Other names in there are ignored.
    ///
    /// # Errors
    /// When the folder cannot be read; an absent one has no days.
    pub fn days(&self, kind: Partitioned) -> Result<Vec<UtcDay>, Error> {
        let mut days: Vec<UtcDay> = entries(&self.root.join(kind.folder()))?
            .iter()
            .filter_map(|name| {
                let text = name.strip_prefix("day=")?;
                // Only the one spelling that this store writes: `2026-1-5` is somebody else's.
                UtcDay::parse(text)
                    .ok()
                    .filter(|day| day.to_string() == text)
            })
            .collect();
        days.sort_unstable();
        Ok(days)
    }

    /// The Parquet files of one day, sorted by name.
    ///
    /// # Errors
    /// When the folder cannot be read; an absent one has no files.
    pub fn day_files(&self, kind: Partitioned, day: UtcDay) -> Result<Vec<PathBuf>, Error> {
        parquet_files(&self.day_dir(kind, day))
    }

    /// All versions of the directory, sorted by name, that is by `imported_at`.
    ///
    /// # Errors
    /// When the folder cannot be read; an absent one has no files.
    pub fn directories(&self) -> Result<Vec<PathBuf>, Error> {
        parquet_files(&self.directory_dir())
    }

    /// All files of retractions, sorted by name; the rows' own `ingested_at` orders them.
    ///
    /// # Errors
    /// When the folder cannot be read; an absent one has no files.
    pub fn retractions(&self) -> Result<Vec<PathBuf>, Error> {
        parquet_files(&self.retractions_dir())
    }

    /// A path relative to the store, with `/` between its parts, as manifests write it.
    pub(crate) fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }
}

/// The names in a folder, sorted; none when it is absent.
pub(crate) fn entries(folder: &Path) -> Result<Vec<String>, Error> {
    match names(folder) {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        other => other,
    }
}

fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let failed = |error: std::io::Error| Error::io("list", folder, &error);
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// Parquet files of a folder, sorted; names starting with `.` or `_` are other programs' workings.
fn parquet_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    Ok(entries(folder)?
        .iter()
        .filter(|name| name.ends_with(".parquet") && !name.starts_with(['.', '_']))
        .map(|name| folder.join(name))
        .collect())
}

/// Checks a name that becomes part of a path: letters, digits, `.`, `_` and `-`, starting with a
/// letter or digit, at most 128 bytes.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if starts_well && name.len() <= 128 && name.bytes().all(is_allowed) {
        Ok(())
    } else {
        let problem = "names in a store match [A-Za-z0-9][A-Za-z0-9._-]{0,127}";
        Err(Error::new(
            ErrorKind::InvalidName,
            "use the name",
            name,
            problem,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_made_once_and_a_folder_in_use_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        let error = Store::open(&root).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAStore);
        let store = Store::create_or_open(&root).unwrap();
        assert_eq!(Store::create_or_open(&root).unwrap(), store);
        assert_eq!(Store::open(&root).unwrap(), store);

        let used = folder.path().join("used");
        fs_err::create_dir_all(used.join("tmp")).unwrap();
        fs_err::write(used.join("tmp/thesis.txt"), "years of work").unwrap();
        let error = Store::create_or_open(&used).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAStore);
        assert!(used.join("tmp/thesis.txt").is_file());
    }

    #[test]
    fn an_interrupted_creation_is_completed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        fs_err::create_dir_all(root.join("tmp")).unwrap();
        fs_err::create_dir_all(root.join("state")).unwrap();
        fs_err::write(root.join("state/store.json.new"), "{").unwrap();
        Store::create_or_open(&root).unwrap();
        Store::open(&root).unwrap();
    }

    #[test]
    fn a_newer_layout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        let store = Store::create_or_open(&root).unwrap();
        fs_err::write(store.marker(), r#"{"store_version": 2}"#).unwrap();
        let error = Store::create_or_open(&root).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NewerVersion);
    }

    #[test]
    fn days_are_sorted_and_foreign_names_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        assert_eq!(store.days(Partitioned::Events).unwrap(), []);
        for name in [
            "day=2026-11-20",
            "day=2026-02-03",
            "day=2026-1-5",
            "x",
            "day=never",
        ] {
            fs_err::create_dir_all(store.root().join("events").join(name)).unwrap();
        }
        let days = store.days(Partitioned::Events).unwrap();
        let days: Vec<String> = days.iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-02-03", "2026-11-20"]);
        let day = store.events_dir(UtcDay::parse("2026-11-20").unwrap());
        for name in [
            "b.parquet",
            "a.parquet",
            ".c.parquet",
            "_d.parquet",
            "e.txt",
        ] {
            fs_err::write(day.join(name), "").unwrap();
        }
        let files = store
            .day_files(Partitioned::Events, UtcDay::parse("2026-11-20").unwrap())
            .unwrap();
        assert_eq!(files, [day.join("a.parquet"), day.join("b.parquet")]);
    }
}
