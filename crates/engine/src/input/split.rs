//! Cutting a byte stream into events.
//!
//! Three shapes are met: one object per line (NDJSON), an array of objects (an API page), and
//! objects printed over several lines. The first object of the stream decides between lines and
//! structure. Lines are the hardy shape: a broken event costs its own line and no more. Structure
//! follows brackets and strings, so a broken event may take its successors with it; they are then
//! one refused piece, never silently lost.

use std::error::Error;
use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr;

use super::bomb::Bomb;
use super::scan::{Scan, awaits_element, is_run_of_objects, value_length};

/// Events, and envelopes with their events, that are longer than this are refused: real ones are
/// a few kilobytes, and memory must be bounded.
pub const MAX_EVENT_BYTES: usize = 16 << 20;

/// How many pieces a chunk holds at most: a file of empty lines and brackets has millions in few
/// bytes.
const CHUNK_PIECES: usize = 1 << 16;

/// How many bytes a chunk holds before it is handed out.
const CHUNK_BYTES: usize = 8 << 20;

const READ_BYTES: usize = 1 << 18;

/// Why a piece cannot be an event, known before parsing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Longer than [`MAX_EVENT_BYTES`]; its content was skipped.
    TooLarge,
    /// The stream broke off: truncated or damaged compression, or a read error.
    Truncated,
    /// The stream grows beyond all measure when it is decompressed; the rest was not read.
    Bomb,
}

impl Fault {
    /// The reason written to the quarantine.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Truncated => "truncated_input",
            Self::Bomb => "decompression_bomb",
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
    /// Why the stream broke off, until a piece has said so.
    broke_off: Option<Fault>,
    problem: Option<String>,
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
            broke_off: None,
            problem: None,
        }
    }

    /// The next events, or `None` at the end of the stream. A stream that breaks off ends with a
    /// faulty piece; what came before it is whole.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        let mut chunk = Chunk::default();
        while chunk.bytes.len() < CHUNK_BYTES && chunk.pieces.len() < CHUNK_PIECES {
            let Some(piece) = self.next_piece(&mut chunk.bytes) else {
                break;
            };
            chunk.pieces.push(piece);
        }
        (!chunk.pieces.is_empty()).then_some(chunk)
    }

    /// What the reader said when the stream broke off.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    fn next_piece(&mut self, into: &mut Vec<u8>) -> Option<Piece> {
        self.skip_separators();
        if self.start == self.buffer.len() {
            // The separators ran to the end of the stream.
            let fault = self.broke_off.take()?;
            return Some(faulty(into, (self.line, self.offset), 0, fault));
        }
        if self.shape == Shape::Undecided {
            self.shape = self.decide_shape();
        }
        let place @ (line, byte_offset) = (self.line, self.offset);
        let end = match self.shape {
            Shape::Lines => self.end_of_line(),
            Shape::Structure | Shape::Undecided => self.end_of_value(),
        };
        let Some(length) = end else {
            let length = self.skip_oversized();
            return Some(faulty(into, place, length, Fault::TooLarge));
        };
        if self.start + length == self.buffer.len()
            && value_length(&self.buffer[self.start..]).is_none()
            && let Some(fault) = self.broke_off.take()
        {
            // The event in which the stream broke off.
            self.consume(length);
            return Some(faulty(into, place, length as u64, fault));
        }
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

    /// Lines, unless the first object spans several or shares its line with the next.
    fn decide_shape(&mut self) -> Shape {
        // What starts with anything else is no stream of objects: what it is, a person sees by lines.
        if self.buffer[self.start] != b'{' {
            return Shape::Lines;
        }
        loop {
            let rest = &self.buffer[self.start..];
            let newline = memchr(b'\n', rest);
            let line = &rest[..newline.unwrap_or(rest.len())];
            if is_run_of_objects(line) {
                return Shape::Structure;
            }
            if let Some(newline) = newline {
                if value_length(line).is_some() {
                    return Shape::Lines;
                }
                // The first line is no whole value. If the next one starts one in its first column,
                // the first is a broken line; a pretty-printed object goes on indented. An envelope
                // may have its events in the first column, in a list that it opened.
                let mut behind = rest[newline..].iter().copied();
                let next = behind.find(|byte| !matches!(byte, b'\r' | b'\n'));
                match next {
                    Some(b'{') if !awaits_element(line) => return Shape::Lines,
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
                Err(error) => {
                    let is_bomb = error
                        .get_ref()
                        .is_some_and(<dyn Error + Send + Sync>::is::<Bomb>);
                    self.broke_off = Some(if is_bomb {
                        Fault::Bomb
                    } else {
                        Fault::Truncated
                    });
                    self.problem = Some(error.to_string());
                    break 0;
                }
            }
        };
        self.buffer.truncate(held + read);
        self.at_end = read == 0;
        read > 0
    }
}

fn faulty(into: &[u8], (line, byte_offset): (u64, u64), length: u64, fault: Fault) -> Piece {
    Piece {
        range: into.len()..into.len(),
        line,
        byte_offset,
        length,
        fault: Some(fault),
    }
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
