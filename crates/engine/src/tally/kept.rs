//! What was counted of one day, as bytes that outlive the run: Arrow's stream format, one stream of
//! blocks and one of unmatched signals. People are written by their ids, because positions change with
//! every directory.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::Arc;

use af_count::{
    Counted, CountedBlock, Feed, PeopleIndex, SignalUids, TenantCounts, Unmatched, UnmatchedReason,
};
use af_model::accounting::SignalAccount;
use af_model::{Level, UtcDay, UtcMillis};
use arrow::array::{
    Array, AsArray, Int64Builder, ListBuilder, RecordBatch, StringBuilder, UInt32Builder,
    UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, UInt32Type, UInt64Type};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

/// Where a stream's metadata says what its numbers mean.
const ABOUT: &str = "about";

/// What a day's counts say besides blocks and unmatched signals, and what the numbers in these mean.
#[derive(Serialize, Deserialize)]
struct About {
    id: String,
    day: UtcDay,
    latest_ingested: Option<UtcMillis>,
    tenants: Vec<AboutTenant>,
    /// Everything else that is written as a number.
    names: Vec<String>,
    /// Lists of rules, by their names.
    rules: Vec<Vec<u32>>,
}

#[derive(Serialize, Deserialize)]
struct AboutTenant {
    name: String,
    account: SignalAccount,
    conflicts: u64,
    feeds: BTreeMap<String, Feed>,
}

/// Texts and lists by number, in the order in which they are first needed.
#[derive(Default)]
struct Numbers {
    names: Vec<String>,
    of_name: BTreeMap<String, u32>,
    rules: Vec<Vec<u32>>,
    of_rules: BTreeMap<Vec<u32>, u32>,
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

    fn rules(&mut self, rules: &[Arc<str>]) -> u32 {
        let rules: Vec<u32> = rules.iter().map(|rule| self.name(rule)).collect();
        let next = narrow(self.rules.len());
        let number = *self.of_rules.entry(rules.clone()).or_insert(next);
        if number == next {
            self.rules.push(rules);
        }
        number
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2^32 names fit into memory")
}

/// Writes the counts of a day under an id.
pub(super) fn to_bytes(id: &str, day: UtcDay, counted: &Counted, people: &PeopleIndex) -> Vec<u8> {
    let mut numbers = Numbers::default();
    let blocks = blocks_of(counted, people, &mut numbers);
    let unmatched = unmatched_of(counted, &mut numbers);
    let about = About {
        id: id.to_owned(),
        day,
        latest_ingested: counted.latest_ingested,
        tenants: counted
            .tenants
            .iter()
            .map(|(name, counts)| AboutTenant {
                name: name.clone(),
                account: counts.account,
                conflicts: counts.conflicts,
                feeds: counts.feeds.clone(),
            })
            .collect(),
        names: numbers.names,
        rules: numbers.rules,
    };
    let about = serde_json::to_string(&about).expect("names and numbers are always JSON");
    let mut bytes = Vec::new();
    for (batches, about) in [(blocks, Some(about)), (unmatched, None)] {
        let Some(first) = batches.first() else {
            continue;
        };
        let schema = Schema::clone(&first.schema());
        let metadata: HashMap<String, String> = about
            .map(|about| (ABOUT.to_owned(), about))
            .into_iter()
            .collect();
        let schema = schema.with_metadata(metadata);
        let written = StreamWriter::try_new(&mut bytes, &schema).and_then(|mut writer| {
            for batch in &batches {
                writer.write(batch)?;
            }
            writer.finish()
        });
        written.expect("batches of one schema go into memory");
    }
    bytes
}

/// Reads the counts of a day; `None` when they are not what was kept under the id, or when somebody
/// they name is not among the people.
pub(super) fn from_bytes(id: &str, bytes: &[u8], people: &PeopleIndex) -> Option<Counted> {
    let mut rest = bytes;
    let (about, blocks) = stream(&mut rest).ok()?;
    let about: About = serde_json::from_str(&about?).ok()?;
    if about.id != id {
        return None;
    }
    let (_, unmatched) = stream(&mut rest).ok()?;
    let names: Vec<Arc<str>> = about
        .names
        .iter()
        .map(|name| name.as_str().into())
        .collect();
    let rules: Option<Vec<Arc<[Arc<str>]>>> = about
        .rules
        .iter()
        .map(|list| {
            let list = list.iter().map(|&rule| names.get(rule as usize).cloned());
            list.collect::<Option<Vec<_>>>().map(Into::into)
        })
        .collect();
    let meaning = Meaning {
        day: about.day,
        names,
        rules: rules?,
    };
    let mut tenants: Vec<(String, TenantCounts)> = about
        .tenants
        .into_iter()
        .map(|tenant| {
            let counts = TenantCounts {
                account: tenant.account,
                conflicts: tenant.conflicts,
                feeds: tenant.feeds,
                ..TenantCounts::default()
            };
            (tenant.name, counts)
        })
        .collect();
    for batch in &blocks {
        meaning.add_blocks(batch, &mut tenants, people)?;
    }
    for batch in &unmatched {
        meaning.add_unmatched(batch, &mut tenants)?;
    }
    Some(Counted {
        tenants: tenants.into_iter().collect(),
        latest_ingested: about.latest_ingested,
    })
}

/// The batches of the next stream and what it says of itself.
fn stream(bytes: &mut &[u8]) -> Result<(Option<String>, Vec<RecordBatch>), ArrowError> {
    let mut reader = StreamReader::try_new(bytes.by_ref(), None)?;
    let about = reader.schema().metadata().get(ABOUT).cloned();
    let batches = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((about, batches))
}

fn blocks_of(counted: &Counted, people: &PeopleIndex, numbers: &mut Numbers) -> Vec<RecordBatch> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("tenant", DataType::UInt32, false),
        Field::new("user_uid", DataType::Utf8, false),
        Field::new("component", DataType::UInt32, false),
        Field::new("family", DataType::UInt32, false),
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
    batches(&rows, |rows| {
        let mut user_uids = StringBuilder::new();
        let mut figures: [UInt32Builder; 5] = Default::default();
        let mut n = UInt64Builder::new();
        let mut times: [Int64Builder; 2] = Default::default();
        let mut signal_uids = ListBuilder::new(StringBuilder::new());
        for (tenant, block) in rows {
            user_uids.append_value(&people.people()[block.person as usize].user_uid);
            let numbered = [
                *tenant,
                numbers.name(&block.component),
                numbers.name(&block.family),
                narrow(block.level.slot()),
                numbers.rules(&block.rule_ids),
            ];
            for (builder, number) in figures.iter_mut().zip(numbered) {
                builder.append_value(number);
            }
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

fn unmatched_of(counted: &Counted, numbers: &mut Numbers) -> Vec<RecordBatch> {
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
    batches(&rows, |rows| {
        let mut figures: [UInt32Builder; 7] = Default::default();
        let mut n = UInt64Builder::new();
        let mut hashes = StringBuilder::new();
        for (tenant, row) in rows {
            let numbered = [
                *tenant,
                numbers.name(row.reason.as_str()),
                numbers.name(&row.source),
                numbers.name(&row.component),
                numbers.name(&row.family),
                narrow(row.level.slot()),
                numbers.name(&row.rule_id),
            ];
            for (builder, number) in figures.iter_mut().zip(numbered) {
                builder.append_value(number);
            }
            n.append_value(row.n);
            hashes.append_option(row.subject_hash.as_deref());
        }
        let mut columns: Vec<arrow::array::ArrayRef> = figures
            .into_iter()
            .map(|mut built| Arc::new(built.finish()) as arrow::array::ArrayRef)
            .collect();
        columns.push(Arc::new(n.finish()));
        columns.push(Arc::new(hashes.finish()));
        RecordBatch::try_new(Arc::clone(&schema), columns)
    })
}

/// Rows in batches, at least one.
fn batches<R>(
    rows: &[R],
    mut batch: impl FnMut(&[R]) -> Result<RecordBatch, ArrowError>,
) -> Vec<RecordBatch> {
    let chunks: Vec<&[R]> = if rows.is_empty() {
        vec![rows]
    } else {
        rows.chunks(BATCH_ROWS).collect()
    };
    chunks
        .into_iter()
        .map(|rows| batch(rows).expect("every row fills every column"))
        .collect()
}

/// What the numbers of a day mean.
struct Meaning {
    day: UtcDay,
    names: Vec<Arc<str>>,
    rules: Vec<Arc<[Arc<str>]>>,
}

impl Meaning {
    fn name(&self, number: u32) -> Option<Arc<str>> {
        self.names.get(number as usize).cloned()
    }

    fn add_blocks(
        &self,
        batch: &RecordBatch,
        tenants: &mut [(String, TenantCounts)],
        people: &PeopleIndex,
    ) -> Option<()> {
        let number =
            |column: &str| Some(batch.column_by_name(column)?.as_primitive::<UInt32Type>());
        let time = |column: &str| Some(batch.column_by_name(column)?.as_primitive::<Int64Type>());
        let (tenant, component, family) =
            (number("tenant")?, number("component")?, number("family")?);
        let (level, rules) = (number("level")?, number("rules")?);
        let (first, last) = (time("first_time")?, time("last_time")?);
        let n = batch.column_by_name("n")?.as_primitive::<UInt64Type>();
        let user_uids = batch.column_by_name("user_uid")?.as_string::<i32>();
        let signal_uids = batch.column_by_name("signal_uids")?.as_list::<i32>();
        let uids = signal_uids.values().as_string::<i32>();
        let mut person: Option<(u32, &str, u32)> = None;
        for row in 0..batch.num_rows() {
            let (name, counts) = tenants.get_mut(tenant.value(row) as usize)?;
            let user_uid = user_uids.value(row);
            // A person's blocks stand side by side.
            let position = match person {
                Some((of, uid, position)) if (of, uid) == (tenant.value(row), user_uid) => position,
                _ => people.position(name, user_uid)?,
            };
            person = Some((tenant.value(row), user_uid, position));
            let offsets = signal_uids.value_offsets();
            let from = usize::try_from(offsets[row]).ok()?;
            let to = usize::try_from(offsets[row + 1]).ok()?;
            counts.blocks.push(CountedBlock {
                person: position,
                component: self.name(component.value(row))?,
                family: self.name(family.value(row))?,
                day: self.day,
                level: level_of(level.value(row))?,
                n: n.value(row),
                first_time: UtcMillis(first.value(row)),
                last_time: UtcMillis(last.value(row)),
                rule_ids: Arc::clone(self.rules.get(rules.value(row) as usize)?),
                signal_uids: SignalUids::new((from..to).map(|uid| uids.value(uid))),
            });
        }
        Some(())
    }

    fn add_unmatched(
        &self,
        batch: &RecordBatch,
        tenants: &mut [(String, TenantCounts)],
    ) -> Option<()> {
        let number =
            |column: &str| Some(batch.column_by_name(column)?.as_primitive::<UInt32Type>());
        let (tenant, reason, source) = (number("tenant")?, number("reason")?, number("source")?);
        let (component, family) = (number("component")?, number("family")?);
        let (level, rule_id) = (number("level")?, number("rule_id")?);
        let n = batch.column_by_name("n")?.as_primitive::<UInt64Type>();
        let hashes = batch.column_by_name("subject_hash")?.as_string::<i32>();
        for row in 0..batch.num_rows() {
            let (_, counts) = tenants.get_mut(tenant.value(row) as usize)?;
            let reason = self.name(reason.value(row))?;
            counts.unmatched.push(Unmatched {
                reason: UnmatchedReason::ALL
                    .into_iter()
                    .find(|known| known.as_str() == &*reason)?,
                source: self.name(source.value(row))?,
                day: self.day,
                component: self.name(component.value(row))?,
                family: self.name(family.value(row))?,
                level: level_of(level.value(row))?,
                rule_id: self.name(rule_id.value(row))?,
                subject_hash: hashes.is_valid(row).then(|| hashes.value(row).to_owned()),
                n: n.value(row),
            });
        }
        Some(())
    }
}

fn level_of(slot: u32) -> Option<Level> {
    let levels = [Level::Critical, Level::High, Level::Medium, Level::Low];
    levels
        .into_iter()
        .find(|level| narrow(level.slot()) == slot)
}
