//! One rule file: from YAML to a compiled rule.

use af_model::Level;
use rsigma_parser::{SigmaRule, parse_sigma_yaml};
use serde_json::Value;

use crate::block;
use crate::compile::compile;
use crate::problem::{Problem, Reporter, nearest_hint};
use crate::rule::{Class, Rule, RuleFile};
use crate::samples;
use crate::validate::validate;

/// Larger files are refused unread: no rule needs them, and parsing has a price.
const MAX_BYTES: usize = 256 * 1024;

const STANDARD_KEYS: [&str; 23] = [
    "title",
    "sigma-version",
    "id",
    "related",
    "name",
    "taxonomy",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "logsource",
    "detection",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "custom_attributes",
    "attack_factor",
    "action",
];

/// Reads one rule file and its samples; the problems of both on failure.
pub(crate) fn load_file(file: &RuleFile) -> Result<Rule, Vec<Problem>> {
    let mut reporter = Reporter::new(&file.path, &file.text);
    let rule = read_rule(file, &mut reporter);
    let sample_path = file
        .path
        .rsplit_once('.')
        .map_or(file.path.as_str(), |(stem, _)| stem)
        .to_owned()
        + ".samples.jsonl";
    let sample_text = file.samples.as_deref().unwrap_or_default();
    let mut sample_reporter = Reporter::new(&sample_path, sample_text);
    let found = samples::parse(sample_text, &mut sample_reporter);
    let failed = reporter.has_errors() || sample_reporter.has_errors();
    let mut problems = reporter.into_problems();
    problems.extend(sample_reporter.into_problems());
    match rule {
        Some(mut rule) if !failed => {
            rule.samples = found;
            Ok(rule)
        }
        _ => Err(problems),
    }
}

fn read_rule(file: &RuleFile, reporter: &mut Reporter<'_>) -> Option<Rule> {
    let sigma = parse_one(&file.text, reporter)?;
    for key in custom_keys(&sigma) {
        let line = reporter.line_of_key(key);
        let message = format!("Sigma has no key {key}");
        reporter.error(line, message, nearest_hint(key, &STANDARD_KEYS));
    }
    let block = block::parse(sigma.custom_attributes.get("attack_factor"), reporter);
    let id = rule_id(&sigma, reporter);
    if sigma.logsource.product.as_deref() != Some("okta") {
        let line = reporter.line_of_key("logsource");
        reporter.error(
            line,
            "the rule is not for logsource product okta".to_owned(),
            None,
        );
    }
    let named = validate(&sigma, reporter);
    let techniques = techniques(&sigma, reporter);
    let level = level(&sigma, block.as_ref().map(|block| block.class), reporter);
    if reporter.has_errors() {
        return None;
    }
    let compiled = match compile(&sigma) {
        Ok(compiled) => compiled,
        Err(problem) => {
            let line = reporter.line_of_key("detection");
            reporter.error(line, problem, None);
            return None;
        }
    };
    let block = block?;
    let canonical = canonical(&sigma);
    Some(Rule {
        id: id?,
        name: stem(&file.path).to_owned(),
        path: file.path.clone(),
        title: sigma.title.trim().to_owned(),
        version: block.version.or(sigma.modified).or(sigma.date),
        status: sigma
            .status
            .map(|status| format!("{status:?}").to_lowercase()),
        class: block.class,
        component: block.component,
        family: block.family,
        subject: block.subject,
        level: level.unwrap_or(Level::Low),
        level_from: block.level_field.map(|field| field.path),
        level_reason: block.level_reason,
        incident: block.incident,
        precedence: block.precedence,
        techniques,
        description: sigma.description.map(|text| text.trim().to_owned()),
        false_positives: sigma.falsepositives,
        misses: block.misses,
        references: sigma.references,
        event_types: named.event_types,
        samples: Vec::new(),
        detection_names: named.detection_names,
        level_field: block.level_field,
        compiled,
        canonical,
        text: file.text.clone(),
        has_samples_file: file.samples.is_some(),
    })
}

fn custom_keys(sigma: &SigmaRule) -> Vec<&str> {
    let mut keys: Vec<&str> = sigma
        .custom_attributes
        .keys()
        .map(String::as_str)
        .filter(|key| *key != "attack_factor")
        .collect();
    keys.sort_unstable();
    keys
}

fn parse_one(text: &str, reporter: &mut Reporter<'_>) -> Option<SigmaRule> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {MAX_BYTES} bytes");
        reporter.error(None, message, None);
        return None;
    }
    let mut found = match parse_sigma_yaml(text) {
        Ok(found) => found,
        Err(error) => {
            reporter.error(None, error.to_string(), None);
            return None;
        }
    };
    for problem in &found.errors {
        reporter.error(line_in(problem), problem.clone(), None);
    }
    if !found.correlations.is_empty() || !found.filters.is_empty() {
        let key = if found.filters.is_empty() {
            "correlation"
        } else {
            "filter"
        };
        let line = reporter.line_of_key(key);
        reporter.error(
            line,
            format!("Sigma's {key} documents are not evaluated"),
            None,
        );
    }
    match (found.rules.pop(), found.rules.len()) {
        (Some(rule), 0) => Some(rule),
        (Some(_), more) => {
            let message = format!("the file has {} rules; one file is one rule", more + 1);
            reporter.error(None, message, None);
            None
        }
        (None, _) => {
            if !reporter.has_errors() {
                reporter.error(None, "the file has no rule".to_owned(), None);
            }
            None
        }
    }
}

/// The line that a parser's message names, as in `… at line 3 column 5`.
fn line_in(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once(" line ")?;
    let digits: &str = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn rule_id(sigma: &SigmaRule, reporter: &mut Reporter<'_>) -> Option<String> {
    let id = sigma.id.as_deref().unwrap_or_default();
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    let is_uuid = groups == [8, 4, 4, 4, 12]
        && id
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if is_uuid {
        return Some(id.to_owned());
    }
    let line = reporter.line_of_key("id");
    reporter.error(line, "the rule's id is no lower-case UUID".to_owned(), None);
    None
}

fn techniques(sigma: &SigmaRule, reporter: &mut Reporter<'_>) -> Vec<String> {
    let mut techniques = Vec::new();
    for tag in &sigma.tags {
        let Some(digits) = tag.strip_prefix("attack.t") else {
            continue;
        };
        // A tactic such as attack.tactic-name starts with t as well; techniques go on with digits.
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let (technique, sub) = digits.split_once('.').unwrap_or((digits, "000"));
        let numbers = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if numbers(technique, 4) && numbers(sub, 3) {
            techniques.push(format!("T{digits}"));
        } else {
            let line = reporter.line_of_text(tag);
            reporter.error(line, format!("{tag} is no ATT&CK technique"), None);
        }
    }
    techniques.sort_unstable();
    techniques.dedup();
    techniques
}

fn level(sigma: &SigmaRule, class: Option<Class>, reporter: &mut Reporter<'_>) -> Option<Level> {
    let level = sigma.level.and_then(|level| level.as_str().parse().ok());
    if class == Some(Class::Attack) && level.is_none() {
        let line = reporter.line_of_key("level");
        reporter.error(
            line,
            "an attack rule's level is low, medium, high or critical".to_owned(),
            None,
        );
    }
    level
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

fn stem(path: &str) -> &str {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.strip_suffix(".yml")
        .or_else(|| file.strip_suffix(".yaml"))
        .unwrap_or(file)
}
