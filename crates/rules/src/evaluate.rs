//! Compiled rules over a batch: bitmaps of rows, narrowed step by step.
//!
//! Every function takes the rows that can still match (`alive`) and returns a part of them, so a
//! costly field is asked only where the cheap ones agreed.

use arrow::array::{Array, BooleanBufferBuilder};
use arrow::buffer::BooleanBuffer;
use rsigma_eval::compiler::eval_condition;
use rsigma_eval::{CompiledMatcher, Event, EventValue, JsonEvent};

use crate::columns::{Column, Frame};
use crate::compile::{Compiled, Condition, Item, RowDetection, Selection};
use crate::render::render_row;

/// The rows that a rule matches.
pub(crate) fn matching_rows(rule: &Compiled, frame: &Frame) -> BooleanBuffer {
    let search = Search { rule, frame };
    let alive = match search.types_of_condition(&rule.condition) {
        Some(chosen) => frame.rows_of_types(&chosen),
        None => BooleanBuffer::new_set(frame.len()),
    };
    search.condition(&rule.condition, &alive)
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
        item.field.is_event_type().then(|| {
            let types = self.frame.event_types();
            (0..types.len())
                .map(|place| {
                    let value = types
                        .is_valid(place)
                        .then(|| EventValue::Str(types.value(place).into()));
                    !self.frame.rows_of_type(place).is_empty() && item.holds(value.as_ref())
                })
                .collect()
        })
    }

    fn condition(&self, condition: &Condition, alive: &BooleanBuffer) -> BooleanBuffer {
        if alive.count_set_bits() == 0 {
            return alive.clone();
        }
        match condition {
            Condition::And(parts) => {
                narrowed(parts, alive, |part, left| self.condition(part, left))
            }
            Condition::Or(parts) => gathered(parts, alive, |part, left| self.condition(part, left)),
            Condition::Not(inner) => alive & &!&self.condition(inner, alive),
            Condition::Selection(place) => self.selection(&self.rule.selections[*place], alive),
            Condition::AtLeast(least, places) => self.at_least(*least, places, alive),
        }
    }

    fn at_least(&self, least: usize, places: &[usize], alive: &BooleanBuffer) -> BooleanBuffer {
        let of = |place: &usize, left: &BooleanBuffer| {
            self.selection(&self.rule.selections[*place], left)
        };
        match least {
            0 => alive.clone(),
            1 => gathered(places, alive, of),
            all if all == places.len() => narrowed(places, alive, of),
            too_many if too_many > places.len() => BooleanBuffer::new_unset(self.frame.len()),
            least => {
                let hits: Vec<BooleanBuffer> =
                    places.iter().map(|place| of(place, alive)).collect();
                self.rows_where(alive, |row| {
                    hits.iter().filter(|hit| hit.value(row)).count() >= least
                })
            }
        }
    }

    fn selection(&self, selection: &Selection, alive: &BooleanBuffer) -> BooleanBuffer {
        match selection {
            Selection::Items(items) => narrowed(items, alive, |item, left| self.item(item, left)),
            Selection::Any(parts) => {
                gathered(parts, alive, |part, left| self.selection(part, left))
            }
            Selection::All(parts) => {
                narrowed(parts, alive, |part, left| self.selection(part, left))
            }
            Selection::Row(detection) => self.rows_where(alive, |row| self.row(detection, row)),
        }
    }

    fn item(&self, item: &Item, alive: &BooleanBuffer) -> BooleanBuffer {
        let column = self.frame.column(&item.field);
        let Column::Dictionary(keys, values) = &column else {
            return self.rows_where(alive, |row| item.holds(column.value(row).as_ref()));
        };
        // One question per distinct value, asked when its first living row comes by.
        let absent = item.holds(None);
        let mut known: Vec<Option<bool>> = vec![None; values.len()];
        self.rows_where(alive, |row| {
            if keys.is_null(row) {
                return absent;
            }
            let place = usize::try_from(keys.value(row)).expect("dictionary keys never sink");
            *known[place].get_or_insert_with(|| item.holds(column.value(row).as_ref()))
        })
    }

    fn row(&self, detection: &RowDetection, row: usize) -> bool {
        let event = render_row(self.frame, row);
        eval_condition(
            &detection.condition,
            &detection.detections,
            &JsonEvent::borrow(&event),
            &mut Vec::new(),
        )
    }

    fn rows_where(
        &self,
        alive: &BooleanBuffer,
        mut holds: impl FnMut(usize) -> bool,
    ) -> BooleanBuffer {
        let mut rows = BooleanBufferBuilder::new(self.frame.len());
        rows.append_n(self.frame.len(), false);
        for row in alive.set_indices() {
            if holds(row) {
                rows.set_bit(row, true);
            }
        }
        rows.finish()
    }
}

/// All parts hold: each is asked about the rows the ones before left over.
fn narrowed<T>(
    parts: &[T],
    alive: &BooleanBuffer,
    holds: impl Fn(&T, &BooleanBuffer) -> BooleanBuffer,
) -> BooleanBuffer {
    let mut left = alive.clone();
    for part in parts {
        if left.count_set_bits() == 0 {
            break;
        }
        left = holds(part, &left);
    }
    left
}

/// Any part holds: each is asked about the rows that none before matched.
fn gathered<T>(
    parts: &[T],
    alive: &BooleanBuffer,
    holds: impl Fn(&T, &BooleanBuffer) -> BooleanBuffer,
) -> BooleanBuffer {
    let mut found = BooleanBuffer::new_unset(alive.len());
    let mut left = alive.clone();
    for part in parts {
        if left.count_set_bits() == 0 {
            break;
        }
        let hit = holds(part, &left);
        left = &left & &!&hit;
        found = &found | &hit;
    }
    found
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
    /// Whether a value fits; `None` is an absent field.
    fn holds(&self, value: Option<&EventValue<'_>>) -> bool {
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

    fn all_string_values(&self) -> Vec<std::borrow::Cow<'_, str>> {
        Vec::new()
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}
