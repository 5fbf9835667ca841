//! A run that writes nothing: events are counted, not kept.

use std::collections::HashSet;

use af_model::tables::quarantine;
use af_model::{UtcDay, UtcMillis};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMillisecondType;

use super::fresh::{fingerprint, widened};
use super::{NormalizeReport, texts};

/// What a run would have kept, by fingerprint: some thirty bytes for each event.
#[derive(Default)]
pub(super) struct Tally {
    events: HashSet<(UtcDay, u128)>,
    refused: HashSet<u128>,
    examples: Vec<quarantine::Row>,
    report: NormalizeReport,
}

impl Tally {
    pub(super) fn count(&mut self, day: UtcDay, batch: &RecordBatch) {
        let times = batch
            .column_by_name("time")
            .map(AsArray::as_primitive::<TimestampMillisecondType>);
        let times = times.into_iter().flat_map(|times| times.values().iter());
        for (uid, &time) in texts(batch, "metadata_uid").zip(times) {
            if self.events.insert((day, fingerprint(uid))) {
                self.report.account.normalized += 1;
                self.report.span = Some(widened(self.report.span, UtcMillis(time)));
            } else {
                self.report.account.duplicate += 1;
            }
        }
    }

    pub(super) fn refuse(&mut self, rows: Vec<quarantine::Row>) {
        for row in rows {
            if self.refused.insert(fingerprint(&row.reject_uid)) {
                self.report.refuse(&row);
                self.examples.push(row);
            } else {
                self.report.account.duplicate += 1;
            }
        }
        self.examples
            .sort_by(|a, b| super::refused::place(a).cmp(&super::refused::place(b)));
        self.examples.truncate(super::refused::EXAMPLES);
    }

    pub(super) fn settle(self, report: &mut NormalizeReport) {
        report.account += self.report.account;
        report.span = self.report.span;
        report.reasons = self.report.reasons;
        report.examples = self.examples;
    }
}
