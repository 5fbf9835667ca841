//! Checks that need the whole set of rules, or a catalogue of event types.

use std::collections::BTreeMap;

use crate::correlation::Plan;
use crate::problem::{Problem, Reporter, Severity, nearest};
use crate::rule::{Class, Rule};
use crate::set::rules::RuleSet;

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
            let is_whole = !rule.is_part;
            let mut reporter = Reporter::new(&rule.path, &rule.text);
            event_types(rule, catalogue, &mut reporter);
            if is_whole {
                samples(rule, &mut reporter);
                documentation(rule, &mut reporter);
            }
            problems.extend(reporter.into_problems());
        }
        problems.extend(families(self.rules()));
        problems.extend(components(self.rules()));
        problems.extend(idle(self.rules()));
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
            "ATT&CK technique in tags",
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

/// A base rule says nothing by itself.
fn idle(rules: &[Rule]) -> Vec<Problem> {
    let plan = Plan::of(rules);
    let of_base = rules.iter().zip(&plan.is_referred_to);
    of_base
        .filter(|(rule, is_referred_to)| rule.class == Class::Base && !**is_referred_to)
        .map(|(rule, _)| Problem {
            path: rule.path.clone(),
            line: None,
            severity: Severity::Warning,
            message: format!("no correlation refers to the base rule {}", rule.name),
            hint: None,
        })
        .collect()
}

/// Any name is a component, so a misspelt one would become a part of the score by itself.
fn components(rules: &[Rule]) -> Vec<Problem> {
    let attacks = || rules.iter().filter(|rule| rule.class == Class::Attack);
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for rule in attacks() {
        *uses.entry(&rule.component).or_default() += 1;
    }
    let mut problems = Vec::new();
    for rule in attacks() {
        let used = uses[rule.component.as_str()];
        let commoner: Vec<&str> = uses
            .iter()
            .filter(|(_, uses)| **uses > used)
            .map(|(name, _)| *name)
            .collect();
        let alike = nearest(&rule.component, commoner);
        if let Some(other) = alike.first() {
            let mut reporter = Reporter::new(&rule.path, &rule.text);
            reporter.push(
                Severity::Warning,
                reporter.line_of_key("component"),
                format!("{} is another component than {other}", rule.component),
                Some(format!("did you mean {other}?")),
            );
            problems.extend(reporter.into_problems());
        }
    }
    problems
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
