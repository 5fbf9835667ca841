//! Reading one input: chunks are parsed in parallel, rows wait by day, refused events keep their place.

use std::collections::BTreeMap;
use std::io::Read;

use af_model::tables::{identity_events, quarantine};
use af_model::{HashKey, UtcDay};
use af_okta::Normalizer;
use af_store::{Store, WriteLock};
use rayon::prelude::*;

use super::NormalizeOptions;
use super::waiting::Waiting;
use crate::error::Error;
use crate::input::{Chunk, Input, Piece, Splitter};
use crate::progress::Progress;

/// Events parsed by one task at a time.
const EVENTS_PER_TASK: usize = 512;

/// One input and how its events are judged.
pub(super) struct Source<'a> {
    pub(super) input: &'a Input,
    pub(super) normalizer: &'a Normalizer<'a>,
    pub(super) key: &'a HashKey,
    pub(super) options: &'a NormalizeOptions,
}

/// What one task made of its events.
#[derive(Default)]
struct Parsed {
    days: BTreeMap<UtcDay, identity_events::Builder>,
    refused: Vec<quarantine::Row>,
}

impl Source<'_> {
    /// Reads the input to its end; returns how many events it held and how many were refused.
    pub(super) fn read(
        &self,
        reader: impl Read,
        store: Option<(&Store, &WriteLock)>,
        waiting: &mut Waiting,
        refused: &mut Vec<quarantine::Row>,
        progress: &dyn Progress,
    ) -> Result<(u64, u64), Error> {
        let mut splitter = Splitter::new(reader);
        let (mut events, before) = (0, refused.len());
        while let Some(chunk) = splitter.next_chunk() {
            events += chunk.pieces.len() as u64;
            let parsed: Vec<Parsed> = chunk
                .pieces
                .par_chunks(EVENTS_PER_TASK)
                .map(|pieces| self.parse(&chunk, pieces))
                .collect();
            for mut part in parsed {
                refused.append(&mut part.refused);
                for (day, mut builder) in part.days {
                    waiting.push(day, builder.finish());
                }
            }
            if let Some((store, _)) = store
                && waiting.bytes() > self.options.buffer_bytes
            {
                waiting.spill(store)?;
            }
            progress.advance(chunk.pieces.len() as u64);
        }
        Ok((events, (refused.len() - before) as u64))
    }

    fn parse(&self, chunk: &Chunk, pieces: &[Piece]) -> Parsed {
        let mut parsed = Parsed::default();
        for piece in pieces {
            let text = chunk.text(piece);
            if let Some(fault) = piece.fault {
                parsed
                    .refused
                    .push(self.refuse(piece, text, fault.as_str(), None));
                continue;
            }
            match self.normalizer.event(text) {
                Ok(row) => parsed.days.entry(row.time.day()).or_default().append(&row),
                Err(reject) => {
                    parsed.refused.push(self.refuse(
                        piece,
                        text,
                        reject.reason.as_str(),
                        reject.field,
                    ));
                }
            }
        }
        parsed
    }

    fn refuse(
        &self,
        piece: &Piece,
        text: &[u8],
        reason: &str,
        field: Option<&str>,
    ) -> quarantine::Row {
        // The same content refused again is a duplicate. What was skipped unread is known by its
        // place and length alone.
        let content = if piece.fault.is_some() {
            format!("{}\n{}\n{}", self.input, piece.byte_offset, piece.length)
        } else {
            blake3::hash(text).to_string()
        };
        let tenant = &self.options.tenant;
        quarantine::Row {
            tenant_uid: tenant.clone(),
            integration: self.options.integration.clone(),
            ingested_at: self.options.ingested_at,
            reason: reason.to_owned(),
            field: field.map(str::to_owned),
            file: self.input.to_string(),
            line: to_i64(piece.line),
            byte_offset: to_i64(piece.byte_offset),
            length: to_i64(piece.length),
            reject_uid: self.key.identifier(tenant, &content).to_string(),
        }
    }
}

fn to_i64(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}
