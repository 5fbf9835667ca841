//! The `attack_factor:` block of a rule file.

use af_model::name::check_term;
use yaml_serde::Value;

use crate::columns::field::{FieldEntry, Read, entry, fields};
use crate::problem::{Reporter, nearest_hint};
use crate::rule::{Class, FAMILIES, IncidentKey, Subject};

const KEYS: [&str; 10] = [
    "class",
    "component",
    "family",
    "subject",
    "level_from",
    "incident",
    "precedence",
    "level_reason",
    "misses",
    "version",
];

const DEFAULT_PRECEDENCE: u32 = 50;

const GROUP_INCIDENT: [IncidentKey; 1] = [IncidentKey::Group];

const DEFAULT_INCIDENT: [IncidentKey; 4] = [
    IncidentKey::Trace,
    IncidentKey::Session,
    IncidentKey::Transaction,
    IncidentKey::Event,
];

/// What kind of document the block stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// A rule about one event, in a file of its own.
    Rule,
    /// A rule about one event that stands before a correlation and only feeds it.
    Part,
    /// A correlation.
    Correlation,
}

/// What the block says, with defaults filled in.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) class: Class,
    pub(crate) component: String,
    pub(crate) family: String,
    pub(crate) subject: Subject,
    pub(crate) level_field: Option<&'static FieldEntry>,
    pub(crate) incident: Vec<IncidentKey>,
    pub(crate) precedence: u32,
    pub(crate) level_reason: Option<String>,
    pub(crate) misses: Vec<String>,
    pub(crate) version: Option<String>,
}

/// Reads the block; whatever is wrong with it is reported, and then there is no block.
pub(crate) fn parse(
    value: Option<&Value>,
    document: Document,
    reporter: &mut Reporter<'_>,
) -> Option<Block> {
    let part = Value::Mapping(
        [(Value::from("class"), Value::from("base"))]
            .into_iter()
            .collect(),
    );
    let Some(value) = value.or((document == Document::Part).then_some(&part)) else {
        reporter.error(
            None,
            "the attack_factor block is absent".to_owned(),
            Some("add `attack_factor:` with at least `class:`".to_owned()),
        );
        return None;
    };
    let Some(mapping) = value.as_mapping() else {
        let line = reporter.line_of_key("attack_factor");
        reporter.error(line, "attack_factor is no mapping".to_owned(), None);
        return None;
    };
    for key in mapping.keys() {
        let key = key.as_str().unwrap_or_default();
        if !KEYS.contains(&key) {
            let line = reporter.line_of_key(key);
            reporter.error(
                line,
                format!("attack_factor has no key {key}"),
                nearest_hint(key, &KEYS),
            );
        }
    }
    let mut reader = Reader {
        get: &|key| mapping.get(key),
        document,
        reporter,
        failed: false,
    };
    let class = reader
        .word("class", Class::WORDS, Class::from_word)
        .or_else(|| reader.required("class"));
    reader.fits(class);
    let attack = class == Some(Class::Attack);
    let component = reader.term("component", attack);
    let family = reader.term("family", attack);
    if component == "identity" && !FAMILIES.contains(&family.as_str()) && !family.is_empty() {
        reader.wrong(
            "family",
            format!("identity has no family {family}"),
            nearest_hint(&family, &FAMILIES),
        );
    }
    let subject = reader.subject();
    let level_field = reader.level_from();
    let incident = reader.incident();
    let precedence = reader.precedence();
    let level_reason = reader.text("level_reason");
    let misses = reader.texts("misses");
    let version = reader.version();
    let failed = reader.failed;
    class.filter(|_| !failed).map(|class| Block {
        class,
        component,
        family,
        subject,
        level_field,
        incident,
        precedence,
        level_reason,
        misses,
        version,
    })
}

struct Reader<'r, 'f, 'v> {
    get: &'r dyn Fn(&str) -> Option<&'v Value>,
    document: Document,
    reporter: &'r mut Reporter<'f>,
    failed: bool,
}

impl Reader<'_, '_, '_> {
    fn wrong(&mut self, key: &str, message: String, hint: Option<String>) {
        let line = self.reporter.line_of_key(key);
        self.reporter.error(line, message, hint);
        self.failed = true;
    }

    fn required<T>(&mut self, key: &str) -> Option<T> {
        if (self.get)(key).is_none() {
            self.failed = true;
            let line = self.reporter.line_of_key("attack_factor");
            self.reporter
                .error(line, format!("attack_factor.{key} is absent"), None);
        }
        None
    }

    fn text(&mut self, key: &str) -> Option<String> {
        let value = (self.get)(key)?;
        let text = value.as_str().map(|text| text.trim().to_owned());
        if text.is_none() {
            self.wrong(key, format!("attack_factor.{key} is no text"), None);
        }
        text
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = (self.get)(key) else {
            return Vec::new();
        };
        if let Some(text) = value.as_str() {
            return vec![text.trim().to_owned()];
        }
        let texts: Option<Vec<String>> = value.as_sequence().and_then(|sequence| {
            sequence
                .iter()
                .map(|item| item.as_str().map(|text| text.trim().to_owned()))
                .collect()
        });
        texts.unwrap_or_else(|| {
            let message = format!("attack_factor.{key} is no text and no list of texts");
            self.wrong(key, message, None);
            Vec::new()
        })
    }

    fn word<T>(
        &mut self,
        key: &str,
        words: &[&str],
        from_word: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let word = self.text(key)?;
        let found = from_word(&word);
        if found.is_none() {
            let message = format!("attack_factor.{key} is {word}");
            self.wrong(key, message, nearest_hint(&word, words));
        }
        found
    }

    fn term(&mut self, key: &'static str, required: bool) -> String {
        let Some(term) = self.text(key) else {
            if required {
                self.required::<()>(key);
            }
            return String::new();
        };
        if let Err(error) = check_term(&term, key) {
            self.wrong(key, format!("attack_factor.{key} is {term}: {error}"), None);
        }
        term
    }

    /// Whether a document of this kind may have the class.
    fn fits(&mut self, class: Option<Class>) {
        let message = match (self.document, class) {
            (Document::Correlation, Some(class @ (Class::Behavior | Class::Context))) => {
                format!("a correlation is no {class}: events have one class each")
            }
            (Document::Part, Some(class)) if class != Class::Base => {
                format!("a rule in the file of its correlation is of class base, not {class}")
            }
            _ => return,
        };
        let hint = match self.document {
            Document::Correlation => "of class attack or base",
            _ => "give it a file of its own",
        };
        self.wrong("class", message, Some(hint.to_owned()));
    }

    fn subject(&mut self) -> Subject {
        let subject = self
            .word("subject", Subject::WORDS, Subject::from_word)
            .unwrap_or(Subject::Victim);
        if subject == Subject::AllInGroup && self.document != Document::Correlation {
            let message = "only a correlation hits all_in_group".to_owned();
            self.wrong("subject", message, None);
        }
        subject
    }

    fn level_from(&mut self) -> Option<&'static FieldEntry> {
        let path = self.text("level_from")?;
        if self.document == Document::Correlation {
            let message = "a correlation has no level_from: it looks at many events".to_owned();
            self.wrong("level_from", message, None);
        }
        let found = entry(&path).filter(|entry| entry.read == Read::Level);
        if found.is_none() {
            let levels: Vec<&str> = fields()
                .filter(|entry| entry.read == Read::Level)
                .map(|entry| entry.path)
                .collect();
            let message = format!("attack_factor.level_from is {path}, which holds no level");
            self.wrong("level_from", message, nearest_hint(&path, &levels));
        }
        found
    }

    fn incident(&mut self) -> Vec<IncidentKey> {
        let is_correlation = self.document == Document::Correlation;
        if (self.get)("incident").is_none() {
            return if is_correlation {
                GROUP_INCIDENT.to_vec()
            } else {
                DEFAULT_INCIDENT.to_vec()
            };
        }
        let mut keys = Vec::new();
        let names = self.texts("incident");
        for word in &names {
            match IncidentKey::from_word(word) {
                Some(IncidentKey::Group) if !is_correlation => {
                    let message = "only a correlation has the incident key group".to_owned();
                    self.wrong("incident", message, None);
                }
                Some(key) if !keys.contains(&key) => keys.push(key),
                Some(_) => {
                    let message = format!("attack_factor.incident names {word} twice");
                    self.wrong("incident", message, None);
                }
                None => {
                    let message = format!("attack_factor.incident names {word}");
                    self.wrong("incident", message, nearest_hint(word, IncidentKey::WORDS));
                }
            }
        }
        if names.is_empty() {
            self.wrong(
                "incident",
                "attack_factor.incident is empty".to_owned(),
                None,
            );
        }
        keys
    }

    fn precedence(&mut self) -> u32 {
        let Some(value) = (self.get)("precedence") else {
            return DEFAULT_PRECEDENCE;
        };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.unwrap_or_else(|| {
            let message = "attack_factor.precedence is no whole number from 0".to_owned();
            self.wrong("precedence", message, None);
            DEFAULT_PRECEDENCE
        })
    }

    fn version(&mut self) -> Option<String> {
        match (self.get)("version")? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => {
                let message = "attack_factor.version is no text and no number".to_owned();
                self.wrong("version", message, None);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;

    fn read(yaml: &str) -> (Option<Block>, Vec<Problem>) {
        let value: Value = yaml_serde::from_str(yaml).unwrap();
        let mut reporter = Reporter::new("r.yml", yaml);
        let block = parse(value.get("attack_factor"), Document::Rule, &mut reporter);
        (block, reporter.into_problems())
    }

    #[test]
    fn what_is_left_out_has_the_documented_default() {
        let (block, problems) =
            read("attack_factor: {class: attack, component: identity, family: mfa_attack}");
        assert_eq!(problems, []);
        let block = block.unwrap();
        assert_eq!(block.subject, Subject::Victim);
        assert_eq!(block.incident, DEFAULT_INCIDENT);
        assert_eq!((block.precedence, block.version), (50, None));
    }

    #[test]
    fn a_misspelt_key_is_an_error_with_line_and_nearest_name() {
        let (_, problems) = read("attack_factor:\n  class: context\n  precedense: 3\n");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].line, Some(3));
        assert!(problems[0].hint.as_deref().unwrap().contains("precedence"));
    }

    #[test]
    fn an_attack_needs_component_and_family() {
        let (block, problems) = read("attack_factor:\n  class: attack\n");
        assert!(block.is_none());
        let messages: Vec<_> = problems.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "attack_factor.component is absent",
                "attack_factor.family is absent"
            ]
        );
    }

    #[test]
    fn wrong_words_are_named() {
        for (line, wrong) in [
            ("class: atack", "atack"),
            ("class: attack\n  component: identity\n  family: mfa", "mfa"),
            ("class: context\n  subject: me", "me"),
            (
                "class: context\n  level_from: derived.is_mfa",
                "derived.is_mfa",
            ),
            ("class: context\n  incident: [sesion]", "sesion"),
            ("class: context\n  incident: [event, event]", "event"),
            ("class: context\n  incident: []", "empty"),
            ("class: context\n  precedence: -1", "precedence"),
            ("class: context\n  misses: {a: b}", "misses"),
            ("class: context\n  subject: all_in_group", "all_in_group"),
            ("class: context\n  incident: [group]", "group"),
        ] {
            let (block, problems) = read(&format!("attack_factor:\n  {line}\n"));
            assert!(block.is_none(), "{line}");
            assert!(problems[0].message.contains(wrong), "{problems:?}");
        }
    }
}
