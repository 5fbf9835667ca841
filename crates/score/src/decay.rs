//! The decay table: `DEC[d] = 2^(-d/14)` in units of 2^-40 (af-1 §2.5).

use crate::power::ONE;

/// What points are worth after as many whole UTC days as the index says, in units of 2^-40:
/// the largest integer x with `x^14 <= ONE^14 >> d`. A half every 14 days; 1.2 % at the end.
pub(crate) const DECAY: [u64; 90] = [
    1_099_511_627_776,
    1_046_399_886_833,
    995_853_700_410,
    947_749_139_787,
    901_968_262_606,
    858_398_823_691,
    816_933_999_857,
    777_472_127_993,
    739_916_455_812,
    704_174_904_629,
    670_159_843_607,
    637_787_874_903,
    606_979_629_194,
    577_659_571_081,
    549_755_813_888,
    523_199_943_416,
    497_926_850_205,
    473_874_569_893,
    450_984_131_303,
    429_199_411_845,
    408_466_999_928,
    388_736_063_996,
    369_958_227_906,
    352_087_452_314,
    335_079_921_803,
    318_893_937_451,
    303_489_814_597,
    288_829_785_540,
    274_877_906_944,
    261_599_971_708,
    248_963_425_102,
    236_937_284_946,
    225_492_065_651,
    214_599_705_922,
    204_233_499_964,
    194_368_031_998,
    184_979_113_953,
    176_043_726_157,
    167_539_960_901,
    159_446_968_725,
    151_744_907_298,
    144_414_892_770,
    137_438_953_472,
    130_799_985_854,
    124_481_712_551,
    118_468_642_473,
    112_746_032_825,
    107_299_852_961,
    102_116_749_982,
    97_184_015_999,
    92_489_556_976,
    88_021_863_078,
    83_769_980_450,
    79_723_484_362,
    75_872_453_649,
    72_207_446_385,
    68_719_476_736,
    65_399_992_927,
    62_240_856_275,
    59_234_321_236,
    56_373_016_412,
    53_649_926_480,
    51_058_374_991,
    48_592_007_999,
    46_244_778_488,
    44_010_931_539,
    41_884_990_225,
    39_861_742_181,
    37_936_226_824,
    36_103_723_192,
    34_359_738_368,
    32_699_996_463,
    31_120_428_137,
    29_617_160_618,
    28_186_508_206,
    26_824_963_240,
    25_529_187_495,
    24_296_003_999,
    23_122_389_244,
    22_005_465_769,
    20_942_495_112,
    19_930_871_090,
    18_968_113_412,
    18_051_861_596,
    17_179_869_184,
    16_349_998_231,
    15_560_214_068,
    14_808_580_309,
    14_093_254_103,
    13_412_481_620,
];

/// `(saturated · DEC[age]) >> 80`, floored, for `saturated` below 2^104 (a bucket's is below 2^92).
///
/// The product may need 132 bits with the largest points allowed, so it is taken in two halves.
/// Write `saturated = high · 2^40 + low`. Then `saturated · DEC >> 80` is
/// `floor((high · DEC + low · DEC / 2^40) / 2^40)`, and because `high · DEC` is an integer the inner
/// fraction may be floored first: a floor of a floor by an integer is the floor of the whole.
///
/// # Panics
/// When `age` exceeds 89 or `saturated` is 2^104 or more; both are broken invariants.
pub(crate) fn decayed(saturated: u128, age: usize) -> u64 {
    let decay = u128::from(DECAY[age]);
    let high = u64::try_from(saturated >> 40).expect("a bucket's points stay below 2^104");
    let low = saturated & u128::from(ONE - 1);
    let product = u128::from(high) * decay + ((low * decay) >> 40);
    u64::try_from(product >> 40).expect("decay is at most one, so the result is at most `high`")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A natural number in base 2^32, lowest digit first, without leading zeros.
    #[derive(Clone, PartialEq, Eq, Debug)]
    struct Natural(Vec<u32>);

    impl Natural {
        fn of(value: u64) -> Self {
            let digits = [value & 0xffff_ffff, value >> 32];
            Self(digits.map(|digit| u32::try_from(digit).unwrap()).to_vec()).trimmed()
        }

        fn trimmed(mut self) -> Self {
            while self.0.last() == Some(&0) {
                self.0.pop();
            }
            self
        }

        fn times(&self, other: &Self) -> Self {
            let mut digits = vec![0_u32; self.0.len() + other.0.len()];
            for (i, &a) in self.0.iter().enumerate() {
                let mut carry = 0_u64;
                for (j, digit) in digits[i..].iter_mut().enumerate() {
                    let b = other.0.get(j).copied().unwrap_or(0);
                    let sum = u64::from(a) * u64::from(b) + u64::from(*digit) + carry;
                    *digit = u32::try_from(sum & 0xffff_ffff).unwrap();
                    carry = sum >> 32;
                }
                assert_eq!(carry, 0);
            }
            Self(digits).trimmed()
        }

        fn power(&self, exponent: u32) -> Self {
            (0..exponent).fold(Self::of(1), |product, _| product.times(self))
        }

        fn at_most(&self, other: &Self) -> bool {
            (self.0.len(), self.0.iter().rev().collect::<Vec<_>>())
                <= (other.0.len(), other.0.iter().rev().collect::<Vec<_>>())
        }
    }

    #[test]
    fn every_constant_is_the_largest_integer_of_its_definition() {
        for (age, &decay) in DECAY.iter().enumerate() {
            // x^14 <= ONE^14 >> d  ⇔  x^14 · 2^d <= 2^560, as x^14 is an integer.
            let halvings = Natural::of(2).power(u32::try_from(age).unwrap());
            let bound = Natural::of(2).power(560);
            let fits = |x: u64| Natural::of(x).power(14).times(&halvings).at_most(&bound);
            assert!(fits(decay), "DEC[{age}] is too large");
            assert!(!fits(decay + 1), "DEC[{age}] is not the largest");
        }
    }

    #[test]
    fn the_constants_of_the_worked_example() {
        assert_eq!(
            [0, 1, 7, 14, 89].map(|age| DECAY[age]),
            [
                1_099_511_627_776,
                1_046_399_886_833,
                777_472_127_993,
                549_755_813_888,
                13_412_481_620
            ]
        );
    }

    #[test]
    fn halves_give_the_same_as_one_wide_product() {
        for shift in 0..88 {
            for (age, &decay) in DECAY.iter().enumerate() {
                let saturated = (1_u128 << shift) + 0x5a5a_5a5a_5a5a % (1 << shift);
                let expected = (saturated * u128::from(decay)) >> 80;
                assert_eq!(u128::from(decayed(saturated, age)), expected);
            }
        }
        // Beyond what one product holds: 2^100 · 2^39 >> 80 = 2^59.
        assert_eq!(decayed(1 << 100, 14), 1 << 59);
    }
}
