//! Rows for the fixtures of old table versions: every type, every null, and values at the edges.
//!
//! They are made of the contract alone, so that a new table has fixtures without a line here.

use std::borrow::Cow;

use af_model::cell::{Alias, Cell, ColumnBuilder, Kind, Target};
use af_model::contract::{Column, Table};
use af_model::{UtcDay, UtcMillis};
use arrow::array::RecordBatch;

/// What a row of a fixture shows.
const ROWS: [Row; 3] = [Row::Full, Row::Sparse, Row::Edge];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    /// Every column has an ordinary value.
    Full,
    /// Every column that may be null is null.
    Sparse,
    /// Every column has a value that a careless reader would change.
    Edge,
}

/// The rows of one table, in its order.
pub(crate) fn fixture_rows(table: &'static Table) -> RecordBatch {
    let columns = table.columns.iter().map(|column| {
        let mut builder = ColumnBuilder::new(column.kind);
        for row in ROWS {
            append(column, row, &mut builder);
        }
        builder.finish()
    });
    let batch = RecordBatch::try_new(table.file_schema(), columns.collect()).unwrap();
    af_store::sorted_batch(&batch, table).unwrap()
}

fn append(column: &Column, row: Row, builder: &mut ColumnBuilder) {
    if row == Row::Sparse && column.nullable {
        builder.append_null();
        return;
    }
    let is_edge = row == Row::Edge;
    let text = |what: &str| -> Cow<'static, str> {
        if is_edge {
            // Right-to-left override, markup, a terminal escape, a letter of two code points.
            format!("Zoe\u{308} <b>\u{202e}\u{1b}[31m</b> 🦀 {what}").into()
        } else {
            format!("{what} of {}", column.name).into()
        }
    };
    let instant = |hour: i64| UtcMillis(1_795_132_800_000 + hour * 3_600_000 + i64::from(is_edge));
    match column.kind {
        // Tenants stay names that the engine accepts.
        Kind::Text if column.name == "tenant_uid" => "acme".to_owned().append(builder),
        Kind::Text => text("text").append(builder),
        // 2^53 + 1 is the first whole number that a float cannot hold.
        Kind::Int => (if is_edge {
            9_007_199_254_740_993
        } else {
            42_i64
        })
        .append(builder),
        Kind::Real => (if is_edge { -0.1_f64 } else { 97.5 }).append(builder),
        Kind::Flag => (!is_edge).append(builder),
        Kind::Instant => instant(8).append(builder),
        // The edge is before 1970.
        Kind::Day => UtcDay(if is_edge { -1 } else { 20_777 }).append(builder),
        Kind::Texts => {
            let texts = [text("first"), text("second")];
            let texts = if is_edge { Vec::new() } else { texts.to_vec() };
            texts.append(builder);
        }
        Kind::TextMap => {
            let map = vec![("a".into(), text("value")), ("b".into(), "".into())];
            map.append(builder);
        }
        Kind::Targets => {
            let target = Target {
                uid: Some(text("uid")),
                kind: Some("User".into()),
                name: None,
                display_name: Some(text("name")),
            };
            vec![target, Target::default()].append(builder);
        }
        Kind::Aliases => {
            let alias = |valid_from, valid_to| Alias {
                key: text("key").into_owned(),
                valid_from,
                valid_to,
            };
            let spans = [alias(None, None), alias(Some(instant(8)), Some(instant(9)))];
            spans.to_vec().append(builder);
        }
    }
}
