//! Checks that need the whole set of rules, or a catalogue of event types.

use std::collections::BTreeMap;

use crate::problem::{Problem, Reporter, Severity};
use crate::rule::{Class, Rule};
use crate::set::RuleSet;

/// What the source's catalogue says about an event type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventTypeFlags {
    /// Customers never see it, so a rule on it can never fire.
    pub internal: bool,
    /// Its shape may still change.
    pub beta: bool,
}

impl RuleSet {
    /// Everything wrong or missing in the rules as a set, beyond what loading refused: event types
    /// that the catalogue does not have or marks internal, missing samples, one detection name in
    /// two families (errors); missing documentation (warnings). Sorted by path and line.
    pub fn check(&self, catalogue: &dyn Fn(&str) -> Option<EventTypeFlags>) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        for rule in self.rules() {
            let mut reporter = Reporter::new(&rule.path, &rule.text);
            event_types(rule, catalogue, &mut reporter);
            samples(rule, &mut reporter);
            documentation(rule, &mut reporter);
            problems.extend(reporter.into_problems());
        }
        problems.extend(families(self.rules()));
        problems.sort();
        problems
    }
}

fn event_types(
    rule: &Rule,
    catalogue: &dyn Fn(&str) -> Option<EventTypeFlags>,
    reporter: &mut Reporter<'_>,
) {
    for event_type in &rule.event_types {
        let line = reporter.line_of_text(event_type);
        match catalogue(event_type) {
            None => reporter.error(
                line,
                format!("the catalogue has no event type {event_type}"),
                Some("names are written as in the source's catalogue, case included".to_owned()),
            ),
            Some(flags) if flags.internal => reporter.error(
                line,
                format!("{event_type} is internal: customers never see it"),
                None,
            ),
            Some(flags) if flags.beta => reporter.push(
                Severity::Warning,
                line,
                format!("{event_type} is in beta: its shape may change"),
                None,
            ),
            Some(_) => {}
        }
    }
}

fn samples(rule: &Rule, reporter: &mut Reporter<'_>) {
    if !rule.has_samples_file {
        reporter.error(
            None,
            "the rule has no samples".to_owned(),
            Some(format!("add {}.samples.jsonl beside it", rule.name)),
        );
        return;
    }
    for (fires, message) in [
        (true, "no sample fires the rule"),
        (false, "no sample shows what must not fire the rule"),
    ] {
        if !rule.samples.iter().any(|sample| sample.fires == fires) {
            reporter.error(None, message.to_owned(), None);
        }
    }
}

fn documentation(rule: &Rule, reporter: &mut Reporter<'_>) {
    let attack = rule.class == Class::Attack;
    let absent = [
        ("description", rule.description.is_none(), true),
        ("references", rule.references.is_empty(), attack),
        ("falsepositives", rule.false_positives.is_empty(), attack),
        ("attack_factor.misses", rule.misses.is_empty(), attack),
        (
            "attack_factor.level_reason",
            rule.level_reason.is_none(),
            attack,
        ),
        (
            "an ATT&CK technique in tags",
            rule.techniques.is_empty(),
            attack,
        ),
        ("date", rule.version.is_none(), true),
    ];
    for (what, is_absent, is_wanted) in absent {
        if is_absent && is_wanted {
            reporter.push(
                Severity::Warning,
                None,
                format!("the rule has no {what}"),
                None,
            );
        }
    }
}

/// One detection of the source in two families would count one attack twice.
fn families(rules: &[Rule]) -> Vec<Problem> {
    let mut first: BTreeMap<&str, &Rule> = BTreeMap::new();
    let mut problems = Vec::new();
    for rule in rules.iter().filter(|rule| rule.class == Class::Attack) {
        let mut reporter = Reporter::new(&rule.path, &rule.text);
        for name in &rule.detection_names {
            let known = *first.entry(name).or_insert(rule);
            if (&known.component, &known.family) != (&rule.component, &rule.family) {
                let line = reporter.line_of_key("family");
                reporter.error(
                    line,
                    format!(
                        "the detection name {name} is {} here and {} in {}",
                        rule.family, known.family, known.name
                    ),
                    Some("rules on one detection name share one family".to_owned()),
                );
            }
        }
        problems.extend(reporter.into_problems());
    }
    problems
}
