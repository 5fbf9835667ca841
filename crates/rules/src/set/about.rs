//! Which rules speak about an event type.

use rsigma_eval::EventValue;

use crate::correlation::Plan;
use crate::read::compile::{Compiled, Condition, Item, Selection};
use crate::rule::Rule;
use crate::set::rules::RuleSet;

impl RuleSet {
    /// The rules that ask for an event type, by name: those whose selection names it, and correlations
    /// that look at the events of one that does. A rule that asks for no type in particular is about none.
    pub fn about(&self, event_type: &str) -> Vec<&Rule> {
        let rules = self.rules();
        let plan = Plan::of(rules);
        let mut is_about: Vec<bool> = rules
            .iter()
            .map(|rule| {
                rule.selection()
                    .is_some_and(|found| asks_for(found, event_type))
            })
            .collect();
        // Each correlation comes after those that it refers to.
        for &place in &plan.order {
            is_about[place] = plan.references[place].iter().any(|&other| is_about[other]);
        }
        let rules = rules.iter().zip(is_about);
        rules
            .filter(|(_, is_about)| *is_about)
            .map(|(rule, _)| rule)
            .collect()
    }
}

fn asks_for(rule: &Compiled, event_type: &str) -> bool {
    of_condition(rule, &rule.condition, event_type) == Some(true)
}

/// Whether the condition can hold for an event of that type; `None` when it asks for no type.
fn of_condition(rule: &Compiled, condition: &Condition, event_type: &str) -> Option<bool> {
    let of = |place: &usize| of_selection(&rule.selections[*place], event_type);
    match condition {
        Condition::And(parts) => all(parts
            .iter()
            .map(|part| of_condition(rule, part, event_type))),
        Condition::Or(parts) => any(parts
            .iter()
            .map(|part| of_condition(rule, part, event_type))),
        Condition::Selection(place) => of(place),
        Condition::AtLeast(least, places) if *least > 0 => any(places.iter().map(of)),
        Condition::Not(_) | Condition::AtLeast(..) => None,
    }
}

fn of_selection(selection: &Selection, event_type: &str) -> Option<bool> {
    match selection {
        Selection::Items(items) => all(items.iter().map(|item| of_item(item, event_type))),
        Selection::Any(parts) => any(parts.iter().map(|part| of_selection(part, event_type))),
        Selection::All(parts) => all(parts.iter().map(|part| of_selection(part, event_type))),
        Selection::Row(_) => None,
    }
}

fn of_item(item: &Item, event_type: &str) -> Option<bool> {
    item.field
        .is_event_type()
        .then(|| item.holds(Some(&EventValue::Str(event_type.into()))))
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    parts.flatten().reduce(|a, b| a && b)
}

fn any(mut parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    parts.try_fold(false, |found, part| Some(found || part?))
}
