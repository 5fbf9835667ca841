//! Chance that depends on nothing but a seed and what it is drawn for.

use crate::random::Random;

/// Random numbers of one subject: a person on a day, a story, a night.
#[derive(Clone, Debug)]
pub(super) struct Dice(Random);

impl Dice {
    /// The dice of a subject. Equal parts give equal dice, whoever asks and in which order.
    pub(super) fn of(seed: u64, subject: &str, parts: &[u64]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
        for byte in subject.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        for part in parts {
            hash = Random::new(hash ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15)).next_u64();
        }
        Self(Random::new(hash))
    }

    /// A number below the bound.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        debug_assert!(low <= high);
        let width = usize::try_from(high - low + 1).expect("low is not above high");
        low + i64::try_from(self.below(width)).expect("a small width")
    }

    /// True `times` in `of`.
    pub(super) fn chance(&mut self, times: usize, of: usize) -> bool {
        self.below(of) < times
    }

    /// A number from `low` to `high` of which every doubling is equally likely: many small ones and
    /// few large ones, which is how sizes of attacks are spread.
    pub(super) fn skewed(&mut self, low: i64, high: i64) -> i64 {
        debug_assert!(0 < low && low <= high);
        let doublings = (high / low).ilog2();
        loop {
            let octave = self.below(doublings as usize + 1);
            let from = low << octave;
            let drawn = self.between(from, 2 * from - 1);
            if drawn <= high {
                return drawn;
            }
        }
    }

    /// One of them.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// One of the choices by weight.
    pub(super) fn weighted<T: Copy>(&mut self, choices: &[(usize, T)]) -> T {
        let total = choices.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        for &(weight, choice) in choices {
            if left < weight {
                return choice;
            }
            left -= weight;
        }
        unreachable!("the weights add up to their total")
    }

    /// 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 128 bits.
    pub(super) fn wide(&mut self) -> u128 {
        u128::from(self.bits()) << 64 | u128::from(self.bits())
    }

    /// 20 letters and digits behind a prefix, as Okta's ids have them.
    pub(super) fn okta_id(&mut self, prefix: &str) -> String {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut id = prefix.to_owned();
        while id.len() < 20 {
            id.push(char::from(*self.pick(DIGITS)));
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_depend_on_every_part() {
        let first = |seed, subject, parts: &[u64]| Dice::of(seed, subject, parts).bits();
        let plain = first(1, "day", &[3, 4]);
        assert_eq!(plain, first(1, "day", &[3, 4]));
        for other in [
            first(2, "day", &[3, 4]),
            first(1, "night", &[3, 4]),
            first(1, "day", &[4, 3]),
            first(1, "day", &[3]),
        ] {
            assert_ne!(plain, other);
        }
    }

    #[test]
    fn skewed_numbers_keep_their_bounds_and_are_mostly_small() {
        let mut dice = Dice::of(7, "skewed", &[]);
        let drawn: Vec<i64> = (0..2000).map(|_| dice.skewed(3, 500)).collect();
        assert!(drawn.iter().all(|number| (3..=500).contains(number)));
        let small = drawn.iter().filter(|number| **number < 48).count();
        assert!((900..1300).contains(&small), "{small}");
        assert!(drawn.iter().any(|number| *number > 300));
    }
}
