//! The parts of the details of events as one map.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBufferBuilder, MapArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::concat;
use arrow::error::ArrowError;

/// One map of several of one type. Arrow puts maps together entry by entry; their keys and values are
/// columns that can be copied in one piece, side by side.
pub(super) fn one_map(parts: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let maps: Vec<&MapArray> = parts.iter().map(AsArray::as_map).collect();
    let Some(first) = maps.first() else {
        return Err(ArrowError::InvalidArgumentError("no map at all".to_owned()));
    };
    let (field, _, first_entries, _, is_sorted) = (*first).clone().into_parts();
    let (entry_fields, _, _) = first_entries.into_parts();
    let entries: Vec<StructArray> = maps.iter().map(|map| entries_of(map)).collect();
    let column = |place: usize| {
        let columns: Vec<&dyn Array> = entries
            .iter()
            .map(|entries| entries.column(place).as_ref())
            .collect();
        concat(&columns)
    };
    let (keys, values) = rayon::join(|| column(0), || column(1));
    let lengths = maps.iter().flat_map(|map| {
        let borders = map.value_offsets().windows(2);
        borders.map(|border| usize::try_from(border[1] - border[0]).expect("offsets never sink"))
    });
    let offsets = OffsetBuffer::from_lengths(lengths);
    let entries = StructArray::try_new(entry_fields, vec![keys?, values?], None)?;
    let one = MapArray::try_new(field, offsets, entries, nulls_of(&maps), is_sorted)?;
    Ok(Arc::new(one))
}

/// The entries that a map has, and none before or behind them. Parquet knows no entry that is null.
fn entries_of(map: &MapArray) -> StructArray {
    let offsets = map.value_offsets();
    let at = |offset: i32| usize::try_from(offset).expect("offsets are never negative");
    let (start, end) = (at(offsets[0]), at(offsets[map.len()]));
    map.entries().slice(start, end - start)
}

fn nulls_of(maps: &[&MapArray]) -> Option<NullBuffer> {
    if maps.iter().all(|map| map.nulls().is_none()) {
        return None;
    }
    let mut valid = BooleanBufferBuilder::new(maps.iter().map(Array::len).sum());
    for map in maps {
        match map.nulls() {
            Some(nulls) => valid.append_buffer(nulls.inner()),
            None => valid.append_n(map.len(), true),
        }
    }
    Some(NullBuffer::new(valid.finish()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{MapBuilder, StringBuilder};
    use proptest::prelude::*;

    use super::*;

    type Details = Option<Vec<(String, Option<String>)>>;

    fn map(rows: &[Details]) -> ArrayRef {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for row in rows {
            for (key, value) in row.iter().flatten() {
                builder.keys().append_value(key);
                builder.values().append_option(value.as_deref());
            }
            builder.append(row.is_some()).unwrap();
        }
        Arc::new(builder.finish())
    }

    fn rows() -> impl Strategy<Value = Vec<Details>> {
        let entry = ("[ab]{0,2}", prop::option::of("[cd]{0,3}"));
        let row = prop::option::of(prop::collection::vec(entry, 0..4));
        prop::collection::vec(row, 0..8)
    }

    proptest! {
        #[test]
        fn one_map_is_what_arrow_makes_of_its_parts(
            parts in prop::collection::vec(rows(), 1..5),
            cut in any::<prop::sample::Index>(),
        ) {
            let arrays: Vec<ArrayRef> = parts
                .iter()
                .map(|rows| {
                    let whole = map(rows);
                    let from = cut.index(whole.len() + 1);
                    whole.slice(from, whole.len() - from)
                })
                .collect();
            let slices: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
            let expected = concat(&slices).unwrap();
            prop_assert_eq!(one_map(&arrays).unwrap().to_data(), expected.to_data());
        }
    }
}
