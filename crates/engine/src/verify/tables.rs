//! Every table by itself: it can be read, and its rows are in its order, each once.

use std::collections::BTreeSet;

use af_model::contract::Table;
use af_model::tables::{self, bucket_counts, tombstones, user_scores};
use af_model::view::{VerifyFinding, VerifyView};
use af_store::Snapshot;
use arrow::row::OwnedRow;

use super::compare::Keys;
use super::findings::Findings;
use crate::assemble::has_tombstones;
use crate::error::Error;

/// The tables whose rows can be relied on to be in order.
#[derive(Debug, Default)]
pub(super) struct Sound {
    names: BTreeSet<&'static str>,
    has_tombstones: bool,
}

impl Sound {
    pub(super) fn contains(&self, table: &Table) -> bool {
        self.names.contains(table.name)
    }

    /// Whether the tables from which everything follows can be used.
    pub(super) fn are_inputs_sound(&self) -> bool {
        self.contains(&user_scores::TABLE)
            && self.contains(&bucket_counts::TABLE)
            && (!self.has_tombstones || self.contains(&tombstones::TABLE))
    }
}

/// Reads every table once.
pub(super) fn check_tables(
    snapshot: &Snapshot,
    findings: &mut Findings,
    view: &mut VerifyView,
) -> Result<Sound, Error> {
    let mut sound = Sound {
        has_tombstones: has_tombstones(snapshot),
        ..Sound::default()
    };
    let erased = sound.has_tombstones.then_some(&tombstones::TABLE);
    for table in tables::SNAPSHOT.into_iter().chain(erased) {
        match check_table(snapshot, table, view) {
            Ok(None) => {
                sound.names.insert(table.name);
            }
            Ok(Some(finding)) => findings.add(finding),
            // An absent file was found missing already; what is damaged is damaged.
            Err(error) => findings.add(VerifyFinding {
                table: table.name.to_owned(),
                row: None,
                column: None,
                found: Some(error.to_string()),
                expected: "a table that can be read".to_owned(),
            }),
        }
    }
    if sound.contains(&tables::unmatched_signals::TABLE) {
        super::accounts::check_unmatched(snapshot, findings)?;
    }
    Ok(sound)
}

/// Whether each row's key is greater than the one before it.
fn check_table(
    snapshot: &Snapshot,
    table: &'static Table,
    view: &mut VerifyView,
) -> Result<Option<VerifyFinding>, Error> {
    let keys = Keys::of(table)?;
    let mut last: Option<OwnedRow> = None;
    let mut fault = None;
    for batch in snapshot.table(table)? {
        let batch = batch?;
        view.rows += batch.num_rows() as u64;
        if fault.is_some() || batch.num_rows() == 0 {
            continue;
        }
        let rows = keys.rows(&batch)?;
        let across = last.as_ref().is_some_and(|last| last.row() >= rows.row(0));
        let within = (1..rows.num_rows()).find(|&row| rows.row(row - 1) >= rows.row(row));
        let at = if across { Some(0) } else { within };
        fault = at.map(|at| VerifyFinding {
            table: table.name.to_owned(),
            row: Some(keys.text(&batch, at)),
            column: None,
            found: Some("a row that is not after the one before it".to_owned()),
            expected: format!("each row once, in the order {}", table.sorted_by.join(", ")),
        });
        last = Some(rows.row(rows.num_rows() - 1).owned());
    }
    Ok(fault)
}
