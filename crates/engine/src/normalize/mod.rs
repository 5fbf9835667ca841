//! From raw events to identity events in the store.
//!
//! Inputs are read a few at a time (`rounds`), and what was read before is parsed (`parse`) into batches
//! of UTC days. Meanwhile days that are whole, or too large to wait (`waiting`), are sorted, events
//! that are known already are dropped (`fresh`), and the rest goes to a file aside; at the end a day of
//! several such files becomes one. So reading, parsing, encoding and the disk work side by side. All
//! files, and the account of what was read, become part of the store at once (`af_store::Commit`): a
//! run that dies leaves nothing, and the same run again does all. Refused (`refused`) events keep
//! their place and reason, never their content. Memory is twice the buffer, two rounds of input, and
//! some 200 bytes per event of the days being encoded and 30 per event ever refused, whatever the size
//! of the input. A dry run (`dry`) keeps nothing but 30 bytes per event.

use std::collections::BTreeMap;

use af_model::accounting::EventAccount;
use af_model::tables::quarantine;
use af_model::{HashKey, UtcDay, UtcMillis};
use af_okta::Normalizer;
use af_store::{Store, WriteLock};
use arrow::array::{AsArray, RecordBatch};

use crate::error::{Error, ErrorKind};
use crate::input::Input;
use crate::known;
use crate::progress::Progress;
use crate::upkeep::Barred;

mod account;
mod dry;
mod fresh;
mod parse;
mod refused;
mod rounds;
mod waiting;

use dry::Tally;
use parse::Parser;
use refused::Refused;
use waiting::Waiting;

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
    /// Where and why it broke off; what stands before that was read.
    pub broke_off: Option<BrokeOff>,
}

/// Where an input broke off: a truncated or damaged archive, or one that grows beyond all measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokeOff {
    /// The line, from 1.
    pub line: u64,
    /// The byte of the decompressed input, from 0.
    pub byte_offset: u64,
    /// What the decoder said.
    pub problem: String,
}

impl InputReport {
    fn new(input: &Input) -> Self {
        Self {
            name: input.to_string(),
            events: 0,
            refused: 0,
            error: None,
            broke_off: None,
        }
    }
}

impl NormalizeReport {
    fn refuse(&mut self, row: &quarantine::Row) {
        self.account.quarantined += 1;
        *self.reasons.entry(row.reason.clone()).or_default() += 1;
    }
}

/// Where rows go.
enum Target<'a> {
    Store {
        store: &'a Store,
        waiting: Waiting<'a>,
        refused: Refused,
    },
    Nowhere(Box<Tally>),
}

impl Target<'_> {
    fn push(&mut self, rows: impl Iterator<Item = (UtcDay, RecordBatch)>) {
        match self {
            Self::Store { waiting, .. } => waiting.push(rows),
            Self::Nowhere(tally) => rows.for_each(|(day, batch)| tally.count(day, &batch)),
        }
    }

    fn refuse(&mut self, rows: Vec<quarantine::Row>) -> Result<(), Error> {
        match self {
            Self::Store { store, refused, .. } => refused.push(store, rows)?,
            Self::Nowhere(tally) => tally.refuse(rows),
        }
        Ok(())
    }

    /// Writes what waits for it while `other` runs on the pool.
    fn beside<T: Send>(&mut self, other: impl FnOnce() -> T + Send) -> Result<T, Error> {
        match self {
            Self::Store { waiting, .. } => waiting.make_room_beside(other),
            Self::Nowhere(_) => Ok(other()),
        }
    }

    /// Writes until no more waits than may.
    fn make_room(&mut self) -> Result<(), Error> {
        match self {
            Self::Store { waiting, .. } => {
                while waiting.is_over() {
                    waiting.make_room_beside(|| {})?;
                }
            }
            Self::Nowhere(_) => {}
        }
        Ok(())
    }
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
    let barred = match store {
        Some((store, _)) => Barred::of(store, key)?,
        None => Barred::default(),
    };
    let mut report = NormalizeReport::default();
    let mut target = match store {
        Some((store, lock)) => Target::Store {
            store,
            waiting: Waiting::new(store, lock, &options.tenant, options.buffer_bytes),
            refused: Refused::default(),
        },
        None => Target::Nowhere(Box::default()),
    };
    progress.begin("normalizing events", None);
    let parser = Parser {
        normalizer: &normalizer,
        barred: &barred,
        key,
        options,
    };
    report.inputs = parser.read(inputs, &mut target, progress)?;
    report.account.events_read = report.inputs.iter().map(|input| input.events).sum();
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
    // Everything below becomes part of the store together with its account, or not at all.
    let mut commit = store.map(|(store, lock)| store.begin_commit(lock));
    match (target, &mut commit) {
        (
            Target::Store {
                store,
                waiting,
                refused,
            },
            Some(commit),
        ) => {
            refused.settle(store, commit, &mut report, options)?;
            for (day, events) in waiting.settle(progress)? {
                report.account.normalized += events.found.rows;
                report.account.duplicate += events.found.duplicates;
                report.span = events.found.widen(report.span);
                if let Some(file) = events.file {
                    commit.add_staged(file)?;
                    report.days.push(day);
                }
            }
        }
        (Target::Nowhere(tally), _) => tally.settle(&mut report),
        (Target::Store { .. }, None) => unreachable!("rows go to a store only if there is one"),
    }
    if !report.account.closes() {
        return Err(Error::new(
            ErrorKind::Gate,
            format!("close the account of events: {:?}", report.account),
        ));
    }
    if let (Some((store, _)), Some(mut commit)) = (store, commit) {
        account::add(store, &mut commit, &options.tenant, report.account)?;
        if report.account.normalized + report.account.quarantined > 0 {
            known::remember(store, &mut commit, options.ingested_at)?;
        }
        commit.commit()?;
    }
    Ok(report)
}

/// The texts of a column of a batch that was read with it.
fn texts<'a>(batch: &'a RecordBatch, column: &str) -> impl Iterator<Item = &'a str> {
    let column = batch.column_by_name(column).map(AsArray::as_string::<i32>);
    column
        .into_iter()
        .flat_map(|column| column.iter().map(Option::unwrap_or_default))
}
