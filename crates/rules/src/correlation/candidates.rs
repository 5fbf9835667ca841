//! The rows of a day that the rules of one correlation match, group by group.

use hashbrown::HashMap;

use super::keys::{Keys, Numbers, hash};
use super::matches::Match;
use super::rule::{Correlation, Kind};
use crate::columns::field::Field;
use crate::columns::frame::{Column, Frame};
use crate::columns::rows::row_number;
use crate::detect::signal::required;
use crate::detect::who::Who;

/// A row that one of the rules matches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// The number of its group.
    group: u32,
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
    /// The numbers of groups; none when rules differ in the fields they are grouped by.
    groups: Option<&'a Numbers>,
    values: Option<&'a Numbers>,
    counted: Vec<&'a Field>,
    /// The groups of a correlation whose rules differ, by hash.
    hashed: HashMap<u128, u32>,
    names_person: bool,
    rows: Vec<Candidate>,
}

impl<'a> Candidates<'a> {
    pub(crate) fn new(
        correlation: &'a Correlation,
        frame: &'a Frame,
        who: &'a Who<'a>,
        keys: &'a Keys<'a>,
    ) -> Self {
        let counted: Vec<&Field> = match correlation.kind {
            Kind::ValueCount => correlation.values.iter().collect(),
            _ => Vec::new(),
        };
        let grouped = correlation.group_by.iter().flat_map(|group| &group.fields);
        Self {
            correlation,
            frame,
            who,
            keys,
            groups: (correlation.has_one_grouping() && !correlation.references.is_empty())
                .then(|| keys.numbers(&correlation.grouped_by(0)))
                .flatten(),
            values: keys.numbers(&counted).filter(|_| !counted.is_empty()),
            names_person: grouped
                .chain(counted.iter().copied())
                .any(Field::is_subject),
            counted,
            hashed: HashMap::new(),
            rows: Vec::new(),
        }
    }

    /// Adds the rows of the correlation's rule number `rule`, ascending, each with the instant since which
    /// it is known to match. Rows of groups that `wanted` does not have are left out.
    pub(crate) fn add(
        &mut self,
        rule: usize,
        rows: impl Iterator<Item = (u32, i64)>,
        mut wanted: impl FnMut(&Self, Candidate) -> bool,
    ) {
        let grouped_by = self.correlation.grouped_by(rule);
        for (row, mut ingested_at) in rows {
            let group = match self.groups {
                Some(numbers) => numbers.of_row(row),
                None => self.hashed_group(&grouped_by, row),
            };
            let Some(group) = group else { continue };
            if self.names_person && self.keys.is_lent(row) {
                let known_at = &mut ingested_at;
                hash(self.frame, self.who, "", &grouped_by, row, known_at);
                hash(self.frame, self.who, "", &self.counted, row, known_at);
            }
            let candidate = Candidate {
                group,
                row,
                rule: row_number(rule),
                ingested_at,
            };
            if wanted(self, candidate) {
                self.rows.push(candidate);
            }
        }
    }

    /// Numbers for groups by hash, in the order in which they come.
    fn hashed_group(&mut self, grouped_by: &[&Field], row: u32) -> Option<u32> {
        let hash = hash(
            self.frame,
            self.who,
            self.tenant(row),
            grouped_by,
            row,
            &mut 0,
        )?;
        let next = row_number(self.hashed.len());
        Some(*self.hashed.entry(hash).or_insert(next))
    }

    fn tenant(&self, row: u32) -> &'a str {
        required(&self.frame.text_column("tenant_uid"), row as usize)
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
        let count = self.groups.map_or(self.hashed.len(), Numbers::count);
        if self.rows.len() < count / 4 {
            self.rows.sort_by_key(|candidate| candidate.group);
            return;
        }
        let mut free = vec![0_usize; count + 1];
        for candidate in &self.rows {
            free[candidate.group as usize + 1] += 1;
        }
        for next in 1..free.len() {
            free[next] += free[next - 1];
        }
        let mut grouped = self.rows.clone();
        for candidate in &self.rows {
            let place = &mut free[candidate.group as usize];
            grouped[*place] = *candidate;
            *place += 1;
        }
        self.rows = grouped;
    }

    /// The groups, once they were brought together.
    pub(crate) fn groups(&self) -> Vec<&[Candidate]> {
        self.rows.chunk_by(|a, b| a.group == b.group).collect()
    }

    /// Hash of a candidate's group.
    pub(crate) fn hash_of_group(&self, candidate: Candidate) -> u128 {
        let make = || {
            let grouped_by = self.correlation.grouped_by(candidate.rule as usize);
            let (row, tenant) = (candidate.row, self.tenant(candidate.row));
            let hash = hash(self.frame, self.who, tenant, &grouped_by, row, &mut 0);
            hash.expect("a row without values has no group")
        };
        match self.groups {
            Some(numbers) => numbers.groups().of(candidate.group, make),
            None => make(),
        }
    }

    /// Hash of the value that is counted of a row.
    pub(crate) fn hash_of_value(&self, row: u32) -> Option<u128> {
        let numbers = self.values?;
        let make = || {
            let hash = hash(self.frame, self.who, "", &self.counted, row, &mut 0);
            hash.expect("a row without values has no number")
        };
        Some(numbers.values().of(numbers.of_row(row)?, make))
    }

    /// Whether the condition can hold in any window over a group's rows; never false where it does.
    pub(crate) fn may_hold(&self, group: &[Candidate]) -> bool {
        let rules = group.iter().fold(0, |rules, row| rules | 1_u64 << row.rule);
        self.correlation.may_hold(group.len(), rules)
    }

    /// The events of a group, ordered, each once; in temporal correlations once for each instant at which
    /// it became known that one of the rules matches it. Values are numbers.
    pub(crate) fn events(&self, group: &[Candidate]) -> Vec<Match> {
        let ids = self.frame.text_column("metadata_uid");
        let times = self.frame.instant_column("time");
        let time = |candidate: &Candidate| times.value(candidate.row as usize);
        let id = |row: u32| id_of(&ids, row);
        let mut ordered = group.to_vec();
        let key = |a: &Candidate| (time(a), id(a.row), a.ingested_at);
        if !ordered.is_sorted_by(|a, b| time(a) < time(b)) {
            // Stable: of one event that came twice the first stays.
            ordered.sort_by(|a, b| key(a).cmp(&key(b)));
        }
        let counts = matches!(self.correlation.kind, Kind::EventCount | Kind::ValueCount);
        let mut events: Vec<Match> = Vec::with_capacity(ordered.len());
        for candidate in &ordered {
            let rules = 1 << candidate.rule;
            let (time, ingested_at) = (time(candidate), candidate.ingested_at);
            if let Some(last) = events.last_mut()
                && last.time == time
                // A temporal correlation must know since when each of its rules matches the event.
                && (counts || last.ingested_at == ingested_at)
                && id(last.event) == id(candidate.row)
            {
                last.rules |= rules;
                continue;
            }
            let value = self.values.and_then(|values| values.of_row(candidate.row));
            events.push(Match {
                time,
                ingested_at,
                event: candidate.row,
                batch: 0,
                rules,
                value: value.map(u128::from),
            });
        }
        events
    }
}

fn id_of<'a>(ids: &Column<'a>, row: u32) -> &'a str {
    required(ids, row as usize)
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
