//! From raw events to identity events in the store.
//!
//! Chunks of a stream are parsed in parallel (`parse`) into one builder per UTC day. When what
//! waits (`waiting`) exceeds the buffer, every day's rows go to a sorted run on disk; at the end each
//! day's runs are merged, events that are already known are dropped (`fresh`), and the rest becomes
//! one new file of that day. Refused (`refused`) events keep their place and reason, never their
//! content. Memory is the buffer plus some 30 bytes per event of the largest day, whatever the size
//! of the input.

use std::collections::BTreeMap;

use af_model::accounting::EventAccount;
use af_model::tables::quarantine;
use af_model::{HashKey, UtcDay, UtcMillis};
use af_okta::Normalizer;
use af_store::{Partitioned, Store, WriteLock};
use arrow::array::{AsArray, RecordBatch};

use crate::error::{Error, ErrorKind};
use crate::input::{Input, open};
use crate::progress::Progress;

mod fresh;
mod parse;
mod refused;
mod waiting;

use fresh::Fresh;
use parse::Source;
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
    refused::settle(store, refused, &mut report, options)?;
    settle_days(store, waiting, &mut report, options, progress)?;
    if !report.account.closes() {
        return Err(Error::new(
            ErrorKind::Gate,
            format!("close the account of events: {:?}", report.account),
        ));
    }
    Ok(report)
}

/// Merges what waits into one new file per day, without the events that are already known.
fn settle_days(
    store: Option<(&Store, &WriteLock)>,
    mut waiting: Waiting,
    report: &mut NormalizeReport,
    options: &NormalizeOptions,
    progress: &dyn Progress,
) -> Result<(), Error> {
    if let Some((store, _)) = store {
        waiting.settle(store)?;
    }
    let days = waiting.days();
    progress.begin("writing days", Some(days.len() as u64));
    for day in days {
        let known = fresh::known(store, day, &options.tenant)?;
        let mut fresh = Fresh::new(known, waiting.take(day)?);
        match store {
            Some((store, lock)) => {
                if store
                    .add_day_stream(lock, Partitioned::Events, day, &mut fresh)?
                    .is_some()
                {
                    report.days.push(day);
                }
            }
            None => {
                for batch in &mut fresh {
                    batch?;
                }
            }
        }
        report.account.normalized += fresh.rows;
        report.account.duplicate += fresh.duplicates;
        if let Some((first, last)) = fresh.span {
            report.span = Some(match report.span {
                Some((earliest, latest)) => (earliest.min(first), latest.max(last)),
                None => (first, last),
            });
        }
        progress.advance(1);
    }
    progress.end();
    Ok(())
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<String> {
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
