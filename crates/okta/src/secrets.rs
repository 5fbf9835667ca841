//! Secrets in debugData: values whose names say so are replaced.
//!
//! Client secrets, session tokens and recovery links do appear in real logs. What a key, a JSON
//! field or a URL parameter calls a token, secret, password, authorization or cookie becomes
//! "redacted". Names that only speak *about* secrets (`tokenId`, `authorizationServer`,
//! `passwordPolicy`) keep their values, and so does `dtHash`. Verdicts are no secrets either: "Password
//! Spray" is the name of a detection, and its value is a level.

use std::borrow::Cow;

use serde_json::Value;

const REDACTED: &str = "redacted";

const SECRET_WORDS: [&str; 9] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passcode",
    "cookie",
    "authorization",
    "apikey",
    "privatekey",
];

/// Endings that make a name speak about a secret rather than hold it.
const ABOUT: [&str; 15] = [
    "id",
    "ids",
    "type",
    "types",
    "name",
    "server",
    "method",
    "methods",
    "policy",
    "status",
    "lifetime",
    "enabled",
    "count",
    "expiry",
    "expiration",
];

/// Values that no secret is: flags, levels and verdicts.
const VERDICTS: [&str; 16] = [
    "",
    "null",
    "true",
    "false",
    "NONE",
    "LOW",
    "MEDIUM",
    "HIGH",
    "POSITIVE",
    "NEGATIVE",
    "UNKNOWN",
    "BAD_REQUEST",
    "ENABLED",
    "DISABLED",
    "ACTIVE",
    "INACTIVE",
];

fn is_verdict(value: &str) -> bool {
    let value = value.trim();
    VERDICTS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Whether a value of this name is a secret.
fn names_secret(name: &str) -> bool {
    let word: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    SECRET_WORDS.iter().any(|secret| word.contains(secret))
        && !ABOUT.iter().any(|about| word.ends_with(about))
}

/// The beginnings of [`SECRET_WORDS`].
const BEGINNINGS: [[u8; 2]; 7] = [*b"to", *b"se", *b"pa", *b"co", *b"au", *b"ap", *b"pr"];

/// For each byte, in either case, of which beginnings it is the first letter and of which the second:
/// one bit each.
static BEGINS: [(u8, u8); 256] = {
    let mut table = [(0, 0); 256];
    let mut index = 0;
    while index < BEGINNINGS.len() {
        let [first, second] = BEGINNINGS[index];
        table[first as usize].0 |= 1 << index;
        table[first.to_ascii_uppercase() as usize].0 |= 1 << index;
        table[second as usize].1 |= 1 << index;
        table[second.to_ascii_uppercase() as usize].1 |= 1 << index;
        index += 1;
    }
    table
};

/// Whether a secret word occurs at all, in any case: a cheap look before a thorough one. Every
/// detail of every event is looked at, so two letters must do for almost all of them.
fn speaks_of_secrets(text: &str) -> bool {
    const WRITTEN_APART: [&str; 4] = ["api_key", "api-key", "private_key", "private-key"];
    let bytes = text.as_bytes();
    let words_at = |at: usize| {
        let mut words = SECRET_WORDS.iter().chain(&WRITTEN_APART);
        words.any(|word| {
            bytes
                .get(at..at + word.len())
                .is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    let may_start =
        |pair: &[u8]| BEGINS[usize::from(pair[0])].0 & BEGINS[usize::from(pair[1])].1 != 0;
    let mut pairs = bytes.windows(2).enumerate();
    pairs.any(|(at, pair)| may_start(pair) && words_at(at))
}

/// The value of a debugData entry without secrets.
pub(crate) fn redact<'a>(key: &str, value: Cow<'a, str>) -> Cow<'a, str> {
    if speaks_of_secrets(key) && names_secret(key) && !is_verdict(&value) {
        return Cow::Borrowed(REDACTED);
    }
    // Only JSON and assignments can hold a named secret.
    let may_name = memchr::memchr2(b'=', b'"', value.as_bytes()).is_some();
    if !may_name || !speaks_of_secrets(&value) {
        return value;
    }
    if value.trim_start().starts_with(['{', '['])
        && let Ok(mut json) = serde_json::from_str::<Value>(&value)
    {
        return if redact_json(&mut json, false) {
            Cow::Owned(json.to_string())
        } else {
            value
        };
    }
    match redact_assignments(&value) {
        Some(redacted) => Cow::Owned(redacted),
        None => value,
    }
}

/// Redacts texts under secret names; says whether anything changed.
fn redact_json(json: &mut Value, secret: bool) -> bool {
    match json {
        Value::String(text) if secret && !is_verdict(text) => {
            REDACTED.clone_into(text);
            true
        }
        Value::String(text) => {
            let redacted = match redact("", Cow::Borrowed(text)) {
                Cow::Borrowed(_) => None,
                Cow::Owned(redacted) => Some(redacted),
            };
            let changed = redacted.is_some();
            *text = redacted.unwrap_or_else(|| std::mem::take(text));
            changed
        }
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |changed, item| redact_json(item, secret) | changed),
        Value::Object(fields) => fields.iter_mut().fold(false, |changed, (name, value)| {
            redact_json(value, secret || names_secret(name)) | changed
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Redacts `name=value` in queries, fragments and maps printed as text. `None` if nothing changed.
fn redact_assignments(text: &str) -> Option<String> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    let ends_value =
        |character: char| character.is_whitespace() || "&;,}\"'<>#".contains(character);
    let mut redacted = String::new();
    let mut copied = 0;
    for (at, _) in text.match_indices('=') {
        if at < copied {
            continue;
        }
        let before = &text[copied..at];
        let name_start = before.trim_end_matches(is_name).len();
        if names_secret(&before[name_start..]) {
            let value = &text[at + 1..];
            let length = value.find(ends_value).unwrap_or(value.len());
            if !is_verdict(&value[..length]) {
                redacted.push_str(&text[copied..=at]);
                redacted.push_str(REDACTED);
                copied = at + 1 + length;
            }
        }
    }
    if copied == 0 {
        return None;
    }
    redacted.push_str(&text[copied..]);
    Some(redacted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(key: &str, value: &str) -> String {
        redact(key, Cow::Borrowed(value)).into_owned()
    }

    #[test]
    fn what_is_called_a_secret_is_gone() {
        for key in [
            "clientSecret",
            "client_secret",
            "sessionToken",
            "newPassword",
            "Authorization",
            "setCookie",
            "api-key",
            "passcode",
        ] {
            assert_eq!(value(key, "s3cr3t"), "redacted", "{key}");
        }
    }

    #[test]
    fn what_only_speaks_about_secrets_stays() {
        for key in [
            "dtHash",
            "authorizationServer",
            "defaultAuthorizationServer",
            "tokenId",
            "tokenType",
            "passwordPolicy",
            "clientAuthMethod",
            "requestUri",
        ] {
            assert_eq!(value(key, "s3cr3t"), "s3cr3t", "{key}");
        }
        assert_eq!(value("passwordChanged", "true"), "true");
        assert_eq!(value("factor", "PASSWORD_AS_FACTOR"), "PASSWORD_AS_FACTOR");
    }

    #[test]
    fn queries_and_printed_maps_lose_their_secrets() {
        assert_eq!(
            value("url", "/r?token=abc&next=%2Fhome&id_token=x.y.z#f"),
            "/r?token=redacted&next=%2Fhome&id_token=redacted#f"
        );
        assert_eq!(
            value("attributes", "{client_secret=abc, name=x}"),
            "{client_secret=redacted, name=x}"
        );
        assert_eq!(
            value("url", "/r?client_id=1&grant=token"),
            "/r?client_id=1&grant=token"
        );
    }

    #[test]
    fn json_loses_its_secrets_and_keeps_its_figures() {
        assert_eq!(
            value("data", r#"{"password":{"value":"x","min":8},"user":"joe"}"#),
            r#"{"password":{"min":8,"value":"redacted"},"user":"joe"}"#
        );
        let harmless = r#"{ "password.minLength": 8 }"#;
        assert_eq!(value("data", harmless), harmless);
    }

    #[test]
    fn a_detection_called_password_keeps_its_level() {
        for kept in [
            r#"{"Password Spray":"HIGH"}"#,
            "{Leaked password=POSITIVE, New cookie=NEGATIVE}",
        ] {
            assert_eq!(value("threatDetections", kept), kept);
        }
    }

    #[test]
    fn every_word_is_seen_wherever_it_stands_and_however_it_is_written() {
        for word in SECRET_WORDS
            .iter()
            .chain(&["api_key", "API-KEY", "private_key", "Private-Key"])
        {
            for text in [
                (*word).to_owned(),
                format!("x{word}s"),
                word.to_ascii_uppercase(),
            ] {
                assert!(speaks_of_secrets(&text), "{text}");
                assert!(!speaks_of_secrets(&text[..text.len() - 2]), "{text}");
            }
        }
        assert!(!speaks_of_secrets(""));
    }

    #[test]
    fn many_equal_signs_cost_little() {
        let text = format!("token{}", "=".repeat(200_000));
        assert!(value("url", &text).starts_with("token=redacted"));
    }
}
