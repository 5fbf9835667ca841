//! What was read already: the state document `inputs`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The state document that remembers which files were read.
pub(super) const STATE: &str = "inputs";

/// Files that were read, by tenant and source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InputsSeen {
    tenants: BTreeMap<String, BTreeMap<String, SourceSeen>>,
}

/// What was read of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SourceSeen {
    /// Hash of the settings that decide what a file's rows become.
    pub(super) settings: String,
    /// By path relative to the configuration.
    pub(super) files: BTreeMap<String, FileSeen>,
}

/// One file as it was when it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileSeen {
    /// Size in bytes.
    pub(super) bytes: u64,
    /// Nanoseconds since 1970 of its last modification; none where that may repeat.
    pub(super) modified_nanos: Option<i64>,
    /// BLAKE3 of its content.
    pub(super) blake3: String,
    /// Events found in it.
    pub(super) events: u64,
    /// Events of it that were refused.
    pub(super) refused: u64,
    /// Whether a snapshot was published since; gates look at what no snapshot has answered for.
    pub(super) settled: bool,
}

/// How a source is named in the document.
pub(super) fn source_key(kind: &str, name: &str) -> String {
    format!("{kind}:{name}")
}

/// A file's name in the document: relative to the configuration, so that both may move together.
pub(super) fn file_key(folder: &Path, path: &Path) -> String {
    let path = path.strip_prefix(folder).unwrap_or(path);
    path.to_string_lossy().into_owned()
}

impl InputsSeen {
    /// What was read of a source; nothing if it is new.
    pub(super) fn source(&self, tenant: &str, source: &str) -> SourceSeen {
        self.tenants
            .get(tenant)
            .and_then(|sources| sources.get(source))
            .cloned()
            .unwrap_or_default()
    }

    /// Remembers what was read of a source.
    pub(super) fn set(&mut self, tenant: &str, source: &str, seen: SourceSeen) {
        self.tenants
            .entry(tenant.to_owned())
            .or_default()
            .insert(source.to_owned(), seen);
    }

    /// Events and refused events of a tenant that no snapshot has answered for.
    pub(super) fn unsettled(&self, tenant: &str) -> (u64, u64) {
        let files = self
            .tenants
            .get(tenant)
            .into_iter()
            .flat_map(BTreeMap::values)
            .flat_map(|source| source.files.values())
            .filter(|file| !file.settled);
        files.fold((0, 0), |(events, refused), file| {
            (events + file.events, refused + file.refused)
        })
    }

    /// A snapshot answers for everything read of a tenant.
    pub(super) fn settle(&mut self, tenant: &str) {
        let sources = self.tenants.get_mut(tenant).into_iter();
        for source in sources.flat_map(BTreeMap::values_mut) {
            for file in source.files.values_mut() {
                file.settled = true;
            }
        }
    }
}
