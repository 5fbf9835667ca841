//! One file of rules: from YAML to compiled rules.

use rsigma_parser::{CorrelationRule, SigmaCollection, SigmaRule, parse_sigma_yaml};
use serde::Deserialize;
use serde_json::Value;

use crate::correlation::{self, Correlation};
use crate::problem::{Problem, Reporter};
use crate::read::block::Document;
use crate::read::compile::compile;
use crate::read::head::{Body, Head};
use crate::read::sample;
use crate::read::validate::validate;
use crate::rule::{Logic, Rule, RuleFile, Subject};

/// Larger files are refused unread: no rule needs them, and parsing has a price.
const MAX_BYTES: usize = 256 * 1024;

/// Reads one file of rules and its samples; the problems of both on failure.
///
/// A file is one rule, or one correlation and the base rules that only it looks at.
pub(crate) fn load_file(file: &RuleFile) -> Result<Vec<Rule>, Vec<Problem>> {
    let mut reporter = Reporter::new(&file.path, &file.text);
    let rules = read_rules(file, &mut reporter);
    let sample_path = file
        .path
        .rsplit_once('.')
        .map_or(file.path.as_str(), |(stem, _)| stem)
        .to_owned()
        + ".samples.jsonl";
    let sample_text = file.samples.as_deref().unwrap_or_default();
    let mut sample_reporter = Reporter::new(&sample_path, sample_text);
    let found = sample::parse(sample_text, &mut sample_reporter);
    let failed = reporter.has_errors() || sample_reporter.has_errors();
    let mut problems = reporter.into_problems();
    problems.extend(sample_reporter.into_problems());
    match rules {
        Some(mut rules) if !failed => {
            if let Some(main) = rules.iter_mut().find(|rule| !rule.is_part) {
                main.samples = found;
            }
            Ok(rules)
        }
        _ => Err(problems),
    }
}

fn read_rules(file: &RuleFile, reporter: &mut Reporter<'_>) -> Option<Vec<Rule>> {
    let found = parse(&file.text, reporter)?;
    match (&found.rules[..], &found.correlations[..]) {
        ([rule], []) => Some(vec![read_rule(file, rule, Document::Rule, reporter)?]),
        (parts, [correlation]) => {
            let mut rules = vec![read_correlation(file, correlation, reporter)];
            for part in parts {
                rules.push(read_rule(file, part, Document::Part, reporter));
            }
            rules.into_iter().collect()
        }
        ([], []) => {
            if !reporter.has_errors() {
                reporter.error(None, "the file has no rule".to_owned(), None);
            }
            None
        }
        (rules, correlations) => {
            let message = format!(
                "the file has {} rules and {} correlations",
                rules.len(),
                correlations.len()
            );
            let hint = "one file is one rule, or one correlation and the base rules before it";
            reporter.error(None, message, Some(hint.to_owned()));
            None
        }
    }
}

/// Reads a rule about one event.
fn read_rule(
    file: &RuleFile,
    sigma: &SigmaRule,
    document: Document,
    reporter: &mut Reporter<'_>,
) -> Option<Rule> {
    if sigma.logsource.product.as_deref() != Some("okta") {
        let line = reporter.line_of_key("logsource");
        reporter.error(
            line,
            "the rule is not for logsource product okta".to_owned(),
            None,
        );
    }
    let body = rule_body(sigma, reporter);
    Head::of_rule(sigma).read(file, document, body, reporter)
}

fn rule_body(sigma: &SigmaRule, reporter: &mut Reporter<'_>) -> Option<Body> {
    let named = validate(sigma, reporter);
    if reporter.has_errors() {
        return None;
    }
    match compile(sigma) {
        Ok(compiled) => Some(Body {
            logic: Logic::Selection(compiled),
            canonical: canonical(sigma),
            event_types: named.event_types,
            detection_names: named.detection_names,
        }),
        Err(problem) => {
            let line = reporter.line_of_key("detection");
            reporter.error(line, problem, None);
            None
        }
    }
}

fn read_correlation(
    file: &RuleFile,
    sigma: &CorrelationRule,
    reporter: &mut Reporter<'_>,
) -> Option<Rule> {
    let written = documents(&file.text)
        .find_map(|document| document.get("correlation").cloned())
        .unwrap_or_default();
    let body = correlation::read(sigma, &written, reporter).map(|correlation| Body {
        logic: Logic::Correlation(Box::new(correlation)),
        // Its own text is known once it is linked.
        canonical: String::new(),
        event_types: Vec::new(),
        detection_names: Vec::new(),
    });
    let rule = Head::of_correlation(sigma).read(file, Document::Correlation, body, reporter)?;
    let is_ordered = rule.correlation().is_some_and(Correlation::is_ordered);
    if is_ordered && rule.subject == Subject::AllInGroup {
        let line = reporter.line_of_key("subject");
        let message = "temporal_ordered hits the person of its last event, not all_in_group";
        reporter.error(line, message.to_owned(), None);
        return None;
    }
    Some(rule)
}

/// The documents of a file, up to the first that is no YAML.
fn documents(text: &str) -> impl Iterator<Item = yaml_serde::Value> {
    yaml_serde::Deserializer::from_str(text)
        .map_while(|document| yaml_serde::Value::deserialize(document).ok())
}

fn parse(text: &str, reporter: &mut Reporter<'_>) -> Option<SigmaCollection> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {MAX_BYTES} bytes");
        reporter.error(None, message, None);
        return None;
    }
    let found = match parse_sigma_yaml(text) {
        Ok(found) => found,
        Err(error) => {
            refuse(&error.to_string(), reporter);
            return None;
        }
    };
    for problem in &found.errors {
        refuse(problem, reporter);
    }
    if !found.filters.is_empty() {
        let line = reporter.line_of_key("filter");
        let message = "Sigma's filter documents are not evaluated".to_owned();
        let hint = "to leave out people or addresses, use rules.exclude of the configuration";
        reporter.error(line, message, Some(hint.to_owned()));
    }
    Some(found)
}

/// What a parser's message is about, and what to write instead: its start, the key that it concerns.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "Unknown correlation type",
        "correlation",
        "one of event_count, value_count, temporal, temporal_ordered",
    ),
    (
        "Invalid timespan",
        "timespan",
        "a whole number and s, m, h or d, e.g. `timespan: 10m`",
    ),
    (
        "Missing timeframe",
        "correlation",
        "every correlation has a timespan, e.g. `timespan: 10m`",
    ),
    (
        "orrelation condition",
        "correlation",
        "e.g. `condition: {gte: 5}`",
    ),
    (
        "invalid level",
        "level",
        "one of informational, low, medium, high, critical",
    ),
];

/// Reports what the parser refused.
fn refuse(message: &str, reporter: &mut Reporter<'_>) {
    let explained = EXPLAINED.iter().find(|(part, ..)| message.contains(part));
    let line =
        line_in(message).or_else(|| explained.and_then(|(_, key, _)| reporter.line_of_key(key)));
    let hint = explained.map(|(.., hint)| (*hint).to_owned());
    reporter.error(line, message.to_owned(), hint);
}

/// The line that a parser's message names, as in `… at line 3 column 5`.
fn line_in(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once(" line ")?;
    let digits: &str = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The detection without the order of its keys, values and parts, none of which means anything.
fn canonical(sigma: &SigmaRule) -> String {
    let named = serde_json::to_value(&sigma.detection.named).unwrap_or_default();
    let mut conditions: Vec<String> = sigma
        .detection
        .conditions
        .iter()
        .map(ToString::to_string)
        .collect();
    conditions.sort_unstable();
    format!("{} if {}", order_free(&named), conditions.join(" or "))
}

/// A JSON value as text that does not depend on the order of keys and list members.
pub(crate) fn order_free(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let mut items: Vec<String> = items.iter().map(order_free).collect();
            items.sort_unstable();
            format!("[{}]", items.join(","))
        }
        Value::Object(fields) => {
            let mut fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), order_free(value)))
                .collect();
            fields.sort_unstable();
            format!("{{{}}}", fields.join(","))
        }
        scalar => scalar.to_string(),
    }
}
