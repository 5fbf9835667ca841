//! The days of a span, classified with the rule in question and without it.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use af_model::tables::attack_signals;
use af_model::{UtcDay, UtcMillis};
use af_rules::{Rule, Walk};
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::BacktestJob;
use super::view::DayFindings;
use crate::detect::{events_of, unclassified};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;
use crate::timeline;

/// What both sets of rules found.
#[derive(Debug, Default)]
pub(super) struct Classified {
    /// With the rule.
    pub(super) with: Signals,
    /// Without it.
    pub(super) without: Signals,
    /// When the latest event became known.
    pub(super) latest_ingested: Option<UtcMillis>,
    /// Events of the span.
    pub(super) events: u64,
    /// Days of the span that have events.
    pub(super) days: u64,
    /// Days on which the rule found something.
    pub(super) by_day: Vec<DayFindings>,
    /// Signals of other rules that are not found where the rule speaks instead, or silences.
    pub(super) instead_of: u64,
}

/// Signals by day, as they would be written.
#[derive(Debug, Default)]
pub(super) struct Signals(Vec<(UtcDay, RecordBatch)>);

impl Signals {
    /// Those of some days.
    pub(super) fn within(&self, days: &RangeInclusive<UtcDay>) -> Vec<RecordBatch> {
        let wanted = self.0.iter().filter(|(day, _)| days.contains(day));
        wanted.map(|(_, batch)| batch.clone()).collect()
    }
}

impl Classified {
    /// What the rule itself found.
    pub(super) fn own(&self, rule_id: &str) -> Result<Vec<RecordBatch>, Error> {
        let batches = self.with.0.iter();
        batches
            .map(|(day, batch)| of_rule(batch, rule_id).map_err(|error| failed(*day, &error)))
            .collect()
    }
}

/// Classifies the days from `first` on; those before are shown to rules that look back on them.
pub(super) fn both(
    job: &BacktestJob<'_>,
    days: &[UtcDay],
    first: UtcDay,
    rule: &Rule,
    progress: &dyn Progress,
) -> Result<Classified, Error> {
    let mut classified = Classified::default();
    let look_back = job.with.look_back_days().max(job.without.look_back_days());
    let span = i32::try_from(look_back).unwrap_or(i32::MAX);
    let from = UtcDay(first.0.saturating_sub(span));
    let days: Vec<UtcDay> = days.iter().copied().filter(|day| *day >= from).collect();
    let (mut with, mut without) = (job.with.walk(), job.without.walk());
    let reads = job.with.reads().and(job.without.reads());
    progress.begin("trying the rule", Some(days.len() as u64));
    for day in days {
        let events = events_of(job.store, day, &reads)?;
        if day < first {
            with.look_at(day, &events)
                .and_then(|()| without.look_at(day, &events))
                .map_err(|error| unclassified(day, &error))?;
            progress.advance(1);
            continue;
        }
        let found = signals(&mut with, day, &events)?;
        let other = signals(&mut without, day, &events)?;
        let own = of_rule(&found, &rule.id).map_err(|error| failed(day, &error))?;
        let uids = uids(&found);
        let instead_of = self::uids(&other).difference(&uids).count();
        let heard = timeline::heard(&events)?;
        classified.latest_ingested = classified
            .latest_ingested
            .max(heard.iter().map(|heard| heard.last_known).max());
        classified.events += events.num_rows() as u64;
        classified.days += 1;
        classified.instead_of += instead_of as u64;
        if own.num_rows() > 0 {
            classified.by_day.push(DayFindings {
                day,
                findings: own.num_rows() as u64,
                people: 0,
            });
        }
        classified.with.0.push((day, found));
        classified.without.0.push((day, other));
        progress.advance(1);
    }
    progress.end();
    Ok(classified)
}

fn signals(walk: &mut Walk<'_>, day: UtcDay, events: &RecordBatch) -> Result<RecordBatch, Error> {
    let known_type = |name: &str| af_okta::catalogue::event_type(name).is_some();
    let classified = walk
        .detect(day, events, &known_type)
        .map_err(|error| unclassified(day, &error))?;
    Ok(classified.signals)
}

fn of_rule(signals: &RecordBatch, rule_id: &str) -> Result<RecordBatch, arrow::error::ArrowError> {
    let is_own: BooleanArray = (0..signals.num_rows())
        .map(|row| Some(attack_signals::row(signals, row).rule_id == rule_id))
        .collect();
    filter_record_batch(signals, &is_own)
}

fn uids(signals: &RecordBatch) -> BTreeSet<(&str, &str)> {
    let column = |name: &str| {
        signals
            .column_by_name(name)
            .expect("signals are in the file schema of their table")
            .as_string::<i32>()
    };
    let (tenants, uids) = (column("tenant_uid"), column("signal_uid"));
    (0..signals.num_rows())
        .map(|row| (tenants.value(row), uids.value(row)))
        .collect()
}

fn failed(day: UtcDay, error: &arrow::error::ArrowError) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("look through the signals of {day}: {error}"),
    )
}
