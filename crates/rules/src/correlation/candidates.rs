//! The rows of a day that the rules of one correlation match, group by group.

use arrow::array::TimestampMillisecondArray;

use super::keys::{Keys, hash};
use super::layout::GoesBy;
use super::matches::Match;
use super::rule::{Correlation, Kind};
use super::values::{NONE, push_value};
use crate::columns::field::Field;
use crate::columns::frame::{Column, Frame};
use crate::columns::rows::row_number;
use crate::detect::signal::required;
use crate::detect::who::Who;

/// A row that one of the rules matches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// The number of its group.
    pub(crate) group: u32,
    pub(crate) row: u32,
    rule: u32,
    /// Since when it is known to be one.
    ingested_at: i64,
}

/// The events of a batch for one correlation; first collected rule by rule, then by group.
pub(crate) struct Candidates<'a> {
    correlation: &'a Correlation,
    frame: &'a Frame,
    who: &'a Who<'a>,
    keys: &'a Keys<'a>,
    goes_by: &'a GoesBy,
    times: &'a TimestampMillisecondArray,
    ids: Column<'a>,
    names_person: bool,
    rows: Vec<Candidate>,
}

impl<'a> Candidates<'a> {
    /// None yet for the correlation at a place of the set.
    pub(crate) fn new(
        place: usize,
        correlation: &'a Correlation,
        frame: &'a Frame,
        who: &'a Who<'a>,
        keys: &'a Keys<'a>,
    ) -> Self {
        let grouped = correlation.group_by.iter().flat_map(|group| &group.fields);
        let mut fields = grouped.chain(&correlation.values);
        Self {
            correlation,
            frame,
            who,
            keys,
            goes_by: keys.goes_by(place),
            times: frame.instant_column("time"),
            ids: frame.text_column("metadata_uid"),
            names_person: fields.any(Field::is_subject),
            rows: Vec::new(),
        }
    }

    /// Adds the rows of the correlation's rule number `rule`, ascending, each with the instant since which
    /// it is known to match. Rows of groups that `wanted` does not have are left out.
    pub(crate) fn add(
        &mut self,
        rule: usize,
        rows: impl Iterator<Item = (u32, i64)>,
        mut wanted: impl FnMut(Candidate) -> bool,
    ) {
        let grouped_by = self.correlation.grouped_by(rule);
        let counted: Vec<&Field> = self.correlation.values.iter().collect();
        let mut group_of = self.keys.rows(self.goes_by.groups[rule]).ascending();
        let rule = row_number(rule);
        for (row, mut ingested_at) in rows {
            let group = group_of(row);
            if group == NONE {
                continue;
            }
            if self.names_person && self.keys.is_lent(row) {
                for fields in [&grouped_by, &counted] {
                    let known = self.named_since(fields, row as usize);
                    ingested_at = known.map_or(ingested_at, |known| known.max(ingested_at));
                }
            }
            let candidate = Candidate {
                group,
                row,
                rule,
                ingested_at,
            };
            if wanted(candidate) {
                self.rows.push(candidate);
            }
        }
    }

    /// Since when the person is known whom the fields read of a row name; none if they name nobody, or
    /// a field before lacks a value.
    fn named_since(&self, fields: &[&Field], row: usize) -> Option<i64> {
        for field in fields {
            if field.is_subject() {
                return self.who.subject(row)?.1;
            }
            push_value(&self.frame.column(field).value(row)?, &mut String::new())?;
        }
        None
    }

    /// The groups that have a row so far; nothing is looked up unless somebody asks.
    pub(crate) fn begun(&self, is_asked: bool) -> Begun {
        let mut begun = Begun(Vec::new());
        for candidate in self.rows.iter().filter(|_| is_asked) {
            begun.set(candidate.group, true);
        }
        begun
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Brings the rows of a group together, in the order in which they were added.
    pub(crate) fn group(&mut self) {
        if self.rows.is_sorted_by_key(|candidate| candidate.group) {
            return;
        }
        let count = self.goes_by.list().map_or(0, |list| self.keys.count(list));
        if self.rows.len() < count / 4 {
            self.rows.sort_by_key(|candidate| candidate.group);
            return;
        }
        let mut free = vec![0_u32; count + 1];
        for candidate in &self.rows {
            free[candidate.group as usize + 1] += 1;
        }
        for next in 1..free.len() {
            free[next] += free[next - 1];
        }
        let mut grouped = self.rows.clone();
        for candidate in &self.rows {
            let place = &mut free[candidate.group as usize];
            grouped[*place as usize] = *candidate;
            *place += 1;
        }
        self.rows = grouped;
    }

    /// The groups, once they were brought together, by ascending number.
    pub(crate) fn groups(&self) -> Vec<&[Candidate]> {
        self.rows.chunk_by(|a, b| a.group == b.group).collect()
    }

    /// When a candidate happened.
    pub(crate) fn time(&self, candidate: &Candidate) -> i64 {
        self.times.value(candidate.row as usize)
    }

    /// Hash of a candidate's group.
    pub(crate) fn hash_of_group(&self, candidate: Candidate) -> u128 {
        let grouped_by = self.correlation.grouped_by(candidate.rule as usize);
        let tenants = self.frame.text_column("tenant_uid");
        let tenant = required(&tenants, candidate.row as usize);
        let hash = hash(self.frame, self.who, tenant, &grouped_by, candidate.row);
        hash.expect("a row without values has no group")
    }

    /// The number of the value that is counted of a row; [`NONE`] if it lacks one.
    fn value(&self, row: u32) -> u32 {
        let counted = self.goes_by.values;
        counted.map_or(NONE, |counted| self.keys.value(counted, row))
    }

    /// Whether the condition can hold in any window over a group's rows and some events of the days
    /// before; never false where it does. `seen` is for its own use.
    pub(crate) fn may_hold(
        &self,
        before: &[Match],
        group: &[Candidate],
        seen: &mut Vec<u32>,
    ) -> bool {
        let rules = before.iter().fold(0, |rules, event| rules | event.rules);
        let rules = group
            .iter()
            .fold(rules, |rules, row| rules | 1_u64 << row.rule);
        if !self.correlation.may_hold(before.len() + group.len(), rules) {
            return false;
        }
        if self.correlation.kind != Kind::ValueCount {
            return true;
        }
        let least = self.correlation.bound.least;
        let before = before.iter().map(|event| event.value);
        let mut values = before.chain(group.iter().map(|row| self.value(row.row)));
        if least <= 2 {
            // Mostly all of them are the same.
            let mut present = values.filter(|value| *value != NONE);
            let first = present.next();
            return match least {
                0 => true,
                1 => first.is_some(),
                _ => present.any(|value| Some(value) != first),
            };
        }
        seen.clear();
        seen.extend(values.by_ref().filter(|value| *value != NONE));
        seen.sort_unstable();
        seen.dedup();
        seen.len() as u64 >= least
    }

    /// Adds the events of a group, ordered, each once; in temporal correlations once for each instant at
    /// which it became known that one of the rules matches it.
    pub(crate) fn push_events(&self, group: &[Candidate], events: &mut Vec<Match>) {
        let begin = events.len();
        if group.is_sorted_by(|a, b| self.time(a) < self.time(b)) {
            events.extend(group.iter().map(|candidate| self.event(candidate)));
            return;
        }
        let id = |row: u32| required(&self.ids, row as usize);
        let key = |a: &Candidate| (self.time(a), id(a.row), a.ingested_at);
        let mut ordered = group.to_vec();
        // Stable: of one event that came twice the first stays.
        ordered.sort_by(|a, b| key(a).cmp(&key(b)));
        let counts = matches!(self.correlation.kind, Kind::EventCount | Kind::ValueCount);
        for candidate in &ordered {
            let event = self.event(candidate);
            if let Some(last) = events[begin..].last_mut()
                && last.time == event.time
                // A temporal correlation must know since when each of its rules matches the event.
                && (counts || last.ingested_at == event.ingested_at)
                && id(last.event) == id(event.event)
            {
                last.rules |= event.rules;
                continue;
            }
            events.push(event);
        }
    }

    fn event(&self, candidate: &Candidate) -> Match {
        Match {
            time: self.time(candidate),
            ingested_at: candidate.ingested_at,
            rules: 1 << candidate.rule,
            event: candidate.row,
            batch: 0,
            value: self.value(candidate.row),
        }
    }
}

/// Groups by number, of which something is said.
pub(crate) struct Begun(Vec<Option<bool>>);

impl Begun {
    pub(crate) fn set(&mut self, group: u32, is_begun: bool) {
        let place = group as usize;
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        self.0[place] = Some(is_begun);
    }

    /// What is known of a candidate's group, else what is found out; false if there is nothing to find.
    pub(crate) fn is_begun(
        &mut self,
        candidate: Candidate,
        ask: impl FnOnce() -> Option<bool>,
    ) -> bool {
        let known = self.0.get(candidate.group as usize).copied().flatten();
        known.unwrap_or_else(|| {
            let found = ask();
            if let Some(found) = found {
                self.set(candidate.group, found);
            }
            found.unwrap_or(false)
        })
    }
}
