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
const CHUNK_BYTES: usize = 2 << 20;

/// Memory of a chunk that is worth using again; one that held a huge event is given back.
const REUSED_BYTES: usize = 4 * CHUNK_BYTES;

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
    /// Where its bytes are among the bytes of the chunk; empty for a faulty piece.
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
    /// What the pieces point into, and some rest.
    bytes: Vec<u8>,
    /// The candidate events in stream order.
    pub pieces: Vec<Piece>,
}

impl Chunk {
    /// How many bytes of the stream it is about.
    pub fn length(&self) -> usize {
        self.pieces.last().map_or(0, |piece| piece.range.end)
    }

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
///
/// What is read is never copied: a chunk takes the buffer along, and only the event that was cut in
/// two begins the next one.
pub struct Splitter<R> {
    reader: R,
    buffer: Vec<u8>,
    /// End of what was read; behind it is room.
    filled: usize,
    /// End of the last piece of the chunk in the making.
    kept: usize,
    /// First byte of `buffer` not yet passed.
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
            filled: 0,
            kept: 0,
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
        self.next_chunk_in(Chunk::default())
    }

    /// As [`Splitter::next_chunk`], in the memory of a chunk that is done with: memory that is
    /// fetched anew for every chunk costs as much as reading.
    pub fn next_chunk_in(&mut self, used: Chunk) -> Option<Chunk> {
        let Chunk {
            bytes: mut next,
            mut pieces,
        } = used;
        pieces.clear();
        if self.buffer.is_empty() {
            std::mem::swap(&mut self.buffer, &mut next);
        }
        while self.kept < CHUNK_BYTES && pieces.len() < CHUNK_PIECES {
            let Some(piece) = self.next_piece() else {
                break;
            };
            pieces.push(piece);
        }
        if pieces.is_empty() {
            return None;
        }
        if next.len() > REUSED_BYTES {
            next = Vec::new();
        }
        let rest = &self.buffer[self.start..self.filled];
        if next.len() < rest.len() {
            next.resize(rest.len(), 0);
        }
        next[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
        (self.start, self.kept) = (0, 0);
        let bytes = std::mem::replace(&mut self.buffer, next);
        Some(Chunk { bytes, pieces })
    }

    /// Whether everything was handed out.
    pub fn is_at_end(&self) -> bool {
        self.at_end && self.start == self.filled && self.broke_off.is_none()
    }

    /// What the reader said when the stream broke off.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    fn next_piece(&mut self) -> Option<Piece> {
        self.skip_separators();
        if self.start == self.filled {
            // The separators ran to the end of the stream.
            let fault = self.broke_off.take()?;
            return Some(self.faulty((self.line, self.offset), 0, fault));
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
            return Some(self.faulty(place, length, Fault::TooLarge));
        };
        if self.start + length == self.filled
            && value_length(self.rest()).is_none()
            && let Some(fault) = self.broke_off.take()
        {
            // The event in which the stream broke off.
            self.consume(length);
            return Some(self.faulty(place, length as u64, fault));
        }
        let text = self.rest()[..length].trim_ascii_end().len();
        let range = self.start..self.start + text;
        match self.shape {
            Shape::Lines => self.consume_line(length),
            Shape::Structure | Shape::Undecided => self.consume(length),
        }
        self.kept = range.end;
        Some(Piece {
            length: range.len() as u64,
            range,
            line,
            byte_offset,
            fault: None,
        })
    }

    fn faulty(&self, (line, byte_offset): (u64, u64), length: u64, fault: Fault) -> Piece {
        Piece {
            range: self.kept..self.kept,
            line,
            byte_offset,
            length,
            fault: Some(fault),
        }
    }

    /// What was read and not yet passed.
    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..self.filled]
    }

    /// Skips white space, a byte-order mark, and between structured values also `[`, `,` and `]`.
    fn skip_separators(&mut self) {
        loop {
            let structural = self.shape != Shape::Lines;
            let rest = self.rest();
            let skipped = rest
                .iter()
                .take_while(|&&byte| {
                    byte.is_ascii_whitespace()
                        || (structural && matches!(byte, b'[' | b',' | b']'))
                        || (self.offset < 3 && matches!(byte, 0xef | 0xbb | 0xbf))
                })
                .count();
            let exhausted = skipped == rest.len();
            if self.shape == Shape::Undecided && rest[..skipped].contains(&b'[') {
                self.shape = Shape::Structure;
            }
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
            let rest = self.rest();
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
            if self.rest().len() > MAX_EVENT_BYTES || !self.fill() {
                return Shape::Lines;
            }
        }
    }

    fn end_of_line(&mut self) -> Option<usize> {
        let mut searched = 0;
        loop {
            let rest = self.rest();
            if let Some(found) = memchr(b'\n', &rest[searched..]) {
                let length = searched + found;
                return (length <= MAX_EVENT_BYTES).then_some(length);
            }
            if rest.len() > MAX_EVENT_BYTES {
                return None;
            }
            searched = rest.len();
            if !self.fill() {
                return Some(self.rest().len());
            }
        }
    }

    fn end_of_value(&mut self) -> Option<usize> {
        let mut scan = Scan::default();
        let mut scanned = 0;
        loop {
            let rest = self.rest();
            if let Some(length) = scan.find_end(&rest[scanned..]) {
                let length = scanned + length;
                return (length <= MAX_EVENT_BYTES).then_some(length);
            }
            if rest.len() > MAX_EVENT_BYTES {
                return None;
            }
            scanned = rest.len();
            if !self.fill() {
                return Some(self.rest().len());
            }
        }
    }

    /// Drops an event that is too large, holding one buffer of it at a time; returns its length.
    fn skip_oversized(&mut self) -> u64 {
        let mut scan = Scan::default();
        let mut length = 0;
        loop {
            let rest = self.rest();
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

    /// Passes bytes that may hold line ends.
    fn consume(&mut self, length: usize) {
        let passed = &self.rest()[..length];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.consume_line(length);
    }

    /// Passes bytes of one line.
    fn consume_line(&mut self, length: usize) {
        self.offset += length as u64;
        self.start += length;
    }

    /// Reads more; false at the end of the stream.
    fn fill(&mut self) -> bool {
        if self.at_end {
            return false;
        }
        // What was passed and is no piece goes.
        self.buffer.copy_within(self.start..self.filled, self.kept);
        self.filled -= self.start - self.kept;
        self.start = self.kept;
        let held = self.filled;
        if self.buffer.len() < held + READ_BYTES {
            self.buffer.resize(held + READ_BYTES, 0);
        }
        let read = loop {
            match self.reader.read(&mut self.buffer[held..held + READ_BYTES]) {
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
        self.filled = held + read;
        self.at_end = read == 0;
        read > 0
    }
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
