//! Pairs of numbers as one number.

use hashbrown::HashMap;

use super::values::NONE;
use crate::columns::rows::row_number;

/// Numbers for pairs of numbers, in the order in which the pairs come.
///
/// Mostly the second tells the first, as a session tells its person: a pair is looked up by its second
/// number, and only what does not fit there is hashed.
#[derive(Default)]
pub(super) struct Pairs {
    /// By second number, the first that came with it, and the number of the pair.
    by_second: Vec<(u32, u32)>,
    others: HashMap<(u32, u32), u32>,
    /// The pairs by number.
    made: Vec<(u32, u32)>,
}

impl Pairs {
    /// The number of a pair, a new one if it was not there.
    pub(super) fn number(&mut self, first: u32, second: u32) -> u32 {
        let place = second as usize;
        if self.by_second.len() <= place {
            self.by_second.resize(place + 1, (NONE, NONE));
        }
        let (known, number) = self.by_second[place];
        if known == first {
            return number;
        }
        let next = row_number(self.made.len());
        if known == NONE {
            self.by_second[place] = (first, next);
        } else {
            let number = *self.others.entry((first, second)).or_insert(next);
            if number != next {
                return number;
            }
        }
        self.made.push((first, second));
        next
    }

    /// The pair of a number.
    pub(super) fn pair(&self, number: u32) -> (u32, u32) {
        self.made[number as usize]
    }

    /// Numbers are below this.
    pub(super) fn count(&self) -> usize {
        self.made.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equal_pairs_and_no_others_get_equal_numbers(
            asked in prop::collection::vec((0..5_u32, 0..5_u32), 0..60),
        ) {
            let mut pairs = Pairs::default();
            let numbers: Vec<u32> = asked.iter().map(|&(a, b)| pairs.number(a, b)).collect();
            for (&number, &asked) in numbers.iter().zip(&asked) {
                prop_assert_eq!(pairs.pair(number), asked);
            }
            for (at, &number) in numbers.iter().enumerate() {
                let first = asked.iter().position(|pair| *pair == asked[at]);
                prop_assert_eq!(first.map(|first| numbers[first]), Some(number));
                prop_assert!((number as usize) < pairs.count());
            }
        }
    }
}
