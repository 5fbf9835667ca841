//! Hashes: content ids, which anybody may recompute, and keyed hashes, which hide what a person
//! typed into a user-name field.

use std::fmt;

use blake3::Hasher;

/// 128 bits of BLAKE3 as 32 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HexHash(pub [u8; 16]);

impl HexHash {
    /// Hashes parts unambiguously: each is preceded by its length, so `["ab"]` and `["a", "b"]`
    /// differ.
    ///
    /// ```
    /// use af_model::HexHash;
    /// assert_ne!(HexHash::of_parts(["ab"]), HexHash::of_parts(["a", "b"]));
    /// ```
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::finish(Hasher::new(), parts)
    }

    fn finish<'a>(mut hasher: Hasher, parts: impl IntoIterator<Item = &'a str>) -> Self {
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(digest)
    }
}

impl fmt::Display for HexHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The secret key of every keyed hash of a store. Never printed: its `Debug` says nothing.
#[derive(Clone)]
pub struct HashKey([u8; 32]);

impl HashKey {
    /// A key from 32 bytes of a secure random source.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the one file that keeps them.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The keyed hash of an identifier of one tenant. The same identifier of two tenants gives two
    /// unrelated hashes. `key` should be normalized first ([`crate::key::normalize_key`]).
    pub fn identifier(&self, tenant_uid: &str, key: &str) -> HexHash {
        HexHash::finish(Hasher::new_keyed(&self.0), [tenant_uid, key])
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_shows_itself() {
        assert_eq!(format!("{:?}", HashKey::new([7; 32])), "HashKey(…)");
    }

    #[test]
    fn one_name_in_two_tenants_gives_unrelated_hashes() {
        let key = HashKey::new([7; 32]);
        assert_ne!(key.identifier("a", "joe"), key.identifier("b", "joe"));
        assert_ne!(
            key.identifier("a", "joe"),
            HashKey::new([8; 32]).identifier("a", "joe")
        );
        assert_eq!(key.identifier("a", "joe").to_string().len(), 32);
    }
}
