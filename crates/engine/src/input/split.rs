//! Cutting a byte stream into events.
//!
//! Three shapes are met: one object per line (NDJSON), an array of objects (an API page), and
//! objects printed over several lines. The first object of the stream decides between lines and
//! structure. Lines are the hardy shape: a broken event costs its own line and no more. Structure
//! follows brackets and strings, so a broken event may take its successors with it; they are then
//! one refused piece, never silently lost.

use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr;

/// Events longer than this are refused: real ones are a few kilobytes, and memory must be bounded.
pub const MAX_EVENT_BYTES: usize = 16 << 20;

/// How many bytes a chunk holds before it is handed out.
const CHUNK_BYTES: usize = 8 << 20;

const READ_BYTES: usize = 1 << 18;

/// Why a piece cannot be an event, known before parsing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Longer than [`MAX_EVENT_BYTES`]; its content was skipped.
    TooLarge,
    /// The stream broke off: truncated compression or a read error.
    Truncated,
}

impl Fault {
    /// The reason written to the quarantine.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Truncated => "truncated_input",
        }
    }
}

/// One candidate event and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where its bytes are in [`Chunk::bytes`]; empty for a faulty piece.
    pub range: Range<usize>,
    /// Line on which it starts, from 1.
    pub line: u64,
    /// Byte at which it starts in the decompressed stream, from 0.
    pub byte_offset: u64,
    /// Its length in bytes, also when its content was skipped.
    pub length: u64,
    /// Why it cannot be an event.
    pub fault: Option<Fault>,
}

/// Some consecutive events of a stream.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The bytes that the pieces point into.
    pub bytes: Vec<u8>,
    /// The candidate events in stream order.
    pub pieces: Vec<Piece>,
}

impl Chunk {
    /// The bytes of a piece.
    pub fn text(&self, piece: &Piece) -> &[u8] {
        &self.bytes[piece.range.clone()]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Undecided,
    Lines,
    Structure,
}

/// Cuts a stream into [`Chunk`]s of events.
pub struct Splitter<R> {
    reader: R,
    buffer: Vec<u8>,
    /// First byte of `buffer` not yet handed out.
    start: usize,
    /// Place of `buffer[start]` in the stream.
    offset: u64,
    line: u64,
    shape: Shape,
    at_end: bool,
    broke_off: bool,
}

impl<R: Read> Splitter<R> {
    /// A splitter at the start of a stream.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            start: 0,
            offset: 0,
            line: 1,
            shape: Shape::Undecided,
            at_end: false,
            broke_off: false,
        }
    }

    /// The next events, or `None` at the end of the stream. A stream that breaks off ends with a
    /// faulty piece; what came before it is whole.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        let mut chunk = Chunk::default();
        while chunk.bytes.len() < CHUNK_BYTES {
            let Some(piece) = self.next_piece(&mut chunk.bytes) else {
                break;
            };
            chunk.pieces.push(piece);
        }
        (!chunk.pieces.is_empty()).then_some(chunk)
    }

    fn next_piece(&mut self, into: &mut Vec<u8>) -> Option<Piece> {
        self.skip_separators();
        if self.start == self.buffer.len() {
            // The separators ran to the end of the stream.
            return std::mem::take(&mut self.broke_off).then_some(Piece {
                range: into.len()..into.len(),
                line: self.line,
                byte_offset: self.offset,
                length: 0,
                fault: Some(Fault::Truncated),
            });
        }
        if self.shape == Shape::Undecided {
            self.shape = self.decide_shape();
        }
        let (line, byte_offset) = (self.line, self.offset);
        let end = match self.shape {
            Shape::Lines => self.end_of_line(),
            Shape::Structure | Shape::Undecided => self.end_of_value(),
        };
        let Some(length) = end else {
            let length = self.skip_oversized();
            return Some(Piece {
                range: into.len()..into.len(),
                line,
                byte_offset,
                length,
                fault: Some(Fault::TooLarge),
            });
        };
        let from = into.len();
        let text = self.buffer[self.start..self.start + length].trim_ascii_end();
        into.extend_from_slice(text);
        let kept = text.len() as u64;
        self.consume(length);
        Some(Piece {
            range: from..into.len(),
            line,
            byte_offset,
            length: kept,
            fault: None,
        })
    }

    /// Skips white space, a byte-order mark, and between structured values also `[`, `,` and `]`.
    fn skip_separators(&mut self) {
        loop {
            let structural = self.shape != Shape::Lines;
            let rest = &self.buffer[self.start..];
            let skipped = rest
                .iter()
                .take_while(|&&byte| {
                    byte.is_ascii_whitespace()
                        || (structural && matches!(byte, b'[' | b',' | b']'))
                        || (self.offset < 3 && matches!(byte, 0xef | 0xbb | 0xbf))
                })
                .count();
            if self.shape == Shape::Undecided && rest[..skipped].contains(&b'[') {
                self.shape = Shape::Structure;
            }
            let exhausted = skipped == rest.len();
            self.consume(skipped);
            if !exhausted || !self.fill() {
                return;
            }
        }
    }

    /// Lines, unless the first object spans several.
    fn decide_shape(&mut self) -> Shape {
        loop {
            let rest = &self.buffer[self.start..];
            if let Some(newline) = memchr(b'\n', rest) {
                if value_length(&rest[..newline]).is_some() {
                    return Shape::Lines;
                }
                // The first line is no whole value. If the second starts one in its first column,
                // the first is a broken line; a pretty-printed object goes on indented.
                let next = rest.get(newline + 1).copied();
                match next {
                    Some(b'{') => return Shape::Lines,
                    Some(_) => return Shape::Structure,
                    None => {}
                }
            }
            if self.buffer.len() - self.start > MAX_EVENT_BYTES || !self.fill() {
                return Shape::Lines;
            }
        }
    }

    fn end_of_line(&mut self) -> Option<usize> {
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.start..];
            if let Some(found) = memchr(b'\n', &rest[searched..]) {
                let length = searched + found;
                return (length <= MAX_EVENT_BYTES).then_some(length);
            }
            if rest.len() > MAX_EVENT_BYTES {
                return None;
            }
            searched = rest.len();
            if !self.fill() {
                return Some(self.buffer.len() - self.start);
            }
        }
    }

    fn end_of_value(&mut self) -> Option<usize> {
        let mut scan = Scan::default();
        let mut scanned = 0;
        loop {
            let rest = &self.buffer[self.start..];
            if let Some(length) = scan.find_end(&rest[scanned..]) {
                let length = scanned + length;
                return (length <= MAX_EVENT_BYTES).then_some(length);
            }
            if rest.len() > MAX_EVENT_BYTES {
                return None;
            }
            scanned = rest.len();
            if !self.fill() {
                return Some(self.buffer.len() - self.start);
            }
        }
    }

    /// Drops an event that is too large, holding one buffer of it at a time; returns its length.
    fn skip_oversized(&mut self) -> u64 {
        let mut scan = Scan::default();
        let mut length = 0;
        loop {
            let rest = &self.buffer[self.start..];
            let end = match self.shape {
                Shape::Lines => memchr(b'\n', rest),
                Shape::Structure | Shape::Undecided => scan.find_end(rest),
            };
            let skipped = end.unwrap_or(rest.len());
            length += skipped as u64;
            self.consume(skipped);
            if end.is_some() || !self.fill() {
                return length;
            }
        }
    }

    fn consume(&mut self, length: usize) {
        let passed = &self.buffer[self.start..self.start + length];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.offset += length as u64;
        self.start += length;
    }

    /// Reads more; false at the end of the stream.
    fn fill(&mut self) -> bool {
        if self.at_end {
            return false;
        }
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let held = self.buffer.len();
        self.buffer.resize(held + READ_BYTES, 0);
        let read = loop {
            match self.reader.read(&mut self.buffer[held..]) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.broke_off = true;
                    break 0;
                }
            }
        };
        self.buffer.truncate(held + read);
        self.at_end = read == 0;
        read > 0
    }
}

/// The length of the value that `text` starts with, if it is whole and only white space follows.
fn value_length(text: &[u8]) -> Option<usize> {
    let length = Scan::default().find_end(text)?;
    text[length..]
        .iter()
        .all(u8::is_ascii_whitespace)
        .then_some(length)
}

/// Follows brackets and strings to the end of one JSON value.
#[derive(Debug, Default)]
struct Scan {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// The length up to the value's end within `bytes`, which continue what was scanned before.
    /// A value that is neither object nor array ends before the next separator.
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, &byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    if self.depth <= 1 {
                        // A closing bracket of the enclosing array ends a bare value before it.
                        return Some(if self.depth == 0 {
                            index.max(1)
                        } else {
                            index + 1
                        });
                    }
                    self.depth -= 1;
                }
                b',' | b'\n' if self.depth == 0 && index > 0 => return Some(index),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &[u8]) -> Vec<(String, u64, Option<Fault>)> {
        let mut splitter = Splitter::new(text);
        let mut pieces = Vec::new();
        while let Some(chunk) = splitter.next_chunk() {
            for piece in &chunk.pieces {
                let text = String::from_utf8_lossy(chunk.text(piece)).into_owned();
                pieces.push((text, piece.line, piece.fault));
            }
        }
        pieces
    }

    fn texts(text: &str) -> Vec<String> {
        split(text.as_bytes())
            .into_iter()
            .map(|(text, ..)| text)
            .collect()
    }

    #[test]
    fn lines_arrays_and_printed_objects_give_the_same_events() {
        let expected = vec![
            r#"{"a":"]},{"}"#.to_owned(),
            r#"{"b":[1,{"c":2}]}"#.to_owned(),
        ];
        let lines = "{\"a\":\"]},{\"}\n{\"b\":[1,{\"c\":2}]}\n";
        assert_eq!(texts(lines), expected);
        assert_eq!(
            texts("\u{feff}[{\"a\":\"]},{\"},\n {\"b\":[1,{\"c\":2}]}]\n"),
            expected
        );
        assert_eq!(texts("{\"a\":\"]},{\"}"), expected[..1]);
        let printed = texts("{\n  \"a\": \"}\\\"\"\n}\n{\n  \"b\": 1\n}\n");
        assert_eq!(printed, ["{\n  \"a\": \"}\\\"\"\n}", "{\n  \"b\": 1\n}"]);
    }

    #[test]
    fn a_broken_line_costs_itself_only() {
        let found = split(b"{\"a\":\n{\"b\":1}\n\n  garbage\r\n{\"c\":1}");
        let expected = [
            ("{\"a\":", 1),
            ("{\"b\":1}", 2),
            ("garbage", 4),
            ("{\"c\":1}", 5),
        ];
        let found: Vec<_> = found
            .iter()
            .map(|(text, line, _)| (text.as_str(), *line))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_oversized_event_is_skipped_and_the_next_one_found() {
        let mut text = vec![b'x'; MAX_EVENT_BYTES + 5];
        text.extend_from_slice(b"\n{\"a\":1}\n");
        let found = split(&text);
        assert_eq!(found[0], (String::new(), 1, Some(Fault::TooLarge)));
        assert_eq!(found[1], ("{\"a\":1}".to_owned(), 2, None));
    }

    #[test]
    fn a_stream_that_breaks_off_says_so_after_its_whole_events() {
        struct Breaks(bool);
        impl Read for Breaks {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
                buffer[..8].copy_from_slice(b"{\"a\":1}\n");
                Ok(8)
            }
        }
        let mut splitter = Splitter::new(Breaks(false));
        let chunk = splitter.next_chunk().unwrap();
        assert_eq!(chunk.pieces.len(), 2);
        assert_eq!(chunk.pieces[1].fault, Some(Fault::Truncated));
        assert!(splitter.next_chunk().is_none());
    }

    proptest! {
        #[test]
        fn every_byte_that_is_no_separator_lands_in_one_piece(
            text in proptest::collection::vec(any::<u8>(), 0..300)
        ) {
            let mut splitter = Splitter::new(text.as_slice());
            let mut covered = 0;
            while let Some(chunk) = splitter.next_chunk() {
                for piece in &chunk.pieces {
                    let from = usize::try_from(piece.byte_offset).unwrap();
                    prop_assert!(from >= covered);
                    let between = &text[covered..from];
                    prop_assert!(between.iter().all(|byte| byte.is_ascii_whitespace()
                        || matches!(byte, b'[' | b']' | b',' | 0xef | 0xbb | 0xbf)));
                    prop_assert_eq!(&text[from..from + chunk.text(piece).len()], chunk.text(piece));
                    covered = from + chunk.text(piece).len();
                }
            }
        }
    }
}
