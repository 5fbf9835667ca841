//! Counts → bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use af_count::{Counted, CountedBlock, PeopleIndex, Unmatched};
use arrow::array::{
    ArrayRef, Int32Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder, UInt32Builder,
    UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;

use super::{About, AboutTenant, HASH_BYTES, narrow};

/// Rows of a batch: as many of every day are held while tenants are scored.
const BATCH_ROWS: usize = 2048;

/// Texts and lists by number, in the order in which they are first needed.
#[derive(Default)]
struct Numbers {
    names: Vec<String>,
    of_name: BTreeMap<String, u32>,
    rules: Vec<Vec<u32>>,
    of_rules: BTreeMap<Vec<u32>, u32>,
    /// By where they lie: counts share their names, so that hardly one is compared.
    of_shared: HashMap<(usize, usize), u32>,
    of_shared_rules: HashMap<(usize, usize), u32>,
}

impl Numbers {
    fn name(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.of_name.get(name) {
            return known;
        }
        let number = narrow(self.names.len());
        self.names.push(name.to_owned());
        self.of_name.insert(name.to_owned(), number);
        number
    }

    /// As [`Numbers::name`], for a text that lives as long as these numbers are given.
    fn shared(&mut self, name: &Arc<str>) -> u32 {
        let place = (name.as_ptr() as usize, name.len());
        if let Some(&known) = self.of_shared.get(&place) {
            return known;
        }
        let number = self.name(name);
        self.of_shared.insert(place, number);
        number
    }

    /// The number of a list that lives as long as these numbers are given.
    fn rules(&mut self, rules: &Arc<[Arc<str>]>) -> u32 {
        let place = (rules.as_ptr() as usize, rules.len());
        if let Some(&known) = self.of_shared_rules.get(&place) {
            return known;
        }
        let list: Vec<u32> = rules.iter().map(|rule| self.shared(rule)).collect();
        let next = narrow(self.rules.len());
        let number = *self.of_rules.entry(list.clone()).or_insert(next);
        if number == next {
            self.rules.push(list);
        }
        self.of_shared_rules.insert(place, number);
        number
    }
}

/// Writes counts under an id.
pub(in crate::tally) fn to_bytes(id: &str, counted: &Counted, people: &PeopleIndex) -> Vec<u8> {
    let mut numbers = Numbers::default();
    let unmatched = unmatched_stream(counted, &mut numbers);
    let blocks = blocks_stream(counted, people, &mut numbers);
    let tenants = counted.tenants.iter().map(|(name, counts)| AboutTenant {
        name: name.clone(),
        account: counts.account,
        conflicts: counts.conflicts,
        feeds: counts.feeds.clone(),
        blocks: counts.blocks.len(),
    });
    let about = About {
        id: id.to_owned(),
        latest_ingested: counted.latest_ingested,
        tenants: tenants.collect(),
        names: numbers.names,
        rules: numbers.rules,
    };
    let about = serde_json::to_vec(&about).expect("names and numbers are always JSON");
    let mut bytes = vec![0; HASH_BYTES];
    for piece in [&about, &unmatched] {
        bytes.extend((piece.len() as u64).to_le_bytes());
        bytes.extend(piece);
    }
    bytes.extend(blocks);
    let (hash, rest) = bytes.split_at_mut(HASH_BYTES);
    hash.copy_from_slice(blake3::hash(rest).as_bytes());
    bytes
}

fn blocks_stream(counted: &Counted, people: &PeopleIndex, numbers: &mut Numbers) -> Vec<u8> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("tenant", DataType::UInt32, false),
        Field::new("user_uid", DataType::Utf8, false),
        Field::new("component", DataType::UInt32, false),
        Field::new("family", DataType::UInt32, false),
        Field::new("day", DataType::Int32, false),
        Field::new("level", DataType::UInt32, false),
        Field::new("n", DataType::UInt64, false),
        Field::new("first_time", DataType::Int64, false),
        Field::new("last_time", DataType::Int64, false),
        Field::new("rules", DataType::UInt32, false),
        Field::new_list(
            "signal_uids",
            Field::new("item", DataType::Utf8, true),
            false,
        ),
    ]));
    let rows: Vec<(u32, &CountedBlock)> = (0_u32..)
        .zip(counted.tenants.values())
        .flat_map(|(tenant, counts)| counts.blocks.iter().map(move |block| (tenant, block)))
        .collect();
    stream(&schema, &rows, |rows| {
        let mut user_uids = StringBuilder::new();
        let mut figures: [UInt32Builder; 5] = Default::default();
        let mut days = Int32Builder::new();
        let mut n = UInt64Builder::new();
        let mut times: [Int64Builder; 2] = Default::default();
        let mut signal_uids = ListBuilder::new(StringBuilder::new());
        for (tenant, block) in rows {
            user_uids.append_value(people.user_uid(block.person));
            let numbered = [
                *tenant,
                numbers.shared(&block.component),
                numbers.shared(&block.family),
                narrow(block.level.slot()),
                numbers.rules(&block.rule_ids),
            ];
            for (builder, number) in figures.iter_mut().zip(numbered) {
                builder.append_value(number);
            }
            days.append_value(block.day.0);
            n.append_value(block.n);
            times[0].append_value(block.first_time.0);
            times[1].append_value(block.last_time.0);
            for uid in block.signal_uids.iter() {
                signal_uids.values().append_value(uid);
            }
            signal_uids.append(true);
        }
        let [tenant, component, family, level, rules] =
            figures.map(|mut built| Arc::new(built.finish()));
        let [first, last] = times.map(|mut built| Arc::new(built.finish()));
        RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                tenant,
                Arc::new(user_uids.finish()),
                component,
                family,
                Arc::new(days.finish()),
                level,
                Arc::new(n.finish()),
                first,
                last,
                rules,
                Arc::new(signal_uids.finish()),
            ],
        )
    })
}

fn unmatched_stream(counted: &Counted, numbers: &mut Numbers) -> Vec<u8> {
    let numbered = [
        "tenant",
        "reason",
        "source",
        "component",
        "family",
        "level",
        "rule_id",
    ];
    let fields = numbered.map(|name| Field::new(name, DataType::UInt32, false));
    let own = [
        Field::new("day", DataType::Int32, false),
        Field::new("n", DataType::UInt64, false),
        Field::new("subject_hash", DataType::Utf8, true),
    ];
    let schema = Arc::new(Schema::new(
        fields.into_iter().chain(own).collect::<Vec<_>>(),
    ));
    let rows: Vec<(u32, &Unmatched)> = (0_u32..)
        .zip(counted.tenants.values())
        .flat_map(|(tenant, counts)| counts.unmatched.iter().map(move |row| (tenant, row)))
        .collect();
    stream(&schema, &rows, |rows| {
        let mut figures: [UInt32Builder; 7] = Default::default();
        let mut days = Int32Builder::new();
        let mut n = UInt64Builder::new();
        let mut hashes = StringBuilder::new();
        for (tenant, row) in rows {
            let numbered = [
                *tenant,
                numbers.name(row.reason.as_str()),
                numbers.shared(&row.source),
                numbers.shared(&row.component),
                numbers.shared(&row.family),
                narrow(row.level.slot()),
                numbers.shared(&row.rule_id),
            ];
            for (builder, number) in figures.iter_mut().zip(numbered) {
                builder.append_value(number);
            }
            days.append_value(row.day.0);
            n.append_value(row.n);
            hashes.append_option(row.subject_hash.as_deref());
        }
        let mut columns: Vec<ArrayRef> = figures
            .into_iter()
            .map(|mut built| Arc::new(built.finish()) as ArrayRef)
            .collect();
        columns.push(Arc::new(days.finish()));
        columns.push(Arc::new(n.finish()));
        columns.push(Arc::new(hashes.finish()));
        RecordBatch::try_new(Arc::clone(&schema), columns)
    })
}

/// Rows as a stream of batches.
fn stream<R>(
    schema: &SchemaRef,
    rows: &[R],
    mut batch: impl FnMut(&[R]) -> Result<RecordBatch, ArrowError>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = StreamWriter::try_new(&mut bytes, schema).and_then(|mut writer| {
        for rows in rows.chunks(BATCH_ROWS) {
            writer.write(&batch(rows)?)?;
        }
        writer.finish()
    });
    written.expect("rows that fill every column go into memory");
    bytes
}
