//! Where in a file rows with some keys can be, as its statistics tell.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::basic::{ColumnOrder, SortOrder};
use parquet::errors::ParquetError;
use parquet::file::metadata::page_index::RowGroupPageIndex;
use parquet::file::metadata::{
    ColumnChunkMask, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;

use super::lookup::Key;
use super::read::TableFile;

/// The row groups to read, and which of their rows.
#[derive(Debug)]
pub(super) struct Places {
    /// The file's metadata with the page index of these row groups.
    pub(super) metadata: ArrowReaderMetadata,
    /// Ascending.
    pub(super) groups: Vec<usize>,
    /// Over all rows of these row groups.
    pub(super) rows: RowSelection,
}

impl Places {
    /// Looks for the keys in the columns at `roots`; `decoded` are all columns that will be read.
    pub(super) fn find(
        file: &File,
        table: &TableFile,
        keys: &[Key],
        roots: &[usize],
        decoded: &ProjectionMask,
    ) -> Result<Self, ParquetError> {
        let search = Search::new(table.metadata.metadata(), keys, roots);
        let mut groups: Vec<usize> = (0..table.row_groups()).collect();
        groups.retain(|&group| search.may_be_in_group(group));
        let metadata = with_page_index(file, &table.metadata, &groups, decoded)?;
        let filters =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file.try_clone()?, metadata.clone());
        let mut rows: Vec<RowSelector> = Vec::new();
        let mut kept = Vec::with_capacity(groups.len());
        for group in groups {
            let index = metadata.metadata().page_index_for_row_group(group);
            let selected = search.rows_of(group, &index);
            let count = selected.row_count();
            if count > 0 && search.may_pass(group, count, &filters) {
                kept.push(group);
                rows.extend(selected.iter().copied());
            }
        }
        Ok(Self {
            metadata,
            groups: kept,
            rows: RowSelection::from(rows),
        })
    }
}

/// Adds the page index of some row groups and columns. A file without one, or whose page index makes
/// no sense, is read without.
fn with_page_index(
    file: &File,
    metadata: &ArrowReaderMetadata,
    groups: &[usize],
    decoded: &ProjectionMask,
) -> Result<ArrowReaderMetadata, ParquetError> {
    let schema = metadata.parquet_schema();
    let leaves = (0..schema.num_columns()).filter(|&leaf| decoded.leaf_included(leaf));
    let mask = ColumnChunkMask::row_groups_and_columns(groups.iter().copied(), leaves);
    let bare = ParquetMetaData::clone(metadata.metadata());
    let mut reader = ParquetMetaDataReader::new_with_metadata(bare)
        .with_page_index_policy(PageIndexPolicy::Optional)
        .with_page_index_mask(mask);
    match reader
        .read_page_indexes(file)
        .and_then(|()| reader.finish())
    {
        Ok(indexed) => ArrowReaderMetadata::try_new(Arc::new(indexed), ArrowReaderOptions::new()),
        Err(_) => Ok(metadata.clone()),
    }
}

/// Keys with the leaf columns that hold them.
struct Search<'a> {
    metadata: &'a ParquetMetaData,
    keys: Vec<(&'a Key, usize)>,
}

impl<'a> Search<'a> {
    fn new(metadata: &'a ParquetMetaData, keys: &'a [Key], roots: &[usize]) -> Self {
        let schema = metadata.file_metadata().schema_descr();
        let leaf = |root: &usize| {
            let mut leaves = 0..schema.num_columns();
            leaves
                .find(|&leaf| schema.get_column_root_idx(leaf) == *root)
                .expect("every column of text is a leaf")
        };
        Self {
            metadata,
            keys: keys.iter().zip(roots.iter().map(leaf)).collect(),
        }
    }

    /// Whether least and greatest values of a column compare as unsigned bytes; else they tell
    /// nothing about texts.
    fn is_ordered(&self, leaf: usize) -> bool {
        let file = self.metadata.file_metadata();
        let order = file.column_orders().and_then(|orders| orders.get(leaf));
        matches!(
            order,
            Some(ColumnOrder::TYPE_DEFINED_ORDER(SortOrder::UNSIGNED))
        )
    }

    fn may_be_in_group(&self, group: usize) -> bool {
        let group = self.metadata.row_group(group);
        let may_hold = |&(key, leaf): &(&Key, usize)| {
            !self.is_ordered(leaf) || may_hold(key, group.column(leaf).statistics())
        };
        group.num_rows() > 0 && self.keys.iter().all(may_hold)
    }

    /// The rows of the pages that may hold all keys.
    fn rows_of(&self, group: usize, index: &RowGroupPageIndex) -> RowSelection {
        let group = self.metadata.row_group(group);
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let mut selected = RowSelection::from(vec![RowSelector::select(rows)]);
        for &(key, leaf) in &self.keys {
            if !self.is_ordered(leaf) {
                continue;
            }
            if let Some(pages) = pages(key, leaf, rows, index) {
                let of_key = RowSelection::from_consecutive_ranges(pages.into_iter(), rows);
                selected = selected.intersection(&of_key);
            }
        }
        selected
    }

    /// Whether the filters of a row group leave it in. One is asked only where reading it is cheaper
    /// than decoding the rows that are left.
    fn may_pass(
        &self,
        group: usize,
        rows: usize,
        file: &ParquetRecordBatchReaderBuilder<File>,
    ) -> bool {
        self.keys.iter().all(|&(key, leaf)| {
            let bytes = filter_bytes(self.metadata.row_group(group), leaf);
            if bytes.is_none_or(|bytes| bytes > rows.saturating_mul(BYTES_PER_TEXT)) {
                return true;
            }
            // A filter that cannot be read filters nothing.
            match file.get_row_group_column_bloom_filter(group, leaf) {
                Ok(Some(filter)) => key.values.iter().any(|value| filter.check(value.as_str())),
                _ => true,
            }
        })
    }
}

/// What a text of a column that is looked up takes at least.
const BYTES_PER_TEXT: usize = 8;

fn filter_bytes(group: &RowGroupMetaData, leaf: usize) -> Option<usize> {
    usize::try_from(group.column(leaf).bloom_filter_length()?).ok()
}

/// Whether a column chunk may hold a key, by its least and greatest value.
fn may_hold(key: &Key, statistics: Option<&Statistics>) -> bool {
    let Some(Statistics::ByteArray(values)) = statistics else {
        return true;
    };
    if statistics.is_some_and(Statistics::is_min_max_deprecated) {
        // Written in days when bytes were compared as signed numbers.
        return true;
    }
    match (values.min_bytes_opt(), values.max_bytes_opt()) {
        (Some(least), Some(greatest)) => key.has_within(least, greatest),
        _ => true,
    }
}

/// The rows of the pages of a column that may hold a key; `None` where the page index does not tell.
fn pages(
    key: &Key,
    leaf: usize,
    rows: usize,
    index: &RowGroupPageIndex,
) -> Option<Vec<Range<usize>>> {
    let ColumnIndexMetaData::BYTE_ARRAY(values) = index.column_index(leaf)? else {
        return None;
    };
    let locations = index.page_locations(leaf)?;
    if locations.len() as u64 != values.num_pages() {
        return None;
    }
    let mut starts = Vec::with_capacity(locations.len() + 1);
    for location in locations {
        starts.push(usize::try_from(location.first_row_index).ok()?);
    }
    starts.push(rows);
    if starts.first() != Some(&0) || !starts.is_sorted() {
        return None;
    }
    let may_hold = |page: &usize| match (values.min_value(*page), values.max_value(*page)) {
        // A page of nulls has neither.
        _ if values.is_null_page(*page) => false,
        (Some(least), Some(greatest)) => key.has_within(least, greatest),
        _ => true,
    };
    let found = (0..locations.len()).filter(may_hold);
    Some(found.map(|page| starts[page]..starts[page + 1]).collect())
}
