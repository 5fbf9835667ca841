//! From raw events to identity events in the store.
//!
//! Chunks of a stream are parsed in parallel into one builder per UTC day. When what waits exceeds
//! the buffer, every day's rows go to a sorted run on disk; at the end each day's runs are merged,
//! events that are already known are dropped, and the rest becomes one new file of that day. Memory
//! is the buffer plus 16 bytes per event of the largest day, whatever the size of the input.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::PathBuf;

use af_model::accounting::EventAccount;
use af_model::contract::ContractError;
use af_model::tables::{identity_events, quarantine};
use af_model::{HashKey, HexHash, UtcDay, UtcMillis};
use af_okta::Normalizer;
use af_store::{MergedBatches, Metadata, Partitioned, Scan, Store, WriteLock, table_file};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use rayon::prelude::*;

use crate::error::{Error, ErrorKind};
use crate::input::{Chunk, Input, Piece, Splitter, open};
use crate::progress::Progress;

/// Events parsed by one task at a time.
const EVENTS_PER_TASK: usize = 512;

/// Rows of a written batch.
const ROWS_PER_BATCH: usize = 8192;

/// How raw events are normalized.
#[derive(Clone, Debug)]
pub struct NormalizeOptions {
    /// The organization the events belong to.
    pub tenant: String,
    /// Name of the source, when a tenant has several.
    pub integration: Option<String>,
    /// When the events became known.
    pub ingested_at: UtcMillis,
    /// Bytes of rows that may wait in memory.
    pub buffer_bytes: usize,
}

/// What became of the input.
#[derive(Debug, Default)]
pub struct NormalizeReport {
    /// Where every event went.
    pub account: EventAccount,
    /// Per input: where its events went, before duplicates are known; and why it broke off.
    pub inputs: Vec<InputReport>,
    /// Refused events by reason.
    pub reasons: BTreeMap<String, u64>,
    /// First refused events, for the user to look up: file, line and reason.
    pub examples: Vec<quarantine::Row>,
    /// First and last event that was normalized.
    pub span: Option<(UtcMillis, UtcMillis)>,
    /// Days that received a new file.
    pub days: Vec<UtcDay>,
}

/// What became of one input.
#[derive(Debug)]
pub struct InputReport {
    /// The input as named by the user.
    pub name: String,
    /// Events found in it.
    pub events: u64,
    /// Events of it that were refused.
    pub refused: u64,
    /// Why it could not be opened.
    pub error: Option<String>,
}

/// Normalizes Okta System Log events into the store. Without a store nothing is written, and
/// duplicates are those within the input.
///
/// # Errors
/// No input can be opened ([`ErrorKind::NoInput`]), or the store cannot be written.
pub fn okta(
    store: Option<(&Store, &WriteLock)>,
    key: &HashKey,
    inputs: &[Input],
    options: &NormalizeOptions,
    progress: &dyn Progress,
) -> Result<NormalizeReport, Error> {
    let normalizer = Normalizer::new(
        &options.tenant,
        options.integration.as_deref(),
        options.ingested_at,
        key,
    );
    let mut report = NormalizeReport::default();
    let mut waiting = Waiting::default();
    let mut refused = Vec::new();
    progress.begin("normalizing events", None);
    for input in inputs {
        let reader = match open(input) {
            Ok(reader) => reader,
            Err(error) => {
                report.inputs.push(InputReport {
                    name: input.to_string(),
                    events: 0,
                    refused: 0,
                    error: Some(error.to_string()),
                });
                continue;
            }
        };
        let source = Source {
            input,
            normalizer: &normalizer,
            key,
            options,
        };
        let (events, rejects) = source.read(reader, store, &mut waiting, &mut refused, progress)?;
        report.account.events_read += events;
        report.inputs.push(InputReport {
            name: input.to_string(),
            events,
            refused: rejects,
            error: None,
        });
    }
    progress.end();
    if report.inputs.iter().all(|input| input.error.is_some()) {
        let reasons: Vec<&str> = report
            .inputs
            .iter()
            .filter_map(|input| input.error.as_deref())
            .collect();
        return Err(Error::new(
            ErrorKind::NoInput,
            format!("open any input: {}", reasons.join("; ")),
        ));
    }
    settle_refused(store, refused, &mut report, options)?;
    settle_days(store, waiting, &mut report, options, progress)?;
    if !report.account.closes() {
        return Err(Error::new(
            ErrorKind::Gate,
            format!("close the account of events: {:?}", report.account),
        ));
    }
    Ok(report)
}

struct Source<'a> {
    input: &'a Input,
    normalizer: &'a Normalizer<'a>,
    key: &'a HashKey,
    options: &'a NormalizeOptions,
}

/// What one task made of its events.
#[derive(Default)]
struct Parsed {
    days: BTreeMap<UtcDay, identity_events::Builder>,
    refused: Vec<quarantine::Row>,
}

impl Source<'_> {
    fn read(
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
                && waiting.bytes > self.options.buffer_bytes
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

/// Rows that wait to be written, by day.
#[derive(Default)]
struct Waiting {
    days: BTreeMap<UtcDay, Vec<RecordBatch>>,
    runs: BTreeMap<UtcDay, Vec<PathBuf>>,
    bytes: usize,
}

impl Waiting {
    fn push(&mut self, day: UtcDay, batch: RecordBatch) {
        self.bytes += batch.get_array_memory_size();
        self.days.entry(day).or_default().push(batch);
    }

    /// Sends everything that waits to sorted runs on disk.
    fn spill(&mut self, store: &Store) -> Result<(), Error> {
        for (day, batches) in std::mem::take(&mut self.days) {
            let sorted = sorted(&batches)?;
            let runs = self.runs.entry(day).or_default();
            let path = store
                .tmp_dir()
                .join(format!("run-{day}-{}.parquet", runs.len()));
            table_file::write(&path, &identity_events::TABLE, [sorted], &Metadata::new())?;
            runs.push(path);
        }
        self.bytes = 0;
        Ok(())
    }
}

fn sorted(batches: &[RecordBatch]) -> Result<RecordBatch, Error> {
    let together = concat_batches(&identity_events::TABLE.file_schema(), batches)
        .map_err(|error| Error::new(ErrorKind::Io, format!("collect events: {error}")))?;
    Ok(af_store::sorted_batch(&together, &identity_events::TABLE)?)
}

/// Files refused events under the day of ingest, unless the same content was refused before.
fn settle_refused(
    store: Option<(&Store, &WriteLock)>,
    mut refused: Vec<quarantine::Row>,
    report: &mut NormalizeReport,
    options: &NormalizeOptions,
) -> Result<(), Error> {
    let mut known = HashSet::new();
    if let Some((store, _)) = store {
        for day in store.days(Partitioned::Quarantine)? {
            for path in store.day_files(Partitioned::Quarantine, day)? {
                let columns = Some(&["reject_uid"][..]);
                for batch in table_file::read(&path, &quarantine::TABLE, columns, Scan::File)? {
                    known.extend(texts(&batch?, "reject_uid"));
                }
            }
        }
    }
    let place = |row: &quarantine::Row| (row.file.clone(), row.line, row.byte_offset);
    refused.sort_by(|a, b| {
        place(a)
            .cmp(&place(b))
            .then_with(|| a.reject_uid.cmp(&b.reject_uid))
    });
    let before = refused.len();
    refused.retain(|row| known.insert(row.reject_uid.clone()));
    report.account.duplicate += (before - refused.len()) as u64;
    report.account.quarantined += refused.len() as u64;
    for row in &refused {
        *report.reasons.entry(row.reason.clone()).or_default() += 1;
    }
    if let Some((store, lock)) = store
        && !refused.is_empty()
    {
        let batch = quarantine::batch(&refused);
        let name = file_name(refused.iter().map(|row| row.reject_uid.as_str()));
        let day = options.ingested_at.day();
        let sorted = af_store::sorted_batch(&batch, &quarantine::TABLE)?;
        store.add_day_file(lock, Partitioned::Quarantine, day, &name, [sorted])?;
    }
    refused.truncate(5);
    report.examples = refused;
    Ok(())
}

/// Merges what waits into one new file per day, without the events that are already known.
fn settle_days(
    store: Option<(&Store, &WriteLock)>,
    mut waiting: Waiting,
    report: &mut NormalizeReport,
    options: &NormalizeOptions,
    progress: &dyn Progress,
) -> Result<(), Error> {
    if let Some((store, _)) = store
        && !waiting.runs.is_empty()
    {
        waiting.spill(store)?;
    }
    let days: Vec<UtcDay> = waiting
        .days
        .keys()
        .chain(waiting.runs.keys())
        .copied()
        .collect();
    progress.begin("writing days", Some(days.len() as u64));
    for day in days {
        let runs: Box<dyn Iterator<Item = Result<RecordBatch, Error>>> =
            match (waiting.days.remove(&day), store) {
                (Some(batches), _) => Box::new(std::iter::once(sorted(&batches))),
                (None, Some(_)) => {
                    let paths = waiting.runs.remove(&day).unwrap_or_default();
                    let table = &identity_events::TABLE;
                    let merged = MergedBatches::open(table, &paths, None, Scan::File)?;
                    Box::new(merged.map(|batch| batch.map_err(Error::from)))
                }
                (None, None) => Box::new(std::iter::empty()),
            };
        let mut fresh = Fresh::new(store, day, &options.tenant)?;
        fresh.take(runs)?;
        report.account.normalized += fresh.rows;
        report.account.duplicate += fresh.duplicates;
        if fresh.rows > 0 {
            let (first, last) = (fresh.first, fresh.last);
            report.span = Some(match report.span {
                Some((earliest, latest)) => (earliest.min(first), latest.max(last)),
                None => (first, last),
            });
            if let Some((store, lock)) = store {
                let name = fresh.hasher.finalize().to_hex()[..32].to_owned();
                store.add_day_file(lock, Partitioned::Events, day, &name, fresh.batches)?;
                report.days.push(day);
            }
        }
        progress.advance(1);
    }
    progress.end();
    Ok(())
}

/// The events of a day that are not known yet, in the table's order.
///
/// Two events of one id and different content: the stored one stays; among new ones the first in
/// the table's order wins, and among those that share its sort key the smallest content. So the
/// outcome does not depend on the order of the input.
struct Fresh {
    known: HashSet<u128>,
    batches: Vec<RecordBatch>,
    builder: identity_events::Builder,
    hasher: blake3::Hasher,
    rows: u64,
    duplicates: u64,
    first: UtcMillis,
    last: UtcMillis,
}

impl Fresh {
    fn new(store: Option<(&Store, &WriteLock)>, day: UtcDay, tenant: &str) -> Result<Self, Error> {
        let mut known = HashSet::new();
        if let Some((store, _)) = store {
            let columns = Some(&["tenant_uid", "metadata_uid"][..]);
            for path in store.day_files(Partitioned::Events, day)? {
                let table = &identity_events::TABLE;
                for batch in table_file::read(&path, table, columns, Scan::File)? {
                    let batch = batch?;
                    let tenants = texts(&batch, "tenant_uid");
                    let uids = texts(&batch, "metadata_uid");
                    let mine = tenants
                        .iter()
                        .zip(&uids)
                        .filter(|(found, _)| *found == tenant);
                    known.extend(mine.map(|(_, uid)| fingerprint(uid)));
                }
            }
        }
        Ok(Self {
            known,
            batches: Vec::new(),
            builder: identity_events::Builder::default(),
            hasher: blake3::Hasher::new(),
            rows: 0,
            duplicates: 0,
            first: UtcMillis(i64::MAX),
            last: UtcMillis(i64::MIN),
        })
    }

    fn take(
        &mut self,
        runs: impl Iterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<(), Error> {
        // Rows of one sort key may span batches, so the last key of a batch waits for the next.
        let mut held: Vec<(RecordBatch, usize)> = Vec::new();
        for batch in runs {
            let batch = identity_events::TABLE
                .conform(&batch?)
                .map_err(|error| broken(&error))?;
            for row in 0..batch.num_rows() {
                let same = held.last().is_some_and(|(before, at)| {
                    sort_key(&identity_events::row(before, *at))
                        == sort_key(&identity_events::row(&batch, row))
                });
                if !same {
                    self.settle(&held);
                    held.clear();
                }
                held.push((batch.clone(), row));
            }
        }
        self.settle(&held);
        if !self.builder.is_empty() {
            self.batches.push(self.builder.finish());
        }
        Ok(())
    }

    /// Keeps one of the rows that share a sort key, and so an id; the smallest content wins.
    fn settle(&mut self, rows: &[(RecordBatch, usize)]) {
        let Some((batch, at)) = rows.iter().min_by_key(|(batch, at)| {
            // Only rows that came twice are rendered.
            (rows.len() > 1).then(|| format!("{:?}", identity_events::row(batch, *at)))
        }) else {
            return;
        };
        self.duplicates += rows.len() as u64 - 1;
        let row = identity_events::row(batch, *at);
        if !self.known.insert(fingerprint(&row.metadata_uid)) {
            self.duplicates += 1;
            return;
        }
        self.rows += 1;
        self.first = self.first.min(row.time);
        self.last = self.last.max(row.time);
        self.hasher.update(row.metadata_uid.as_bytes());
        self.hasher.update(&[0]);
        self.builder.append(&row);
        if self.builder.len() == ROWS_PER_BATCH {
            self.batches.push(self.builder.finish());
        }
    }
}

fn sort_key<'a>(row: &'a identity_events::Row<'_>) -> (Option<&'a str>, UtcMillis, &'a str) {
    (row.subject_ref.as_deref(), row.time, &row.metadata_uid)
}

/// 128 bits of an event id; ids of one tenant only meet each other.
fn fingerprint(uid: &str) -> u128 {
    u128::from_le_bytes(HexHash::of_parts([uid]).0)
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<String> {
    use arrow::array::AsArray;
    batch
        .column_by_name(column)
        .map_or_else(Vec::new, |column| {
            column
                .as_string::<i32>()
                .iter()
                .map(|text| text.unwrap_or_default().to_owned())
                .collect()
        })
}

/// A name for a file from what it holds.
fn file_name<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    HexHash::of_parts(ids).to_string()
}

fn broken(error: &ContractError) -> Error {
    Error::new(ErrorKind::Io, format!("read waiting events: {error}"))
}

fn to_i64(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}
