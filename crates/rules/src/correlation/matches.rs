//! The events that a correlation looks at: grouped, ordered, small.

use af_model::HexHash;
use rsigma_eval::EventValue;

use super::rule::{Correlation, Kind};
use crate::columns::field::Field;
use crate::columns::frame::{Column, Frame};
use crate::detect::who::Who;

/// One event of a correlation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    /// Hash of the tenant and the values of `group-by`.
    pub(crate) group: u128,
    /// When it happened.
    pub(crate) time: i64,
    /// When it became known that the event is one of the correlation's.
    pub(crate) ingested_at: i64,
    /// Which event: its place among the events of its batch.
    pub(crate) event: u32,
    /// Which batch: 0 for the one at hand, n for the n-th of the history, counted from 1.
    pub(crate) batch: u32,
    /// The rules that match it, a bit each.
    pub(crate) rules: u64,
    /// Hash of the value that is counted.
    pub(crate) value: Option<u128>,
}

impl Match {
    /// The places of the rules that match the event.
    pub(super) fn rules(&self) -> impl Iterator<Item = usize> + use<> {
        let rules = self.rules;
        (0..64).filter(move |rule| rules & (1 << rule) != 0)
    }
}

/// The events of one batch for one correlation, by group, time and event id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matches {
    pub(crate) events: Vec<Match>,
}

impl Matches {
    /// The events of one group.
    pub(crate) fn group(&self, group: u128) -> &[Match] {
        let start = self.events.partition_point(|event| event.group < group);
        let end = start + self.events[start..].partition_point(|event| event.group == group);
        &self.events[start..end]
    }
}

/// The rows that one of a correlation's rules matches, and since when each is known to match.
pub(crate) type Matched<'a> = Box<dyn Iterator<Item = (u32, i64)> + 'a>;

/// Collects the events of a batch for one correlation, rule by rule.
pub(crate) struct Candidates<'a> {
    correlation: &'a Correlation,
    frame: &'a Frame,
    who: &'a Who<'a>,
    events: Vec<Match>,
}

impl<'a> Candidates<'a> {
    pub(crate) fn new(correlation: &'a Correlation, frame: &'a Frame, who: &'a Who<'a>) -> Self {
        Self {
            correlation,
            frame,
            who,
            events: Vec::new(),
        }
    }

    /// Adds the rows of the correlation's rule number `rule`. Rows of groups that `wanted` does not
    /// have are left out.
    pub(crate) fn add(&mut self, rule: usize, rows: Matched<'_>, wanted: &dyn Fn(u128) -> bool) {
        let tenant = self.frame.text_column("tenant_uid");
        let time = self.frame.instant_column("time");
        let group_by: Vec<Key<'_>> = self
            .correlation
            .group_by
            .iter()
            .map(|group| self.key(&group.fields[rule]))
            .collect();
        let counted: Vec<Key<'_>> = self
            .correlation
            .values
            .iter()
            .map(|field| self.key(field))
            .collect();
        let mut text = String::new();
        for (row, mut ingested_at) in rows {
            let at = row as usize;
            let known = &mut ingested_at;
            let tenant = tenant.text(at).unwrap_or_default();
            let Some(group) = hash(tenant, &group_by, at, &mut text, known) else {
                continue;
            };
            if !wanted(group) {
                continue;
            }
            let value = match self.correlation.kind {
                Kind::ValueCount => hash("", &counted, at, &mut text, known),
                _ => None,
            };
            self.events.push(Match {
                group,
                time: time.value(at),
                ingested_at,
                event: row,
                batch: 0,
                rules: 1 << rule,
                value,
            });
        }
    }

    fn key(&self, field: &'a Field) -> Key<'a> {
        if field.is_subject() {
            Key::Subject(self.who)
        } else {
            Key::Column(self.frame.column(field))
        }
    }

    /// The groups so far, ascending.
    pub(crate) fn groups(&self) -> Vec<u128> {
        let mut groups: Vec<u128> = self.events.iter().map(|event| event.group).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// All events, ordered, each once; in temporal correlations once for each instant at which it
    /// became known that one of the rules matches it.
    pub(crate) fn finish(self) -> Matches {
        let ids = self.frame.text_column("metadata_uid");
        let id = |event: &Match| ids.text(event.event as usize).unwrap_or_default();
        let mut events = self.events;
        events.sort_by(|a, b| {
            (a.group, a.time)
                .cmp(&(b.group, b.time))
                .then_with(|| id(a).cmp(id(b)))
                .then_with(|| a.ingested_at.cmp(&b.ingested_at))
        });
        let counts = matches!(self.correlation.kind, Kind::EventCount | Kind::ValueCount);
        events.dedup_by(|later, first| {
            let same = (later.group, later.time) == (first.group, first.time)
                && id(later) == id(first)
                // A temporal correlation must know since when each of its rules matches the event.
                && (counts || later.ingested_at == first.ingested_at);
            if same {
                first.rules |= later.rules;
            }
            same
        });
        Matches { events }
    }
}

/// What a group or a count goes by.
enum Key<'a> {
    Column(Column<'a>),
    /// The person, also one whom a transaction lends.
    Subject(&'a Who<'a>),
}

/// Hash of a row's values; none when it lacks one. What has no one value (a list) has none. A value that
/// became known later than the row raises `known_at`.
fn hash(
    tenant: &str,
    keys: &[Key<'_>],
    row: usize,
    text: &mut String,
    known_at: &mut i64,
) -> Option<u128> {
    text.clear();
    let mut ends = Vec::with_capacity(keys.len());
    for key in keys {
        match key {
            Key::Column(column) => push_value(&column.value(row)?, text)?,
            Key::Subject(who) => {
                let (reference, since) = who.subject(row)?;
                text.push_str(&reference);
                *known_at = since.map_or(*known_at, |since| since.max(*known_at));
            }
        }
        ends.push(text.len());
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let parts = starts.zip(&ends).map(|(start, &end)| &text[start..end]);
    let hash = HexHash::of_parts(std::iter::once(tenant).chain(parts));
    Some(u128::from_be_bytes(hash.0))
}

fn push_value(value: &EventValue<'_>, text: &mut String) -> Option<()> {
    use std::fmt::Write;
    match value {
        EventValue::Str(value) => text.push_str(value),
        EventValue::Int(value) => write!(text, "{value}").ok()?,
        EventValue::Float(value) => write!(text, "{value}").ok()?,
        EventValue::Bool(value) => write!(text, "{value}").ok()?,
        _ => return None,
    }
    Some(())
}
