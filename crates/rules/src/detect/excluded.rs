//! Events that attack rules leave alone.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use af_model::key::normalize_key;
use arrow::array::Array;

use crate::columns::frame::{Column, Frame};
use crate::columns::rows::Rows;
use crate::rule::{Class, Rule};
use crate::set::tuning::{Exclusion, Part};

/// What each rule leaves alone, by the rule's name; `None` for all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excluded {
    parts: BTreeMap<Option<String>, Part>,
}

impl Excluded {
    pub(crate) fn add(&mut self, rule: Option<&str>, exclusion: &Exclusion) {
        let part = self.parts.entry(rule.map(str::to_owned)).or_default();
        part.add(exclusion);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.values().all(Part::is_empty)
    }

    /// By rule, those of all rules first; nothing empty.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Option<&str>, &Part)> {
        self.parts
            .iter()
            .filter(|(_, part)| !part.is_empty())
            .map(|(rule, part)| (rule.as_deref(), part))
    }

    /// Forgets what rules other than these leave alone.
    pub(crate) fn keep(&mut self, rules: &BTreeSet<&str>) {
        self.parts
            .retain(|rule, _| rule.as_deref().is_none_or(|rule| rules.contains(rule)));
    }

    /// The rows of `rows` that `rule` does not leave alone. Costs nothing when the rule has no
    /// exclusion, and looks at the given rows only.
    ///
    /// For a plain rule these are its matches. A correlation asks with its own name about the rows
    /// of each rule it refers to, so that an exclusion of one correlation changes no other one on
    /// the same base.
    pub(crate) fn without(&self, rule: &Rule, frame: &Frame, rows: Rows) -> Rows {
        self.parts_of(rule)
            .fold(rows, |rows, part| part.without(frame, &rows))
    }

    /// Whether anything may be taken away from a rule's rows.
    pub(crate) fn concerns(&self, rule: &Rule) -> bool {
        self.parts_of(rule).next().is_some()
    }

    fn parts_of(&self, rule: &Rule) -> impl Iterator<Item = &Part> {
        // Nothing may be taken away from context: it silences, and would then no longer.
        let finds = !matches!(rule.class, Class::Context | Class::Behavior);
        let (own, of_all) = if self.parts.is_empty() || !finds {
            (None, None)
        } else {
            let own = self.parts.get(&Some(rule.name.clone()));
            (own, self.parts.get(&None))
        };
        let parts = own.into_iter().chain(of_all);
        parts.filter(|part| !part.is_empty())
    }
}

impl Part {
    fn is_empty(&self) -> bool {
        self.people.is_empty() && self.addresses.is_empty()
    }

    fn without(&self, frame: &Frame, rows: &Rows) -> Rows {
        let mut addresses = Addresses::new(frame, self);
        let people = People::of(frame);
        rows.filter(|row| !addresses.holds(row) && !people.are_in(self, row))
    }

    fn has_address(&self, text: &str) -> bool {
        text.parse::<IpAddr>().is_ok_and(|address| {
            self.addresses
                .iter()
                .any(|network| network.contains(address))
        })
    }
}

/// The client addresses of a batch, each asked once.
struct Addresses<'a> {
    column: Column<'a>,
    part: &'a Part,
    /// By place in the dictionary.
    known: Vec<Option<bool>>,
}

impl<'a> Addresses<'a> {
    fn new(frame: &'a Frame, part: &'a Part) -> Self {
        let column = frame.text_column("src_endpoint_ip");
        let distinct = match &column {
            Column::Dictionary(_, values) => values.len(),
            _ => 0,
        };
        Self {
            column,
            part,
            known: vec![None; distinct],
        }
    }

    fn holds(&mut self, row: usize) -> bool {
        if self.part.addresses.is_empty() {
            return false;
        }
        let Some(text) = self.column.text(row) else {
            return false;
        };
        let part = self.part;
        let place = match &self.column {
            Column::Dictionary(keys, _) => usize::try_from(keys.value(row)).ok(),
            _ => None,
        };
        match place.and_then(|place| self.known.get_mut(place)) {
            Some(known) => *known.get_or_insert_with(|| part.has_address(text)),
            None => part.has_address(text),
        }
    }
}

/// The columns that name whom an event is about and who acted.
struct People<'a> {
    subject: Column<'a>,
    uids: [Column<'a>; 2],
    names: [Column<'a>; 2],
}

impl<'a> People<'a> {
    fn of(frame: &'a Frame) -> Self {
        Self {
            subject: frame.text_column("subject_ref"),
            uids: [
                frame.text_column("user_uid"),
                frame.text_column("actor_user_uid"),
            ],
            names: [
                frame.text_column("user_name"),
                frame.text_column("actor_user_name"),
            ],
        }
    }

    fn are_in(&self, part: &Part, row: usize) -> bool {
        if part.people.is_empty() {
            return false;
        }
        let is_key = |name: &str| part.keys.contains(&*normalize_key(name));
        self.uids
            .iter()
            .filter_map(|column| column.text(row))
            .any(|uid| part.people.contains(uid))
            || self
                .names
                .iter()
                .filter_map(|column| column.text(row))
                .any(is_key)
            || self.subject.text(row).is_some_and(|subject| {
                match subject.split_once(':') {
                    Some(("uid", uid)) => part.people.contains(uid),
                    Some(("login" | "email", key)) => is_key(key),
                    // A hash says nothing about whose it is.
                    _ => false,
                }
            })
    }
}
