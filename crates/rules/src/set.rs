//! A set of rules: loading, looking up, adjusting, hashing.

use std::collections::BTreeMap;

use af_model::accounting::ClassAccount;
use af_model::{HexHash, Level};
use arrow::array::RecordBatch;
use rsigma_parser::{SigmaRule, parse_sigma_yaml};
use serde_json::Value;

use crate::block;
use crate::classify::{Classified, classify};
use crate::compile::compile;
use crate::error::Error;
use crate::problem::{Problem, Reporter, Severity, nearest_hint};
use crate::rule::{Class, Rule, RuleFile};
use crate::samples;
use crate::validate::validate;

/// Rises when the meaning of a rule changes without a change of its text.
const SEMANTICS: &str = "af-rules 1";

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

/// Rules that were read, checked and compiled, by name.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

impl RuleSet {
    /// Reads and compiles rules. One file is one rule; its name is the file's stem. Names and ids
    /// are unique in a set, so a user's own rules stand beside the shipped ones and never in their
    /// place.
    ///
    /// # Errors
    /// Everything that makes a rule unusable, for all files at once, sorted by path and line. What
    /// is merely missing or doubtful is the business of [`RuleSet::check`].
    pub fn load(files: impl Iterator<Item = RuleFile>) -> Result<Self, Vec<Problem>> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut problems: Vec<Problem> = Vec::new();
        for file in files {
            match load_file(&file) {
                Ok(rule) => rules.push(rule),
                Err(found) => problems.extend(found),
            }
        }
        rules.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
        problems.extend(duplicates(&rules));
        if problems.is_empty() {
            Ok(Self { rules })
        } else {
            problems.sort();
            Err(problems)
        }
    }

    /// The rules by name.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of that name or id.
    pub fn get(&self, name_or_id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.is_called(name_or_id))
    }

    /// Takes a rule out of the set, by name or id; false when there is none.
    pub fn disable(&mut self, name_or_id: &str) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| !rule.is_called(name_or_id));
        self.rules.len() < before
    }

    /// Gives a rule a level of the user's choice, by name or id; the event's own level is no longer
    /// asked. False when there is no such rule.
    pub fn set_level(&mut self, name_or_id: &str, level: Level) -> bool {
        let mut found = false;
        for rule in &mut self.rules {
            if rule.is_called(name_or_id) {
                (rule.level, rule.level_field, rule.level_from) = (level, None, None);
                found = true;
            }
        }
        found
    }

    /// A hash of everything that affects results: ids, versions, classes, levels, selections, …,
    /// not titles, prose, samples, order of files or order of keys.
    pub fn hash(&self) -> HexHash {
        let mut parts: Vec<String> = self.rules.iter().map(Rule::canonical_text).collect();
        parts.sort_unstable();
        HexHash::of_parts(
            [SEMANTICS]
                .into_iter()
                .chain(parts.iter().map(String::as_str)),
        )
    }

    /// Gives every event one class and every attack one signal per person and component.
    ///
    /// `events` is `identity_events` in any schema its contract can read, best with dictionaries;
    /// `known_type` says whether the source's catalogue has an event type. A batch should hold whole
    /// days of a tenant: an event without a session takes the session of its transaction from
    /// another event of the same batch.
    ///
    /// The rules run in parallel on rayon's current pool; the result depends neither on the number
    /// of threads nor on the order of the rules.
    ///
    /// # Errors
    /// [`crate::ErrorKind::BrokenTable`] when the batch breaks the contract of `identity_events`.
    pub fn classify(
        &self,
        events: &RecordBatch,
        known_type: &dyn Fn(&str) -> bool,
    ) -> Result<Classified, Error> {
        let found = classify(&self.rules, events, known_type)?;
        debug_assert!(found.accounts.values().all(ClassAccount::closes));
        Ok(found)
    }
}

impl Rule {
    fn is_called(&self, name_or_id: &str) -> bool {
        self.name == name_or_id || self.id == name_or_id
    }

    fn canonical_text(&self) -> String {
        let mut fields = BTreeMap::from([
            ("id", self.id.clone()),
            ("version", self.version.clone().unwrap_or_default()),
            ("class", self.class.to_string()),
            ("detection", self.canonical.clone()),
        ]);
        if self.class == Class::Attack {
            let incident: Vec<&str> = self.incident.iter().map(|key| key.as_str()).collect();
            fields.extend([
                ("component", self.component.clone()),
                ("family", self.family.clone()),
                ("subject", self.subject.to_string()),
                ("level", self.level.to_string()),
                ("level_from", self.level_from.unwrap_or_default().to_owned()),
                ("incident", incident.join(" ")),
                ("precedence", self.precedence.to_string()),
                ("techniques", self.techniques.join(" ")),
            ]);
        }
        Value::from_iter(
            fields
                .into_iter()
                .map(|(key, text)| (key, Value::from(text))),
        )
        .to_string()
    }
}

fn load_file(file: &RuleFile) -> Result<Rule, Vec<Problem>> {
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

fn order_free(value: &Value) -> String {
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

fn duplicates(rules: &[Rule]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: BTreeMap<&str, &Rule> = BTreeMap::new();
    for rule in rules {
        for key in [rule.name.as_str(), rule.id.as_str()] {
            if let Some(other) = seen.insert(key, rule) {
                problems.push(Problem {
                    path: rule.path.clone(),
                    line: None,
                    severity: Severity::Error,
                    message: format!("{key} is already the name or id of {}", other.path),
                    hint: None,
                });
            }
        }
    }
    problems
}

fn stem(path: &str) -> &str {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.strip_suffix(".yml")
        .or_else(|| file.strip_suffix(".yaml"))
        .unwrap_or(file)
}
