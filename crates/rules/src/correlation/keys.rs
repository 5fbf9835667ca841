//! What events are grouped and counted by: the values of some fields as one small number per row.
//!
//! Many correlations go by the same fields. Each field and each list of fields is read once a day, for
//! the rows that any of them looks at, and equal values get equal numbers; no value is hashed or compared
//! again after that. Numbers mean something on one day only, so what the days before kept is put among
//! those of the day at hand: days compare numbers too. A [`hash`] is made only for what was found.

use af_model::HexHash;
use hashbrown::HashSet;
use rayon::prelude::*;

use super::kept::{KeptKeys, KeptTexts, Places};
use super::layout::{Counted, GoesBy, Layout, Variant};
use super::link::Plan;
use super::list::{Family, List};
use super::matches::Matches;
use super::numbered::NumberedRows;
use super::values::{NONE, push_value};
use crate::columns::field::Field;
use crate::columns::frame::Frame;
use crate::columns::rows::Rows;
use crate::detect::past::Past;
use crate::detect::who::Who;
use crate::rule::Rule;

/// The numbers of everything that a set's correlations go by, tenants apart.
pub(crate) struct Keys<'a> {
    goes_by: Vec<Option<GoesBy>>,
    tenants: Family<'a>,
    families: Vec<Family<'a>>,
    lists: Vec<List>,
    /// By list, the families that it is made of.
    list_families: Vec<Vec<usize>>,
    /// Rows whose person is lent by a transaction: their values may be known later than they are.
    lent: HashSet<u32>,
}

impl<'a> Keys<'a> {
    /// Reads the fields of every correlation at the rows that its rules match.
    pub(crate) fn of(
        rules: &'a [Rule],
        plan: &Plan,
        frame: &'a Frame,
        who: &Who<'a>,
        rows: &[Rows],
        past: &'a Past,
    ) -> Self {
        let layout = Layout::of(rules, plan);
        let asked = AskedRows::of(&layout, rules, plan, rows);
        let kept: Vec<Option<&KeptKeys>> = past.reached_keys(rules, frame).collect();
        let tenants = Family::tenants(frame, kept.iter().map(|kept| Some(&(*kept)?.tenants)));
        let families: Vec<Family<'a>> = layout
            .families
            .par_iter()
            .enumerate()
            .map(|(family, fields)| {
                let fields = fields.iter().enumerate().map(|(place, field)| {
                    let rows = asked.of_field(&layout, (family, place));
                    (*field, Rows::union(frame.len(), rows))
                });
                let kept = kept.iter().map(|kept| (*kept)?.families.get(family));
                Family::of(frame, who, fields, kept)
            })
            .collect();
        let lists = layout
            .lists
            .par_iter()
            .enumerate()
            .map(|(place, list)| {
                let of_list = list.families.iter().map(|&family| &families[family]);
                let of_list: Vec<&Family<'_>> = of_list.collect();
                let fields = list.variants.iter().zip(&asked.lists[place]);
                let fields = fields.map(|(fields, asked)| {
                    let rows = Rows::union(frame.len(), asked.iter().copied());
                    let places = fields.iter().map(|field| layout.place_of(field).1);
                    (places.collect(), rows)
                });
                let kept = kept.iter().map(|kept| (*kept)?.lists.get(place));
                List::of(&tenants, &of_list, frame.len(), fields, kept)
            })
            .collect();
        let lent = families.iter().flat_map(|family| family.lent.iter());
        Self {
            lent: lent.copied().collect(),
            goes_by: layout.goes_by,
            tenants,
            list_families: layout.lists.into_iter().map(|list| list.families).collect(),
            families,
            lists,
        }
    }

    /// What a correlation goes by.
    pub(super) fn goes_by(&self, correlation: usize) -> &GoesBy {
        let found = self.goes_by[correlation].as_ref();
        found.expect("the place is that of a correlation")
    }

    /// The groups of rows.
    pub(super) fn rows(&self, variant: Variant) -> &NumberedRows {
        &self.lists[variant.list].variants[variant.variant]
    }

    /// The groups of rows have numbers below this.
    pub(super) fn count(&self, list: usize) -> usize {
        self.lists[list].count
    }

    /// What is counted of a row; [`NONE`] if it lacks a value.
    pub(super) fn value(&self, counted: Counted, row: u32) -> u32 {
        match counted {
            Counted::Field(family, place) => {
                self.families[family].fields[place].number(row as usize)
            }
            Counted::Fields(variant) => self.rows(variant).number(row),
        }
    }

    /// Whether the row's person is lent by its transaction.
    pub(super) fn is_lent(&self, row: u32) -> bool {
        self.lent.contains(&row)
    }

    /// The place that a group has among those that a day before kept, if it did.
    pub(crate) fn place_before(&self, correlation: usize, day: usize, group: u32) -> Option<u32> {
        let list = self.goes_by(correlation).list()?;
        let reached = self.lists[list].reached.get(day)?;
        let place = reached.places.get(group as usize).copied();
        place.filter(|place| *place != NONE)
    }

    /// The number of a counted value that a day before kept at a place.
    pub(crate) fn value_before(&self, correlation: usize, day: usize, place: u32) -> u32 {
        let numbers = match self.goes_by(correlation).values {
            Some(Counted::Field(family, _)) => self.families[family].reached.get(day),
            Some(Counted::Fields(variant)) => {
                let reached = self.lists[variant.list].reached.get(day);
                reached.map(|reached| &reached.numbers)
            }
            None => None,
        };
        let number = numbers.and_then(|numbers| numbers.get(place as usize));
        number.copied().unwrap_or(NONE)
    }

    /// What later days need of the keys of some correlations' matches, whose numbers become places there.
    pub(crate) fn keep(&self, matches: &mut [(usize, Matches)]) -> KeptKeys {
        let places =
            |count: usize| -> Vec<Places> { (0..count).map(|_| Places::default()).collect() };
        let mut tenants = Places::default();
        let mut families = places(self.families.len());
        let mut lists = places(self.lists.len());
        for (correlation, matches) in &*matches {
            let goes_by = self.goes_by(*correlation);
            if let Some(list) = goes_by.list() {
                matches.groups().for_each(|group| lists[list].keep(group));
            }
            if let Some(counted) = goes_by.values {
                let places = counted_of(counted, &mut families, &mut lists);
                let values = matches.events.iter().map(|event| event.value);
                let values = values.filter(|value| *value != NONE);
                values.for_each(|value| places.keep(value));
            }
        }
        let mut kept: Vec<Vec<u32>> = Vec::new();
        for ((list, of_list), places) in self.lists.iter().zip(&self.list_families).zip(&mut lists)
        {
            let mut groups = Vec::new();
            for group in places.assign() {
                list.push_parts(group, &mut groups);
            }
            for group in groups.chunks_exact(of_list.len() + 1) {
                tenants.keep(group[0]);
                for (&family, &value) in of_list.iter().zip(&group[1..]) {
                    families[family].keep(value);
                }
            }
            kept.push(groups);
        }
        let texts = |places: &mut Places, family: &Family<'_>| {
            let kept = places.assign().into_iter();
            KeptTexts::of(kept.map(|number| family.texts.text(number)))
        };
        let kept_tenants = texts(&mut tenants, &self.tenants);
        let of_families = families.iter_mut().zip(&self.families);
        let kept_families = of_families
            .map(|(places, family)| texts(places, family))
            .collect();
        for (groups, of_list) in kept.iter_mut().zip(&self.list_families) {
            for group in groups.chunks_exact_mut(of_list.len() + 1) {
                group[0] = tenants.of(group[0]);
                for (&family, value) in of_list.iter().zip(&mut group[1..]) {
                    *value = families[family].of(*value);
                }
            }
        }
        for (correlation, matches) in matches {
            let goes_by = self.goes_by(*correlation);
            if let Some(list) = goes_by.list() {
                matches.renumber(|group| lists[list].of(group));
            }
            if let Some(counted) = goes_by.values {
                let places = counted_of(counted, &mut families, &mut lists);
                for event in matches
                    .events
                    .iter_mut()
                    .filter(|event| event.value != NONE)
                {
                    event.value = places.of(event.value);
                }
            }
        }
        KeptKeys {
            tenants: kept_tenants,
            families: kept_families,
            lists: kept,
        }
    }
}

/// The places of what is counted.
fn counted_of<'p>(
    counted: Counted,
    families: &'p mut [Places],
    lists: &'p mut [Places],
) -> &'p mut Places {
    match counted {
        Counted::Field(family, _) => &mut families[family],
        Counted::Fields(variant) => &mut lists[variant.list],
    }
}

/// The rows at which fields are asked for.
struct AskedRows<'r> {
    /// By list and variant.
    lists: Vec<Vec<Vec<&'r Rows>>>,
    /// What is counted by itself: family, place in it, and rows.
    counted: Vec<((usize, usize), &'r Rows)>,
}

impl<'r> AskedRows<'r> {
    fn of(layout: &Layout<'_>, rules: &[Rule], plan: &Plan, rows: &'r [Rows]) -> Self {
        let lists = layout.lists.iter();
        let mut asked = Self {
            lists: lists
                .map(|list| vec![Vec::new(); list.variants.len()])
                .collect(),
            counted: Vec::new(),
        };
        for (place, goes_by) in layout.goes_by.iter().enumerate() {
            let Some(goes_by) = goes_by else { continue };
            for (&other, group) in plan.references[place].iter().zip(&goes_by.groups) {
                let matched = matched_rows(plan, rules, rows, other);
                match goes_by.values {
                    Some(Counted::Field(family, place)) => {
                        let counted = matched.iter().map(|rows| ((family, place), *rows));
                        asked.counted.extend(counted);
                    }
                    Some(Counted::Fields(variant)) => {
                        asked.lists[variant.list][variant.variant].extend(&matched);
                    }
                    None => {}
                }
                asked.lists[group.list][group.variant].extend(matched);
            }
        }
        asked
    }

    /// The rows at which a field is asked for; family and place in it.
    fn of_field<'s>(
        &'s self,
        layout: &'s Layout<'_>,
        field: (usize, usize),
    ) -> impl Iterator<Item = &'r Rows> {
        let counted = self.counted.iter().filter(move |(of, _)| *of == field);
        let lists = layout.lists.iter().zip(&self.lists);
        let variants = lists.flat_map(|(list, rows)| list.variants.iter().zip(rows));
        let has = move |fields: &[&Field]| fields.iter().any(|of| layout.place_of(of) == field);
        counted.map(|(_, rows)| *rows).chain(
            variants
                .filter(move |(fields, _)| has(fields))
                .flat_map(|(_, rows)| rows.iter().copied()),
        )
    }
}

/// The rows that a rule can match: its own, of a correlation those of the rules below it.
fn matched_rows<'r>(plan: &Plan, rules: &[Rule], rows: &'r [Rows], place: usize) -> Vec<&'r Rows> {
    if rules[place].correlation().is_none() {
        return vec![&rows[place]];
    }
    let below = plan.references[place].iter();
    below
        .flat_map(|&other| matched_rows(plan, rules, rows, other))
        .collect()
}

/// Hash of a row's tenant and values, the same on every day; none when it lacks one. What has no one value
/// (a list) has none.
pub(super) fn hash(
    frame: &Frame,
    who: &Who<'_>,
    tenant: &str,
    fields: &[&Field],
    row: u32,
) -> Option<u128> {
    let row = row as usize;
    let mut text = String::new();
    let mut ends = Vec::with_capacity(fields.len());
    for field in fields {
        if field.is_subject() {
            text.push_str(&who.subject(row)?.0);
        } else {
            push_value(&frame.column(field).value(row)?, &mut text)?;
        }
        ends.push(text.len());
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let parts = starts.zip(&ends).map(|(start, &end)| &text[start..end]);
    let hash = HexHash::of_parts(std::iter::once(tenant).chain(parts));
    Some(u128::from_be_bytes(hash.0))
}
