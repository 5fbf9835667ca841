//! What a Sigma detection may say here, checked on what the parser understood.

use rsigma_parser::{
    ConditionExpr, Detection, DetectionItem, Modifier, SelectorPattern, SigmaRule, SigmaValue,
};

use crate::columns::field::{DEBUG_PREFIX, Field, Read, fields};
use crate::problem::{Reporter, nearest_hint};

/// Names a rule gives as plain values, for checks that need the whole set or a catalogue.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Event types in plain values of `eventType`.
    pub(crate) event_types: Vec<String>,
    /// Values of `derived.risk_detection_name`, lower case, in selections that are not only negated.
    pub(crate) detection_names: Vec<String>,
}

/// Reports everything in the detection that this engine cannot evaluate or that cannot mean what
/// it says.
pub(crate) fn validate(rule: &SigmaRule, reporter: &mut Reporter<'_>) -> Named {
    let mut named = Named::default();
    if rule.detection.timeframe.is_some() {
        let line = reporter.line_of_key("timeframe");
        reporter.error(
            line,
            "timeframe counts over several events, and this rule looks at one".to_owned(),
            None,
        );
    }
    let mut detections: Vec<(&String, &Detection)> = rule.detection.named.iter().collect();
    detections.sort_by_key(|(name, _)| *name);
    let names: Vec<&str> = detections.iter().map(|(name, _)| name.as_str()).collect();
    for condition in &rule.detection.conditions {
        check_condition(condition, &names, reporter);
    }
    for (name, detection) in detections {
        let positive = rule
            .detection
            .conditions
            .iter()
            .any(|condition| stands_positive(condition, name, true));
        let mut walk = Walk {
            reporter: &mut *reporter,
            named: &mut named,
            positive,
        };
        walk.detection(detection);
    }
    named
}

/// Whether a detection stands somewhere in the condition without a `not` before it.
fn stands_positive(condition: &ConditionExpr, name: &str, positive: bool) -> bool {
    match condition {
        ConditionExpr::And(parts) | ConditionExpr::Or(parts) => parts
            .iter()
            .any(|part| stands_positive(part, name, positive)),
        ConditionExpr::Not(inner) => stands_positive(inner, name, !positive),
        ConditionExpr::Identifier(found) => positive && found == name,
        ConditionExpr::Selector { pattern, .. } => positive && pattern.matches_detection_name(name),
    }
}

fn check_condition(condition: &ConditionExpr, names: &[&str], reporter: &mut Reporter<'_>) {
    match condition {
        ConditionExpr::And(parts) | ConditionExpr::Or(parts) => {
            for part in parts {
                check_condition(part, names, reporter);
            }
        }
        ConditionExpr::Not(inner) => check_condition(inner, names, reporter),
        ConditionExpr::Identifier(name) => {
            if !names.contains(&name.as_str()) {
                let line = reporter.line_of_key("condition");
                reporter.error(
                    line,
                    format!("the condition names {name}, which the detection does not have"),
                    nearest_hint(name, names),
                );
            }
        }
        ConditionExpr::Selector { pattern, .. } => {
            if !names
                .iter()
                .any(|name| pattern.matches_detection_name(name))
            {
                let pattern = match pattern {
                    SelectorPattern::Them => "them",
                    SelectorPattern::Pattern(pattern) => pattern,
                };
                let line = reporter.line_of_key("condition");
                // Sigma reads "all of nothing" as true, which nobody means.
                reporter.error(
                    line,
                    format!("no selection of the detection is called {pattern}"),
                    nearest_hint(pattern.trim_matches('*'), names),
                );
            }
        }
    }
}

struct Walk<'w, 'r> {
    reporter: &'w mut Reporter<'r>,
    named: &'w mut Named,
    positive: bool,
}

impl Walk<'_, '_> {
    fn detection(&mut self, detection: &Detection) {
        match detection {
            Detection::AllOf(items) => items.iter().for_each(|item| self.item(item)),
            Detection::AnyOf(parts) | Detection::And(parts) => {
                for part in parts {
                    self.detection(part);
                }
            }
            Detection::Keywords(_) => self.reporter.error(
                None,
                "a keyword without a field searches the raw event, which is not kept".to_owned(),
                Some("name the field, e.g. `displayMessage|contains`".to_owned()),
            ),
            Detection::ArrayMatch { field, body, .. } => self.array(field, body),
            Detection::Conditional { named, .. } => {
                let mut parts: Vec<_> = named.iter().collect();
                parts.sort_by_key(|(name, _)| *name);
                for (_, part) in parts {
                    self.detection(part);
                }
            }
        }
    }

    fn item(&mut self, item: &DetectionItem) {
        let Some(path) = &item.field.name else {
            self.reporter.error(
                None,
                "a selection has a value without a field".to_owned(),
                None,
            );
            return;
        };
        self.field(path);
        self.values(path, item);
        if path == "eventType" {
            self.event_types(item);
        }
        if path == "derived.risk_detection_name" && self.positive {
            let names = item.values.iter().filter_map(plain_text);
            self.named
                .detection_names
                .extend(names.map(|name| name.to_lowercase()));
        }
    }

    fn field(&mut self, path: &str) -> Option<Field> {
        match Field::find(path) {
            Ok(field) => Some(field),
            Err(unknown) => {
                let plain = path.replace("\\[", "[").replace("\\]", "]");
                let line = self.reporter.line_of_key(&plain);
                self.reporter
                    .error(line, format!("unknown field {plain}"), unknown.hint);
                None
            }
        }
    }

    fn values(&mut self, path: &str, item: &DetectionItem) {
        let line = self.reporter.line_of_key(path);
        let nulls = item
            .values
            .iter()
            .filter(|value| matches!(value, SigmaValue::Null))
            .count();
        if nulls > 0 && item.values.len() > 1 {
            self.reporter.error(
                line,
                format!(
                    "{path} lists null among other values, which never matches an absent field"
                ),
                Some("write two selections and join them with `or`".to_owned()),
            );
        }
        if item.values.is_empty() {
            self.reporter
                .error(line, format!("{path} has no value"), None);
        }
        if item.field.has_modifier(Modifier::Expand) {
            self.reporter.error(
                line,
                format!("{path} uses |expand; placeholders have no values here"),
                None,
            );
        }
        if item.field.has_modifier(Modifier::FieldRef) {
            for other in item.values.iter().filter_map(plain_text) {
                self.field(&other);
            }
        }
    }

    fn event_types(&mut self, item: &DetectionItem) {
        let compared = item
            .field
            .modifiers
            .iter()
            .all(|modifier| matches!(modifier, Modifier::Cased | Modifier::Neq));
        if compared {
            let types = item.values.iter().filter_map(plain_text);
            self.named.event_types.extend(types);
        }
    }

    /// A block such as `target[any]:`; its items name parts of one member.
    fn array(&mut self, field: &str, body: &Detection) {
        let parts: Vec<&str> = fields()
            .filter(|entry| matches!(entry.read, Read::Target(_) | Read::Chain))
            .filter_map(|entry| entry.path.strip_prefix(field)?.strip_prefix('.'))
            .collect();
        if parts.is_empty() {
            let listed = matches!(
                Field::find(field),
                Ok(Field::Column(entry)) if matches!(entry.read, Read::Texts | Read::Keys)
            );
            if !listed {
                let line = self.reporter.line_of_key(field);
                let hint = (!field.starts_with(DEBUG_PREFIX))
                    .then(|| "lists are target, request.ipChain and some of derived.*".to_owned());
                self.reporter
                    .error(line, format!("{field} is no list"), hint);
                return;
            }
        }
        self.member(&parts, body);
    }

    fn member(&mut self, parts: &[&str], body: &Detection) {
        match body {
            Detection::AllOf(items) => {
                for item in items {
                    let fits = match &item.field.name {
                        Some(name) => parts.contains(&name.as_str()),
                        None => parts.is_empty(),
                    };
                    if !fits {
                        let name = item.field.name.as_deref().unwrap_or("a bare value");
                        let line = self.reporter.line_of_key(name);
                        let message = format!("a member of the list has no {name}");
                        self.reporter
                            .error(line, message, nearest_hint(name, parts));
                    }
                }
            }
            Detection::AnyOf(inner) | Detection::And(inner) => {
                for part in inner {
                    self.member(parts, part);
                }
            }
            Detection::Conditional { named, .. } => {
                let mut inner: Vec<_> = named.iter().collect();
                inner.sort_by_key(|(name, _)| *name);
                for (_, part) in inner {
                    self.member(parts, part);
                }
            }
            Detection::Keywords(_) if parts.is_empty() => {}
            Detection::Keywords(_) | Detection::ArrayMatch { .. } => self.reporter.error(
                None,
                "a member of the list has named parts and no lists of its own".to_owned(),
                nearest_hint("", parts),
            ),
        }
    }
}

/// A text value without wildcards.
fn plain_text(value: &SigmaValue) -> Option<String> {
    match value {
        SigmaValue::String(text) => text.as_plain(),
        _ => None,
    }
}
