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

/// Whether a value begins as secrets do, or is a key written as JSON.
pub(super) fn begins_as_secret(value: &str) -> bool {
    let value = value.trim_start();
    BEGINNINGS
        .iter()
        .any(|beginning| value.starts_with(beginning))
        || (value.starts_with('{') && value.contains("\"kty\""))
}

/// Whether a value looks like an API token or a client secret: one long word of letters in both
/// cases and digits. Names and patterns that people write are none.
pub(super) fn looks_random(value: &str) -> bool {
    let value = value.trim();
    value.len() >= 40
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && value.bytes().any(|byte| byte.is_ascii_lowercase())
        && value.bytes().any(|byte| byte.is_ascii_uppercase())
        && value.bytes().any(|byte| byte.is_ascii_digit())
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
        for value in ["SSWS 00abc", " -----BEGIN KEY", r#"{"kty":"RSA","d":"x"}"#] {
            assert!(begins_as_secret(value), "{value}");
        }
        assert!(looks_random("00QwErTyUiOpAsDfGhJkLzXcVbNm1234567890_-Ab"));
        for value in [
            "drop/*.ndjson.gz",
            "ACME_OKTA_PRODUCTION_PRIVATE_KEY_FOR_THE_PULL_2026",
            "6f1c6f5e-8a37-4d4c-9a3e-3b8a1d2f0c11",
        ] {
            assert!(!begins_as_secret(value) && !looks_random(value), "{value}");
        }
    }
}
