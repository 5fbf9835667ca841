//! One table as one Parquet file: writing ours, reading anybody's.

mod encode;
mod lookup;
mod places;
mod properties;
mod read;
mod statistics;
mod write;

pub use lookup::Key;
pub use read::{Batches, Scan, TableFile, read};
pub use write::{Metadata, TableWriter, write};

use af_model::contract::Table;

/// Key of the table's name in a file's metadata.
pub const TABLE_KEY: &str = "attack_factor.table";

/// Key of the table's version in a file's metadata.
pub const TABLE_VERSION_KEY: &str = "attack_factor.table_version";

/// Key of the formula's id in a file's metadata, where one was used.
pub const FORMULA_KEY: &str = "attack_factor.formula";

/// The writer named in every file. Without a version, so that an update of the program or of a
/// library does not change the bytes of equal rows by itself.
pub const CREATED_BY: &str = "attack-factor";

/// Rows per batch: what the writer cuts by and readers decode at a time. A row of events may hold
/// kilobytes, and a text column of one batch must stay below 2 GiB.
pub(crate) fn batch_rows(table: &Table) -> usize {
    if is_wide(table) { 2048 } else { 8192 }
}

/// Rows per row group. Whoever looks for a few rows skips pages, so smaller ones would spare a reader
/// nothing: a quarter of these cost a tenth more bytes.
fn row_group_rows(table: &Table) -> usize {
    if is_wide(table) {
        128 * 1024
    } else {
        1024 * 1024
    }
}

fn is_wide(table: &Table) -> bool {
    table.columns.len() > 40
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
