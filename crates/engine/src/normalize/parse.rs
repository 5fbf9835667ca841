//! Reading one input: chunks are parsed in parallel, rows wait by day, refused events keep their place.

use std::collections::BTreeMap;
use std::io::Read;

use af_model::tables::{identity_events, quarantine};
use af_model::{HashKey, UtcDay};
use af_okta::{Found, MAX_EVENTS, Normalizer};
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use rayon::prelude::*;

use super::{BrokeOff, InputReport, NormalizeOptions, Target};
use crate::error::{Error, ErrorKind};
use crate::input::{Chunk, Fault, Input, Piece, Splitter};
use crate::progress::Progress;
use crate::upkeep::{Barred, Judgement};

/// Pieces parsed by one task at a time.
const PIECES_PER_TASK: usize = 512;

/// Events that may come of the pieces that are parsed together. A real chunk stays below it; one of
/// brackets would become hundreds of times larger than it is.
const EVENTS_AT_ONCE: usize = 250_000;

/// One input and how its events are judged.
pub(super) struct Source<'a> {
    pub(super) input: &'a Input,
    pub(super) normalizer: &'a Normalizer<'a>,
    pub(super) barred: &'a Barred,
    pub(super) key: &'a HashKey,
    pub(super) options: &'a NormalizeOptions,
}

/// What one task made of its pieces.
#[derive(Default)]
struct Parsed {
    rows: identity_events::Builder,
    days: Vec<UtcDay>,
    refused: Vec<quarantine::Row>,
}

impl Source<'_> {
    /// Reads the input to its end.
    pub(super) fn read(
        &self,
        reader: impl Read,
        target: &mut Target<'_>,
        progress: &dyn Progress,
    ) -> Result<InputReport, Error> {
        let mut report = InputReport::new(self.input);
        let mut splitter = Splitter::new(reader);
        while let Some(chunk) = splitter.next_chunk() {
            for pieces in groups(&chunk) {
                let parsed: Vec<Parsed> = pieces
                    .par_chunks(PIECES_PER_TASK)
                    .map(|pieces| self.parse(&chunk, pieces))
                    .collect();
                for part in parsed {
                    let (events, refused) = (part.days.len(), part.refused.len());
                    report.events += (events + refused) as u64;
                    report.refused += refused as u64;
                    progress.advance((events + refused) as u64);
                    for (day, batch) in by_day(part.rows, &part.days)? {
                        target.push(day, batch);
                    }
                    target.refuse(part.refused)?;
                }
                target.make_room(self.options.buffer_bytes)?;
            }
            report.broke_off = report.broke_off.or_else(|| broke_off(&chunk, &splitter));
        }
        Ok(report)
    }

    fn parse(&self, chunk: &Chunk, pieces: &[Piece]) -> Parsed {
        let mut parsed = Parsed::default();
        for piece in pieces {
            let text = chunk.text(piece);
            if let Some(fault) = piece.fault {
                parsed.refused.push(self.refuse_unread(piece, fault));
                continue;
            }
            self.normalizer.events(text, |found| match &found.outcome {
                Ok(row) => match self.barred.judge(row) {
                    Judgement::Welcome => {
                        parsed.days.push(row.time.day());
                        parsed.rows.append(row);
                    }
                    Judgement::Cleaned(batch) => {
                        parsed.days.push(row.time.day());
                        parsed.rows.append(&identity_events::row(&batch, 0));
                    }
                    Judgement::Barred(reason) => {
                        let mut row = self.refuse(piece, reason, None);
                        self.place_inside(&mut row, text, &found);
                        parsed.refused.push(row);
                    }
                },
                Err(reject) => {
                    let (reason, field) = (reject.reason.as_str(), reject.field);
                    let mut row = self.refuse(piece, reason, field);
                    self.place_inside(&mut row, text, &found);
                    parsed.refused.push(row);
                }
            });
        }
        parsed
    }

    /// What was skipped unread is known again by its place and length.
    fn refuse_unread(&self, piece: &Piece, fault: Fault) -> quarantine::Row {
        let content = format!("{}\n{}\n{}", self.input, piece.byte_offset, piece.length);
        let mut row = self.refuse(piece, fault.as_str(), None);
        row.reject_uid = self.uid(&content);
        row
    }

    /// The place and the identity of an event inside its piece: the same event refused again, in
    /// whatever envelope, is a duplicate.
    fn place_inside(&self, row: &mut quarantine::Row, text: &[u8], found: &Found<'_>) {
        let lines = memchr::memchr_iter(b'\n', &text[..found.offset]).count();
        row.line += to_i64(lines as u64);
        row.byte_offset += to_i64(found.offset as u64);
        row.length = to_i64(found.text.len() as u64);
        row.reject_uid = self.uid(&found.content_hash().to_string());
    }

    fn uid(&self, content: &str) -> String {
        self.key
            .identifier(&self.options.tenant, content)
            .to_string()
    }

    fn refuse(&self, piece: &Piece, reason: &str, field: Option<&str>) -> quarantine::Row {
        quarantine::Row {
            tenant_uid: self.options.tenant.clone(),
            integration: self.options.integration.clone(),
            ingested_at: self.options.ingested_at,
            reason: reason.to_owned(),
            field: field.map(str::to_owned),
            file: self.input.to_string(),
            line: to_i64(piece.line),
            byte_offset: to_i64(piece.byte_offset),
            length: to_i64(piece.length),
            reject_uid: String::new(),
        }
    }
}

/// A chunk's pieces in runs of which no more than [`EVENTS_AT_ONCE`] events can come, or one piece.
fn groups(chunk: &Chunk) -> Vec<&[Piece]> {
    let mut groups = Vec::new();
    let (mut start, mut events) = (0, 0);
    for (place, piece) in chunk.pieces.iter().enumerate() {
        // Every event has a bracket of its own.
        let most = memchr::memchr2_iter(b'{', b',', chunk.text(piece)).count();
        let most = most.clamp(1, MAX_EVENTS);
        if events + most > EVENTS_AT_ONCE && place > start {
            groups.push(&chunk.pieces[start..place]);
            (start, events) = (place, 0);
        }
        events += most;
    }
    if start < chunk.pieces.len() {
        groups.push(&chunk.pieces[start..]);
    }
    groups
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

/// One batch for each day. Almost always there is one day; a builder for each would take a third of
/// a megabyte, and a file may name thousands.
fn by_day(
    mut rows: identity_events::Builder,
    days: &[UtcDay],
) -> Result<Vec<(UtcDay, RecordBatch)>, Error> {
    let Some(&first) = days.first() else {
        return Ok(Vec::new());
    };
    let batch = rows.finish();
    if days.iter().all(|&day| day == first) {
        return Ok(vec![(first, batch)]);
    }
    let mut places: BTreeMap<UtcDay, Vec<u32>> = BTreeMap::new();
    for (place, &day) in (0..).zip(days) {
        places.entry(day).or_default().push(place);
    }
    places
        .into_iter()
        .map(|(day, places)| {
            take_record_batch(&batch, &UInt32Array::from(places))
                .map(|batch| (day, batch))
                .map_err(|error| Error::new(ErrorKind::Io, format!("part events by day: {error}")))
        })
        .collect()
}

fn to_i64(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}
