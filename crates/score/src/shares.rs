//! Splitting an integer into integer shares that add up: the largest remainder.

/// Splits `total` in proportion to `weights`, exactly: the shares add up to `total`.
///
/// Each share is first floored; what is left over goes, one each, to the largest remainders, ties to
/// the earlier place. Somebody with weight zero gets nothing. When all weights are zero there is
/// nobody to give to and all shares are zero. The weights must add up to less than 2^127.
///
/// ```
/// use af_score::split;
/// // 10 by 1 : 1 : 1 is 3 each and one over, which goes to the first.
/// assert_eq!(split(10, &[1, 1, 1]), [4, 3, 3]);
/// // 10 by 1 : 5 is 1.67 and 8.33: the larger remainder is the first's.
/// assert_eq!(split(10, &[1, 5]), [2, 8]);
/// ```
pub fn split(total: u64, weights: &[u128]) -> Vec<u64> {
    let sum: u128 = weights.iter().sum();
    if sum == 0 || total == 0 {
        return vec![0; weights.len()];
    }
    let (mut shares, remainders): (Vec<u64>, Vec<u128>) = weights
        .iter()
        .map(|&weight| divide(total, weight, sum))
        .unzip();
    give_leftovers(total, &mut shares, &remainders, &mut Vec::new());
    shares
}

/// [`split`] over the levels of a bucket.
pub(crate) fn split_levels(total: u64, weights: &[u128; 4]) -> [u64; 4] {
    let sum: u128 = weights.iter().sum();
    if sum == 0 || total == 0 {
        return [0; 4];
    }
    let parts = weights.map(|weight| divide(total, weight, sum));
    let mut shares = parts.map(|(share, _)| share);
    let mut remainders = parts.map(|(_, remainder)| remainder);
    let given: u64 = shares.iter().sum();
    for _ in given..total {
        // The first of the largest; nobody gets two.
        let mut largest = 0;
        for slot in 1..4 {
            if remainders[slot] > remainders[largest] {
                largest = slot;
            }
        }
        shares[largest] += 1;
        remainders[largest] = 0;
    }
    shares
}

/// [`split`] for weights of 64 bits, time after time in the same room.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    shares: Vec<u64>,
    remainders: Vec<u64>,
    order: Vec<usize>,
}

impl Splitter {
    /// The shares, until the next call.
    pub(crate) fn split(&mut self, total: u64, weights: &[u64]) -> &[u64] {
        let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
        // Every product is at most that of the sum.
        let narrow = u64::try_from(sum)
            .ok()
            .filter(|&sum| sum > 0 && total.checked_mul(sum).is_some());
        if let (1.., Some(sum)) = (total, narrow) {
            let products = weights.iter().map(|&weight| total * weight);
            self.shares.clear();
            self.shares
                .extend(products.clone().map(|product| product / sum));
            self.remainders.clear();
            self.remainders
                .extend(products.map(|product| product % sum));
            give_leftovers(total, &mut self.shares, &self.remainders, &mut self.order);
        } else {
            let wide: Vec<u128> = weights.iter().map(|&weight| u128::from(weight)).collect();
            self.shares = split(total, &wide);
        }
        &self.shares
    }
}

/// Gives what the floored shares leave over, one each, to the largest remainders, ties to the earlier
/// place.
///
/// What is left over, `total - given` units, is the sum of the remainders in units of the weights' sum.
/// Each is below that sum, so more of them than units are above zero: no place of weight zero is
/// reached.
fn give_leftovers<R: Ord + Copy>(
    total: u64,
    shares: &mut [u64],
    remainders: &[R],
    order: &mut Vec<usize>,
) {
    let given: u64 = shares.iter().sum();
    if given == total {
        return;
    }
    let leftover = usize::try_from(total - given).expect("fewer units are left than places");
    order.clear();
    order.extend(0..shares.len());
    // No two places are alike, so it does not matter how the largest are found.
    order.select_nth_unstable_by_key(leftover - 1, |&place| {
        (std::cmp::Reverse(remainders[place]), place)
    });
    for &place in &order[..leftover] {
        shares[place] += 1;
    }
}

/// Quotient and remainder of `total · weight / sum`, for `weight <= sum < 2^127`.
fn divide(total: u64, weight: u128, sum: u128) -> (u64, u128) {
    let wide = u128::from(total);
    let (quotient, remainder) = match wide.checked_mul(weight) {
        Some(product) => (product / sum, product % sum),
        None => divide_by_bits(total, weight, sum),
    };
    let quotient = u64::try_from(quotient).expect("a part is at most the total");
    (quotient, remainder)
}

/// The same where the product leaves 128 bits, as it may with the largest points allowed: long
/// multiplication and division at once, over the bits of `total` from the highest.
///
/// Between steps `prefix · weight = quotient · sum + remainder` with `remainder < sum < 2^127`, so
/// neither doubling the remainder nor adding the weight leaves 128 bits.
fn divide_by_bits(total: u64, weight: u128, sum: u128) -> (u128, u128) {
    let (mut quotient, mut remainder) = (0, 0);
    for bit in (0..u64::BITS).rev() {
        let doubled = reduce(2 * remainder, sum);
        quotient = 2 * quotient + doubled.0;
        remainder = doubled.1;
        if (total >> bit) & 1 == 1 {
            let added = reduce(remainder + weight, sum);
            quotient += added.0;
            remainder = added.1;
        }
    }
    (quotient, remainder)
}

/// Quotient and remainder of a value below `2 · sum`.
fn reduce(value: u128, sum: u128) -> (u128, u128) {
    if value >= sum {
        (1, value - sum)
    } else {
        (0, value)
    }
}

/// Splits `total` into `places` equal shares, exactly: the first `total % places` get one more.
/// This is how a block's share falls on its signals, in the order of their ids. Lazy, because a
/// block may hold more signals than memory.
///
/// ```
/// use af_score::split_equally;
/// assert_eq!(split_equally(8, 3).collect::<Vec<_>>(), [3, 3, 2]);
/// assert_eq!(split_equally(8, 0).count(), 0);
/// ```
///
/// # Panics
/// When `total` is negative; no share is.
pub fn split_equally(total: i64, places: u64) -> impl Iterator<Item = i64> {
    assert!(total >= 0, "shares are never negative");
    let (each, over) = match i64::try_from(places) {
        Ok(0) => (0, 0),
        Ok(count) => (total / count, (total % count).unsigned_abs()),
        Err(_) => (0, total.unsigned_abs()),
    };
    (0..places).map(move |place| each + i64::from(place < over))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn leftovers_go_to_the_largest_remainders_then_to_the_first() {
        // 100 by 1:2:4 is 14.29, 28.57, 57.14: one left over, to the second.
        assert_eq!(split(100, &[1, 2, 4]), [14, 29, 57]);
        // 5 by 1:0:1:1:1: 1.25 each, one left over, to the first; nothing to weight zero.
        assert_eq!(split(5, &[1, 0, 1, 1, 1]), [2, 0, 1, 1, 1]);
        assert_eq!(split(7, &[0, 0]), [0, 0]);
        assert_eq!(split(7, &[]), [0_u64; 0]);
    }

    #[test]
    fn wide_products_divide_as_narrow_ones_do() {
        // Scaling both weights by 2^70 changes nothing but the width.
        let (narrow, wide) = ([3, 5, 11], [3 << 70, 5 << 70, 11 << 70]);
        for total in [1, 1000, u64::MAX - 1, u64::MAX] {
            assert_eq!(split(total, &narrow), split(total, &wide));
        }
    }

    #[test]
    fn more_places_than_units_leaves_zeros() {
        let shares: Vec<i64> = split_equally(2, 4).collect();
        assert_eq!(shares, [1, 1, 0, 0]);
        assert_eq!(split_equally(3, u64::MAX).take(5).sum::<i64>(), 3);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_stay_next_to_the_exact_part(
            total in any::<u64>(),
            weights in prop::collection::vec(0..1_u128 << 100, 1..12),
        ) {
            let sum: u128 = weights.iter().sum();
            prop_assume!(sum > 0);
            let shares = split(total, &weights);
            let given: u128 = shares.iter().map(|&share| u128::from(share)).sum();
            prop_assert_eq!(given, u128::from(total));
            for (&share, &weight) in shares.iter().zip(&weights) {
                let (floor, remainder) = divide(total, weight, sum);
                prop_assert!(share == floor || (share == floor + 1 && remainder > 0));
            }
        }

        #[test]
        fn narrow_and_level_splits_are_the_plain_split(
            total in prop_oneof![0..10_000_000_u64, any::<u64>()],
            weights in prop::collection::vec(prop_oneof![Just(0), 0..50_u64, any::<u64>()], 0..12),
            levels in prop::array::uniform4(prop_oneof![Just(0), 0..50_u128, 0..1_u128 << 92]),
        ) {
            let wide: Vec<u128> = weights.iter().map(|&weight| u128::from(weight)).collect();
            let mut splitter = Splitter::default();
            for total in [total, total / 2] {
                prop_assert_eq!(splitter.split(total, &weights), split(total, &wide));
                prop_assert_eq!(split_levels(total, &levels).to_vec(), split(total, &levels));
            }
        }

        #[test]
        fn bits_and_plain_division_agree(
            total in any::<u64>(), weight in 0..1_u128 << 63, rest in 0..1_u128 << 63,
        ) {
            let sum = weight + rest + 1;
            let product = u128::from(total) * weight;
            prop_assert_eq!(divide_by_bits(total, weight, sum), (product / sum, product % sum));
        }

        #[test]
        fn equal_shares_add_up(total in 0..10_000_000_i64, places in 1..500_u64) {
            let shares: Vec<i64> = split_equally(total, places).collect();
            prop_assert_eq!(shares.iter().sum::<i64>(), total);
            prop_assert!(shares.is_sorted_by(|a, b| a >= b));
            prop_assert!(shares[0] - shares[shares.len() - 1] <= 1);
        }
    }
}
