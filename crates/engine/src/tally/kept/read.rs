//! Bytes → counts, a tenant after the other.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use af_count::{CountedBlock, PeopleIndex, SignalUids, TextList, Unmatched, UnmatchedReason};
use af_model::{Level, UtcDay, UtcMillis};
use arrow::array::{Array, AsArray, ListArray, RecordBatch, StringArray};

use super::numbers::narrow;
use super::stream::{Rows, all, i32s, texts, u32s, u64s};
use super::{Kept, Piece};
use crate::assemble::Look;

/// Goes through what was counted of some days, tenants in ascending order.
pub(in crate::tally) struct Cursor<'k> {
    kept: &'k Kept,
    meaning: Meaning,
    blocks: Rows,
    /// The first row that nobody asked for.
    next: u64,
    /// Only of those who look at details.
    details: Option<Rows>,
    unmatched: Option<Rows>,
}

impl<'k> Cursor<'k> {
    /// `None` when the bytes are not what was written. Days share their names: those of blocks are then
    /// hardly ever compared.
    pub(in crate::tally) fn new(
        kept: &'k Kept,
        look: Look,
        shared: &mut SharedNames,
    ) -> Option<Self> {
        let rows = |piece| Rows::open(&kept.pieces, piece);
        let (details, unmatched) = match look {
            Look::Figures => (None, None),
            Look::Details => (Some(rows(Piece::Details)?), Some(rows(Piece::Unmatched)?)),
        };
        Some(Self {
            kept,
            meaning: Meaning::of(kept, shared)?,
            blocks: rows(Piece::Blocks)?,
            next: 0,
            details,
            unmatched,
        })
    }

    /// How many blocks a tenant has.
    pub(in crate::tally) fn blocks_of(&self, tenant: &str) -> usize {
        let rows = self.kept.tenants.blocks_of(tenant);
        usize::try_from(rows.end - rows.start).unwrap_or(usize::MAX)
    }

    /// A tenant's blocks of people who stand before `end`, if it is given, and were not asked for yet. No
    /// earlier tenant can be asked for after it. `None` when the bytes are not what was written, or name
    /// somebody who is not among the people.
    pub(in crate::tally) fn blocks(
        &mut self,
        tenant: &str,
        end: Option<u32>,
        people: &PeopleIndex,
    ) -> Option<Vec<CountedBlock>> {
        let mut found = Vec::new();
        let rows = self.kept.tenants.blocks_of(tenant);
        if rows.is_empty() {
            return Some(found);
        }
        let positions = people.positions_of(tenant)?;
        let until = end.map(|end| people.user_uid(end));
        let mut next = self.next.max(rows.start);
        while next < rows.end {
            let (batch, from) = self.blocks.batch_of(next)?;
            let left = usize::try_from(rows.end - next).unwrap_or(usize::MAX);
            let all = from..batch.num_rows().min(from.saturating_add(left));
            let taken = match until {
                Some(until) => from..first_from(texts(batch, "user_uid")?, all.clone(), until),
                None => all.clone(),
            };
            let details = match &mut self.details {
                Some(details) => Some(details.batch_of(next)?.0),
                None => None,
            };
            let uids = Uids::of(details, taken.clone())?;
            let end = taken.end;
            next += taken.len() as u64;
            self.meaning
                .add_blocks(batch, taken, &positions, &uids, &mut found)?;
            if end < all.end {
                break;
            }
        }
        self.next = next;
        Some(found)
    }

    /// A tenant's signals of nobody; no earlier tenant's can be asked for after them. `None` as for
    /// [`Cursor::blocks`], and for those who look at figures only.
    pub(in crate::tally) fn unmatched(&mut self, tenant: &str) -> Option<Vec<Unmatched>> {
        let mut found = Vec::new();
        let rows = self.kept.tenants.unmatched_of(tenant);
        let meaning = &self.meaning;
        self.unmatched.as_mut()?.each(rows, |batch, rows| {
            meaning.add_unmatched(batch, rows, &mut found)
        })?;
        Some(found)
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

/// The first of some rows, sorted by person, whose person's id does not come before another; their end if
/// there is none.
fn first_from(user_uids: &StringArray, rows: Range<usize>, until: &str) -> usize {
    let (mut from, mut to) = (rows.start, rows.end);
    while from < to {
        let middle = from.midpoint(to);
        if user_uids.value(middle) < until {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    from
}

/// The signals behind some blocks, if they are looked at.
struct Uids<'b> {
    lists: Option<&'b ListArray>,
    /// Those of all these blocks.
    named: Arc<TextList>,
    /// The place of the first of them in the lists.
    first: i32,
}

impl<'b> Uids<'b> {
    fn of(details: Option<&'b RecordBatch>, rows: Range<usize>) -> Option<Self> {
        let Some(batch) = details else {
            return Some(Self {
                lists: None,
                named: Arc::default(),
                first: 0,
            });
        };
        let lists = batch.column_by_name("signal_uids")?.as_list_opt::<i32>()?;
        let texts = lists.values().as_string_opt::<i32>()?;
        let ends = lists.value_offsets();
        let (first, end) = (*ends.get(rows.start)?, *ends.get(rows.end)?);
        let mut named = TextList::default();
        let places = usize::try_from(first).ok()?..usize::try_from(end).ok()?;
        named.extend(places.map(|place| texts.value(place)));
        Some(Self {
            lists: Some(lists),
            named: Arc::new(named),
            first,
        })
    }

    fn of_row(&self, row: usize) -> Option<SignalUids> {
        let Some(lists) = self.lists else {
            return Some(SignalUids::of(&self.named, 0..0));
        };
        let ends = lists.value_offsets();
        let place = |row: usize| u32::try_from(ends[row] - self.first).ok();
        Some(SignalUids::of(&self.named, place(row)?..place(row + 1)?))
    }
}

/// What numbers mean.
struct Meaning {
    texts: Vec<Arc<str>>,
    kinds: Vec<Kind>,
}

/// What blocks have in common.
struct Kind {
    component: Arc<str>,
    family: Arc<str>,
    level: Level,
    day: UtcDay,
    rules: Arc<[Arc<str>]>,
}

impl Meaning {
    fn of(kept: &Kept, shared: &mut SharedNames) -> Option<Self> {
        let names = &kept.names;
        let texts: Vec<Arc<str>> = names.texts.iter().map(|text| shared.get(text)).collect();
        let text = |number: u32| texts.get(number as usize).cloned();
        let list = |list: &Vec<u32>| list.iter().map(|&number| text(number)).collect();
        let lists: Option<Vec<Arc<[Arc<str>]>>> = names.lists.iter().map(list).collect();
        let lists = lists?;
        let mut kinds = Vec::new();
        for batch in all(&kept.pieces, Piece::Kinds)? {
            let (component, family) = (u32s(&batch, "component")?, u32s(&batch, "family")?);
            let (level, rules) = (u32s(&batch, "level")?, u32s(&batch, "rules")?);
            let day = i32s(&batch, "day")?;
            for row in 0..batch.num_rows() {
                kinds.push(Kind {
                    component: text(component.value(row))?,
                    family: text(family.value(row))?,
                    level: level_of(level.value(row))?,
                    day: UtcDay(day.value(row)),
                    rules: Arc::clone(lists.get(rules.value(row) as usize)?),
                });
            }
        }
        Some(Self { texts, kinds })
    }

    fn text(&self, number: u32) -> Option<Arc<str>> {
        self.texts.get(number as usize).cloned()
    }

    fn add_blocks(
        &self,
        batch: &RecordBatch,
        rows: Range<usize>,
        positions: &impl Fn(&str) -> Option<u32>,
        signals: &Uids<'_>,
        found: &mut Vec<CountedBlock>,
    ) -> Option<()> {
        let user_uids = texts(batch, "user_uid")?;
        let (kinds, n) = (u32s(batch, "kind")?, u64s(batch, "n")?);
        let (first, last) = (u32s(batch, "first")?, u32s(batch, "last")?);
        let mut person: Option<(&str, u32)> = None;
        found.reserve(rows.len());
        for row in rows {
            let user_uid = user_uids.value(row);
            // A person's blocks stand side by side.
            let position = match person {
                Some((of, position)) if of == user_uid => position,
                _ => positions(user_uid)?,
            };
            person = Some((user_uid, position));
            let kind = self.kinds.get(kinds.value(row) as usize)?;
            let at = |in_day: u32| UtcMillis(kind.day.start().0 + i64::from(in_day));
            found.push(CountedBlock {
                person: position,
                component: Arc::clone(&kind.component),
                family: Arc::clone(&kind.family),
                day: kind.day,
                level: kind.level,
                n: n.value(row),
                first_time: at(first.value(row)),
                last_time: at(last.value(row)),
                rule_ids: Arc::clone(&kind.rules),
                signal_uids: signals.of_row(row)?,
            });
        }
        Some(())
    }

    fn add_unmatched(
        &self,
        batch: &RecordBatch,
        rows: Range<usize>,
        found: &mut Vec<Unmatched>,
    ) -> Option<()> {
        let (reason, source) = (u32s(batch, "reason")?, u32s(batch, "source")?);
        let (component, family) = (u32s(batch, "component")?, u32s(batch, "family")?);
        let (level, rule_id) = (u32s(batch, "level")?, u32s(batch, "rule_id")?);
        let (day, n) = (i32s(batch, "day")?, u64s(batch, "n")?);
        let hashes = texts(batch, "subject_hash")?;
        for row in rows {
            let reason = self.text(reason.value(row))?;
            found.push(Unmatched {
                reason: UnmatchedReason::ALL
                    .into_iter()
                    .find(|known| known.as_str() == &*reason)?,
                source: self.text(source.value(row))?,
                day: UtcDay(day.value(row)),
                component: self.text(component.value(row))?,
                family: self.text(family.value(row))?,
                level: level_of(level.value(row))?,
                rule_id: self.text(rule_id.value(row))?,
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
