//! What rules and correlations have in common: everything but what they look for.

use std::collections::HashMap;

use af_model::Level;
use rsigma_parser::{CorrelationRule, SigmaRule, Status};
use yaml_serde::Value;

use crate::problem::{Reporter, nearest_hint};
use crate::read::block::{self, Document};
use crate::rule::{Class, Logic, Rule, RuleFile};

const STANDARD_KEYS: [&str; 25] = [
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
    "correlation",
    "generate",
    "action",
];

/// What a document looks for.
pub(crate) struct Body {
    pub(crate) logic: Logic,
    /// In canonical text, for the hash of the set.
    pub(crate) canonical: String,
    pub(crate) event_types: Vec<String>,
    pub(crate) detection_names: Vec<String>,
}

/// The parts of a document that do not say what it looks for.
pub(crate) struct Head<'s> {
    id: Option<&'s str>,
    name: Option<&'s str>,
    title: &'s str,
    status: Option<Status>,
    description: Option<&'s str>,
    references: &'s [String],
    date: Option<&'s str>,
    modified: Option<&'s str>,
    false_positives: &'s [String],
    tags: &'s [String],
    level: Option<rsigma_parser::Level>,
    attributes: &'s HashMap<String, Value>,
}

macro_rules! head_of {
    ($sigma:ident) => {
        Head {
            id: $sigma.id.as_deref(),
            name: $sigma.name.as_deref(),
            title: &$sigma.title,
            status: $sigma.status,
            description: $sigma.description.as_deref(),
            references: &$sigma.references,
            date: $sigma.date.as_deref(),
            modified: $sigma.modified.as_deref(),
            false_positives: &$sigma.falsepositives,
            tags: &$sigma.tags,
            level: $sigma.level,
            attributes: &$sigma.custom_attributes,
        }
    };
}

impl<'s> Head<'s> {
    pub(crate) fn of_rule(sigma: &'s SigmaRule) -> Self {
        head_of!(sigma)
    }

    pub(crate) fn of_correlation(sigma: &'s CorrelationRule) -> Self {
        head_of!(sigma)
    }

    /// The rule that this is the head of. None, and the problems reported, when it cannot be used.
    pub(crate) fn read(
        &self,
        file: &RuleFile,
        document: Document,
        body: Option<Body>,
        reporter: &mut Reporter<'_>,
    ) -> Option<Rule> {
        let mut keys: Vec<&str> = self.attributes.keys().map(String::as_str).collect();
        keys.sort_unstable();
        for key in keys.into_iter().filter(|key| *key != "attack_factor") {
            let line = reporter.line_of_key(key);
            let message = format!("Sigma has no key {key}");
            reporter.error(line, message, nearest_hint(key, &STANDARD_KEYS));
        }
        let block = block::parse(self.attributes.get("attack_factor"), document, reporter);
        let id = self.rule_id(reporter);
        let name = self.rule_name(file, document, reporter);
        let techniques = self.techniques(reporter);
        let level = self.rule_level(block.as_ref().map(|block| block.class), reporter);
        if reporter.has_errors() {
            return None;
        }
        let (block, body) = (block?, body?);
        let date = self.modified.or(self.date).map(str::to_owned);
        Some(Rule {
            id: id?,
            name: name?,
            path: file.path.clone(),
            title: self.title.trim().to_owned(),
            version: block.version.or(date),
            status: self
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
            description: self.description.map(|text| text.trim().to_owned()),
            false_positives: self.false_positives.to_vec(),
            misses: block.misses,
            references: self.references.to_vec(),
            event_types: body.event_types,
            samples: Vec::new(),
            detection_names: body.detection_names,
            level_field: block.level_field,
            logic: body.logic,
            canonical: body.canonical,
            text: file.text.clone(),
            has_samples_file: file.samples.is_some(),
            is_part: document == Document::Part,
        })
    }

    fn rule_name(
        &self,
        file: &RuleFile,
        document: Document,
        reporter: &mut Reporter<'_>,
    ) -> Option<String> {
        if document != Document::Part {
            return Some(stem(&file.path).to_owned());
        }
        if self.name.is_none() {
            let message = format!("the rule \"{}\" has no name", self.title.trim());
            let hint = "a rule in the file of its correlation needs `name:` to be referred to";
            reporter.error(None, message, Some(hint.to_owned()));
        }
        self.name.map(str::to_owned)
    }

    fn rule_id(&self, reporter: &mut Reporter<'_>) -> Option<String> {
        let id = self.id.unwrap_or_default();
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

    fn techniques(&self, reporter: &mut Reporter<'_>) -> Vec<String> {
        let mut techniques = Vec::new();
        for tag in self.tags {
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

    fn rule_level(&self, class: Option<Class>, reporter: &mut Reporter<'_>) -> Option<Level> {
        let level = self.level.and_then(|level| level.as_str().parse().ok());
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
}

fn stem(path: &str) -> &str {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.strip_suffix(".yml")
        .or_else(|| file.strip_suffix(".yaml"))
        .unwrap_or(file)
}
