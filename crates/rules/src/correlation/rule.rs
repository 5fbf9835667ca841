//! What a correlation is, once it has been read.

use std::fmt;

use crate::columns::field::Field;

/// How many rules a correlation may refer to: one bit each.
pub(crate) const MAX_REFERENCES: usize = 64;

/// What is asked of the events of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// How many there are.
    EventCount,
    /// How many different values they have.
    ValueCount,
    /// How many of the rules they match.
    Temporal,
    /// Whether they match the rules in the order in which these are written.
    TemporalOrdered,
}

/// From how many to how many, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) least: u64,
    pub(crate) most: Option<u64>,
}

impl Bound {
    pub(crate) fn holds(self, count: u64) -> bool {
        count >= self.least && self.most.is_none_or(|most| count <= most)
    }
}

/// Which rules must have matched; numbers are places in [`Correlation::references`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Rule(usize),
}

impl Expression {
    pub(crate) fn holds(&self, matched: &impl Fn(usize) -> bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(matched)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(matched)),
            Self::Rule(place) => matched(*place),
        }
    }
}

/// A field of `group-by`: what it is called, and what is read for each rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupField {
    pub(crate) name: String,
    /// By place in [`Correlation::references`].
    pub(crate) fields: Vec<Field>,
}

/// A window of events, and when it is an attack.
#[derive(Clone, Debug)]
pub(crate) struct Correlation {
    pub(crate) kind: Kind,
    /// Names or ids of rules, as written.
    pub(crate) references: Vec<String>,
    /// Their ids, once the set is linked.
    pub(crate) ids: Vec<String>,
    pub(crate) group_by: Vec<GroupField>,
    /// What is counted by [`Kind::ValueCount`]; empty for the others.
    pub(crate) values: Vec<Field>,
    /// The names of [`Self::values`].
    pub(crate) value_names: Vec<String>,
    pub(crate) timespan_millis: i64,
    pub(crate) timespan: String,
    pub(crate) bound: Bound,
    /// Instead of the bound, for temporal correlations that say so.
    pub(crate) expression: Option<Expression>,
    /// Whether the rules it refers to may speak for themselves.
    pub(crate) generate: bool,
}

impl Correlation {
    pub(crate) fn references(&self) -> &[String] {
        &self.references
    }

    pub(crate) fn timespan_millis(&self) -> i64 {
        self.timespan_millis
    }

    pub(crate) fn is_ordered(&self) -> bool {
        self.kind == Kind::TemporalOrdered
    }

    /// Whether so many events that match these rules, a bit each, can make the condition hold over any of
    /// their windows; never false where they do.
    pub(crate) fn may_hold(&self, events: usize, rules: u64) -> bool {
        let references = self.references.len();
        match (self.kind, &self.expression) {
            (Kind::EventCount | Kind::ValueCount, _) => events as u64 >= self.bound.least,
            (Kind::Temporal, Some(expression)) => {
                expression.holds(&|rule| rules & (1 << rule) != 0)
            }
            (Kind::Temporal, None) => u64::from(rules.count_ones()) >= self.bound.least,
            (Kind::TemporalOrdered, _) => {
                events >= references && rules.count_ones() as usize == references
            }
        }
    }

    /// Everything that affects results, in canonical text; the rules stand in it by id.
    pub(crate) fn canonical(&self) -> String {
        let groups: Vec<String> = self
            .group_by
            .iter()
            .map(|group| format!("{:?}", group.fields))
            .collect();
        format!(
            "{:?} of {:?} by {} over {:?} in {} ms: {:?} {:?}",
            self.kind,
            self.ids,
            groups.join(" "),
            self.values,
            self.timespan_millis,
            self.bound,
            self.expression
        )
    }
}

impl fmt::Display for Correlation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bound { least, most } = self.bound;
        let count = match most {
            None => format!("{least} or more"),
            Some(most) if most == least => least.to_string(),
            Some(most) => format!("{least} to {most}"),
        };
        match self.kind {
            Kind::EventCount => write!(f, "{count} events")?,
            Kind::ValueCount => write!(f, "{count} different {}", self.value_names.join(" + "))?,
            Kind::Temporal if self.expression.is_some() => {
                write!(f, "a combination of {} rules", self.references.len())?;
            }
            Kind::Temporal => write!(f, "{count} of {} rules", self.references.len())?,
            Kind::TemporalOrdered => write!(f, "{} rules in order", self.references.len())?,
        }
        write!(f, " within {}", self.timespan)?;
        let names: Vec<&str> = self
            .group_by
            .iter()
            .map(|group| group.name.as_str())
            .collect();
        if names.is_empty() {
            f.write_str(", per organization")
        } else {
            write!(f, ", per {}", names.join(" + "))
        }
    }
}
