//! Parsing inputs: every task makes batches of its events by day, and a list of what was refused.

use std::collections::BTreeMap;

use af_model::tables::{identity_events, quarantine};
use af_model::{HashKey, UtcDay};
use af_okta::{Found, Normalizer};
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use rayon::prelude::*;

use super::rounds::{Portion, Rounds, Task};
use super::{InputReport, NormalizeOptions, Target};
use crate::error::{Error, ErrorKind};
use crate::input::{Fault, Input, Piece};
use crate::progress::Progress;
use crate::upkeep::{Barred, Judgement};

/// Events that may come of the pieces that are parsed together. A real chunk stays below it; one of
/// brackets would become hundreds of times larger than it is.
const EVENTS_AT_ONCE: usize = 250_000;

/// How events are judged.
pub(super) struct Parser<'a> {
    pub(super) normalizer: &'a Normalizer<'a>,
    pub(super) barred: &'a Barred,
    pub(super) key: &'a HashKey,
    pub(super) options: &'a NormalizeOptions,
}

/// What one task made of its pieces.
#[derive(Default)]
struct Parsed {
    days: Vec<(UtcDay, RecordBatch)>,
    refused: Vec<quarantine::Row>,
    events: u64,
}

impl Parser<'_> {
    /// Reads all inputs to their ends. While a round is parsed, the next one is read, and days that
    /// came before are written.
    pub(super) fn read(
        &self,
        inputs: &[Input],
        target: &mut Target<'_>,
        progress: &dyn Progress,
    ) -> Result<Vec<InputReport>, Error> {
        let mut reports: Vec<InputReport> = inputs.iter().map(InputReport::new).collect();
        let mut rounds = Rounds::new(inputs);
        let mut round = rounds.next_round();
        while !round.is_empty() {
            let tasks: Vec<(&Portion, &Task)> = round
                .iter()
                .flat_map(|portion| portion.tasks.iter().map(move |task| (portion, task)))
                .collect();
            let mut next = None;
            for tasks in groups(&tasks) {
                let (parsed, read) = target.beside(|| {
                    let parse = || self.parse_all(inputs, tasks);
                    match next {
                        Some(_) => (parse(), None),
                        None => rayon::join(parse, || Some(rounds.next_round())),
                    }
                })?;
                next = next.or(read);
                take_in(tasks, parsed, &mut reports, target, progress)?;
            }
            for portion in &round {
                let report = &mut reports[portion.input];
                let broke_off = portion.broke_off.clone();
                report.broke_off = report.broke_off.take().or(broke_off);
            }
            rounds.reuse(std::mem::replace(&mut round, next.unwrap_or_default()));
        }
        for (input, problem) in rounds.failed {
            reports[input].error = Some(problem);
        }
        Ok(reports)
    }

    fn parse_all(
        &self,
        inputs: &[Input],
        tasks: &[(&Portion, &Task)],
    ) -> Vec<Result<Parsed, Error>> {
        let parsed = tasks
            .par_iter()
            .map(|(portion, task)| self.parse(&inputs[portion.input], portion, task));
        parsed.collect()
    }

    fn parse(&self, input: &Input, portion: &Portion, task: &Task) -> Result<Parsed, Error> {
        let mut rows = identity_events::Builder::with_capacity(task.pieces.len());
        let mut days = Vec::new();
        let mut refused = Vec::new();
        for piece in &portion.chunk.pieces[task.pieces.clone()] {
            let text = portion.chunk.text(piece);
            if let Some(fault) = piece.fault {
                refused.push(self.refuse_unread(input, piece, fault));
                continue;
            }
            let place = Place { input, piece, text };
            self.normalizer.events(text, |found| match found.outcome {
                Ok(row) => match self.barred.judge(row) {
                    Judgement::Welcome => {
                        days.push(row.time.day());
                        rows.append(row);
                    }
                    Judgement::Cleaned(batch) => {
                        days.push(row.time.day());
                        rows.append(&identity_events::row(&batch, 0));
                    }
                    Judgement::Barred(reason) => {
                        refused.push(self.refuse_found(&place, &found, reason, None));
                    }
                },
                Err(reject) => {
                    let (reason, field) = (reject.reason.as_str(), reject.field);
                    refused.push(self.refuse_found(&place, &found, reason, field));
                }
            });
        }
        Ok(Parsed {
            events: (days.len() + refused.len()) as u64,
            days: by_day(rows, &days)?,
            refused,
        })
    }

    /// What was skipped unread is known again by its place and length.
    fn refuse_unread(&self, input: &Input, piece: &Piece, fault: Fault) -> quarantine::Row {
        let content = format!("{input}\n{}\n{}", piece.byte_offset, piece.length);
        let mut row = self.refuse(input, piece, fault.as_str(), None);
        row.reject_uid = self.uid(&content);
        row
    }

    /// An event refused, with its place inside its piece and its identity: the same event refused
    /// again, in whatever envelope, is a duplicate.
    fn refuse_found(
        &self,
        place: &Place<'_>,
        found: &Found<'_>,
        reason: &str,
        field: Option<&str>,
    ) -> quarantine::Row {
        let mut row = self.refuse(place.input, place.piece, reason, field);
        let lines = memchr::memchr_iter(b'\n', &place.text[..found.offset]).count();
        row.line += to_i64(lines as u64);
        row.byte_offset += to_i64(found.offset as u64);
        row.length = to_i64(found.text.len() as u64);
        row.reject_uid = self.uid(&found.content_hash().to_string());
        row
    }

    fn uid(&self, content: &str) -> String {
        self.key
            .identifier(&self.options.tenant, content)
            .to_string()
    }

    fn refuse(
        &self,
        input: &Input,
        piece: &Piece,
        reason: &str,
        field: Option<&str>,
    ) -> quarantine::Row {
        quarantine::Row {
            tenant_uid: self.options.tenant.clone(),
            integration: self.options.integration.clone(),
            ingested_at: self.options.ingested_at,
            reason: reason.to_owned(),
            field: field.map(str::to_owned),
            file: input.to_string(),
            line: to_i64(piece.line),
            byte_offset: to_i64(piece.byte_offset),
            length: to_i64(piece.length),
            reject_uid: String::new(),
        }
    }
}

/// Hands on what tasks made, in their order.
fn take_in(
    tasks: &[(&Portion, &Task)],
    parsed: Vec<Result<Parsed, Error>>,
    reports: &mut [InputReport],
    target: &mut Target<'_>,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let mut days = Vec::new();
    for ((portion, _), parsed) in tasks.iter().zip(parsed) {
        let mut parsed = parsed?;
        let report = &mut reports[portion.input];
        report.events += parsed.events;
        report.refused += parsed.refused.len() as u64;
        progress.advance(parsed.events);
        days.append(&mut parsed.days);
        target.refuse(parsed.refused)?;
    }
    target.push(days.into_iter());
    target.make_room()
}

/// A piece and where it came from.
struct Place<'a> {
    input: &'a Input,
    piece: &'a Piece,
    text: &'a [u8],
}

/// Tasks in runs of which no more than [`EVENTS_AT_ONCE`] events can come, or one task.
fn groups<'t, 'p>(tasks: &'t [(&'p Portion, &'p Task)]) -> Vec<&'t [(&'p Portion, &'p Task)]> {
    let mut groups = Vec::new();
    let (mut start, mut events) = (0, 0);
    for (place, (_, task)) in tasks.iter().enumerate() {
        if events + task.most_events > EVENTS_AT_ONCE && place > start {
            groups.push(&tasks[start..place]);
            (start, events) = (place, 0);
        }
        events += task.most_events;
    }
    if start < tasks.len() {
        groups.push(&tasks[start..]);
    }
    groups
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
