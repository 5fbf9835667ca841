//! The numbers of one day's fields and lists of fields, with what the days before kept of them.

use super::kept::KeptTexts;
use super::numbered::NumberedRows;
use super::pairs::Pairs;
use super::values::{NONE, OfRows, Texts};
use crate::columns::field::Field;
use crate::columns::frame::Frame;
use crate::columns::rows::{Rows, row_number};
use crate::detect::who::Who;

/// Fields whose values are compared with each other.
pub(super) struct Family<'a> {
    pub(super) texts: Texts<'a>,
    pub(super) fields: Vec<OfRows<'a>>,
    /// Rows whose person is lent.
    pub(super) lent: Vec<u32>,
    /// By day before, the numbers of the texts that it kept, by place.
    pub(super) reached: Vec<Vec<u32>>,
}

impl<'a> Family<'a> {
    /// Reads fields at some rows each, and takes in what days before kept.
    pub(super) fn of(
        frame: &'a Frame,
        who: &Who<'a>,
        fields: impl Iterator<Item = (&'a Field, Rows)>,
        kept: impl Iterator<Item = Option<&'a KeptTexts>>,
    ) -> Self {
        let (mut texts, mut lent) = (Texts::default(), Vec::new());
        let fields = fields.map(|(field, rows)| {
            let (numbers, of_field) = OfRows::read(frame, who, field, &rows, &mut texts);
            lent.extend(of_field);
            numbers
        });
        let fields = fields.collect();
        let reached = reached(&mut texts, kept);
        Self {
            texts,
            fields,
            lent,
            reached,
        }
    }

    /// The tenants of all rows.
    pub(super) fn tenants(
        frame: &'a Frame,
        kept: impl Iterator<Item = Option<&'a KeptTexts>>,
    ) -> Self {
        let mut texts = Texts::default();
        let fields = vec![OfRows::tenants(frame, &mut texts)];
        let reached = reached(&mut texts, kept);
        Self {
            texts,
            fields,
            lent: Vec::new(),
            reached,
        }
    }
}

fn reached<'a>(
    texts: &mut Texts<'a>,
    kept: impl Iterator<Item = Option<&'a KeptTexts>>,
) -> Vec<Vec<u32>> {
    kept.map(|kept| kept.map_or_else(Vec::new, |kept| kept.numbers(texts)))
        .collect()
}

/// One number per row for a list of fields; equal exactly where tenant and all values are.
pub(super) struct List {
    pub(super) variants: Vec<NumberedRows>,
    /// A number is the pair of the number so far, first the tenant's, and that of the next family.
    pairs: Vec<Pairs>,
    /// The numbers of the day's own rows are below this.
    pub(super) count: usize,
    /// By day before.
    pub(super) reached: Vec<ReachedList>,
}

/// The groups that a day before kept.
#[derive(Default)]
pub(super) struct ReachedList {
    /// By place, the number.
    pub(super) numbers: Vec<u32>,
    /// By number of the day's own rows, the place.
    pub(super) places: Vec<u32>,
}

impl List {
    /// Numbers rows by one field of each family; variants are places of the fields, with their rows.
    pub(super) fn of<'k>(
        tenants: &Family<'_>,
        families: &[&Family<'_>],
        rows: usize,
        variants: impl Iterator<Item = (Vec<usize>, Rows)>,
        kept: impl Iterator<Item = Option<&'k Vec<u32>>>,
    ) -> Self {
        let mut pairs: Vec<Pairs> = families.iter().map(|_| Pairs::default()).collect();
        let of_rows = &tenants.fields[0];
        let variants = variants.map(|(places, asked)| {
            let fields = families.iter().zip(places);
            let fields: Vec<&OfRows<'_>> = fields
                .map(|(family, place)| &family.fields[place])
                .collect();
            NumberedRows::of(rows, &asked, |row| {
                let values = fields.iter().map(|field| field.number(row));
                number(&mut pairs, of_rows.number(row), values)
            })
        });
        let variants = variants.collect();
        let count = pairs.last().map_or(tenants.texts.count(), Pairs::count);
        let reached = kept.enumerate().map(|(day, kept)| {
            let mut reached = ReachedList::default();
            let kept = kept.map_or(&[][..], Vec::as_slice);
            for group in kept.chunks_exact(families.len() + 1) {
                let values = families.iter().zip(&group[1..]);
                let values = values.map(|(family, &value)| family.reached[day][value as usize]);
                let tenant = tenants.reached[day][group[0] as usize];
                reached.push(number(&mut pairs, tenant, values), count);
            }
            reached
        });
        let reached = reached.collect();
        Self {
            variants,
            pairs,
            count,
            reached,
        }
    }

    /// Adds what a number is made of: the tenant, then a value of each family.
    pub(super) fn push_parts(&self, number: u32, parts: &mut Vec<u32>) {
        let begin = parts.len();
        parts.resize(begin + self.pairs.len() + 1, number);
        let mut first = number;
        for (level, pairs) in self.pairs.iter().enumerate().rev() {
            (first, parts[begin + level + 1]) = pairs.pair(first);
        }
        parts[begin] = first;
    }
}

impl ReachedList {
    /// Adds the next group; places are wanted of numbers below `count`.
    fn push(&mut self, number: u32, count: usize) {
        let place = row_number(self.numbers.len());
        self.numbers.push(number);
        if (number as usize) < count {
            if self.places.is_empty() {
                self.places = vec![NONE; count];
            }
            self.places[number as usize] = place;
        }
    }
}

fn number(pairs: &mut [Pairs], tenant: u32, values: impl Iterator<Item = u32>) -> u32 {
    let mut number = tenant;
    for (value, pairs) in values.zip(pairs) {
        if value == NONE {
            return NONE;
        }
        number = pairs.number(number, value);
    }
    number
}
