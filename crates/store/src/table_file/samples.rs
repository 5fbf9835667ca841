//! Random rows of any table, for tests. The same seed gives the same rows.

use std::borrow::Cow;

use af_model::cell::{Alias, Cell, ColumnBuilder, Kind, Target};
use af_model::contract::Table;
use af_model::{UtcDay, UtcMillis};
use arrow::array::RecordBatch;

use crate::order::sorted_batch;

/// The day on which all random rows lie: 2026-11-20.
pub(crate) const DAY: UtcDay = UtcDay(20_777);

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn signed(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap()
    }

    fn text(&mut self) -> Cow<'static, str> {
        match self.below(8) {
            0 => "".into(),
            1 => "Zoë 🦀\u{202e}".into(),
            2 => "x".repeat(300).into(),
            _ => format!("value-{}", self.below(500)).into(),
        }
    }

    fn instant(&mut self) -> UtcMillis {
        UtcMillis(DAY.start().0 + self.signed(86_400_000))
    }
}

/// Random rows in the table's order. Every fifth nullable cell is null.
pub(crate) fn random_batch(table: &'static Table, rows: usize, seed: u64) -> RecordBatch {
    sorted_batch(&unsorted_batch(table, rows, seed), table).unwrap()
}

pub(crate) fn unsorted_batch(table: &'static Table, rows: usize, seed: u64) -> RecordBatch {
    let mut random = Random(seed);
    let columns = table.columns.iter().map(|column| {
        let mut builder = ColumnBuilder::new(column.kind);
        for _ in 0..rows {
            if column.nullable && random.below(5) == 0 {
                builder.append_null();
            } else {
                append(column.kind, column.repeats, &mut builder, &mut random);
            }
        }
        builder.finish()
    });
    RecordBatch::try_new(table.file_schema(), columns.collect()).unwrap()
}

fn append(kind: Kind, repeats: bool, builder: &mut ColumnBuilder, random: &mut Random) {
    let entries = random.below(4);
    match kind {
        Kind::Text if repeats => format!("word-{}", random.below(5)).append(builder),
        Kind::Text => random.text().append(builder),
        Kind::Int => (random.signed(2_000_000) - 1_000_000).append(builder),
        Kind::Real => f64::from(u32::try_from(random.below(1 << 32)).unwrap()).append(builder),
        Kind::Flag => (random.below(2) == 0).append(builder),
        Kind::Instant => random.instant().append(builder),
        Kind::Day => DAY.append(builder),
        Kind::Texts => {
            let texts: Vec<Cow<'_, str>> = (0..entries).map(|_| random.text()).collect();
            texts.append(builder);
        }
        Kind::TextMap => {
            let map: Vec<(Cow<'_, str>, Cow<'_, str>)> = (0..entries)
                .map(|entry| (format!("key-{entry}").into(), random.text()))
                .collect();
            map.append(builder);
        }
        Kind::Targets => {
            let targets: Vec<Target<'_>> = (0..entries)
                .map(|_| Target {
                    uid: Some(random.text()),
                    kind: Some("User".into()),
                    name: None,
                    display_name: Some(random.text()),
                })
                .collect();
            targets.append(builder);
        }
        Kind::Aliases => {
            let aliases: Vec<Alias> = (0..entries)
                .map(|_| Alias {
                    key: random.text().into_owned(),
                    valid_from: None,
                    valid_to: Some(random.instant()),
                })
                .collect();
            aliases.append(builder);
        }
    }
}
