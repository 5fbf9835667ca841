//! A day of events in memory: the columns that rules read, as one batch.

use std::collections::HashMap;
use std::sync::Arc;

use af_model::UtcDay;
use af_model::tables::identity_events::TABLE;
use af_rules::Reads;
use af_store::{MergedBatches, Partitioned, Scan, Store, TableFile, checked};
use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, RecordBatch, RecordBatchOptions,
    StringArray,
};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Int32Type, Schema};
use arrow::error::ArrowError;
use rayon::prelude::*;

use crate::error::{Error, ErrorKind};
use crate::timeline;

/// All events of a day, of each what rules read and what the timeline does.
///
/// Files of this program are checked against their names, decoded row group by row group by all threads
/// and put one behind the other; files of others are merged in the table's order.
pub(crate) fn events_of(store: &Store, day: UtcDay, reads: &Reads) -> Result<RecordBatch, Error> {
    let paths = store.day_files(Partitioned::Events, day)?;
    let files = paths
        .par_iter()
        .map(|path| {
            checked(path)?;
            TableFile::open(path, &TABLE)
        })
        .collect::<Result<Vec<TableFile>, af_store::Error>>()?;
    let wanted = reads.columns();
    let names: Vec<&'static str> = TABLE
        .columns
        .iter()
        .map(|column| column.name)
        .filter(|name| wanted.contains(name) || timeline::COLUMNS.contains(name))
        .collect();
    let batches: Vec<RecordBatch> = if files.iter().all(TableFile::is_ours) {
        let groups: Vec<(&TableFile, usize)> = files
            .iter()
            .flat_map(|file| (0..file.row_groups()).map(move |group| (file, group)))
            .collect();
        let decoded = groups
            .into_par_iter()
            .map(|(file, group)| {
                file.read_row_groups(group..group + 1, Some(&names), Scan::Dictionaries)?
                    .map(|batch| batch.map(|batch| reads.narrowed(batch)))
                    .collect()
            })
            .collect::<Result<Vec<Vec<RecordBatch>>, af_store::Error>>()?;
        decoded.into_iter().flatten().collect()
    } else {
        MergedBatches::open(&TABLE, &paths, Some(&names), Scan::Dictionaries)?
            .map(|batch| batch.map(|batch| reads.narrowed(batch)))
            .collect::<Result<_, af_store::Error>>()?
    };
    joined(&names, batches).map_err(|error| {
        let problem = format!("collect the events of {day}: {error}");
        Error::new(ErrorKind::Io, problem)
    })
}

/// One batch of many, column by column, so that no more than a few columns are in memory twice.
fn joined(names: &[&str], batches: Vec<RecordBatch>) -> Result<RecordBatch, ArrowError> {
    let schema = TABLE.scan_schema();
    let fields: Vec<_> = names
        .iter()
        .map(|name| schema.field_with_name(name).cloned())
        .collect::<Result<_, ArrowError>>()?;
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut parts: Vec<Vec<ArrayRef>> = fields.iter().map(|_| Vec::new()).collect();
    for batch in batches {
        let (_, columns, _) = batch.into_parts();
        for (part, column) in parts.iter_mut().zip(columns) {
            part.push(column);
        }
    }
    let columns: Vec<ArrayRef> = fields
        .par_iter()
        .zip(parts)
        .map(|(field, parts)| match field.data_type() {
            _ if parts.is_empty() => Ok(arrow::array::new_empty_array(field.data_type())),
            DataType::Dictionary(..) => Ok(one_dictionary(&parts)),
            _ => {
                let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
                concat(&parts)
            }
        })
        .collect::<Result<_, ArrowError>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

/// One array of several whose values stand once each; the batches of a row group share their values.
fn one_dictionary(parts: &[ArrayRef]) -> ArrayRef {
    let mut places: HashMap<&str, i32> = HashMap::new();
    let mut values: Vec<&str> = Vec::new();
    let mut keys: Vec<Option<i32>> = Vec::with_capacity(parts.iter().map(Array::len).sum());
    let mut of_last: Option<&StringArray> = None;
    let mut renamed: Vec<Option<i32>> = Vec::new();
    for part in parts {
        let part = part.as_dictionary::<Int32Type>();
        let own = part.values().as_string::<i32>();
        // The arrays are held, so one place in memory is one dictionary.
        let is_same = |last: &StringArray| {
            last.len() == own.len()
                && std::ptr::eq(last.value_data().as_ptr(), own.value_data().as_ptr())
                && std::ptr::eq(last.value_offsets().as_ptr(), own.value_offsets().as_ptr())
        };
        if !of_last.is_some_and(is_same) {
            renamed = own
                .iter()
                .map(|value| {
                    let value = value?;
                    Some(*places.entry(value).or_insert_with(|| {
                        values.push(value);
                        i32::try_from(values.len() - 1).expect("fewer values than rows")
                    }))
                })
                .collect();
            of_last = Some(own);
        }
        let own_keys = part.keys();
        keys.extend((0..own_keys.len()).map(|row| {
            let place = own_keys.is_valid(row).then(|| own_keys.value(row))?;
            renamed[usize::try_from(place).expect("dictionary keys never sink")]
        }));
    }
    let keys = Int32Array::from(keys);
    let values = StringArray::from_iter_values(values);
    Arc::new(DictionaryArray::new(keys, Arc::new(values)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn one_dictionary_reads_as_its_parts_did_and_holds_no_value_twice(
            parts in prop::collection::vec(
                prop::collection::vec(prop::option::of("[ab]{0,2}"), 0..20),
                1..5,
            ),
            cut in any::<prop::sample::Index>(),
        ) {
            let arrays: Vec<ArrayRef> = parts
                .iter()
                .flat_map(|part| {
                    let part: DictionaryArray<Int32Type> =
                        part.iter().map(Option::as_deref).collect();
                    // Two batches of one dictionary.
                    let cut = cut.index(part.len() + 1);
                    let halves = [part.slice(0, cut), part.slice(cut, part.len() - cut)];
                    halves.map(|half| Arc::new(half) as ArrayRef)
                })
                .collect();
            let one = one_dictionary(&arrays);
            let one = one.as_dictionary::<Int32Type>();
            let texts = one.downcast_dict::<StringArray>().expect("strings");
            let read: Vec<Option<&str>> = texts.into_iter().collect();
            let expected: Vec<Option<&str>> =
                parts.iter().flatten().map(Option::as_deref).collect();
            prop_assert_eq!(read, expected);
            let values = one.values().as_string::<i32>();
            let mut distinct: Vec<&str> = values.iter().flatten().collect();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), values.len());
        }
    }
}
