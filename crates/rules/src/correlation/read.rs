//! From a Sigma correlation document to a [`Correlation`].

use rsigma_parser::{
    ConditionExpr, ConditionOperator, CorrelationCondition, CorrelationRule, CorrelationType,
    FieldAlias, WindowMode,
};

use yaml_serde::Value;

use super::MAX_TIMESPAN_DAYS;
use super::rule::{Bound, Correlation, Expression, GroupField, Kind, MAX_REFERENCES};
use crate::columns::field::{Field, Read};
use crate::problem::{Reporter, nearest_hint};

const KEYS: [&str; 7] = [
    "type",
    "rules",
    "group-by",
    "timespan",
    "timeframe",
    "aliases",
    "condition",
];
const CONDITION_KEYS: [&str; 7] = ["field", "gte", "gt", "lte", "lt", "eq", "neq"];

/// Reads what the correlation says; whatever cannot be evaluated is reported, and then there is none.
///
/// `written` is the value of the document's key `correlation`: the parser takes no notice of keys and
/// values that it does not expect.
pub(crate) fn read(
    sigma: &CorrelationRule,
    written: &Value,
    reporter: &mut Reporter<'_>,
) -> Option<Correlation> {
    let mut reader = Reader {
        sigma,
        written,
        reporter,
    };
    reader.keys();
    let kind = reader.kind();
    reader.references();
    reader.window();
    let group_by = reader.group_by();
    let values = reader.values(kind);
    let (bound, expression) = reader.condition(kind);
    reader.varies(&group_by, &values, bound);
    if reader.reporter.has_errors() {
        return None;
    }
    Some(Correlation {
        kind: kind?,
        references: sigma.rules.clone(),
        ids: Vec::new(),
        group_by,
        value_names: value_names(sigma).to_vec(),
        values,
        timespan_millis: i64::try_from(sigma.timespan.seconds)
            .ok()?
            .checked_mul(1000)?,
        timespan: sigma.timespan.original.clone(),
        bound: bound?,
        expression,
        generate: sigma.generate,
    })
}

fn value_names(sigma: &CorrelationRule) -> &[String] {
    match &sigma.condition {
        CorrelationCondition::Threshold {
            field: Some(names), ..
        } => names,
        _ => &[],
    }
}

struct Reader<'s, 'r, 'f> {
    sigma: &'s CorrelationRule,
    written: &'s Value,
    reporter: &'r mut Reporter<'f>,
}

impl Reader<'_, '_, '_> {
    fn wrong(&mut self, key: &str, message: String, hint: Option<&str>) {
        let line = self.reporter.line_of_key(key);
        self.reporter.error(line, message, hint.map(str::to_owned));
    }

    fn keys(&mut self) {
        let written = self.written;
        let condition = written.get("condition");
        for (mapping, known) in [(Some(written), &KEYS), (condition, &CONDITION_KEYS)] {
            let keys = mapping.and_then(Value::as_mapping).into_iter().flatten();
            for (key, _) in keys {
                let key = key.as_str().unwrap_or_default();
                if !known.contains(&key) {
                    let line = self.reporter.line_of_key(key);
                    let message = format!("a correlation has no key {key}");
                    self.reporter.error(line, message, nearest_hint(key, known));
                }
            }
        }
        for key in ["rules", "group-by"] {
            let items = written
                .get(key)
                .and_then(Value::as_sequence)
                .into_iter()
                .flatten();
            if items.into_iter().any(|item| item.as_str().is_none()) {
                self.wrong(key, format!("{key} lists something that is no text"), None);
            }
        }
    }

    fn kind(&mut self) -> Option<Kind> {
        Some(match self.sigma.correlation_type {
            CorrelationType::EventCount => Kind::EventCount,
            CorrelationType::ValueCount => Kind::ValueCount,
            CorrelationType::Temporal => Kind::Temporal,
            CorrelationType::TemporalOrdered => Kind::TemporalOrdered,
            other => {
                self.wrong(
                    "type",
                    format!("correlations of type {} are not evaluated", other.as_str()),
                    Some("one of event_count, value_count, temporal, temporal_ordered"),
                );
                return None;
            }
        })
    }

    fn references(&mut self) {
        let rules = &self.sigma.rules;
        if rules.is_empty() {
            self.wrong(
                "rules",
                "the correlation refers to no rule".to_owned(),
                None,
            );
        }
        if rules.len() > MAX_REFERENCES {
            let message = format!("the correlation refers to more than {MAX_REFERENCES} rules");
            self.wrong("rules", message, None);
        }
        let mut seen: Vec<&str> = Vec::new();
        for written in rules {
            if seen.contains(&written.as_str()) {
                let message = format!("the correlation refers to {written} twice");
                self.wrong(
                    "rules",
                    message,
                    Some("to repeat one rule, count its events"),
                );
            }
            seen.push(written);
        }
    }

    fn window(&mut self) {
        let longest = u64::try_from(MAX_TIMESPAN_DAYS).unwrap_or(0) * 86_400;
        let timespan = &self.sigma.timespan;
        if timespan.seconds == 0 {
            self.wrong("timespan", "the timespan is nothing".to_owned(), None);
        } else if timespan.seconds > longest {
            let message = format!(
                "the timespan {} is longer than {MAX_TIMESPAN_DAYS} days",
                timespan.original
            );
            let hint = "a day's findings look back no further; shorten it";
            self.wrong("timespan", message, Some(hint));
        }
        if self.sigma.window != WindowMode::Sliding {
            let message = format!(
                "windows that are {} are not evaluated",
                self.sigma.window.as_str()
            );
            self.wrong("window", message, Some("leave it out: every window slides"));
        }
    }

    fn group_by(&mut self) -> Vec<GroupField> {
        let sigma = self.sigma;
        for alias in &sigma.aliases {
            let mut others: Vec<&str> = alias.mapping.keys().map(String::as_str).collect();
            others.sort_unstable();
            let known: Vec<&str> = sigma.rules.iter().map(String::as_str).collect();
            for other in others.into_iter().filter(|other| !known.contains(other)) {
                let line = self.reporter.line_of_key(other);
                let message = format!(
                    "the alias {} names {other}, which is none of the rules",
                    alias.alias
                );
                self.reporter
                    .error(line, message, nearest_hint(other, &known));
            }
        }
        sigma
            .group_by
            .iter()
            .map(|name| GroupField {
                name: name.clone(),
                fields: match sigma.aliases.iter().find(|alias| alias.alias == *name) {
                    None => {
                        let field = self.single(name);
                        vec![field; sigma.rules.len()]
                            .into_iter()
                            .flatten()
                            .collect()
                    }
                    Some(alias) => self.aliased(alias),
                },
            })
            .collect()
    }

    fn aliased(&mut self, alias: &FieldAlias) -> Vec<Field> {
        let rules = &self.sigma.rules;
        rules
            .iter()
            .filter_map(|rule| {
                let path = alias.mapping.get(rule);
                if path.is_none() {
                    let message = format!("the alias {} has no field for {rule}", alias.alias);
                    self.wrong(&alias.alias, message, None);
                }
                self.single(path?)
            })
            .collect()
    }

    /// A field that has one value in an event.
    fn single(&mut self, path: &str) -> Option<Field> {
        let line = self.reporter.line_of_text(path);
        match Field::find(path) {
            Err(unknown) => {
                self.reporter
                    .error(line, format!("unknown field {path}"), unknown.hint);
                None
            }
            Ok(Field::Column(entry))
                if matches!(
                    entry.read,
                    Read::Texts | Read::Chain | Read::Keys | Read::Target(_)
                ) =>
            {
                let message = format!("{path} is a list: an event would be in several groups");
                self.reporter.error(line, message, None);
                None
            }
            Ok(field) => Some(field),
        }
    }

    fn values(&mut self, kind: Option<Kind>) -> Vec<Field> {
        let names = value_names(self.sigma);
        if kind == Some(Kind::ValueCount) && names.is_empty() {
            self.wrong(
                "condition",
                "value_count needs condition.field".to_owned(),
                None,
            );
        }
        if kind != Some(Kind::ValueCount) && !names.is_empty() {
            self.wrong(
                "field",
                "only value_count has condition.field".to_owned(),
                None,
            );
        }
        names.iter().filter_map(|name| self.single(name)).collect()
    }

    /// A value that all events of a group share is one value, however many events there are.
    fn varies(&mut self, group_by: &[GroupField], values: &[Field], bound: Option<Bound>) {
        let is_fixed = |value: &Field| {
            let mut groups = group_by.iter();
            groups.any(|group| group.fields.iter().all(|field| field == value))
        };
        let never = !values.is_empty() && values.iter().all(is_fixed);
        if never && bound.is_some_and(|bound| bound.least > 1) {
            let message = "the events of a group share the value that is counted: it never fires";
            self.wrong("field", message.to_owned(), None);
        }
    }

    fn condition(&mut self, kind: Option<Kind>) -> (Option<Bound>, Option<Expression>) {
        let rules = self.sigma.rules.len() as u64;
        match &self.sigma.condition {
            CorrelationCondition::Extended(condition) => {
                if kind != Some(Kind::Temporal) {
                    let message = "only temporal correlations have a condition in words".to_owned();
                    self.wrong("condition", message, None);
                }
                let whole = Bound {
                    least: 1,
                    most: None,
                };
                (Some(whole), self.expression(condition))
            }
            CorrelationCondition::Threshold { predicates, .. } => {
                let bound = match kind {
                    // Sigma: all of the rules, unless the document says how many.
                    Some(Kind::Temporal | Kind::TemporalOrdered) if !self.has_condition() => {
                        Some(Bound {
                            least: rules,
                            most: None,
                        })
                    }
                    Some(Kind::TemporalOrdered) => {
                        let message = "temporal_ordered takes all of its rules".to_owned();
                        self.wrong("condition", message, Some("leave the condition out"));
                        None
                    }
                    _ => self.bound(predicates),
                };
                if let (Some(Kind::Temporal), Some(bound)) = (kind, bound)
                    && bound.least > rules
                {
                    let message = format!("{} of {rules} rules never match", bound.least);
                    self.wrong("condition", message, None);
                }
                (bound, None)
            }
        }
    }

    /// The parser fills in a condition where a temporal correlation has none.
    fn has_condition(&self) -> bool {
        self.written.get("condition").is_some()
    }

    fn bound(&mut self, predicates: &[(ConditionOperator, u64)]) -> Option<Bound> {
        let mut least = 0_u64;
        let mut most: Option<u64> = None;
        for &(operator, count) in predicates {
            let at_most =
                |most: Option<u64>, count: u64| Some(most.map_or(count, |most| most.min(count)));
            match operator {
                ConditionOperator::Gte => least = least.max(count),
                ConditionOperator::Gt => least = least.max(count.saturating_add(1)),
                ConditionOperator::Lte => most = at_most(most, count),
                ConditionOperator::Lt => most = at_most(most, count.saturating_sub(1)),
                ConditionOperator::Eq => {
                    least = least.max(count);
                    most = at_most(most, count);
                }
                ConditionOperator::Neq => {
                    self.wrong(
                        "neq",
                        "neq says nothing about how many".to_owned(),
                        Some("use gte"),
                    );
                    return None;
                }
            }
        }
        if least == 0 {
            let message = "the condition holds with nothing at all".to_owned();
            let hint = "give a lower bound, e.g. `gte: 5`: a window with too few events cannot be \
                        told from one that is not over";
            self.wrong("condition", message, Some(hint));
            return None;
        }
        if most.is_some_and(|most| most < least) {
            let message = "the condition's bounds exclude each other: it never holds".to_owned();
            self.wrong("condition", message, None);
            return None;
        }
        Some(Bound { least, most })
    }

    fn expression(&mut self, condition: &ConditionExpr) -> Option<Expression> {
        let mut all = |parts: &[ConditionExpr]| -> Option<Vec<Expression>> {
            parts.iter().map(|part| self.expression(part)).collect()
        };
        match condition {
            ConditionExpr::And(parts) => all(parts).map(Expression::All),
            ConditionExpr::Or(parts) => all(parts).map(Expression::Any),
            ConditionExpr::Identifier(name) => {
                let place = self.sigma.rules.iter().position(|rule| rule == name);
                if place.is_none() {
                    let known: Vec<&str> = self.sigma.rules.iter().map(String::as_str).collect();
                    let line = self.reporter.line_of_key("condition");
                    let message = format!("the condition names {name}, which is none of the rules");
                    self.reporter
                        .error(line, message, nearest_hint(name, &known));
                }
                place.map(Expression::Rule)
            }
            ConditionExpr::Not(_) => {
                let hint =
                    "that something did not happen cannot be told from a window that is not over";
                self.wrong(
                    "condition",
                    "the condition has a `not`".to_owned(),
                    Some(hint),
                );
                None
            }
            ConditionExpr::Selector { .. } => {
                self.wrong("condition", "name the rules one by one".to_owned(), None);
                None
            }
        }
    }
}
