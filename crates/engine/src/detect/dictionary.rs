//! The parts of a column that repeats, as one dictionary.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray};
use arrow::compute::concat;
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;

/// One array of several whose values stand once each; the batches of a row group share their values.
pub(super) fn one_dictionary(parts: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let mut values = Values::default();
    let mut of_last: Option<&StringArray> = None;
    let mut keys: Vec<Int32Array> = Vec::with_capacity(parts.len());
    let mut renaming = Renaming::default();
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
            renaming = values.renaming(own);
            of_last = Some(own);
        }
        keys.push(renaming.of(part.keys()));
    }
    let keys = match keys.as_slice() {
        [only] => only.clone(),
        several => {
            let several: Vec<&dyn Array> = several.iter().map(|keys| keys as &dyn Array).collect();
            concat(&several)?.as_primitive::<Int32Type>().clone()
        }
    };
    let values = StringArray::from_iter_values(values.listed);
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(values))?))
}

/// Distinct values, in the order in which they came.
#[derive(Default)]
struct Values<'a> {
    places: HashMap<&'a str, i32>,
    listed: Vec<&'a str>,
}

impl<'a> Values<'a> {
    /// How a dictionary's own places are called here.
    fn renaming(&mut self, own: &'a StringArray) -> Renaming {
        let places: Vec<Option<i32>> = own
            .iter()
            .map(|value| {
                let value = value?;
                Some(*self.places.entry(value).or_insert_with(|| {
                    self.listed.push(value);
                    i32::try_from(self.listed.len() - 1).expect("fewer values than rows")
                }))
            })
            .collect();
        let is_same = places
            .iter()
            .zip(0..)
            .all(|(place, own)| *place == Some(own));
        Renaming { places, is_same }
    }
}

#[derive(Default)]
struct Renaming {
    places: Vec<Option<i32>>,
    /// Every place keeps its name.
    is_same: bool,
}

impl Renaming {
    fn of(&self, keys: &Int32Array) -> Int32Array {
        if self.is_same {
            return keys.clone();
        }
        let place = |key: i32| {
            let key = usize::try_from(key).ok()?;
            self.places.get(key).copied().flatten()
        };
        if self.places.contains(&None) {
            return keys.iter().map(|key| place(key?)).collect();
        }
        // Under a null stands anything.
        let renamed = keys.values().iter().map(|&key| place(key).unwrap_or(0));
        Int32Array::new(renamed.collect(), keys.nulls().cloned())
    }
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
            let one = one_dictionary(&arrays).unwrap();
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

    #[test]
    fn a_null_among_the_values_of_a_dictionary_is_a_null() {
        let values = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
        let part = |keys: Vec<Option<i32>>, texts| {
            let part = DictionaryArray::try_new(Int32Array::from(keys), values(texts));
            Arc::new(part.unwrap()) as ArrayRef
        };
        let one = one_dictionary(&[
            part(vec![Some(0)], vec![Some("b")]),
            part(
                vec![Some(0), Some(1), None, Some(2)],
                vec![Some("a"), None, Some("b")],
            ),
        ]);
        let one = one.unwrap();
        let texts = one
            .as_dictionary::<Int32Type>()
            .downcast_dict::<StringArray>();
        let read: Vec<Option<&str>> = texts.expect("strings").into_iter().collect();
        assert_eq!(read, [Some("b"), Some("a"), None, None, Some("b")]);
    }
}
