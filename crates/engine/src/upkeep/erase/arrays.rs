//! Every text of a batch, wherever it is nested, looked at or replaced.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, StringArray, StructArray,
};
use arrow::datatypes::DataType;

/// What becomes of one text: `None` leaves it. Told are the row and the name of the column or, inside
/// a struct, of the field.
pub(super) type Edit<'a> = dyn FnMut(usize, &str, &str) -> Option<String> + 'a;

/// Goes through all texts of some columns; columns without a change stay the same array. `None` when
/// nothing changed at all.
pub(super) fn edit_batch(
    batch: &RecordBatch,
    is_wanted: impl Fn(&str) -> bool,
    edit: &mut Edit<'_>,
) -> Option<RecordBatch> {
    let rows: Vec<usize> = (0..batch.num_rows()).collect();
    let mut columns = batch.columns().to_vec();
    let mut is_changed = false;
    for (field, column) in batch.schema_ref().fields().iter().zip(&mut columns) {
        if is_wanted(field.name())
            && let Some(changed) = edit_array(column, field.name(), &rows, edit)
        {
            *column = changed;
            is_changed = true;
        }
    }
    is_changed.then(|| {
        RecordBatch::try_new(batch.schema(), columns).expect("types and lengths stay as they were")
    })
}

/// `rows` names the row of each element.
fn edit_array(
    array: &ArrayRef,
    name: &str,
    rows: &[usize],
    edit: &mut Edit<'_>,
) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::Utf8 => edit_texts(array.as_string::<i32>(), name, rows, edit),
        DataType::List(field) => {
            let list = array.as_list::<i32>();
            let inner = rows_of_elements(list.value_offsets(), list.values().len(), rows);
            let values = edit_array(list.values(), name, &inner, edit)?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Some(Arc::new(ListArray::new(
                Arc::clone(field),
                offsets,
                values,
                nulls,
            )))
        }
        DataType::Struct(fields) => {
            let parts = array.as_struct();
            let mut columns = parts.columns().to_vec();
            let mut is_changed = false;
            for (field, column) in fields.iter().zip(&mut columns) {
                if let Some(changed) = edit_array(column, field.name(), rows, edit) {
                    *column = changed;
                    is_changed = true;
                }
            }
            let nulls = parts.nulls().cloned();
            is_changed
                .then(|| Arc::new(StructArray::new(fields.clone(), columns, nulls)) as ArrayRef)
        }
        DataType::Map(field, ordered) => {
            let map = array.as_map();
            let inner = rows_of_elements(map.value_offsets(), map.entries().len(), rows);
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let entries = edit_array(&entries, name, &inner, edit)?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            let entries = entries.as_struct().clone();
            Some(Arc::new(MapArray::new(
                Arc::clone(field),
                offsets,
                entries,
                nulls,
                *ordered,
            )))
        }
        _ => None,
    }
}

fn edit_texts(
    texts: &StringArray,
    name: &str,
    rows: &[usize],
    edit: &mut Edit<'_>,
) -> Option<ArrayRef> {
    let mut changed: Vec<(usize, String)> = Vec::new();
    for (place, (text, &row)) in texts.iter().zip(rows).enumerate() {
        if let Some(text) = text
            && let Some(new) = edit(row, name, text)
        {
            changed.push((place, new));
        }
    }
    if changed.is_empty() {
        return None;
    }
    let mut changed = changed.iter().peekable();
    let edited: StringArray = texts
        .iter()
        .enumerate()
        .map(
            |(place, text)| match changed.next_if(|(at, _)| *at == place) {
                Some((_, new)) => Some(new.as_str()),
                None => text,
            },
        )
        .collect();
    Some(Arc::new(edited))
}

/// The row of each element of a list's child. Elements that no row shows belong to any.
fn rows_of_elements(offsets: &[i32], elements: usize, rows: &[usize]) -> Vec<usize> {
    let mut of_element = vec![0; elements];
    for (span, &row) in offsets.windows(2).zip(rows) {
        let [from, to] = [span[0], span[1]].map(|at| usize::try_from(at).unwrap_or_default());
        of_element[from..to].fill(row);
    }
    of_element
}

#[cfg(test)]
mod tests {
    use af_model::tables::identity_events;
    use af_model::{HashKey, UtcMillis};
    use af_okta::Normalizer;

    use super::*;

    /// Three events; the n-th has n targets and texts that end in n.
    fn events() -> RecordBatch {
        let key = HashKey::new([7; 32]);
        let at = UtcMillis::parse("2026-11-20T08:00:00Z").unwrap();
        let normalizer = Normalizer::new("acme", None, at, &key);
        let mut builder = identity_events::Builder::default();
        for n in 0..3 {
            let targets: Vec<String> = (0..n)
                .map(|place| format!(r#"{{"id":"i","type":"Thing","alternateId":"t{n}{place}"}}"#))
                .collect();
            let json = format!(
                r#"{{"uuid":"e{n}","published":"2026-11-20T07:00:00Z","eventType":"x.y",
                "displayMessage":"message {n}","target":[{}],
                "debugContext":{{"debugData":{{"key":"value {n}"}}}}}}"#,
                targets.join(",")
            );
            builder.append(&normalizer.event(json.as_bytes()).unwrap());
        }
        builder.finish()
    }

    #[test]
    fn every_nested_text_is_told_with_its_row_also_in_a_slice() {
        let all = events();
        for (from, length) in [(0, 3), (1, 2), (2, 1)] {
            let batch = all.slice(from, length);
            let mut seen = Vec::new();
            let wanted = |name: &str| ["message", "targets", "debug_data"].contains(&name);
            let changed = edit_batch(&batch, wanted, &mut |row, name, text| {
                let number = from + row;
                let own = [
                    format!("message {number}"),
                    format!("value {number}"),
                    format!("t{number}0"),
                    format!("t{number}1"),
                ];
                if own.iter().any(|own| own == text) {
                    seen.push(name.to_owned());
                }
                None
            });
            assert!(changed.is_none());
            // Elements outside the slice are in the arrays and in no row.
            let count = |wanted: &str| seen.iter().filter(|name| *name == wanted).count();
            assert_eq!((count("message"), count("value")), (length, length));
            assert_eq!(count("name"), (from..from + length).sum::<usize>());
        }
    }

    #[test]
    fn a_changed_text_changes_only_itself() {
        let all = events();
        for (from, length) in [(0, 3), (1, 2)] {
            let batch = all.slice(from, length);
            let edited = edit_batch(&batch, |_| true, &mut |row, _, text| {
                (row + from == 2 && ["t21", "value 2", "message 2"].contains(&text))
                    .then(|| format!("{text}!"))
            })
            .unwrap();
            for row in 0..length {
                let mut expected = identity_events::row(&batch, row);
                if row + from == 2 {
                    expected.message = Some("message 2!".into());
                    expected.targets.as_mut().unwrap()[1].name = Some("t21!".into());
                    expected.debug_data.as_mut().unwrap()[0].1 = "value 2!".into();
                }
                assert_eq!(identity_events::row(&edited, row), expected);
            }
        }
    }
}
