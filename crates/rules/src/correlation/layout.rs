//! By which fields the correlations of a set group and count: worked out from the rules alone, so that
//! it is the same on every day.

use super::link::Plan;
use super::rule::{Correlation, Kind};
use crate::columns::field::Field;
use crate::rule::Rule;

/// The families and lists of a set, and who goes by which.
#[derive(Default)]
pub(super) struct Layout<'a> {
    /// Fields whose values some correlation compares with each other; most are alone.
    pub(super) families: Vec<Vec<&'a Field>>,
    pub(super) lists: Vec<ListLayout<'a>>,
    /// By place of the rule in the set; none for rules about one event.
    pub(super) goes_by: Vec<Option<GoesBy>>,
}

/// A sequence of families. Values that stand under them in this order are compared.
pub(super) struct ListLayout<'a> {
    /// Places in [`Layout::families`].
    pub(super) families: Vec<usize>,
    /// The fields that are read, one of each family.
    pub(super) variants: Vec<Vec<&'a Field>>,
}

/// A place in [`Layout::lists`], and one of its variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) list: usize,
    pub(super) variant: usize,
}

/// What one correlation goes by.
pub(super) struct GoesBy {
    /// How events are grouped, rule by rule, all by the same list.
    pub(super) groups: Vec<Variant>,
    /// What is counted of them.
    pub(super) values: Option<Counted>,
}

/// What is counted. Groups keep tenants apart, so that one field needs no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// The values of one field: its family, and its place there.
    Field(usize, usize),
    Fields(Variant),
}

impl GoesBy {
    /// The list of the groups.
    pub(super) fn list(&self) -> Option<usize> {
        self.groups.first().map(|variant| variant.list)
    }
}

impl<'a> Layout<'a> {
    pub(super) fn of(rules: &'a [Rule], plan: &Plan) -> Self {
        let mut layout = Self::default();
        let correlation = |place: usize| rules[place].correlation();
        for correlation in plan.order.iter().filter_map(|&place| correlation(place)) {
            for group in &correlation.group_by {
                layout.join(&group.fields);
            }
            for value in &correlation.values {
                layout.join(std::slice::from_ref(value));
            }
        }
        layout.goes_by = (0..rules.len()).map(|_| None).collect();
        for &place in &plan.order {
            layout.goes_by[place] = correlation(place).map(|found| layout.goes_by(found));
        }
        layout
    }

    /// Makes one family of some fields and of those that they were a family with before.
    fn join(&mut self, fields: &'a [Field]) {
        let mut joined: Vec<&'a Field> = Vec::new();
        self.families.retain(|family| {
            let is_met = family.iter().any(|field| fields.contains(field));
            if is_met {
                joined.extend(family);
            }
            !is_met
        });
        for field in fields {
            if !joined.contains(&field) {
                joined.push(field);
            }
        }
        if !joined.is_empty() {
            self.families.push(joined);
        }
    }

    fn goes_by(&mut self, correlation: &'a Correlation) -> GoesBy {
        let rules = 0..correlation.references.len();
        let groups = rules.map(|rule| self.variant(correlation.grouped_by(rule)));
        let groups = groups.collect();
        let values = match (correlation.kind, correlation.values.as_slice()) {
            (Kind::ValueCount, [field]) => {
                let (family, place) = self.place_of(field);
                Some(Counted::Field(family, place))
            }
            (Kind::ValueCount, [_, ..]) => Some(Counted::Fields(
                self.variant(correlation.values.iter().collect()),
            )),
            _ => None,
        };
        GoesBy { groups, values }
    }

    /// The list and variant of some fields, new ones if they were not there.
    fn variant(&mut self, fields: Vec<&'a Field>) -> Variant {
        let families: Vec<usize> = fields.iter().map(|field| self.place_of(field).0).collect();
        let known = self.lists.iter().position(|list| list.families == families);
        let list = known.unwrap_or_else(|| {
            let variants = Vec::new();
            self.lists.push(ListLayout { families, variants });
            self.lists.len() - 1
        });
        let variants = &mut self.lists[list].variants;
        let known = variants.iter().position(|known| *known == fields);
        let variant = known.unwrap_or_else(|| {
            variants.push(fields);
            variants.len() - 1
        });
        Variant { list, variant }
    }

    /// A field's family, and its place there.
    pub(super) fn place_of(&self, field: &Field) -> (usize, usize) {
        let mut families = self.families.iter().enumerate();
        families
            .find_map(|(family, fields)| {
                let place = fields.iter().position(|known| *known == field)?;
                Some((family, place))
            })
            .expect("every field was put into a family")
    }
}

impl Correlation {
    /// The fields by which the events of a rule are grouped.
    pub(super) fn grouped_by(&self, rule: usize) -> Vec<&Field> {
        self.group_by
            .iter()
            .map(|group| &group.fields[rule])
            .collect()
    }
}
