//! Walking through JSON text without reading it into values, so that every part keeps its place.
//!
//! The walk trusts brackets and quotes only. On text that is no JSON it ends early or yields parts
//! that no reader will accept; it never panics and never goes back.

use std::borrow::Cow;

/// Where `part` starts in `whole`, of which it is a slice.
pub(crate) fn place_of(whole: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}

/// The members of the object that `text` starts with, in their order.
pub(crate) fn members(text: &str) -> Members<'_> {
    Members {
        text,
        at: skip_blank(text, usize::from(text.starts_with('{'))),
        open: text.starts_with('{'),
    }
}

/// The elements of the list that `text` starts with, in their order.
pub(crate) fn elements(text: &str) -> Elements<'_> {
    Elements {
        text,
        at: skip_blank(text, usize::from(text.starts_with('['))),
        open: text.starts_with('['),
    }
}

/// The values that stand one after another in a text: lines, an array, objects printed over several
/// lines, objects without anything between them. A value that never ends reaches to the next line
/// that starts with an object, so it costs itself only; what follows is then read line by line, so
/// that no text is walked more than twice.
pub(crate) fn sequence(text: &str) -> Sequence<'_> {
    Sequence {
        text,
        at: 0,
        by_line: false,
    }
}

/// See [`members`].
pub(crate) struct Members<'a> {
    text: &'a str,
    at: usize,
    open: bool,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text;
        if !self.open || text.as_bytes().get(self.at) != Some(&b'"') {
            return None;
        }
        let key_end = string_end(text, self.at)?;
        let key = string(&text[self.at..key_end])?;
        let colon = skip_blank(text, key_end);
        if text.as_bytes().get(colon) != Some(&b':') {
            return None;
        }
        let start = skip_blank(text, colon + 1);
        let end = value_end(text, start)?;
        (self.at, self.open) = behind_comma(text, end);
        Some((key, &text[start..end]))
    }
}

/// See [`elements`].
pub(crate) struct Elements<'a> {
    text: &'a str,
    at: usize,
    open: bool,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text;
        if !self.open || text.as_bytes().get(self.at) == Some(&b']') {
            return None;
        }
        let end = value_end(text, self.at)?;
        let element = &text[self.at..end];
        (self.at, self.open) = behind_comma(text, end);
        Some(element)
    }
}

/// See [`sequence`].
pub(crate) struct Sequence<'a> {
    text: &'a str,
    at: usize,
    by_line: bool,
}

impl<'a> Iterator for Sequence<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.text;
        let start = text[self.at..]
            .find(|c: char| !matches!(c, ' ' | '\t' | '\r' | '\n' | ',' | '[' | ']'))
            .map(|gap| self.at + gap)?;
        let end_before = |mark: &str| text[start..].find(mark).map(|gap| start + gap);
        let end = if self.by_line {
            let line = &text[..end_before("\n").unwrap_or(text.len())];
            value_end(line, start).unwrap_or(line.len())
        } else {
            value_end(text, start).unwrap_or_else(|| {
                self.by_line = true;
                end_before("\n{").unwrap_or(text.len())
            })
        };
        self.at = end;
        Some(text[start..end].trim_end())
    }
}

/// The text of a JSON string; `None` for what is none.
pub(crate) fn string(literal: &str) -> Option<Cow<'_, str>> {
    let inside = literal.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') {
        serde_json::from_str(literal).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inside))
    }
}

fn skip_blank(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let rest = bytes.get(from..).unwrap_or_default();
    let blank = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    from + blank.count()
}

/// The place of what follows a comma, and whether there was one.
fn behind_comma(text: &str, from: usize) -> (usize, bool) {
    let comma = skip_blank(text, from);
    if text.as_bytes().get(comma) == Some(&b',') {
        (skip_blank(text, comma + 1), true)
    } else {
        (comma, false)
    }
}

/// The end of the value that starts at `start`; `None` if it never ends or is empty.
fn value_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.get(start)? {
        b'"' => string_end(text, start),
        b'{' | b'[' => {
            let mut depth = 0_usize;
            let mut at = start;
            while let Some(gap) = bytes[at..]
                .iter()
                .position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'))
            {
                at += gap;
                match bytes[at] {
                    b'"' => {
                        at = string_end(text, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    _ => depth -= 1,
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            None
        }
        _ => {
            let rest = &bytes[start..];
            let end = rest
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b'\n'))
                .unwrap_or(rest.len());
            let length = rest[..end].trim_ascii_end().len();
            (length > 0).then_some(start + length)
        }
    }
}

/// The end of the string whose opening quote is at `start`. A line end is no part of a string.
fn string_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    loop {
        let gap = memchr::memchr3(b'"', b'\\', b'\n', bytes.get(at..)?)?;
        at += gap;
        match bytes[at] {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn members_and_elements_keep_their_places() {
        let text = "{ \"a\" : [1, {\"b\": \"]}\\\"\"} ] ,\n\"c\\u0064\":null}";
        let found: Vec<_> = members(text)
            .map(|(key, value)| (key.into_owned(), value, place_of(text, value)))
            .collect();
        assert_eq!(
            found,
            [
                ("a".to_owned(), "[1, {\"b\": \"]}\\\"\"} ]", 8),
                ("cd".to_owned(), "null", text.len() - 5),
            ]
        );
        assert_eq!(
            elements(found[0].1).collect::<Vec<_>>(),
            ["1", "{\"b\": \"]}\\\"\"}"]
        );
        assert_eq!(elements("[]").count() + elements("[ ]").count(), 0);
        assert_eq!(members("{}").count() + members("null").count(), 0);
    }

    #[test]
    fn a_text_of_several_values_is_cut_into_them() {
        let of = |text| sequence(text).collect::<Vec<_>>();
        assert_eq!(of("{\"a\":1}{\"b\":2}"), ["{\"a\":1}", "{\"b\":2}"]);
        assert_eq!(
            of("{\"a\":1},\n[{\n\"b\":2}]\n"),
            ["{\"a\":1}", "{\n\"b\":2}"]
        );
        assert_eq!(
            of("{\"a\": \"cut\n{\"b\":2}\nrubbish \n"),
            ["{\"a\": \"cut", "{\"b\":2}", "rubbish"]
        );
        assert_eq!(of(" [ ] "), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_text_is_walked_to_its_end(text in "[\\[\\]{}\",:\\\\a1 \n\u{e9}]{0,60}") {
            let covered: usize = sequence(&text).map(str::len).sum();
            prop_assert!(covered <= text.len());
            prop_assert!(members(&text).count() <= text.len());
            prop_assert!(elements(&text).count() <= text.len());
        }

        #[test]
        fn a_sound_object_has_the_members_that_a_reader_finds(
            values in proptest::collection::btree_map("[a-z\"\\\\]{1,4}", "\\PC{0,8}", 0..5)
        ) {
            let text = serde_json::to_string_pretty(&values).unwrap();
            let found: Vec<(String, Value)> = members(&text)
                .map(|(key, value)| (key.into_owned(), serde_json::from_str(value).unwrap()))
                .collect();
            let expected: Vec<(String, Value)> =
                values.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
