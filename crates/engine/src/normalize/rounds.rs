//! Inputs, read a few at a time: while one round is parsed, the next one is read.

use std::io::Read;
use std::ops::Range;

use af_okta::MAX_EVENTS;
use rayon::prelude::*;

use super::BrokeOff;
use crate::input::{Chunk, Fault, Input, Piece, Splitter, open};

/// Small inputs that are read side by side. Large ones are read one after the other: read together, the
/// days of all of them would wait at once.
const OPEN_INPUTS: usize = 4;

/// Stored bytes up to which an input is small: a page that was fetched.
const SMALL_BYTES: u64 = 4 << 20;

/// A round goes on to further inputs until it has so many bytes: pages are small.
const ROUND_BYTES: usize = 8 << 20;

/// Or so many pieces: a file of brackets has millions in few bytes.
const ROUND_PIECES: usize = 1 << 16;

/// Bytes that one task parses.
const TASK_BYTES: usize = 1 << 20;

/// A part of one input, and how it is cut into tasks.
pub(super) struct Portion {
    /// Which of the inputs.
    pub(super) input: usize,
    pub(super) chunk: Chunk,
    pub(super) tasks: Vec<Task>,
    /// Where the input broke off, if it did so here.
    pub(super) broke_off: Option<BrokeOff>,
}

/// Pieces of a portion that one task parses.
pub(super) struct Task {
    pub(super) pieces: Range<usize>,
    /// No more events than this can come of them.
    pub(super) most_events: usize,
}

/// Reads inputs, each to its end, and a few at a time.
pub(super) struct Rounds<'a> {
    /// Those to come, the next one last.
    unopened: Vec<(usize, &'a Input)>,
    opened: Vec<Opened<'a>>,
    /// Chunks that are parsed: the next ones are read into their memory.
    used: Vec<Chunk>,
    /// Those that could not be opened, and why.
    pub(super) failed: Vec<(usize, String)>,
}

/// An input that is being read.
struct Opened<'a> {
    index: usize,
    state: State<'a>,
}

enum State<'a> {
    New(&'a Input),
    Reading(Box<Splitter<Box<dyn Read + Send>>>),
    Done,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(inputs: &'a [Input]) -> Self {
        Self {
            unopened: inputs.iter().enumerate().rev().collect(),
            opened: Vec::new(),
            used: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// The next part of every open input; none at the end of all of them.
    pub(super) fn next_round(&mut self) -> Vec<Portion> {
        let mut round = Vec::new();
        let (mut bytes, mut pieces) = (0, 0);
        while bytes < ROUND_BYTES && pieces < ROUND_PIECES {
            while let Some(&(index, input)) = self.unopened.last() {
                let is_small = input.size().is_some_and(|size| size <= SMALL_BYTES);
                let may_join = is_small && self.opened.len() < OPEN_INPUTS;
                if !self.opened.is_empty() && !may_join {
                    break;
                }
                self.unopened.pop();
                let state = State::New(input);
                self.opened.push(Opened { index, state });
            }
            if self.opened.is_empty() {
                break;
            }
            let opened = self.opened.iter_mut();
            let opened: Vec<(&mut Opened<'a>, Chunk)> = opened
                .map(|input| (input, self.used.pop().unwrap_or_default()))
                .collect();
            let read: Vec<Result<Option<Portion>, String>> = opened
                .into_par_iter()
                .map(|(input, used)| input.next_portion(used))
                .collect();
            for (input, portion) in self.opened.iter().zip(read) {
                match portion {
                    Ok(Some(portion)) => {
                        bytes += portion.chunk.length();
                        pieces += portion.chunk.pieces.len();
                        round.push(portion);
                    }
                    Ok(None) => {}
                    Err(problem) => self.failed.push((input.index, problem)),
                }
            }
            self.opened
                .retain(|input| !matches!(input.state, State::Done));
        }
        round
    }

    /// Takes back what was parsed.
    pub(super) fn reuse(&mut self, round: Vec<Portion>) {
        self.used = round.into_iter().map(|portion| portion.chunk).collect();
    }
}

impl Opened<'_> {
    fn next_portion(&mut self, used: Chunk) -> Result<Option<Portion>, String> {
        if let State::New(input) = self.state {
            self.state = State::Done;
            let reader = open(input).map_err(|error| error.to_string())?;
            self.state = State::Reading(Box::new(Splitter::new(reader)));
        }
        let State::Reading(splitter) = &mut self.state else {
            return Ok(None);
        };
        let portion = splitter.next_chunk_in(used).map(|chunk| Portion {
            input: self.index,
            tasks: tasks(&chunk),
            broke_off: broke_off(&chunk, splitter),
            chunk,
        });
        if portion.is_none() || splitter.is_at_end() {
            self.state = State::Done;
        }
        Ok(portion)
    }
}

/// A chunk's pieces in tasks of about [`TASK_BYTES`].
fn tasks(chunk: &Chunk) -> Vec<Task> {
    let mut tasks = Vec::new();
    let (mut start, mut bytes, mut most_events) = (0, 0, 0);
    for (place, piece) in chunk.pieces.iter().enumerate() {
        bytes += piece.range.len();
        most_events += most_events_of(chunk, piece);
        if bytes >= TASK_BYTES || place + 1 == chunk.pieces.len() {
            tasks.push(Task {
                pieces: start..place + 1,
                most_events,
            });
            (start, bytes, most_events) = (place + 1, 0, 0);
        }
    }
    tasks
}

/// Every event has a bracket of its own, or a comma behind it.
fn most_events_of(chunk: &Chunk, piece: &Piece) -> usize {
    let text = chunk.text(piece);
    let count = |mark| memchr::memchr_iter(mark, text).count();
    (count(b'{') + count(b',')).clamp(1, MAX_EVENTS)
}

fn broke_off<R: Read>(chunk: &Chunk, splitter: &Splitter<R>) -> Option<BrokeOff> {
    let piece = chunk.pieces.last()?;
    let broke_off = matches!(piece.fault, Some(Fault::Truncated | Fault::Bomb));
    broke_off.then(|| BrokeOff {
        line: piece.line,
        byte_offset: piece.byte_offset,
        problem: splitter.problem().unwrap_or_default().to_owned(),
    })
}
