//! What a file's footer tells of its rows.

use std::ops::RangeInclusive;

use af_model::UtcMillis;
use arrow::array::AsArray;
use arrow::compute::{cast, max, min};
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::statistics::Statistics;

use super::TableFile;
use crate::quiet::quietly;

impl TableFile {
    /// The first and the last instant of a column, if the footer tells them of every row group. That
    /// is what the writer says; nobody checked it.
    pub fn instants(&self, column: &str) -> Option<RangeInclusive<UtcMillis>> {
        // A footer may contradict itself in ways that the library does not expect.
        quietly(|| self.instants_told(column)).ok().flatten()
    }

    /// Whether a column may hold anything but nulls; false only if the footer says so of every row
    /// group, or if there is no such column.
    fn may_have_values(&self, column: &str) -> bool {
        quietly(|| self.has_values_told(column)).unwrap_or(true)
    }

    /// Whether to decode a column: not if the contract allows nulls and the footer tells of nothing else.
    /// Such a column is as good as absent, and decoding it costs more than it tells.
    pub fn is_worth_decoding(&self, column: &str) -> bool {
        let contract = self.table.column(column);
        contract.is_some_and(|column| !column.nullable) || self.may_have_values(column)
    }

    fn has_values_told(&self, column: &str) -> bool {
        let metadata = self.metadata.metadata();
        let roots = self.metadata.parquet_schema().root_schema().get_fields();
        if !roots.iter().any(|root| root.name() == column) {
            return false;
        }
        metadata.row_groups().iter().any(|group| {
            let mut leaves = group.columns().iter();
            let leaf = leaves.find(|leaf| leaf.column_path().parts() == [column]);
            leaf.is_none_or(|leaf| {
                let nulls = leaf.statistics().and_then(Statistics::null_count_opt);
                nulls != u64::try_from(leaf.num_values()).ok()
            })
        })
    }

    fn instants_told(&self, column: &str) -> Option<RangeInclusive<UtcMillis>> {
        let groups = self.metadata.metadata().row_groups();
        let schema = self.metadata.parquet_schema();
        let told = StatisticsConverter::try_new(column, self.metadata.schema(), schema).ok()?;
        let millis = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let told_of = |bounds| {
            let bounds = cast(&bounds, &millis).ok()?;
            let bounds = bounds.as_primitive::<TimestampMillisecondType>().clone();
            let is_told_of_all = arrow::array::Array::null_count(&bounds) == 0;
            (is_told_of_all && groups.len() == bounds.values().len()).then_some(bounds)
        };
        let first = min(&told_of(told.row_group_mins(groups).ok()?)?)?;
        let last = max(&told_of(told.row_group_maxes(groups).ok()?)?)?;
        (first <= last).then_some(UtcMillis(first)..=UtcMillis(last))
    }
}

#[cfg(test)]
mod tests {
    use af_model::tables::attack_signals::TABLE;
    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::TimestampMillisecondType;

    use super::*;
    use crate::table_file::samples::random_batch;
    use crate::table_file::{Metadata, write};

    #[test]
    fn the_footer_tells_the_span_of_a_column() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signals.parquet");
        let batch = random_batch(&TABLE, 300, 5);
        write(&path, &TABLE, [batch.clone()], &Metadata::new()).unwrap();
        let file = TableFile::open(&path, &TABLE).unwrap();
        let times = batch.column_by_name("time").unwrap();
        let times = times.as_primitive::<TimestampMillisecondType>();
        let (first, last) = (min(times).unwrap(), max(times).unwrap());
        assert_eq!(
            file.instants("time"),
            Some(UtcMillis(first)..=UtcMillis(last))
        );
        assert_eq!(file.instants("no such column"), None);
        assert!(file.may_have_values("time") && file.may_have_values("event_uids"));
        assert!(!file.may_have_values("no such column"));
    }

    #[test]
    fn a_column_that_holds_no_instants_or_none_at_all_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("foreign.parquet");
        let times: arrow::array::ArrayRef = std::sync::Arc::new(Int64Array::from(vec![None, None]));
        let batch = arrow::array::RecordBatch::try_from_iter([("time", times)]).unwrap();
        let mut written = Vec::new();
        let mut writer =
            parquet::arrow::ArrowWriter::try_new(&mut written, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        fs_err::write(&path, written).unwrap();
        let file = TableFile::open(&path, &TABLE).unwrap();
        assert_eq!(file.instants("time"), None);
        assert!(!file.may_have_values("time"));
        // Every signal has a time: whoever decodes the column finds out that these do not.
        assert!(file.is_worth_decoding("time"));
        assert!(!file.is_worth_decoding("ingested_at"));
    }
}
