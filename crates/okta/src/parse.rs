//! From bytes to a shape: UTF-8 once, a bound on nesting, then one typed pass.

use serde::de::DeserializeSeed;
use serde_json::Deserializer;

use crate::lenient::{InPlace, Object};
use crate::reject::{Reject, RejectReason};

/// Deepest nesting of objects and lists that is read; an event nested deeper is refused.
///
/// Okta's own events stay below ten. It is the depth that JSON readers commonly accept, so that
/// whatever passes here can be read again everywhere.
pub const MAX_DEPTH: usize = 127;

/// Reads one JSON object into an empty shape.
pub(crate) fn object<'a, T: Object<'a>>(json: &'a [u8], into: &mut T) -> Result<(), Reject> {
    let text = checked_text(json)?;
    let mut reader = Deserializer::from_str(text);
    InPlace(into)
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| Reject::whole(reason_of(&error)))?;
    if text.starts_with('{') {
        return Ok(());
    }
    // A number or a list reads as an empty shape, which would be a puzzling reject.
    Err(Reject::whole(RejectReason::NotAnObject))
}

/// Bytes as trimmed text without a byte-order mark, nested no deeper than [`MAX_DEPTH`].
pub(crate) fn checked_text(json: &[u8]) -> Result<&str, Reject> {
    let text = std::str::from_utf8(json).map_err(|_| Reject::whole(RejectReason::NotUtf8))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if is_too_deep(text.as_bytes()) {
        return Err(Reject::whole(RejectReason::TooDeep));
    }
    Ok(text)
}

/// Why the reader gave up.
pub(crate) fn reason_of(error: &serde_json::Error) -> RejectReason {
    // The reader tells these two apart in words only.
    let words = error.to_string();
    if words.starts_with("number out of range") {
        RejectReason::NumberOutOfRange
    } else if words.starts_with("recursion limit exceeded") {
        RejectReason::TooDeep
    } else {
        RejectReason::NotJson
    }
}

fn is_too_deep(json: &[u8]) -> bool {
    // Few events have that many brackets at all; only those are walked.
    let count = |mark| memchr::memchr_iter(mark, json).count();
    count(b'{') + count(b'[') > MAX_DEPTH && depth(json) > MAX_DEPTH
}

/// Greatest nesting; brackets inside strings do not count.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for &byte in json {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Entity;

    fn reason(json: &[u8]) -> Option<RejectReason> {
        let read = object(json, &mut Entity::default());
        read.err().map(|reject| reject.reason)
    }

    #[test]
    fn each_kind_of_rubbish_has_its_reason() {
        assert_eq!(reason(b"\xff{}"), Some(RejectReason::NotUtf8));
        assert_eq!(reason(b""), Some(RejectReason::NotJson));
        assert_eq!(reason(b"{\"a\":1"), Some(RejectReason::NotJson));
        assert_eq!(reason(b"{} {}"), Some(RejectReason::NotJson));
        assert_eq!(reason(b"[{}]"), Some(RejectReason::NotAnObject));
        assert_eq!(reason(b"null"), Some(RejectReason::NotAnObject));
        assert_eq!(reason(b"\xef\xbb\xbf {} \r\n"), None);
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_texts_are_no_nesting() {
        let nested = |depth: usize| {
            format!(
                "{{\"a\":{}{}}}",
                "[".repeat(depth - 1),
                "]".repeat(depth - 1)
            )
        };
        assert_eq!(reason(nested(MAX_DEPTH).as_bytes()), None);
        assert_eq!(
            reason(nested(MAX_DEPTH + 1).as_bytes()),
            Some(RejectReason::TooDeep)
        );
        assert_eq!(
            reason(nested(1_000_000).as_bytes()),
            Some(RejectReason::TooDeep)
        );
        let text = format!("{{\"a\":\"\\\"{}\"}}", "[".repeat(1000));
        assert_eq!(reason(text.as_bytes()), None);
        let wide = format!("{{\"a\":[{}0]}}", "[],".repeat(1000));
        assert_eq!(reason(wide.as_bytes()), None);
    }
}
