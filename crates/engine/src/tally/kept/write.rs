//! Counts → bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use af_count::{Counted, CountedBlock, PeopleIndex, TenantCounts, Unmatched};
use arrow::array::{
    ArrayRef, Int32Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder, UInt32Builder,
    UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;

use super::{About, AboutTenant, HASH_BYTES, LENGTH_BYTES, narrow};

/// Rows of a batch: as many of every day are held while tenants are scored.
const BATCH_ROWS: usize = 2048;

/// Texts and lists by number, in the order in which they are first needed.
#[derive(Default)]
struct Numbers {
    names: Vec<String>,
    of_name: BTreeMap<String, u32>,
    rules: Vec<Vec<u32>>,
    of_rules: BTreeMap<Vec<u32>, u32>,
    /// By where they lie: counts share their names, so that hardly one is compared. Only of counts that are
    /// being added: what comes later may lie in the same place.
    of_shared: HashMap<(usize, usize), u32>,
    of_shared_rules: HashMap<(usize, usize), u32>,
}

impl Numbers {
    /// The counts that were added are gone.
    fn forget_places(&mut self) {
        self.of_shared.clear();
        self.of_shared_rules.clear();
    }

    fn name(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.of_name.get(name) {
            return known;
        }
        let number = narrow(self.names.len());
        self.names.push(name.to_owned());
        self.of_name.insert(name.to_owned(), number);
        number
    }

    /// As [`Numbers::name`], for a text of the counts that are being added.
    fn shared(&mut self, name: &Arc<str>) -> u32 {
        let place = (name.as_ptr() as usize, name.len());
        if let Some(&known) = self.of_shared.get(&place) {
            return known;
        }
        let number = self.name(name);
        self.of_shared.insert(place, number);
        number
    }

    /// The number of a list of the counts that are being added.
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

/// Writes what was counted of some days, a few tenants after the other.
pub(in crate::tally) struct Writer<'p> {
    people: &'p PeopleIndex,
    numbers: Numbers,
    /// All but blocks and signals of nobody.
    sums: Counted,
    /// By name: the number of a tenant that has rows, and how many blocks it has.
    tenants: BTreeMap<String, (u32, usize)>,
    blocks: Stream<Blocks>,
    unmatched: Stream<Nobodys>,
}

impl<'p> Writer<'p> {
    /// Nothing yet.
    pub(in crate::tally) fn new(people: &'p PeopleIndex) -> Self {
        // What comes before the blocks is filled in at the end, so that they need not be moved.
        Self {
            people,
            numbers: Numbers::default(),
            sums: Counted::default(),
            tenants: BTreeMap::new(),
            blocks: Stream::new(vec![0; HASH_BYTES + LENGTH_BYTES]),
            unmatched: Stream::new(Vec::new()),
        }
    }

    /// All that was added but blocks and signals of nobody.
    pub(in crate::tally) fn sums(&self) -> &Counted {
        &self.sums
    }

    /// Adds counts. Tenants that have blocks or signals of nobody come in ascending order and once.
    pub(in crate::tally) fn add(&mut self, counted: Counted) {
        self.numbers.forget_places();
        for (name, counts) in &counted.tenants {
            if counts.blocks.is_empty() && counts.unmatched.is_empty() {
                continue;
            }
            let number = narrow(self.tenants.len());
            let before = self
                .tenants
                .insert(name.clone(), (number, counts.blocks.len()));
            assert!(before.is_none(), "the rows of a tenant come once");
            for block in &counts.blocks {
                let row = (number, block, self.people.user_uid(block.person));
                self.blocks.push(row, &mut self.numbers);
            }
            for row in &counts.unmatched {
                self.unmatched.push((number, row), &mut self.numbers);
            }
        }
        self.sums.absorb(Counted {
            tenants: counted
                .tenants
                .into_iter()
                .map(|(name, counts)| {
                    let sums = TenantCounts {
                        blocks: Vec::new(),
                        unmatched: Vec::new(),
                        ..counts
                    };
                    (name, sums)
                })
                .collect(),
            latest_ingested: counted.latest_ingested,
        });
    }

    /// The bytes, under an id.
    pub(in crate::tally) fn finish(self, id: &str) -> Vec<u8> {
        let mut bytes = self.blocks.finish();
        let length = (bytes.len() - HASH_BYTES - LENGTH_BYTES) as u64;
        bytes[HASH_BYTES..][..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
        let unmatched = self.unmatched.finish();
        let mut tenants = self.tenants;
        let about = About {
            id: id.to_owned(),
            latest_ingested: self.sums.latest_ingested,
            tenants: self
                .sums
                .tenants
                .into_iter()
                .map(|(name, counts)| {
                    let rows = tenants.remove(&name);
                    AboutTenant {
                        number: rows.map(|(number, _)| number),
                        blocks: rows.map_or(0, |(_, blocks)| blocks),
                        name,
                        account: counts.account,
                        conflicts: counts.conflicts,
                        feeds: counts.feeds,
                    }
                })
                .collect(),
            names: self.numbers.names,
            rules: self.numbers.rules,
        };
        let about = serde_json::to_vec(&about).expect("names and numbers are always JSON");
        for piece in [&unmatched, &about] {
            bytes.extend((piece.len() as u64).to_le_bytes());
            bytes.extend(piece);
        }
        bytes.shrink_to_fit();
        let (hash, rest) = bytes.split_at_mut(HASH_BYTES);
        hash.copy_from_slice(blake3::hash(rest).as_bytes());
        bytes
    }
}

/// Rows of one kind as the columns of a batch.
trait Columns: Default {
    type Row<'r>;

    fn fields() -> Vec<Field>;

    fn push(&mut self, row: Self::Row<'_>, numbers: &mut Numbers);

    /// The columns of the rows pushed since the last call.
    fn take(&mut self) -> Vec<ArrayRef>;
}

/// Rows as a stream of batches.
struct Stream<C> {
    schema: SchemaRef,
    writer: StreamWriter<Vec<u8>>,
    columns: C,
    rows: usize,
}

impl<C: Columns> Stream<C> {
    /// A stream after other bytes.
    fn new(before: Vec<u8>) -> Self {
        let schema = Arc::new(Schema::new(C::fields()));
        let writer = StreamWriter::try_new(before, &schema);
        Self {
            writer: writer.expect("a schema goes into memory"),
            schema,
            columns: C::default(),
            rows: 0,
        }
    }

    fn push(&mut self, row: C::Row<'_>, numbers: &mut Numbers) {
        self.columns.push(row, numbers);
        self.rows += 1;
        if self.rows == BATCH_ROWS {
            self.write();
        }
    }

    fn write(&mut self) {
        self.rows = 0;
        let written = RecordBatch::try_new(Arc::clone(&self.schema), self.columns.take())
            .and_then(|batch| self.writer.write(&batch));
        written.expect("rows that fill every column go into memory");
    }

    fn finish(mut self) -> Vec<u8> {
        if self.rows > 0 {
            self.write();
        }
        let bytes = self.writer.into_inner();
        bytes.expect("the end of a stream goes into memory")
    }
}

#[derive(Default)]
struct Blocks {
    user_uids: StringBuilder,
    /// Tenant, component, family, level and rules.
    figures: [UInt32Builder; 5],
    days: Int32Builder,
    n: UInt64Builder,
    times: [Int64Builder; 2],
    signal_uids: ListBuilder<StringBuilder>,
}

impl Columns for Blocks {
    /// The tenant's number, and the id of the person.
    type Row<'r> = (u32, &'r CountedBlock, &'r str);

    fn fields() -> Vec<Field> {
        let numbered = ["tenant", "component", "family", "level", "rules"];
        let mut fields = vec![Field::new("user_uid", DataType::Utf8, false)];
        fields.extend(numbered.map(|name| Field::new(name, DataType::UInt32, false)));
        fields.extend([
            Field::new("day", DataType::Int32, false),
            Field::new("n", DataType::UInt64, false),
            Field::new("first_time", DataType::Int64, false),
            Field::new("last_time", DataType::Int64, false),
            Field::new_list(
                "signal_uids",
                Field::new("item", DataType::Utf8, true),
                false,
            ),
        ]);
        fields
    }

    fn push(&mut self, (tenant, block, user_uid): Self::Row<'_>, numbers: &mut Numbers) {
        self.user_uids.append_value(user_uid);
        let numbered = [
            tenant,
            numbers.shared(&block.component),
            numbers.shared(&block.family),
            narrow(block.level.slot()),
            numbers.rules(&block.rule_ids),
        ];
        for (builder, number) in self.figures.iter_mut().zip(numbered) {
            builder.append_value(number);
        }
        self.days.append_value(block.day.0);
        self.n.append_value(block.n);
        self.times[0].append_value(block.first_time.0);
        self.times[1].append_value(block.last_time.0);
        for uid in block.signal_uids.iter() {
            self.signal_uids.values().append_value(uid);
        }
        self.signal_uids.append(true);
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.user_uids.finish())];
        columns.extend(numbered(&mut self.figures));
        columns.push(Arc::new(self.days.finish()));
        columns.push(Arc::new(self.n.finish()));
        let times = self.times.iter_mut();
        columns.extend(times.map(|built| Arc::new(built.finish()) as ArrayRef));
        columns.push(Arc::new(self.signal_uids.finish()));
        columns
    }
}

/// Signals of nobody.
#[derive(Default)]
struct Nobodys {
    /// Tenant, reason, source, component, family, level and rule.
    figures: [UInt32Builder; 7],
    days: Int32Builder,
    n: UInt64Builder,
    hashes: StringBuilder,
}

impl Columns for Nobodys {
    /// With the tenant's number.
    type Row<'r> = (u32, &'r Unmatched);

    fn fields() -> Vec<Field> {
        let numbered = [
            "tenant",
            "reason",
            "source",
            "component",
            "family",
            "level",
            "rule_id",
        ];
        let numbered = numbered.map(|name| Field::new(name, DataType::UInt32, false));
        let own = [
            Field::new("day", DataType::Int32, false),
            Field::new("n", DataType::UInt64, false),
            Field::new("subject_hash", DataType::Utf8, true),
        ];
        numbered.into_iter().chain(own).collect()
    }

    fn push(&mut self, (tenant, row): Self::Row<'_>, numbers: &mut Numbers) {
        let numbered = [
            tenant,
            numbers.name(row.reason.as_str()),
            numbers.shared(&row.source),
            numbers.shared(&row.component),
            numbers.shared(&row.family),
            narrow(row.level.slot()),
            numbers.shared(&row.rule_id),
        ];
        for (builder, number) in self.figures.iter_mut().zip(numbered) {
            builder.append_value(number);
        }
        self.days.append_value(row.day.0);
        self.n.append_value(row.n);
        self.hashes.append_option(row.subject_hash.as_deref());
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = numbered(&mut self.figures).collect();
        columns.push(Arc::new(self.days.finish()));
        columns.push(Arc::new(self.n.finish()));
        columns.push(Arc::new(self.hashes.finish()));
        columns
    }
}

fn numbered(figures: &mut [UInt32Builder]) -> impl Iterator<Item = ArrayRef> {
    let figures = figures.iter_mut();
    figures.map(|built| Arc::new(built.finish()) as ArrayRef)
}
