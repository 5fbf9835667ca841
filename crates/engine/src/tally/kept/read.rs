//! Bytes → counts, a tenant after the other.

use std::collections::BTreeSet;
use std::io::BufReader;
use std::ops::Range;
use std::sync::Arc;

use af_count::{CountedBlock, PeopleIndex, SignalUids, TextList, Unmatched, UnmatchedReason};
use af_model::{UtcDay, UtcMillis};
use af_store::AsideReader;
use arrow::array::{Array, AsArray, Int32Array, Int64Array, RecordBatch, UInt32Array, UInt64Array};
use arrow::datatypes::{Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow::ipc::reader::StreamReader;

use super::{AboutTenant, Kept, level_of};
use crate::assemble::Look;

/// Goes through what was counted of some days, tenants in ascending order.
pub(in crate::tally) struct Cursor<'k> {
    kept: &'k Kept,
    meaning: Meaning,
    unmatched: Stream,
    blocks: Stream,
}

impl<'k> Cursor<'k> {
    /// `None` when the bytes are not what was written. Days share their names: those of blocks are then
    /// hardly ever compared.
    pub(in crate::tally) fn new(kept: &'k Kept, shared: &mut SharedNames) -> Option<Self> {
        let about = &kept.about;
        let names: Vec<Arc<str>> = about.names.iter().map(|name| shared.get(name)).collect();
        let rules: Option<Vec<Arc<[Arc<str>]>>> = about
            .rules
            .iter()
            .map(|list| {
                let list = list.iter().map(|&rule| names.get(rule as usize).cloned());
                list.collect::<Option<Vec<_>>>().map(Into::into)
            })
            .collect();
        Some(Self {
            kept,
            meaning: Meaning {
                names,
                rules: rules?,
            },
            unmatched: Stream::open(kept, kept.unmatched.clone())?,
            blocks: Stream::open(kept, kept.blocks.clone())?,
        })
    }

    /// How many blocks a tenant has.
    pub(in crate::tally) fn blocks_of(&self, tenant: &str) -> usize {
        self.about(tenant).map_or(0, |tenant| tenant.blocks)
    }

    fn about(&self, tenant: &str) -> Option<&'k AboutTenant> {
        let tenants = &self.kept.about.tenants;
        let found = tenants.binary_search_by(|known| known.name.as_str().cmp(tenant));
        Some(&tenants[found.ok()?])
    }

    /// The number of a tenant that has rows.
    fn number(&self, tenant: &str) -> Option<u32> {
        self.about(tenant)?.number
    }

    /// A tenant's blocks of people who stand before `end`, if it is given, and were not asked for yet. No
    /// earlier tenant can be asked for after it. `None` when the bytes are not what was written, or name
    /// somebody who is not among the people.
    pub(in crate::tally) fn blocks(
        &mut self,
        tenant: &str,
        end: Option<u32>,
        people: &PeopleIndex,
        look: Look,
    ) -> Option<Vec<CountedBlock>> {
        let mut blocks = Vec::new();
        let Some(number) = self.number(tenant) else {
            return Some(blocks);
        };
        let meaning = &self.meaning;
        let positions = people.positions_of(tenant);
        let until = end.map(|end| people.user_uid(end));
        self.blocks.rows_of(number, until, |batch, rows| {
            meaning.add_blocks(batch, rows, positions.as_ref()?, look, &mut blocks)
        })?;
        Some(blocks)
    }

    /// A tenant's signals of nobody; no earlier tenant's can be asked for after them. `None` as for
    /// [`Cursor::blocks`].
    pub(in crate::tally) fn unmatched(&mut self, tenant: &str) -> Option<Vec<Unmatched>> {
        let mut unmatched = Vec::new();
        let Some(number) = self.number(tenant) else {
            return Some(unmatched);
        };
        let meaning = &self.meaning;
        self.unmatched.rows_of(number, None, |batch, rows| {
            meaning.add_unmatched(batch, rows, &mut unmatched)
        })?;
        Some(unmatched)
    }
}

/// Names by their text.
#[derive(Default)]
pub(in crate::tally) struct SharedNames(BTreeSet<Arc<str>>);

impl SharedNames {
    fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.0.insert(Arc::clone(&name));
        name
    }
}

/// A stream of batches whose first column is the tenant's number, ascending.
struct Stream {
    reader: StreamReader<BufReader<AsideReader>>,
    /// What was read last and the first of its rows that nobody asked for.
    batch: Option<(RecordBatch, usize)>,
}

impl Stream {
    fn open(kept: &Kept, range: Range<u64>) -> Option<Self> {
        let reader = StreamReader::try_new_buffered(kept.aside.read(range), None);
        Some(Self {
            reader: reader.ok()?,
            batch: None,
        })
    }

    /// Hands on the rows of a tenant, and of these only those of people whose ids come before `until`.
    fn rows_of(
        &mut self,
        tenant: u32,
        until: Option<&str>,
        mut each: impl FnMut(&RecordBatch, Range<usize>) -> Option<()>,
    ) -> Option<()> {
        loop {
            let (batch, first) = match self.batch.take() {
                Some(open) => open,
                None => match self.reader.next() {
                    Some(batch) => (batch.ok()?, 0),
                    None => return Some(()),
                },
            };
            let tenants = number(&batch, "tenant")?.values();
            let start = first + tenants[first..].partition_point(|&number| number < tenant);
            let mut end = start + tenants[start..].partition_point(|&number| number == tenant);
            if let Some(until) = until {
                end = first_from(&batch, start..end, until)?;
            }
            if start < end {
                each(&batch, start..end)?;
            }
            if end < batch.num_rows() {
                self.batch = Some((batch, end));
                return Some(());
            }
        }
    }
}

/// The first of some rows, sorted by person, whose person's id does not come before another; their end if
/// there is none.
fn first_from(batch: &RecordBatch, rows: Range<usize>, until: &str) -> Option<usize> {
    let user_uids = batch.column_by_name("user_uid")?.as_string_opt::<i32>()?;
    let (mut from, mut to) = (rows.start, rows.end);
    while from < to {
        let middle = from.midpoint(to);
        if user_uids.value(middle) < until {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    Some(from)
}

fn number<'b>(batch: &'b RecordBatch, column: &str) -> Option<&'b UInt32Array> {
    batch
        .column_by_name(column)?
        .as_primitive_opt::<UInt32Type>()
}

fn time<'b>(batch: &'b RecordBatch, column: &str) -> Option<&'b Int64Array> {
    batch
        .column_by_name(column)?
        .as_primitive_opt::<Int64Type>()
}

fn days(batch: &RecordBatch) -> Option<&Int32Array> {
    batch.column_by_name("day")?.as_primitive_opt::<Int32Type>()
}

fn n(batch: &RecordBatch) -> Option<&UInt64Array> {
    batch.column_by_name("n")?.as_primitive_opt::<UInt64Type>()
}

/// What numbers mean.
struct Meaning {
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
        rows: Range<usize>,
        positions: &impl Fn(&str) -> Option<u32>,
        look: Look,
        blocks: &mut Vec<CountedBlock>,
    ) -> Option<()> {
        let (component, family) = (number(batch, "component")?, number(batch, "family")?);
        let (level, rules) = (number(batch, "level")?, number(batch, "rules")?);
        let (first, last) = (time(batch, "first_time")?, time(batch, "last_time")?);
        let (day, n) = (days(batch)?, n(batch)?);
        let user_uids = batch.column_by_name("user_uid")?.as_string_opt::<i32>()?;
        let signal_uids = batch.column_by_name("signal_uids")?.as_list_opt::<i32>()?;
        let uids = signal_uids.values().as_string_opt::<i32>()?;
        let place = |row: usize| usize::try_from(signal_uids.value_offsets()[row]).ok();
        let mut list = TextList::default();
        let first_uid = place(rows.start)?;
        if look == Look::Details {
            let end_uid = place(rows.end)?;
            list.extend((first_uid..end_uid).map(|uid| uids.value(uid)));
        }
        let list = Arc::new(list);
        let named = |row: usize| {
            if look == Look::Figures {
                return Some(SignalUids::of(&list, 0..0));
            }
            let from = u32::try_from(place(row)? - first_uid).ok()?;
            let to = u32::try_from(place(row + 1)? - first_uid).ok()?;
            Some(SignalUids::of(&list, from..to))
        };
        let mut person: Option<(&str, u32)> = None;
        blocks.reserve(rows.len());
        for row in rows {
            let user_uid = user_uids.value(row);
            // A person's blocks stand side by side.
            let position = match person {
                Some((of, position)) if of == user_uid => position,
                _ => positions(user_uid)?,
            };
            person = Some((user_uid, position));
            blocks.push(CountedBlock {
                person: position,
                component: self.name(component.value(row))?,
                family: self.name(family.value(row))?,
                day: UtcDay(day.value(row)),
                level: level_of(level.value(row))?,
                n: n.value(row),
                first_time: UtcMillis(first.value(row)),
                last_time: UtcMillis(last.value(row)),
                rule_ids: Arc::clone(self.rules.get(rules.value(row) as usize)?),
                signal_uids: named(row)?,
            });
        }
        Some(())
    }

    fn add_unmatched(
        &self,
        batch: &RecordBatch,
        rows: Range<usize>,
        unmatched: &mut Vec<Unmatched>,
    ) -> Option<()> {
        let (reason, source) = (number(batch, "reason")?, number(batch, "source")?);
        let (component, family) = (number(batch, "component")?, number(batch, "family")?);
        let (level, rule_id) = (number(batch, "level")?, number(batch, "rule_id")?);
        let (day, n) = (days(batch)?, n(batch)?);
        let hashes = batch
            .column_by_name("subject_hash")?
            .as_string_opt::<i32>()?;
        for row in rows {
            let reason = self.name(reason.value(row))?;
            unmatched.push(Unmatched {
                reason: UnmatchedReason::ALL
                    .into_iter()
                    .find(|known| known.as_str() == &*reason)?,
                source: self.name(source.value(row))?,
                day: UtcDay(day.value(row)),
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
