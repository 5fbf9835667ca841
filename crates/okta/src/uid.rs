//! An event's id: one spelling of each, and what is none although it looks like one.

use std::borrow::Cow;

use af_model::HashKey;
use serde_json::Value;

/// An event's id as it is stored: a UUID in lower case, since other programs write UUIDs in capitals
/// and it is the same event; anything else as it is, trimmed.
///
/// ```
/// use af_okta::event_uid;
///
/// let capitals = "6E2C79F0-8BD5-4C9E-9F2E-0B51C7F0D1A3";
/// assert_eq!(event_uid(capitals), "6e2c79f0-8bd5-4c9e-9f2e-0b51c7f0d1a3");
/// assert_eq!(event_uid("Event-1"), "Event-1");
/// ```
pub fn event_uid(text: &str) -> Cow<'_, str> {
    canonical(Cow::Borrowed(text.trim()))
}

/// The same for a text that may be owned.
pub(crate) fn canonical(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) && is_uuid(&text) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        text
    }
}

fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && [8, 13, 18, 23].iter().all(|&place| bytes[place] == b'-')
        && bytes.iter().filter(|byte| byte.is_ascii_hexdigit()).count() == 32
}

/// Whether an id was put there by somebody who took the real one away: one of the usual words, one
/// character repeated, or a UUID whose every group is one digit repeated. Such an id tells no event
/// from another.
pub(crate) fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 15] = [
        "",
        "unknown",
        "null",
        "none",
        "nil",
        "undefined",
        "na",
        "redacted",
        "masked",
        "hidden",
        "removed",
        "anonymized",
        "placeholder",
        "string",
        "uuid",
    ];
    // Almost every id is a UUID, which is none of the words.
    if is_uuid(text) {
        let mut groups = text.split('-').map(str::as_bytes);
        return groups.all(|group| {
            let same = |byte: &u8| byte.eq_ignore_ascii_case(&group[0]);
            group.iter().all(same)
        });
    }
    let mut letters = text
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
        .map(|byte| byte.to_ascii_lowercase());
    if WORDS.iter().any(|word| letters.clone().eq(word.bytes())) {
        return true;
    }
    let first = letters.clone().next();
    letters.clone().count() >= 8 && letters.all(|byte| Some(byte) == first)
}

/// The id of an event that has a placeholder for one: a keyed hash of its content, whatever its
/// blanks and the order of its keys. So the same event read twice is still known, and two different
/// ones are not taken for each other.
pub(crate) fn of_content(key: &HashKey, tenant: &str, json: &[u8]) -> String {
    format!("content-{}", key.identifier(tenant, &content(json)))
}

/// What a text says, whatever its blanks and the order of its keys; of a text that is no JSON, its
/// bytes.
pub(crate) fn content(json: &[u8]) -> String {
    let mut text = String::new();
    match serde_json::from_slice(json) {
        Ok(value) => write_sorted(&value, &mut text),
        Err(_) => text = json.escape_ascii().to_string(),
    }
    text
}

/// JSON with keys in order; as deep as the event, which is bounded.
fn write_sorted(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (key, value) in members {
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_sorted(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for value in values {
                write_sorted(value, text);
                text.push(',');
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_ids() {
        for placeholder in [
            "unknown",
            "N/A",
            "-",
            "***",
            "[REDACTED]",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "11111111-2222-3333-4444-555555555555",
            "XXXXXXXXXXXXXXXX",
            "x-x-x-x-x-X-X-X",
        ] {
            assert!(is_placeholder(placeholder), "{placeholder}");
        }
        for id in [
            "e1",
            "1",
            "aaaa",
            "1-1-1-1-1-1-1",
            "evt-001",
            "00000000-0000-0000-0000-000000000001",
            "dc9fd3c0-598c-11ef-8478-2b7584bf8d5a",
        ] {
            assert!(!is_placeholder(id), "{id}");
        }
    }

    #[test]
    fn a_content_id_sees_content_only() {
        let key = HashKey::new([3; 32]);
        let id = |json: &str| of_content(&key, "acme", json.as_bytes());
        assert_eq!(
            id(r#"{"b":[1,{"d":2,"c":1}],"a":null}"#),
            id("{ \"a\":null,\n\"b\":[1,{\"c\":1,\"d\":2}]}")
        );
        assert_ne!(id(r#"{"a":1}"#), id(r#"{"a":2}"#));
        assert_ne!(id(r#"{"a":1}"#), of_content(&key, "other", br#"{"a":1}"#));
    }
}
