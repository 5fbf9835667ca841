//! Compiled rules over a batch: sets of rows, narrowed step by step.
//!
//! A rule starts from the rows of the event types it can match. Every function takes the rows that
//! can still match (`alive`) and returns a part of them, so a costly field is asked only where the
//! cheap ones agreed. What several rules ask is answered once ([`crate::columns::memo`]).

use std::borrow::Cow;
use std::sync::Arc;

use hashbrown::HashMap;
use rsigma_eval::compiler::eval_condition;
use rsigma_eval::{CompiledMatcher, Event, EventValue};

use crate::columns::codes::Codes;
use crate::columns::field::Field;
use crate::columns::frame::Frame;
use crate::columns::memo::{Answers, Asked};
use crate::columns::rows::Rows;
use crate::detect::row_event::RowEvent;
use crate::read::compile::{Compiled, Condition, Item, RowDetection, Selection};

/// With at least one row in so many alive, all rows are looked up by value at once: the next rule
/// that asks has them at hand.
const MANY_SHARE: usize = 8;

/// So many texts of a column without codes are remembered with their answers: the details of events mostly
/// repeat a few.
const MOST_ANSWERS: usize = 256;

/// The rows that a rule matches.
pub(crate) fn matching_rows(rule: &Compiled, frame: &Frame) -> Rows {
    let search = Search { rule, frame };
    match search.types_of_condition(&rule.condition) {
        Some(chosen) => search.condition(&rule.condition, &frame.rows_of_types(&chosen)),
        None => search.condition(&rule.condition, &Rows::all(frame.len())),
    }
}

struct Search<'a> {
    rule: &'a Compiled,
    frame: &'a Frame,
}

/// Which event types can match, by place in the dictionary; `None` = any can.
type Types = Option<Vec<bool>>;

impl Search<'_> {
    fn types_of_condition(&self, condition: &Condition) -> Types {
        let of = |place: &usize| self.types_of_selection(&self.rule.selections[*place]);
        match condition {
            Condition::And(parts) => both(parts.iter().map(|part| self.types_of_condition(part))),
            Condition::Or(parts) => either(parts.iter().map(|part| self.types_of_condition(part))),
            Condition::Selection(place) => of(place),
            Condition::AtLeast(least, places) if *least > 0 => either(places.iter().map(of)),
            Condition::Not(_) | Condition::AtLeast(..) => None,
        }
    }

    fn types_of_selection(&self, selection: &Selection) -> Types {
        match selection {
            Selection::Items(items) => both(items.iter().map(|item| self.types_of_item(item))),
            Selection::Any(parts) => either(parts.iter().map(|part| self.types_of_selection(part))),
            Selection::All(parts) => both(parts.iter().map(|part| self.types_of_selection(part))),
            Selection::Row(_) => None,
        }
    }

    fn types_of_item(&self, item: &Item) -> Types {
        let Field::Column(entry) = &item.field else {
            return None;
        };
        let codes =
            Codes::of(&self.frame.column(&item.field)).filter(|_| item.field.is_event_type())?;
        Some(self.chosen(item, codes.name(entry), &codes))
    }

    /// Which of a column's values fit, by code; of a dictionary, those that no row has are left out.
    fn chosen(&self, item: &Item, column: &'static str, codes: &Codes<'_>) -> Vec<bool> {
        if let Codes::Flag(_) = codes {
            return [0, 1].map(|code| item.fits(codes, code)).to_vec();
        }
        let groups = self.frame.groups_of(column, codes);
        let answers = self.answers(item, codes);
        (0..codes.count())
            .map(|code| groups.len_of(code) > 0 && answers.of(code, || item.fits(codes, code)))
            .collect()
    }

    fn answers(&self, item: &Item, codes: &Codes<'_>) -> Arc<Answers> {
        let memo = self.frame.memo();
        memo.answers.get(item.key, || Answers::new(codes.count()))
    }

    fn condition(&self, condition: &Condition, alive: &Rows) -> Rows {
        match condition {
            _ if alive.is_empty() => alive.clone(),
            Condition::And(parts) => {
                narrowed(parts, alive, |part, left| self.condition(part, left))
            }
            Condition::Or(parts) => gathered(parts, alive, |part, left| self.condition(part, left)),
            Condition::Not(inner) => alive.without(&self.condition(inner, alive)),
            Condition::Selection(place) => self.selection(&self.rule.selections[*place], alive),
            Condition::AtLeast(least, places) => self.at_least(*least, places, alive),
        }
    }

    fn at_least(&self, least: usize, places: &[usize], alive: &Rows) -> Rows {
        let of = |place: &usize, left: &Rows| self.selection(&self.rule.selections[*place], left);
        match least {
            0 => alive.clone(),
            1 => gathered(places, alive, of),
            all if all == places.len() => narrowed(places, alive, of),
            too_many if too_many > places.len() => Rows::none(self.frame.len()),
            least => {
                let hits: Vec<Rows> = places.iter().map(|place| of(place, alive)).collect();
                alive.filter(|row| hits.iter().filter(|hit| hit.contains(row)).count() >= least)
            }
        }
    }

    fn selection(&self, selection: &Selection, alive: &Rows) -> Rows {
        match selection {
            Selection::Items(items) => narrowed(items, alive, |item, left| self.item(item, left)),
            Selection::Any(parts) => {
                gathered(parts, alive, |part, left| self.selection(part, left))
            }
            Selection::All(parts) => {
                narrowed(parts, alive, |part, left| self.selection(part, left))
            }
            Selection::Row(detection) => alive.filter(|row| self.row(detection, row)),
        }
    }

    fn item(&self, item: &Item, alive: &Rows) -> Rows {
        let column = self.frame.column(&item.field);
        if let (Some(codes), Field::Column(entry)) = (Codes::of(&column), &item.field) {
            return self.coded(item, codes.name(entry), &codes, alive);
        }
        let asked = self.frame.memo().asked.get(item.key, Asked::default);
        let mut answered: HashMap<&str, bool> = HashMap::new();
        asked.among(alive, |row| match column.value(row) {
            Some(EventValue::Str(Cow::Borrowed(text))) => {
                if let Some(&answer) = answered.get(text) {
                    return answer;
                }
                let answer = item.holds(Some(&EventValue::Str(Cow::Borrowed(text))));
                if answered.len() < MOST_ANSWERS {
                    answered.insert(text, answer);
                }
                answer
            }
            value => item.holds(value.as_ref()),
        })
    }

    /// One question per distinct value.
    fn coded(&self, item: &Item, column: &'static str, codes: &Codes<'_>, alive: &Rows) -> Rows {
        let absent = item.holds(None);
        if alive.is_share(MANY_SHARE) && codes.count() <= alive.len() {
            let chosen = self.chosen(item, column, codes);
            return alive.and(&self.frame.rows_where(column, codes, &chosen, absent));
        }
        let answers = self.answers(item, codes);
        alive.filter(|row| match codes.of_row(row) {
            Some(code) => answers.of(code, || item.fits(codes, code)),
            None => absent,
        })
    }

    fn row(&self, detection: &RowDetection, row: usize) -> bool {
        let event = RowEvent::new(self.frame, row);
        eval_condition(
            &detection.condition,
            &detection.detections,
            &event,
            &mut Vec::new(),
        )
    }
}

/// All parts hold: each is asked about the rows the ones before left over.
fn narrowed<T>(parts: &[T], alive: &Rows, holds: impl Fn(&T, &Rows) -> Rows) -> Rows {
    let mut left = alive.clone();
    for part in parts {
        if left.is_empty() {
            break;
        }
        left = holds(part, &left);
    }
    left
}

/// Any part holds: each is asked about the rows that none before matched.
fn gathered<T>(parts: &[T], alive: &Rows, holds: impl Fn(&T, &Rows) -> Rows) -> Rows {
    let mut left = alive.clone();
    for part in parts {
        if left.is_empty() {
            break;
        }
        left = left.without(&holds(part, &left));
    }
    alive.without(&left)
}

fn both(parts: impl Iterator<Item = Types>) -> Types {
    parts
        .flatten()
        .reduce(|a, b| combine(&a, &b, |a, b| a && b))
}

fn either(mut parts: impl Iterator<Item = Types>) -> Types {
    let first = parts.next()??;
    parts.try_fold(first, |all, part| {
        Some(combine(&all, &part?, |a, b| a || b))
    })
}

fn combine(a: &[bool], b: &[bool], join: impl Fn(bool, bool) -> bool) -> Vec<bool> {
    a.iter().zip(b).map(|(&a, &b)| join(a, b)).collect()
}

impl Item {
    /// Whether the value of a code fits.
    fn fits(&self, codes: &Codes<'_>, code: usize) -> bool {
        self.holds(codes.value(code).as_ref())
    }

    /// Whether a value fits; `None` is an absent field.
    pub(crate) fn holds(&self, value: Option<&EventValue<'_>>) -> bool {
        if let Some(expected) = self.exists {
            return value.is_some() == expected;
        }
        match value {
            Some(value) => self.matcher.matches(value, &NoEvent),
            None => matches!(self.matcher, CompiledMatcher::Null),
        }
    }
}

/// Stands where a matcher could look at another field; those that do are evaluated on whole rows.
struct NoEvent;

impl Event for NoEvent {
    fn get_field(&self, _path: &str) -> Option<EventValue<'_>> {
        None
    }

    fn any_string_value(&self, _holds: &dyn Fn(&str) -> bool) -> bool {
        false
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        Vec::new()
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}
