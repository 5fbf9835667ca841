//! The rules of a set, tied together: who refers to whom, in which order to look at them.

use hashbrown::HashMap;

use super::MAX_TIMESPAN_DAYS;
use crate::problem::{Problem, Reporter, nearest_hint};
use crate::rule::{Class, Rule};

use af_model::time::DAY_MILLIS;

/// Finds the rules that correlations refer to, by name or id, and notes their ids.
///
/// Reports references to nothing, circles, rules that would be silenced without a word, and chains
/// that look back too far.
pub(crate) fn link(rules: &mut [Rule]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let names: HashMap<String, usize> = rules
        .iter()
        .enumerate()
        .flat_map(|(place, rule)| [(rule.name.clone(), place), (rule.id.clone(), place)])
        .collect();
    let mut linked: Vec<Vec<String>> = Vec::with_capacity(rules.len());
    for rule in &*rules {
        let mut ids = Vec::new();
        if let Some(correlation) = rule.correlation() {
            let mut reporter = Reporter::new(&rule.path, &rule.text);
            for written in &correlation.references {
                match names.get(written) {
                    Some(&place) => {
                        ids.push(rules[place].id.clone());
                        if !correlation.generate && rules[place].class != Class::Base {
                            silenced(&rules[place], written, &mut reporter);
                        }
                    }
                    None => unknown(rules, written, &mut reporter),
                }
            }
            problems.extend(reporter.into_problems());
        }
        linked.push(ids);
    }
    for (rule, ids) in rules.iter_mut().zip(linked) {
        if let crate::rule::Logic::Correlation(correlation) = &mut rule.logic {
            correlation.ids = ids;
        }
    }
    if problems.is_empty() {
        problems.extend(circles_and_chains(rules));
    }
    problems
}

fn silenced(referred: &Rule, written: &str, reporter: &mut Reporter<'_>) {
    let line = reporter.line_of_text(written);
    reporter.error(
        line,
        format!(
            "{written} is of class {}, and Sigma's `generate` is false: its own signals would be \
             silenced",
            referred.class
        ),
        Some(
            "write `generate: true` beside `correlation:`, or refer to a rule of class base"
                .to_owned(),
        ),
    );
}

fn unknown(rules: &[Rule], written: &str, reporter: &mut Reporter<'_>) {
    let line = reporter.line_of_text(written);
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    reporter.error(
        line,
        format!("there is no rule {written}"),
        nearest_hint(written, &names),
    );
}

fn circles_and_chains(rules: &[Rule]) -> Vec<Problem> {
    let plan = Plan::of(rules);
    let mut problems = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        if rule.correlation().is_none() {
            continue;
        }
        let mut reporter = Reporter::new(&rule.path, &rule.text);
        let line = reporter.line_of_key("rules");
        if !plan.order.contains(&place) {
            let names = circle(rules, &plan, place).join(" looks at ");
            let message = format!("the rules refer to each other in a circle: {names}");
            reporter.error(line, message, None);
        } else if plan.spans[place] > MAX_TIMESPAN_DAYS * DAY_MILLIS {
            let message =
                format!("the timespans of the chain come to more than {MAX_TIMESPAN_DAYS} days");
            reporter.error(line, message, Some("shorten one of them".to_owned()));
        }
        problems.extend(reporter.into_problems());
    }
    problems
}

/// The names of the rules from this one, which no order can place, to one that was met before.
fn circle<'r>(rules: &'r [Rule], plan: &Plan, place: usize) -> Vec<&'r str> {
    let mut path = vec![place];
    let mut last = place;
    loop {
        // What keeps a rule from being placed is a correlation that is not placed either.
        let next = plan.references[last]
            .iter()
            .copied()
            .find(|other| rules[*other].correlation().is_some() && !plan.order.contains(other));
        let Some(next) = next else { break };
        let is_closed = path.contains(&next);
        path.push(next);
        if is_closed {
            break;
        }
        last = next;
    }
    path.into_iter()
        .map(|place| rules[place].name.as_str())
        .collect()
}

/// In which order the correlations of a set are looked at.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Correlations, each after those that it refers to; those in a circle are left out.
    pub(crate) order: Vec<usize>,
    /// For each rule, the places of the rules that it refers to.
    pub(crate) references: Vec<Vec<usize>>,
    /// For each rule, whether a correlation refers to it.
    pub(crate) is_referred_to: Vec<bool>,
    /// For each rule, how far it looks back, along its chain, in milliseconds.
    spans: Vec<i64>,
}

impl Plan {
    /// The plan of a linked set.
    pub(crate) fn of(rules: &[Rule]) -> Self {
        let places: HashMap<&str, usize> = rules
            .iter()
            .enumerate()
            .map(|(place, rule)| (rule.id.as_str(), place))
            .collect();
        let references: Vec<Vec<usize>> = rules
            .iter()
            .map(|rule| {
                let ids = rule
                    .correlation()
                    .map_or(&[][..], |correlation| &correlation.ids);
                ids.iter()
                    .filter_map(|id| places.get(id.as_str()).copied())
                    .collect()
            })
            .collect();
        let mut is_referred_to = vec![false; rules.len()];
        for &place in references.iter().flatten() {
            is_referred_to[place] = true;
        }
        let mut plan = Self {
            order: Vec::new(),
            references,
            is_referred_to,
            spans: vec![0; rules.len()],
        };
        let mut done: Vec<bool> = rules
            .iter()
            .map(|rule| rule.correlation().is_none())
            .collect();
        // Each round takes those whose references are done; what is left at the end goes in circles.
        loop {
            let ready: Vec<usize> = (0..rules.len())
                .filter(|&place| !done[place])
                .filter(|&place| plan.references[place].iter().all(|&other| done[other]))
                .collect();
            if ready.is_empty() {
                return plan;
            }
            for place in ready {
                let own = rules[place]
                    .correlation()
                    .map_or(0, |found| found.timespan_millis);
                let before = plan.references[place]
                    .iter()
                    .map(|&other| plan.spans[other]);
                plan.spans[place] = own.saturating_add(before.max().unwrap_or(0));
                plan.order.push(place);
                done[place] = true;
            }
        }
    }

    /// How many days before a day its findings depend on.
    pub(crate) fn look_back_days(&self) -> u32 {
        let longest = self.spans.iter().copied().max().unwrap_or(0);
        let days = longest.div_euclid(DAY_MILLIS) + i64::from(longest.rem_euclid(DAY_MILLIS) > 0);
        u32::try_from(days).unwrap_or(u32::MAX)
    }
}
