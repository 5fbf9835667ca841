//! Any table as JSON lines, so that expected rows can be read, written and searched by people.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMillisecondType};
use serde_json::{Map, Value, json};

use af_model::{UtcDay, UtcMillis};

/// One JSON object per row, nulls left out, columns in table order.
pub(crate) fn json_lines(batch: &RecordBatch) -> String {
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        let mut object = Map::new();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let value = cell(column, row);
            if !value.is_null() {
                object.insert(field.name().clone(), value);
            }
        }
        text.push_str(&Value::Object(object).to_string());
        text.push('\n');
    }
    text
}

fn cell(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => json!(column.as_string::<i32>().value(row)),
        DataType::Int64 => json!(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => json!(column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => json!(column.as_boolean().value(row)),
        DataType::Date32 => json!(UtcDay(column.as_primitive::<Date32Type>().value(row))),
        DataType::Timestamp(..) => {
            json!(UtcMillis(
                column.as_primitive::<TimestampMillisecondType>().value(row)
            ))
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            (0..items.len()).map(|item| cell(&items, item)).collect()
        }
        DataType::Struct(fields) => {
            let columns = column.as_struct().columns();
            fields
                .iter()
                .zip(columns)
                .map(|(field, column)| (field.name().clone(), cell(column, row)))
                .collect()
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            (0..entries.len())
                .map(|entry| {
                    (
                        keys.as_string::<i32>().value(entry).to_owned(),
                        cell(values, entry),
                    )
                })
                .collect()
        }
        other => panic!("no table holds {other}"),
    }
}
