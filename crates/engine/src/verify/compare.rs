//! What a table holds against what it must hold, cell by cell.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use af_model::contract::Table;
use af_model::tables::{
    component_scores, group_index, org_summary, signal_attribution, tombstones, user_scores,
};
use af_model::view::VerifyFinding;
use af_store::Snapshot;
use arrow::array::{ArrayRef, AsArray, DynComparator, RecordBatch, make_comparator};
use arrow::compute::SortOptions;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use arrow::util::display::array_value_to_string;

use super::findings::Findings;
use super::tables::Sound;
use crate::assemble::SnapshotTables;
use crate::error::{Error, ErrorKind};

/// Columns that are taken from the snapshot, as nothing else in it says them.
const TAKEN: [(&str, &[&str]); 3] = [
    (
        "user_scores",
        &[
            "population",
            "in_population",
            "email",
            "display_name",
            "department",
            "location",
            "manager_uid",
        ],
    ),
    ("signal_attribution", &["rule_ids", "signal_uids"]),
    ("tombstones", &["erased_at", "population", "in_population"]),
];

/// Compares every recomputed table. Returns how many cells were compared.
pub(super) fn compare_all(
    snapshot: &Snapshot,
    sound: &Sound,
    expected: &SnapshotTables,
    skipped: &BTreeSet<String>,
    findings: &mut Findings,
) -> Result<u64, Error> {
    let mut cells = 0;
    for table in [
        &user_scores::TABLE,
        &component_scores::TABLE,
        &signal_attribution::TABLE,
        &org_summary::TABLE,
        &group_index::TABLE,
        &tombstones::TABLE,
    ] {
        if sound.contains(table) {
            let parts = expected.parts(table).iter();
            let plain = parts.map(|part| {
                table
                    .conform(part)
                    .expect("rows keep their table's contract")
            });
            cells += compare(snapshot, table, plain, skipped, findings)?;
        }
    }
    Ok(cells)
}

/// Walks both sides in the order of the table's key.
fn compare(
    snapshot: &Snapshot,
    table: &'static Table,
    expected: impl Iterator<Item = RecordBatch>,
    skipped: &BTreeSet<String>,
    findings: &mut Findings,
) -> Result<u64, Error> {
    let keys = Keys::of(table)?;
    let mut expected = Side::new(expected.map(Ok), &keys)?;
    let found = snapshot.table(table)?.map(|batch| Ok(batch?));
    let mut found = Side::new(found, &keys)?;
    let mut pair: Option<Pair> = None;
    let mut cells = 0;
    loop {
        let order = match (expected.key(), found.key()) {
            (None, None) => return Ok(cells),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(expected), Some(found)) => expected.cmp(&found),
        };
        match order {
            Ordering::Less => {
                findings.add(whole_row(table, expected.text(), "no such row", "this row"));
                expected.step()?;
            }
            Ordering::Greater => {
                if !found.is_of(skipped) {
                    findings.add(whole_row(table, found.text(), "this row", "no such row"));
                }
                found.step()?;
            }
            Ordering::Equal => {
                if pair
                    .as_ref()
                    .is_none_or(|pair| !pair.is_of(&expected, &found))
                {
                    pair = Some(Pair::new(table, &expected, &found)?);
                }
                if let Some(pair) = &pair {
                    cells += pair.compare(expected.at, found.at, findings);
                }
                expected.step()?;
                found.step()?;
            }
        }
    }
}

fn whole_row(table: &Table, row: String, found: &str, expected: &str) -> VerifyFinding {
    VerifyFinding {
        table: table.name.to_owned(),
        row: Some(row),
        column: None,
        found: Some(found.to_owned()),
        expected: expected.to_owned(),
    }
}

/// The key columns of a table, comparable across batches.
pub(super) struct Keys {
    table: &'static Table,
    converter: RowConverter,
}

impl Keys {
    pub(super) fn of(table: &'static Table) -> Result<Self, Error> {
        let schema = table.file_schema();
        let fields = table.sorted_by.iter().map(|name| {
            let field = schema
                .field_with_name(name)
                .expect("a table is sorted by its own columns");
            SortField::new(field.data_type().clone())
        });
        let converter = RowConverter::new(fields.collect()).map_err(|e| failed(&e))?;
        Ok(Self { table, converter })
    }

    fn columns(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let column = |name: &&str| {
            let column = batch.column_by_name(name);
            Arc::clone(column.expect("batches were brought into the contract"))
        };
        self.table.sorted_by.iter().map(column).collect()
    }

    pub(super) fn rows(&self, batch: &RecordBatch) -> Result<Rows, Error> {
        self.converter
            .convert_columns(&self.columns(batch))
            .map_err(|e| failed(&e))
    }

    /// A row by its key, as people read it.
    pub(super) fn text(&self, batch: &RecordBatch, row: usize) -> String {
        let columns = self.columns(batch);
        let cells = self.table.sorted_by.iter().zip(&columns);
        let cells: Vec<String> = cells
            .map(|(name, column)| format!("{name}={}", cell_text(column, row)))
            .collect();
        cells.join(" ")
    }
}

/// One of the two sides: the current batch and the place in it.
struct Side<'k, B> {
    keys: &'k Keys,
    batches: B,
    /// Counts the batches, to tell when a new one came.
    number: usize,
    current: Option<(RecordBatch, Rows)>,
    at: usize,
}

impl<'k, B: Iterator<Item = Result<RecordBatch, Error>>> Side<'k, B> {
    fn new(batches: B, keys: &'k Keys) -> Result<Self, Error> {
        let mut side = Self {
            keys,
            batches,
            number: 0,
            current: None,
            at: 0,
        };
        side.fetch()?;
        Ok(side)
    }

    fn fetch(&mut self) -> Result<(), Error> {
        self.at = 0;
        self.current = None;
        for batch in self.batches.by_ref() {
            let batch = batch?;
            self.number += 1;
            if batch.num_rows() > 0 {
                let rows = self.keys.rows(&batch)?;
                self.current = Some((batch, rows));
                break;
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Error> {
        self.at += 1;
        let ended = self
            .current
            .as_ref()
            .is_none_or(|(batch, _)| self.at >= batch.num_rows());
        if ended { self.fetch() } else { Ok(()) }
    }

    fn key(&self) -> Option<arrow::row::Row<'_>> {
        self.current.as_ref().map(|(_, rows)| rows.row(self.at))
    }

    fn text(&self) -> String {
        let current = self.current.as_ref();
        current.map_or_else(String::new, |(batch, _)| self.keys.text(batch, self.at))
    }

    /// Whether the current row belongs to one of these tenants.
    fn is_of(&self, tenants: &BTreeSet<String>) -> bool {
        let tenant = self
            .current
            .as_ref()
            .and_then(|(batch, _)| batch.column_by_name("tenant_uid"))
            .map(|column| column.as_string::<i32>().value(self.at));
        tenant.is_some_and(|tenant| tenants.contains(tenant))
    }
}

/// Comparators of the columns of two batches.
struct Pair {
    keys: Keys,
    numbers: (usize, usize),
    expected: RecordBatch,
    found: RecordBatch,
    /// Place, name and comparator of every column that is compared.
    columns: Vec<(usize, &'static str, DynComparator)>,
}

impl Pair {
    fn new<A, B>(
        table: &'static Table,
        expected: &Side<'_, A>,
        found: &Side<'_, B>,
    ) -> Result<Self, Error> {
        let batch = |current: &Option<(RecordBatch, Rows)>| {
            let (batch, _) = current.as_ref().expect("both sides have a row here");
            batch.clone()
        };
        let numbers = (expected.number, found.number);
        let (expected, found) = (batch(&expected.current), batch(&found.current));
        let taken = TAKEN
            .iter()
            .find(|(name, _)| *name == table.name)
            .map_or(&[][..], |(_, columns)| columns);
        let mut columns = Vec::new();
        for (place, column) in table.columns.iter().enumerate() {
            if taken.contains(&column.name) || table.sorted_by.contains(&column.name) {
                continue;
            }
            let comparator = make_comparator(
                expected.column(place),
                found.column(place),
                SortOptions::default(),
            );
            columns.push((place, column.name, comparator.map_err(|e| failed(&e))?));
        }
        Ok(Self {
            keys: Keys::of(table)?,
            numbers,
            expected,
            found,
            columns,
        })
    }

    fn is_of<A, B>(&self, expected: &Side<'_, A>, found: &Side<'_, B>) -> bool {
        self.numbers == (expected.number, found.number)
    }

    /// Compares two rows of one key. Returns how many cells were compared.
    fn compare(&self, expected: usize, found: usize, findings: &mut Findings) -> u64 {
        for (place, name, comparator) in &self.columns {
            if comparator(expected, found) != Ordering::Equal {
                findings.add(VerifyFinding {
                    table: self.keys.table.name.to_owned(),
                    row: Some(self.keys.text(&self.found, found)),
                    column: Some((*name).to_owned()),
                    found: Some(cell_text(self.found.column(*place), found)),
                    expected: cell_text(self.expected.column(*place), expected),
                });
            }
        }
        self.columns.len() as u64
    }
}

fn cell_text(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "null".to_owned();
    }
    // Cells of tables that are compared are texts, figures, days and instants: all can be shown.
    array_value_to_string(column, row).unwrap_or_else(|_| "?".to_owned())
}

fn failed(error: &ArrowError) -> Error {
    Error::new(ErrorKind::Io, format!("compare rows: {error}"))
}
