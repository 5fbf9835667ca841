//! Rows grouped by their value in a column of few distinct values.

use crate::columns::rows::{Rows, row_number, set};

/// The rows of a batch by the code of their value. A row without a value has no code.
#[derive(Debug)]
pub(crate) struct Groups {
    /// How many rows the batch has.
    of: usize,
    /// Sorted by code, ascending within one. Empty when one code has every row of the batch.
    rows: Vec<u32>,
    /// Where each code's rows begin; one more than there are codes.
    starts: Vec<usize>,
}

impl Groups {
    /// Groups the rows that have a code; `codes` gives row and code, rows ascending, codes below
    /// `count`. Two passes, no comparison.
    pub(crate) fn new<I>(of: usize, count: usize, codes: impl Fn() -> I) -> Self
    where
        I: Iterator<Item = (usize, usize)>,
    {
        let mut starts = vec![0_usize; count + 1];
        for (_, code) in codes() {
            starts[code + 1] += 1;
        }
        let one_has_all = starts.contains(&of);
        for next in 1..starts.len() {
            starts[next] += starts[next - 1];
        }
        let mut rows = Vec::new();
        if !one_has_all {
            rows.resize(starts[count], 0);
            let mut free = starts.clone();
            for (row, code) in codes() {
                rows[free[code]] = row_number(row);
                free[code] += 1;
            }
        }
        Self { of, rows, starts }
    }

    /// How many rows have a code.
    pub(crate) fn len_of(&self, code: usize) -> usize {
        self.starts[code + 1] - self.starts[code]
    }

    /// The rows of one code.
    pub(crate) fn rows_of(&self, code: usize) -> Rows {
        if self.len_of(code) == self.of {
            return Rows::all(self.of);
        }
        let rows = self.rows.get(self.starts[code]..self.starts[code + 1]);
        Rows::from_sorted(self.of, rows.unwrap_or_default().to_vec())
    }

    /// The rows whose code is chosen, and, if `absent`, those without a code.
    pub(crate) fn rows_where(&self, chosen: &[bool], absent: bool) -> Rows {
        let codes = || (0..chosen.len()).filter(|&code| self.len_of(code) > 0);
        let coded = self.starts[chosen.len()];
        let found: usize = codes()
            .filter(|&code| chosen[code])
            .map(|code| self.len_of(code))
            .sum();
        if found == coded && (absent || coded == self.of) {
            return Rows::all(self.of);
        }
        if found == 0 && (!absent || coded == self.of) {
            return Rows::none(self.of);
        }
        // Whichever is less to write: the chosen rows, or the others.
        let others = absent || (coded == self.of && found > coded / 2);
        let start = if others { u64::MAX } else { 0 };
        let mut words = vec![start; self.of.div_ceil(64)];
        for code in codes().filter(|&code| chosen[code] != others) {
            for &row in &self.rows[self.starts[code]..self.starts[code + 1]] {
                if others {
                    words[row as usize / 64] &= !(1 << (row % 64));
                } else {
                    set(&mut words, row);
                }
            }
        }
        Rows::from_words(self.of, words)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn groups_give_the_rows_a_walk_over_the_codes_gives(
            codes in prop::collection::vec(prop::option::weighted(0.9, 0..4_usize), 0..300),
            rare in 0..4_usize,
            chosen in prop::array::uniform4(any::<bool>()),
            absent: bool,
        ) {
            // One code is made rare or the only one, so that every way of writing is taken.
            for codes in [
                codes.clone(),
                codes.iter().map(|code| code.filter(|_| rare > 1).map(|_| rare)).collect(),
                codes.iter().map(|code| code.or(Some(0))).collect(),
                codes.iter().map(|_| Some(rare)).collect(),
            ] {
                let coded = || codes.iter().enumerate().filter_map(|(row, code)| Some((row, (*code)?)));
                let groups = Groups::new(codes.len(), 4, coded);
                let expected: Vec<usize> = (0..codes.len())
                    .filter(|&row| codes[row].map_or(absent, |code| chosen[code]))
                    .collect();
                prop_assert_eq!(groups.rows_where(&chosen, absent).iter().collect::<Vec<_>>(), expected);
                for code in 0..4 {
                    let rows: Vec<usize> = groups.rows_of(code).iter().collect();
                    let expected = (0..codes.len()).filter(|&row| codes[row] == Some(code));
                    prop_assert_eq!(rows, expected.collect::<Vec<_>>());
                }
            }
        }
    }
}
