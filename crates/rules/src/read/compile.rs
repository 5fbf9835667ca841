//! A Sigma detection as conditions over columns.

use std::collections::HashMap;

use af_model::HexHash;
use rsigma_eval::compiler::compile_rule;
use rsigma_eval::{CompiledDetection, CompiledDetectionItem, CompiledMatcher};
use rsigma_parser::{ConditionExpr, Quantifier, SigmaRule};

use crate::columns::field::Field;

/// The one detection of a [`RowDetection`].
pub(crate) const WHOLE: &str = "whole";

/// A compiled rule: its selections, and the condition that joins them.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) selections: Vec<Selection>,
    pub(crate) condition: Condition,
}

/// A named selection or a part of one.
#[derive(Debug)]
pub(crate) enum Selection {
    /// All items match; the cheapest is first.
    Items(Vec<Item>),
    /// Any part matches.
    Any(Vec<Selection>),
    /// All parts match; the cheapest is first.
    All(Vec<Selection>),
    /// Something that needs the whole event: list blocks and comparisons of two fields.
    Row(Box<RowDetection>),
}

/// A field and what its value must be.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) field: Field,
    pub(crate) matcher: CompiledMatcher,
    pub(crate) exists: Option<bool>,
    /// The same for items that ask the same, in whatever rule.
    pub(crate) key: HexHash,
}

/// A detection that rsigma evaluates row by row.
#[derive(Debug)]
pub(crate) struct RowDetection {
    pub(crate) condition: ConditionExpr,
    pub(crate) detections: HashMap<String, CompiledDetection>,
}

/// How selections are joined; numbers are places in [`Compiled::selections`].
#[derive(Debug)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Selection(usize),
    AtLeast(usize, Vec<usize>),
}

/// Compiles a rule that [`crate::read::validate::validate`] found nothing wrong with.
///
/// The error is the text of rsigma's own, e.g. for modifiers that exclude each other.
pub(crate) fn compile(rule: &SigmaRule) -> Result<Compiled, String> {
    let compiled = compile_rule(rule).map_err(|error| error.to_string())?;
    let mut named: Vec<(String, CompiledDetection)> = compiled.detections.into_iter().collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let names: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
    let selections = named
        .into_iter()
        .map(|(_, detection)| selection(detection))
        .collect::<Result<Vec<_>, _>>()?;
    let mut any = compiled
        .conditions
        .iter()
        .map(|condition| join(condition, &names, &selections))
        .collect::<Result<Vec<_>, _>>()?;
    let condition = match any.pop() {
        Some(only) if any.is_empty() => only,
        Some(last) => {
            any.push(last);
            Condition::Or(any)
        }
        None => return Err("the rule has no condition".to_owned()),
    };
    Ok(Compiled {
        selections,
        condition,
    })
}

fn selection(detection: CompiledDetection) -> Result<Selection, String> {
    if needs_row(&detection) {
        return Ok(Selection::Row(Box::new(RowDetection {
            condition: ConditionExpr::Identifier(WHOLE.to_owned()),
            detections: HashMap::from([(WHOLE.to_owned(), detection)]),
        })));
    }
    let all = |parts: Vec<CompiledDetection>| {
        parts
            .into_iter()
            .map(selection)
            .collect::<Result<Vec<_>, _>>()
    };
    match detection {
        CompiledDetection::AllOf(items) => {
            let mut items = items.into_iter().map(item).collect::<Result<Vec<_>, _>>()?;
            // Stable, so that equal costs keep the file's order.
            items.sort_by_key(Item::cost);
            Ok(Selection::Items(items))
        }
        CompiledDetection::AnyOf(parts) => Ok(Selection::Any(all(parts)?)),
        CompiledDetection::And(parts) => {
            let mut parts = all(parts)?;
            parts.sort_by_key(Selection::cost);
            Ok(Selection::All(parts))
        }
        CompiledDetection::Keywords(_)
        | CompiledDetection::ArrayMatch { .. }
        | CompiledDetection::Conditional { .. } => {
            Err("a keyword stands outside a list block".to_owned())
        }
    }
}

fn item(item: CompiledDetectionItem) -> Result<Item, String> {
    let path = item
        .field
        .ok_or("a selection has a value without a field")?;
    let field = Field::find(&path).map_err(|_| format!("unknown field {path}"))?;
    // A matcher's debugging text is complete: it has the values, the kinds and the flags.
    let question = format!("{:?} {:?}", item.exists, item.matcher);
    Ok(Item {
        field,
        key: HexHash::of_parts([path.as_str(), &question]),
        matcher: item.matcher,
        exists: item.exists,
    })
}

fn join(
    condition: &ConditionExpr,
    names: &[String],
    selections: &[Selection],
) -> Result<Condition, String> {
    let all = |parts: &[ConditionExpr]| {
        parts
            .iter()
            .map(|part| join(part, names, selections))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match condition {
        ConditionExpr::And(parts) => {
            let mut parts = all(parts)?;
            parts.sort_by_key(|part| part.cost(selections));
            Condition::And(parts)
        }
        ConditionExpr::Or(parts) => Condition::Or(all(parts)?),
        ConditionExpr::Not(inner) => Condition::Not(Box::new(join(inner, names, selections)?)),
        ConditionExpr::Identifier(name) => Condition::Selection(
            names
                .iter()
                .position(|found| found == name)
                .ok_or_else(|| format!("the condition names {name}, which is not there"))?,
        ),
        ConditionExpr::Selector {
            quantifier,
            pattern,
        } => {
            let chosen: Vec<usize> = names
                .iter()
                .enumerate()
                .filter(|(_, name)| pattern.matches_detection_name(name))
                .map(|(place, _)| place)
                .collect();
            let least = match quantifier {
                Quantifier::Any => 1,
                Quantifier::All => chosen.len(),
                Quantifier::Count(count) => usize::try_from(*count).unwrap_or(usize::MAX),
            };
            Condition::AtLeast(least, chosen)
        }
    })
}

/// Whether a detection looks at more than one field's value at a time.
fn needs_row(detection: &CompiledDetection) -> bool {
    match detection {
        CompiledDetection::AllOf(items) => items.iter().any(|item| refers(&item.matcher)),
        CompiledDetection::AnyOf(parts) | CompiledDetection::And(parts) => {
            // Only the parts that need it become row detections.
            parts.iter().all(needs_row)
        }
        CompiledDetection::Keywords(_) => false,
        CompiledDetection::ArrayMatch { .. } | CompiledDetection::Conditional { .. } => true,
    }
}

/// Whether a matcher looks at another field than its own.
pub(crate) fn refers(matcher: &CompiledMatcher) -> bool {
    match matcher {
        CompiledMatcher::FieldRef { .. } | CompiledMatcher::Expand { .. } => true,
        CompiledMatcher::Not(inner) | CompiledMatcher::TimestampPart { inner, .. } => refers(inner),
        CompiledMatcher::AnyOf(parts)
        | CompiledMatcher::AllOf(parts)
        | CompiledMatcher::CaseInsensitiveGroup {
            children: parts, ..
        } => parts.iter().any(refers),
        _ => false,
    }
}

impl Item {
    /// The event type decides first: it is what rows are grouped by.
    fn cost(&self) -> u8 {
        if self.field.is_event_type() {
            0
        } else {
            self.field.cost() + 1
        }
    }
}

impl Selection {
    fn cost(&self) -> u8 {
        match self {
            Self::Items(items) => items.iter().map(Item::cost).min().unwrap_or(0),
            Self::Any(parts) => parts.iter().map(Self::cost).max().unwrap_or(0),
            Self::All(parts) => parts.iter().map(Self::cost).min().unwrap_or(0),
            Self::Row(_) => u8::MAX,
        }
    }
}

impl Condition {
    fn cost(&self, selections: &[Selection]) -> u8 {
        let worst = |parts: &mut dyn Iterator<Item = u8>| parts.max().unwrap_or(0);
        match self {
            Self::And(parts) | Self::Or(parts) => {
                worst(&mut parts.iter().map(|part| part.cost(selections)))
            }
            Self::Not(inner) => inner.cost(selections).saturating_add(1),
            Self::Selection(place) => selections[*place].cost(),
            Self::AtLeast(_, places) => {
                worst(&mut places.iter().map(|&place| selections[place].cost()))
            }
        }
    }
}
