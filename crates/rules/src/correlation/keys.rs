//! What events are grouped and counted by: the values of some fields as one small number per row.
//!
//! Many correlations go by the same fields. Each list of fields is read once a day, for the rows that any
//! of them looks at, and equal values get equal numbers; no value is hashed or compared again after that.
//! Numbers mean something within one batch only. What days have in common is [`hash`], which is asked for
//! the few groups that reach into another day or into a finding.

use std::sync::Mutex;

use af_model::HexHash;
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use super::link::Plan;
use super::rule::{Correlation, Kind};
use super::values::{NONE, OfField, Tenants, push_value};
use crate::columns::field::Field;
use crate::columns::frame::Frame;
use crate::columns::rows::{Rows, row_number};
use crate::detect::who::Who;
use crate::rule::Rule;

/// With at least one row in so many, a number is kept for every row of the batch.
const MANY_SHARE: usize = 8;

/// The numbers of all lists of fields that a set's correlations go by, tenants apart.
pub(crate) struct Keys<'a> {
    lists: Vec<(Vec<&'a Field>, Numbers)>,
    /// Rows whose person is lent by a transaction: their values may be known later than they are.
    lent: HashSet<u32>,
}

impl<'a> Keys<'a> {
    /// Reads the fields of every correlation at the rows that its rules match.
    pub(crate) fn of(
        rules: &'a [Rule],
        plan: &Plan,
        frame: &Frame,
        who: &Who<'_>,
        rows: &[Rows],
    ) -> Self {
        let mut lists: Vec<(Vec<&'a Field>, Vec<&Rows>)> = Vec::new();
        for &place in &plan.order {
            let Some(correlation) = rules[place].correlation() else {
                continue;
            };
            for (rule, &other) in plan.references[place].iter().enumerate() {
                let group = correlation
                    .has_one_grouping()
                    .then(|| correlation.grouped_by(rule));
                let value = (correlation.kind == Kind::ValueCount)
                    .then(|| correlation.values.iter().collect());
                let matched = matched_rows(plan, rules, rows, other);
                for fields in group.into_iter().chain(value) {
                    add(&mut lists, fields, matched.iter().copied());
                }
            }
        }
        let mut fields: Vec<(Vec<&'a Field>, Vec<&Rows>)> = Vec::new();
        for (list, rows) in &lists {
            for &field in list {
                add(&mut fields, vec![field], rows.iter().copied());
            }
        }
        let union = |rows: Vec<&Rows>| Rows::union(frame.len(), rows.into_iter());
        let fields: Vec<(&'a Field, OfField<'_>, HashSet<u32>)> = fields
            .into_par_iter()
            .map(|(field, rows)| {
                let (numbers, lent) = OfField::read(frame, who, field[0], &union(rows));
                (field[0], numbers, lent)
            })
            .collect();
        let tenants = Tenants::of(frame);
        let lists = lists
            .into_par_iter()
            .map(|(list, rows)| {
                let parts: Vec<&OfField<'_>> = list
                    .iter()
                    .filter_map(|part| fields.iter().find(|(field, ..)| field == part))
                    .map(|(_, numbers, _)| numbers)
                    .collect();
                let numbers = Numbers::of(&tenants, &parts, &union(rows), frame.len());
                (list, numbers)
            })
            .collect();
        let lent = fields.into_iter().flat_map(|(.., lent)| lent).collect();
        Self { lists, lent }
    }

    /// The numbers of a list of fields that a correlation goes by.
    pub(super) fn numbers(&self, fields: &[&Field]) -> Option<&Numbers> {
        let found = self.lists.iter().find(|(list, _)| list == fields);
        found.map(|(_, numbers)| numbers)
    }

    /// Whether the row's person is lent by its transaction.
    pub(super) fn is_lent(&self, row: u32) -> bool {
        self.lent.contains(&row)
    }
}

fn add<'a, 'r>(
    lists: &mut Vec<(Vec<&'a Field>, Vec<&'r Rows>)>,
    fields: Vec<&'a Field>,
    rows: impl Iterator<Item = &'r Rows>,
) {
    match lists.iter_mut().find(|(list, _)| *list == fields) {
        Some((_, known)) => known.extend(rows),
        None => lists.push((fields, rows.collect())),
    }
}

/// The rows that a rule can match: its own, of a correlation those of the rules below it.
fn matched_rows<'r>(plan: &Plan, rules: &[Rule], rows: &'r [Rows], place: usize) -> Vec<&'r Rows> {
    if rules[place].correlation().is_none() {
        return vec![&rows[place]];
    }
    let below = plan.references[place].iter();
    below
        .flat_map(|&other| matched_rows(plan, rules, rows, other))
        .collect()
}

/// One number per row for a list of fields; equal exactly where tenant and all values are.
pub(super) struct Numbers {
    rows: NumberedRows,
    /// Numbers are below this.
    count: usize,
    groups: Hashes,
    values: Hashes,
}

/// What was hashed already, by number: many correlations ask for the same groups.
#[derive(Default)]
pub(super) struct Hashes(Mutex<HashMap<u32, u128>>);

impl Hashes {
    /// The hash of a number; `make` makes it if it is not there.
    pub(super) fn of(&self, number: u32, make: impl FnOnce() -> u128) -> u128 {
        let known = || self.0.lock().expect("nobody panics with the lock");
        let found = known().get(&number).copied();
        found.unwrap_or_else(|| {
            let hash = make();
            known().insert(number, hash);
            hash
        })
    }
}

enum NumberedRows {
    /// By row; [`NONE`] where there is none.
    All(Vec<u32>),
    /// Rows, ascending, each with its number.
    Some(Vec<(u32, u32)>),
}

impl Numbers {
    fn of(tenants: &Tenants<'_>, fields: &[&OfField<'_>], rows: &Rows, of: usize) -> Self {
        let mut pairs: Vec<Pairs> = fields.iter().map(|_| Pairs::default()).collect();
        let mut number = |row: usize| {
            let mut number = tenants.number(row);
            for (field, pairs) in fields.iter().zip(&mut pairs) {
                match field.number(row) {
                    NONE => return NONE,
                    value => number = pairs.number(number, value),
                }
            }
            number
        };
        let numbered = if rows.is_share(MANY_SHARE) {
            let mut all = vec![NONE; of];
            for row in rows.iter() {
                all[row] = number(row);
            }
            NumberedRows::All(all)
        } else {
            let rows = rows.iter().map(|row| (row_number(row), number(row)));
            NumberedRows::Some(rows.filter(|(_, number)| *number != NONE).collect())
        };
        let count = pairs.last().map_or(tenants.count, Pairs::count);
        Self {
            rows: numbered,
            count,
            groups: Hashes::default(),
            values: Hashes::default(),
        }
    }

    /// The row's number; none when it lacks a value.
    pub(super) fn of_row(&self, row: u32) -> Option<u32> {
        match &self.rows {
            NumberedRows::All(all) => Some(all[row as usize]).filter(|number| *number != NONE),
            NumberedRows::Some(some) => {
                let place = some.binary_search_by_key(&row, |(row, _)| *row).ok()?;
                Some(some[place].1)
            }
        }
    }

    /// The hashes of groups.
    pub(super) fn groups(&self) -> &Hashes {
        &self.groups
    }

    /// The hashes of values, which leave tenants out.
    pub(super) fn values(&self) -> &Hashes {
        &self.values
    }

    /// Numbers are below this.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

/// Numbers for pairs of numbers, in the order in which they come.
#[derive(Default)]
struct Pairs {
    known: HashMap<u64, u32>,
    /// Sorted rows come in runs.
    last: Option<(u64, u32)>,
}

impl Pairs {
    fn number(&mut self, first: u32, second: u32) -> u32 {
        let pair = u64::from(first) << 32 | u64::from(second);
        match self.last {
            Some((last, number)) if last == pair => number,
            _ => {
                let next = row_number(self.known.len());
                let number = *self.known.entry(pair).or_insert(next);
                self.last = Some((pair, number));
                number
            }
        }
    }

    fn count(&self) -> usize {
        self.known.len()
    }
}

/// Hash of a row's tenant and values, the same on every day; none when it lacks one. What has no one value
/// (a list) has none. A value that became known later than the row raises `known_at`.
pub(super) fn hash(
    frame: &Frame,
    who: &Who<'_>,
    tenant: &str,
    fields: &[&Field],
    row: u32,
    known_at: &mut i64,
) -> Option<u128> {
    let row = row as usize;
    let mut text = String::new();
    let mut ends = Vec::with_capacity(fields.len());
    for field in fields {
        if field.is_subject() {
            let (reference, since) = who.subject(row)?;
            text.push_str(&reference);
            *known_at = since.map_or(*known_at, |since| since.max(*known_at));
        } else {
            push_value(&frame.column(field).value(row)?, &mut text)?;
        }
        ends.push(text.len());
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let parts = starts.zip(&ends).map(|(start, &end)| &text[start..end]);
    let hash = HexHash::of_parts(std::iter::once(tenant).chain(parts));
    Some(u128::from_be_bytes(hash.0))
}

impl Correlation {
    /// The fields by which the events of a rule are grouped.
    pub(super) fn grouped_by(&self, rule: usize) -> Vec<&Field> {
        self.group_by
            .iter()
            .map(|group| &group.fields[rule])
            .collect()
    }

    /// Whether the events of all rules are grouped by the same fields.
    pub(super) fn has_one_grouping(&self) -> bool {
        let same = |fields: &[Field]| fields.windows(2).all(|pair| pair[0] == pair[1]);
        self.group_by.iter().all(|group| same(&group.fields))
    }
}
