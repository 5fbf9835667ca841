//! Secrets have no place in the configuration: what looks like one is refused unread.

/// Words that name a secret when a key has them.
const WORDS: [&str; 10] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "apikey",
    "api_key",
    "private_key",
    "hash_key",
];

/// How secrets begin that are met around Okta: API tokens, bearer tokens, JSON web tokens, keys.
const BEGINNINGS: [&str; 4] = ["SSWS ", "Bearer ", "eyJ", "-----BEGIN"];

/// What to do instead.
pub(super) const HINT: &str = "secrets never stand in the configuration: put it into a file of its \
     own or into the environment, and take it out of here";

/// Whether a key's name says that a secret follows.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    WORDS.iter().any(|word| name.contains(word))
}

/// Whether a value looks like a secret.
pub(super) fn is_secret_value(value: &str) -> bool {
    BEGINNINGS
        .iter()
        .any(|beginning| value.trim_start().starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_of_secrets_are_seen() {
        for name in ["token", "okta_api_token", "API-KEY", "Password2"] {
            assert!(is_secret_name(name), "{name}");
        }
        assert!(!is_secret_name("folders"));
        assert!(is_secret_value("SSWS 00abc"));
        assert!(!is_secret_value("drop/*.ndjson.gz"));
    }
}
