//! `secret/hash.key`: the key of every keyed hash of a store.

use std::path::Path;

use af_model::HashKey;

use crate::atomic::{Access, write_atomically};
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::layout::{Partitioned, Store};
use crate::lock::WriteLock;

/// How the names of a key begin that was being written when its writer died.
pub(crate) const UNFINISHED_KEY: &str = "hash.key.";

impl Store {
    /// The store's key; the first call makes it from `random`, which must come from a secure
    /// source. The file is readable by its owner only and never replaced.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no key although the store holds events: they are hashed
    /// with a key that was lost, and another one would silently match nobody.
    /// [`ErrorKind::Corrupt`] when the file holds no key.
    pub fn hash_key(
        &self,
        lock: &WriteLock,
        random: impl FnOnce() -> [u8; 32],
    ) -> Result<HashKey, Error> {
        lock.guards(self);
        if let Some(key) = self.existing_hash_key()? {
            return Ok(key);
        }
        let path = self.hash_key_file();
        if !self.days(Partitioned::Events)?.is_empty() {
            let problem = "the key is missing, and the events of this store are hashed with it";
            return Err(Error::at(ErrorKind::NotFound, "read", &path, problem)
                .with_hint("restore secret/hash.key from a backup, or start a new store"));
        }
        let folder = self.secret_dir();
        self.create_folder(&folder)?;
        disk::protect_folder(&folder).map_err(|error| Error::io("protect", &folder, &error))?;
        let key = HashKey::new(random());
        let hex = blake3::Hash::from_bytes(*key.as_bytes()).to_hex();
        // Through the secret folder itself, so that no copy ever lies in tmp/.
        write_atomically(&folder, &path, format!("{hex}\n").as_bytes(), Access::Owner)?;
        Ok(key)
    }

    /// The store's key, if it was made already. For readers, which hold no lock.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when the file holds no key, or when it cannot be read.
    pub fn existing_hash_key(&self) -> Result<Option<HashKey>, Error> {
        match read_hash_key(&self.hash_key_file()) {
            Ok(key) => Ok(Some(key)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Reads a key file: 64 hex digits, white space around them ignored.
///
/// # Errors
/// [`ErrorKind::Corrupt`] when the file holds anything else; the text never shows its content.
pub fn read_hash_key(path: &Path) -> Result<HashKey, Error> {
    let text = fs_err::read(path).map_err(|error| Error::io("read", path, &error))?;
    parse(text.trim_ascii()).ok_or_else(|| {
        let problem = "not a key; expected 64 hex digits";
        Error::at(ErrorKind::Corrupt, "read", path, problem)
            .with_hint("restore the key from a backup; a new one would match no earlier hash")
    })
}

fn parse(hex: &[u8]) -> Option<HashKey> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let (pairs, rest) = hex.as_chunks::<2>();
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(HashKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        (folder, store)
    }

    #[test]
    fn the_key_is_made_once_and_kept() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        assert!(store.existing_hash_key().unwrap().is_none());
        let mut bytes = [0xa5; 32];
        bytes[0] = 0x0f;
        let made = store.hash_key(&lock, || bytes).unwrap();
        let again = store.hash_key(&lock, || panic!("a second key")).unwrap();
        assert_eq!(made.as_bytes(), &bytes);
        assert_eq!(again.as_bytes(), &bytes);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs_err::metadata(store.hash_key_file())
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_is_never_shown_nor_replaced() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        store.hash_key(&lock, || [1; 32]).unwrap();
        for damaged in [
            "abcdef",
            "",
            &"0g".repeat(32),
            &"00".repeat(33),
            &"ä".repeat(32),
        ] {
            fs_err::write(store.hash_key_file(), damaged).unwrap();
            let error = store.hash_key(&lock, || [2; 32]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(damaged.is_empty() || !error.to_string().contains(damaged));
        }
    }

    #[test]
    fn a_lost_key_is_not_made_anew_beside_hashed_events() {
        let (_folder, store) = store();
        let lock = store.lock().unwrap();
        let day = store.events_dir(af_model::UtcDay(20_000));
        fs_err::create_dir_all(day).unwrap();
        let error = store.hash_key(&lock, || [2; 32]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.hint().unwrap().contains("backup"));
    }
}
