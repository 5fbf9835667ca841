//! Small JSON documents under `state/`: cursors, inputs seen, runs.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::atomic::{Access, remove, sync_folder, write_atomically};
use crate::error::{Error, ErrorKind};
use crate::layout::{Store, check_name, entries};
use crate::lock::WriteLock;

impl Store {
    /// Reads the document `state/<name>.json`; `None` when there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when it is no such document, [`ErrorKind::InvalidName`] for a name
    /// that must not become a path.
    pub fn read_state<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let path = self.state_path(name)?;
        let text = match fs_err::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, &error)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| Error::at(ErrorKind::Corrupt, "read", &path, error.to_string()))
    }

    /// Replaces the document `state/<name>.json` atomically.
    ///
    /// # Errors
    /// When it cannot be written, or for a name that must not become a path.
    pub fn write_state<T: Serialize>(
        &self,
        lock: &WriteLock,
        name: &str,
        document: &T,
    ) -> Result<(), Error> {
        self.write_document(lock, name, document, Access::Usual)
    }

    /// As [`Store::write_state`], readable by the owner only: for what must not outlive its purpose.
    ///
    /// # Errors
    /// As [`Store::write_state`].
    pub fn write_private_state<T: Serialize>(
        &self,
        lock: &WriteLock,
        name: &str,
        document: &T,
    ) -> Result<(), Error> {
        self.write_document(lock, name, document, Access::Owner)
    }

    fn write_document<T: Serialize>(
        &self,
        lock: &WriteLock,
        name: &str,
        document: &T,
        access: Access,
    ) -> Result<(), Error> {
        lock.guards(self);
        let path = self.state_path(name)?;
        let text = to_sorted_json(document)
            .map_err(|error| Error::at(ErrorKind::Io, "write", &path, error.to_string()))?;
        write_atomically(&self.tmp_dir(), &path, text.as_bytes(), access)
    }

    /// Removes the document `state/<name>.json`; none there is fine.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_state(&self, lock: &WriteLock, name: &str) -> Result<(), Error> {
        lock.guards(self);
        let path = self.state_path(name)?;
        if !path.is_file() {
            return Ok(());
        }
        remove(&path)?;
        // A document that comes back after a power cut would speak of things long changed.
        sync_folder(&self.state_dir())
    }

    /// The names of all documents, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn state_names(&self) -> Result<Vec<String>, Error> {
        let names = entries(&self.state_dir())?;
        Ok(names
            .iter()
            .filter_map(|name| name.strip_suffix(".json"))
            .map(str::to_owned)
            .collect())
    }

    fn state_path(&self, name: &str) -> Result<std::path::PathBuf, Error> {
        check_name(name)?;
        Ok(self.state_dir().join(format!("{name}.json")))
    }
}

/// Pretty JSON with sorted keys and a trailing newline: equal documents are equal bytes.
pub(crate) fn to_sorted_json<T: Serialize>(document: &T) -> Result<String, serde_json::Error> {
    let value = sorted(serde_json::to_value(document)?);
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

// Sorted by hand: whether a JSON map keeps its own order is a compile-time choice of any crate.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(entries.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_back_and_its_name_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        assert_eq!(store.read_state::<Vec<u8>>("cursor").unwrap(), None);
        store.write_state(&lock, "cursor", &vec![1, 2]).unwrap();
        assert_eq!(store.read_state("cursor").unwrap(), Some(vec![1, 2]));
        assert!(store.state_names().unwrap().contains(&"cursor".to_owned()));
        let wrong = store.read_state::<String>("cursor").unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Corrupt);
        for name in ["../x", "", ".hidden", "a/b"] {
            let error = store.write_state(&lock, name, &1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{name}");
        }
        store.remove_state(&lock, "cursor").unwrap();
        assert_eq!(store.read_state::<Vec<u8>>("cursor").unwrap(), None);
    }

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let text = r#"{"b": {"z": 1, "a": [{"y": 1, "x": 2}]}, "a": 0}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        let json = to_sorted_json(&value).unwrap();
        let keys: String = json.chars().filter(char::is_ascii_alphabetic).collect();
        assert_eq!(keys, "abaxyz");
        assert!(json.ends_with("}\n"));
    }

    #[test]
    fn a_private_document_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        store.write_private_state(&lock, "plan", &["x"]).unwrap();
        let read: Option<Vec<String>> = store.read_state("plan").unwrap();
        assert_eq!(read, Some(vec!["x".to_owned()]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let path = store.state_dir().join("plan.json");
            let mode = fs_err::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
