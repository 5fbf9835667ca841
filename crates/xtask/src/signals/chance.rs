//! Numbers that look like chance and depend on nothing but what they are drawn for.

/// A number for these parts: equal parts give equal numbers, wherever and whenever.
pub(super) fn drawn(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
        mixed(state ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93))
    })
}

/// Splitmix64's finish: every bit of the input moves half the bits of the output.
pub(super) fn mixed(state: u64) -> u64 {
    let mut state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Many draws about one subject.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(parts: &[u64]) -> Self {
        Self(drawn(parts))
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number below the bound, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        scaled(self.bits(), bound)
    }

    /// 128 bits.
    pub(super) fn wide(&mut self) -> u128 {
        u128::from(self.bits()) << 64 | u128::from(self.bits())
    }
}

/// A number below the bound, made of 64 bits.
pub(super) fn scaled(bits: u64, bound: u64) -> u64 {
    let scaled = (u128::from(bits) * u128::from(bound)) >> 64;
    u64::try_from(scaled).expect("below a bound of 64 bits")
}

/// Every number below `count`, each once, in no order: a Feistel network over the next power of
/// four, walked on until it lands below `count`.
pub(super) struct Shuffle {
    seed: u64,
    count: u64,
    half_bits: u32,
}

impl Shuffle {
    pub(super) fn new(seed: u64, count: u64) -> Self {
        let bits = u64::BITS - count.saturating_sub(1).leading_zeros();
        Self {
            seed,
            count,
            half_bits: bits.div_ceil(2).max(1),
        }
    }

    /// The number at a position below `count`.
    pub(super) fn at(&self, position: u64) -> u64 {
        debug_assert!(position < self.count);
        let mut number = position;
        loop {
            number = self.permuted(number);
            if number < self.count {
                return number;
            }
        }
    }

    fn permuted(&self, number: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for round in 0..4 {
            let turned = left ^ (drawn(&[self.seed, round, right]) & mask);
            (left, right) = (right, turned);
        }
        left << self.half_bits | right
    }
}
