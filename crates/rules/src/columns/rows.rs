//! Sets of rows of one batch.

use std::sync::Arc;

/// A set is a list while it holds at most one row in this many, which is where bits get smaller.
const LIST_SHARE: usize = 32;

/// Some rows of a batch: a sorted list where they are few, bits where they are many, so that no
/// operation costs more than the smaller of the two. Clones share their rows.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// How many rows the batch has.
    of: usize,
    len: usize,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Ascending, none twice.
    List(Arc<Vec<u32>>),
    /// A bit for every row of the batch, the lowest first; the rest of the last word is zero.
    Bits(Arc<Vec<u64>>),
}

impl Rows {
    /// No row of a batch of `of` rows.
    pub(crate) fn none(of: usize) -> Self {
        Self::from_sorted(of, Vec::new())
    }

    /// Every row of a batch of `of` rows.
    pub(crate) fn all(of: usize) -> Self {
        Self::from_words(of, vec![u64::MAX; of.div_ceil(64)])
    }

    /// The listed rows, ascending and none twice.
    pub(crate) fn from_sorted(of: usize, rows: Vec<u32>) -> Self {
        debug_assert!(rows.is_sorted_by(|a, b| a < b));
        if rows.len() <= of / LIST_SHARE {
            return Self {
                of,
                len: rows.len(),
                kind: Kind::List(Arc::new(rows)),
            };
        }
        let mut words = vec![0; of.div_ceil(64)];
        for row in rows {
            set(&mut words, row);
        }
        Self::from_words(of, words)
    }

    /// The rows whose bit is set; what stands behind the batch's last row is left out.
    pub(crate) fn from_words(of: usize, mut words: Vec<u64>) -> Self {
        debug_assert_eq!(words.len(), of.div_ceil(64));
        if let Some(last) = words.last_mut().filter(|_| !of.is_multiple_of(64)) {
            *last &= (1 << (of % 64)) - 1;
        }
        let len = words.iter().map(|word| word.count_ones() as usize).sum();
        let bits = Self {
            of,
            len,
            kind: Kind::Bits(Arc::new(words)),
        };
        if len > of / LIST_SHARE {
            return bits;
        }
        let list = bits.iter().map(row_number).collect();
        Self {
            of,
            len,
            kind: Kind::List(Arc::new(list)),
        }
    }

    /// Everything that is in at least one of the sets.
    pub(crate) fn union<'a>(of: usize, sets: impl Iterator<Item = &'a Self>) -> Self {
        let mut words = vec![0; of.div_ceil(64)];
        for set in sets {
            set.add_to(&mut words);
        }
        Self::from_words(of, words)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether at least one row in `share` of the batch is among them.
    pub(crate) fn is_share(&self, share: usize) -> bool {
        self.len > self.of / share
    }

    pub(crate) fn contains(&self, row: usize) -> bool {
        match &self.kind {
            Kind::List(rows) => {
                u32::try_from(row).is_ok_and(|row| rows.binary_search(&row).is_ok())
            }
            Kind::Bits(words) => words
                .get(row / 64)
                .is_some_and(|word| word >> (row % 64) & 1 == 1),
        }
    }

    /// The rows, ascending.
    pub(crate) fn iter(&self) -> RowIter<'_> {
        match &self.kind {
            Kind::List(rows) => RowIter::List(rows.iter()),
            Kind::Bits(words) => RowIter::Bits {
                words,
                next: 0,
                left: 0,
            },
        }
    }

    /// The rows for which `holds`; it is asked about each of them once, ascending.
    pub(crate) fn filter(&self, mut holds: impl FnMut(usize) -> bool) -> Self {
        match &self.kind {
            Kind::List(rows) => {
                let holds = |row: &u32| holds(*row as usize);
                Self::from_sorted(self.of, rows.iter().copied().filter(holds).collect())
            }
            Kind::Bits(_) => {
                let mut words = vec![0; self.of.div_ceil(64)];
                for row in self.iter() {
                    words[row / 64] |= u64::from(holds(row)) << (row % 64);
                }
                Self::from_words(self.of, words)
            }
        }
    }

    /// The rows that are in both sets.
    pub(crate) fn and(&self, other: &Self) -> Self {
        debug_assert_eq!(self.of, other.of);
        match (&self.kind, &other.kind) {
            (Kind::Bits(a), Kind::Bits(b)) => Self::from_words(self.of, joined(a, b, |a, b| a & b)),
            (Kind::Bits(_), Kind::List(_)) => other.and(self),
            (Kind::List(a), Kind::List(b)) => self.listed(in_both(a, b, true)),
            (Kind::List(_), Kind::Bits(_)) => self.filter(|row| other.contains(row)),
        }
    }

    /// The rows that are in this set and not in the other.
    pub(crate) fn without(&self, other: &Self) -> Self {
        debug_assert_eq!(self.of, other.of);
        match (&self.kind, &other.kind) {
            (Kind::Bits(a), Kind::Bits(b)) => {
                Self::from_words(self.of, joined(a, b, |a, b| a & !b))
            }
            (Kind::Bits(a), Kind::List(b)) => {
                let mut words = a.to_vec();
                for row in b.iter() {
                    words[*row as usize / 64] &= !(1 << (row % 64));
                }
                Self::from_words(self.of, words)
            }
            (Kind::List(a), Kind::List(b)) => self.listed(in_both(a, b, false)),
            (Kind::List(_), Kind::Bits(_)) => self.filter(|row| !other.contains(row)),
        }
    }

    /// The rows that are in at least one of both sets.
    pub(crate) fn or(&self, other: &Self) -> Self {
        debug_assert_eq!(self.of, other.of);
        if let (Kind::List(a), Kind::List(b)) = (&self.kind, &other.kind) {
            let mut rows = [a.as_slice(), b.as_slice()].concat();
            rows.sort_unstable();
            rows.dedup();
            return self.listed(rows);
        }
        Self::union(self.of, [self, other].into_iter())
    }

    /// How many rows are in both sets.
    pub(crate) fn count_common(&self, other: &Self) -> usize {
        match (&self.kind, &other.kind) {
            (Kind::Bits(a), Kind::Bits(b)) => {
                let both = a.iter().zip(b.iter()).map(|(a, b)| a & b);
                both.map(|word| word.count_ones() as usize).sum()
            }
            (Kind::Bits(_), Kind::List(_)) => other.count_common(self),
            (Kind::List(_), _) => self.iter().filter(|&row| other.contains(row)).count(),
        }
    }

    fn listed(&self, rows: Vec<u32>) -> Self {
        Self::from_sorted(self.of, rows)
    }

    fn add_to(&self, words: &mut [u64]) {
        match &self.kind {
            Kind::List(rows) => {
                for row in rows.iter() {
                    set(words, *row);
                }
            }
            Kind::Bits(bits) => {
                for (word, bits) in words.iter_mut().zip(bits.iter()) {
                    *word |= bits;
                }
            }
        }
    }
}

/// The rows of a set, ascending.
pub(crate) enum RowIter<'a> {
    List(std::slice::Iter<'a, u32>),
    Bits {
        words: &'a [u64],
        /// The word after the one that `left` is of.
        next: usize,
        /// What is left of a word.
        left: u64,
    },
}

impl Iterator for RowIter<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        match self {
            Self::List(rows) => rows.next().map(|row| *row as usize),
            Self::Bits { words, next, left } => {
                while *left == 0 {
                    *left = *words.get(*next)?;
                    *next += 1;
                }
                let bit = left.trailing_zeros() as usize;
                *left &= *left - 1;
                Some((*next - 1) * 64 + bit)
            }
        }
    }
}

/// A row's number as lists keep it.
pub(crate) fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("a batch has fewer rows than 2^32")
}

pub(crate) fn set(words: &mut [u64], row: u32) {
    words[row as usize / 64] |= 1 << (row % 64);
}

fn joined(a: &[u64], b: &[u64], join: impl Fn(u64, u64) -> u64) -> Vec<u64> {
    a.iter().zip(b).map(|(&a, &b)| join(a, b)).collect()
}

/// The members of `a` that are in `b`, or those that are not.
fn in_both(a: &[u32], b: &[u32], wanted: bool) -> Vec<u32> {
    let mut rest = b.iter().copied().peekable();
    a.iter()
        .copied()
        .filter(|&row| {
            while rest.next_if(|&other| other < row).is_some() {}
            (rest.peek() == Some(&row)) == wanted
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A batch of up to 300 rows and two sets of them, each anything from empty to everything.
    fn sets() -> impl Strategy<Value = (usize, BTreeSet<u32>, BTreeSet<u32>)> {
        let picked = |of: usize| {
            (0..=of).prop_flat_map(move |most| {
                prop::collection::btree_set(0..row_number(of.max(1)), 0..=most)
                    .prop_map(move |rows| rows.into_iter().filter(|_| of > 0).collect())
            })
        };
        (0..300_usize).prop_flat_map(move |of| (Just(of), picked(of), picked(of)))
    }

    fn rows(of: usize, set: &BTreeSet<u32>) -> Rows {
        Rows::from_sorted(of, set.iter().copied().collect())
    }

    fn listed(rows: &Rows) -> BTreeSet<u32> {
        let listed: Vec<u32> = rows.iter().map(row_number).collect();
        assert!(listed.is_sorted_by(|a, b| a < b));
        assert_eq!(listed.len(), rows.len());
        assert_eq!(
            matches!(rows.kind, Kind::List(_)),
            rows.len() <= rows.of / LIST_SHARE,
            "{rows:?}"
        );
        listed.into_iter().collect()
    }

    proptest! {
        #[test]
        fn sets_of_rows_are_sets((of, a, b) in sets()) {
            let (x, y) = (rows(of, &a), rows(of, &b));
            prop_assert_eq!(listed(&x), a.clone());
            prop_assert_eq!(listed(&x.and(&y)), &a & &b);
            prop_assert_eq!(listed(&x.or(&y)), &a | &b);
            prop_assert_eq!(listed(&x.without(&y)), &a - &b);
            prop_assert_eq!(x.count_common(&y), (&a & &b).len());
            prop_assert_eq!(listed(&Rows::union(of, [&x, &y].into_iter())), &a | &b);
            prop_assert_eq!(listed(&x.filter(|row| row % 3 == 0)), a.iter().copied().filter(|row| row % 3 == 0).collect::<BTreeSet<u32>>());
            for row in 0..of + 70 {
                prop_assert_eq!(x.contains(row), a.contains(&row_number(row)));
            }
            prop_assert_eq!(Rows::all(of).len(), of);
            prop_assert_eq!(listed(&Rows::all(of).without(&x)).len(), of - a.len());
            prop_assert!(Rows::none(of).is_empty());
        }
    }
}
