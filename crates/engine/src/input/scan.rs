//! Finding where a JSON value ends, bit by bit, without reading it.

/// The length of the value that `text` starts with, if it is whole and only white space follows.
pub(super) fn value_length(text: &[u8]) -> Option<usize> {
    let length = Scan::default().find_end(text)?;
    text[length..]
        .iter()
        .all(u8::is_ascii_whitespace)
        .then_some(length)
}

/// Whether `text` starts with a whole object that another one follows on the same line.
pub(super) fn is_run_of_objects(text: &[u8]) -> bool {
    Scan::default().find_end(text).is_some_and(|length| {
        let rest = &text[length..];
        let next = rest
            .iter()
            .find(|byte| !matches!(byte, b' ' | b'\t' | b','));
        text.starts_with(b"{") && next == Some(&b'{')
    })
}

/// Whether a line leaves a list open in which the next line may start an element.
pub(super) fn awaits_element(line: &[u8]) -> bool {
    let mut open = Vec::new();
    let (mut in_string, mut escaped, mut last) = (false, false, b' ');
    for &byte in line.trim_ascii_end() {
        last = byte;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => open.push(byte),
            b'}' | b']' => {
                open.pop();
            }
            _ => {}
        }
    }
    !in_string && matches!(last, b'[' | b',') && open.last() == Some(&b'[')
}

/// Follows brackets and strings to the end of one JSON value.
#[derive(Debug, Default)]
pub(super) struct Scan {
    depth: u64,
    text: Text,
    value: Value,
}

/// Where in a string the scan is.
#[derive(Debug, Default)]
enum Text {
    #[default]
    Outside,
    Inside,
    BehindBackslash,
}

/// What was seen of the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Value {
    #[default]
    Nothing,
    Something,
    /// A run of brackets that close nothing.
    Closers,
}

impl Scan {
    /// The length up to the value's end within `bytes`, which continue what was scanned before. A
    /// value that is neither object nor array ends before the next separator.
    ///
    /// No string spans lines: one that does was never closed, so it ends with its line. Its event is
    /// broken; the next one need not be.
    pub(super) fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, &byte) in bytes.iter().enumerate() {
            match self.text {
                Text::Outside => {}
                Text::Inside | Text::BehindBackslash if byte == b'\n' => {
                    self.text = Text::Outside;
                    if self.depth == 0 {
                        return Some(index);
                    }
                    continue;
                }
                Text::BehindBackslash => {
                    self.text = Text::Inside;
                    continue;
                }
                Text::Inside => {
                    match byte {
                        b'\\' => self.text = Text::BehindBackslash,
                        b'"' => self.text = Text::Outside,
                        _ => {}
                    }
                    continue;
                }
            }
            if self.value == Value::Closers && !matches!(byte, b'}' | b']') {
                return Some(index);
            }
            match byte {
                b'"' => self.text = Text::Inside,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => match (self.depth, self.value) {
                    // A closing bracket of the enclosing array ends a bare value before it.
                    (0, Value::Something) => return Some(index),
                    (0, _) => {
                        self.value = Value::Closers;
                        continue;
                    }
                    (1, _) => return Some(index + 1),
                    _ => self.depth -= 1,
                },
                b',' | b'\n' if self.depth == 0 && self.value == Value::Something => {
                    return Some(index);
                }
                _ => {}
            }
            self.value = Value::Something;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Option<usize> {
        let whole = Scan::default().find_end(text.as_bytes());
        // Bit by bit the end is the same.
        let mut scan = Scan::default();
        let bit_by_bit = text
            .bytes()
            .enumerate()
            .find_map(|(place, byte)| scan.find_end(&[byte]).map(|length| place + length));
        assert_eq!(whole, bit_by_bit, "{text}");
        whole
    }

    #[test]
    fn values_end_where_they_end() {
        assert_eq!(end("{\"a\":\"}\\\"]\"} x"), Some(12));
        assert_eq!(end("[1,[2]],3"), Some(7));
        assert_eq!(end("7,8"), Some(1));
        assert_eq!(end("7]"), Some(1));
        assert_eq!(end("}}]}x"), Some(4));
        assert_eq!(end("{\"a\":1"), None);
    }

    #[test]
    fn an_open_string_ends_with_its_line() {
        assert_eq!(end("\"cut\n{}"), Some(4));
        assert_eq!(end("{\"a\":\"cut\\\n}{}"), Some(12));
    }

    #[test]
    fn an_open_list_is_told_from_a_line_cut_off() {
        assert!(awaits_element(b"{\"data\":{\"events\":["));
        assert!(awaits_element(b"{\"logs\":[{\"a\":\"]\"},\r"));
        for cut in ["{\"a\":", "{\"a\":\"[", "{\"a\":[1", "{\"a\":[1],", "{"] {
            assert!(!awaits_element(cut.as_bytes()), "{cut}");
        }
    }

    #[test]
    fn objects_side_by_side_are_told_from_a_line() {
        assert!(is_run_of_objects(b"{\"a\":1}{\"b\":1}"));
        assert!(is_run_of_objects(b"{\"a\":1}, {\"b\":1}"));
        assert!(!is_run_of_objects(b"{\"a\":1}\n{\"b\":1}"));
        assert!(!is_run_of_objects(b"{\"a\":1"));
        assert!(!is_run_of_objects(b"1{\"a\":1}"));
    }
}
