//! Random numbers that are the same everywhere, and how a byte becomes a choice.

/// A small random number generator (SplitMix64): one seed, one sequence, on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts the sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`. The bias is below 2^-32 for small bounds.
    ///
    /// # Panics
    /// When `bound` is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a length");
        usize::try_from(self.next_u64() % bound).expect("below a length")
    }

    /// So many dice.
    pub fn dice<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next_u64().to_le_bytes()[0])
    }
}

/// Which of the weighted choices a die fell on; zero is always the first. Weights add up to at most
/// 256, the last choice gets the rest.
pub(super) fn pick<T: Copy>(die: u8, choices: &[(u16, T)]) -> T {
    let mut seen = 0;
    for &(weight, choice) in choices {
        seen += weight;
        if u16::from(die) < seen {
            return choice;
        }
    }
    choices.last().expect("there is something to choose from").1
}
