//! How a table's columns are written: what a reader looks up, what repeats, what only counts on.

use af_model::contract::Table;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnPath, SchemaDescriptor};

use super::{CREATED_BY, Metadata, row_group_rows};

/// Columns that a reader looks up by value: a filter saves it the row groups without that value.
const LOOKED_UP: [&str; 3] = ["signal_uid", "user_uid", "metadata_uid"];

/// Of these pages tell as much as a filter would: all rows of a person stand together.
const TOLD_BY_PAGES: [(&str, &str); 1] = [("bucket_counts", "user_uid")];

/// Columns that never repeat within a table: a dictionary of them would be as large as they are.
const NEVER_REPEATED: [(&str, &str); 3] = [
    ("attack_signals", "signal_uid"),
    ("identity_events", "metadata_uid"),
    ("quarantine", "reject_uid"),
];

/// Lists of ids that are random by nature: a dictionary of them would be as large as they are, and to
/// search them for repetitions costs half of the time again and saves nothing.
const LISTS_OF_IDS: [(&str, [&str; 3]); 1] =
    [("signal_attribution", ["signal_uids", "list", "element"])];

/// Instants and figures that hardly two rows have in common: a dictionary is built, found too large and
/// given up in every row group. Their differences from row to row take fewer bytes, and no search.
const DIFFERENCES: [(&str, [&str; 2]); 2] = [
    ("bucket_counts", ["first_time", "last_time"]),
    ("signal_attribution", ["score_share_micro", "without_micro"]),
];

/// How a file of a table is written.
pub(super) fn properties(
    table: &Table,
    schema: &SchemaDescriptor,
    metadata: &Metadata,
) -> WriterProperties {
    // Level 3 takes up to twice the time and saves nothing on most tables: one percent of events.
    let level = ZstdLevel::try_new(1).expect("1 is a level of zstd");
    let mut properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_dictionary_enabled(true)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_write_batch_size(1024)
        .set_max_row_group_row_count(Some(row_group_rows(table)))
        .set_sorting_columns(Some(sorting_columns(table, schema)))
        .set_key_value_metadata(Some(metadata.key_values(table)));
    for column in table.columns.iter().map(|column| column.name) {
        if LOOKED_UP.contains(&column) && !TOLD_BY_PAGES.contains(&(table.name, column)) {
            properties = properties.set_column_bloom_filter_fpp(ColumnPath::from(column), 0.01);
        }
        if NEVER_REPEATED.contains(&(table.name, column)) {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
        }
    }
    for (_, path) in LISTS_OF_IDS.iter().filter(|(name, _)| *name == table.name) {
        let path = ColumnPath::new(path.iter().map(|&part| part.to_owned()).collect());
        properties = properties.set_column_dictionary_enabled(path, false);
    }
    let differences = DIFFERENCES.iter().filter(|(name, _)| *name == table.name);
    for column in differences.flat_map(|(_, columns)| columns) {
        let path = || ColumnPath::from(*column);
        properties = properties
            .set_column_dictionary_enabled(path(), false)
            .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED);
    }
    properties.build()
}

/// The table's order in terms of Parquet's leaf columns: a nested column is several of them.
fn sorting_columns(table: &Table, schema: &SchemaDescriptor) -> Vec<SortingColumn> {
    table
        .sorted_by
        .iter()
        .map(|name| {
            let leaf = schema
                .columns()
                .iter()
                .position(|leaf| leaf.path().parts() == [*name])
                .expect("a sort column is a plain column of the table");
            SortingColumn {
                column_idx: i32::try_from(leaf).expect("a table has a few dozen columns"),
                descending: false,
                nulls_first: true,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use af_model::tables::signal_attribution;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;
    use crate::table_file::samples::random_batch;
    use crate::table_file::write;

    #[test]
    fn what_hardly_repeats_has_no_dictionary_and_all_else_has_one() {
        let table = &signal_attribution::TABLE;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        write(
            &path,
            table,
            [random_batch(table, 3_000, 9)],
            &Metadata::new(),
        )
        .unwrap();
        let file = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        let group = file.metadata().row_group(0);
        for column in group.columns() {
            let path = column.column_path().string();
            let encodings: Vec<Encoding> = column.encodings().collect();
            let is_difference = ["score_share_micro", "without_micro"].contains(&path.as_str());
            assert_eq!(
                encodings.contains(&Encoding::DELTA_BINARY_PACKED),
                is_difference,
                "{path}: {encodings:?}"
            );
            let is_id = path == "signal_uids.list.element";
            assert_eq!(
                column.dictionary_page_offset().is_none(),
                is_difference || is_id,
                "{path}"
            );
        }
    }
}
