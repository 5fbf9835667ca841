//! Numbers side by side that belong to one group.

use crate::interner::position;

/// The numbers from 0 on, group by group.
pub(super) struct Grouped {
    numbers: Vec<u32>,
    /// Where each group ends.
    ends: Vec<u32>,
}

impl Grouped {
    /// The numbers whose groups are told in turn; those of one group stay in their order.
    ///
    /// # Panics
    /// With 2^32 numbers, or a group that is none of so many.
    pub(super) fn new(group_of: impl Iterator<Item = u32> + Clone, groups: usize) -> Self {
        let mut ends = vec![0_u32; groups];
        let mut all = 0_usize;
        for group in group_of.clone() {
            ends[group as usize] += 1;
            all += 1;
        }
        position(all);
        let mut before = 0;
        for end in &mut ends {
            before += std::mem::replace(end, before);
        }
        let mut numbers = vec![0; all];
        for (number, group) in (0_u32..).zip(group_of) {
            // Where the group begins until its first number is there, and at last where it ends.
            let place = &mut ends[group as usize];
            numbers[*place as usize] = number;
            *place += 1;
        }
        Self { numbers, ends }
    }

    /// The numbers of a group.
    pub(super) fn of(&self, group: u32) -> &[u32] {
        &self.numbers[range(&self.ends, group as usize)]
    }

    /// All numbers, and where each group ends.
    pub(super) fn into_parts(self) -> (Vec<u32>, Vec<u32>) {
        (self.numbers, self.ends)
    }
}

/// The places of a group, where groups lie side by side and end at `ends`.
#[inline]
pub(super) fn range(ends: &[u32], group: usize) -> std::ops::Range<usize> {
    let start = group.checked_sub(1).map_or(0, |before| ends[before]);
    start as usize..ends[group] as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_group_lie_side_by_side_in_their_order() {
        let grouped = Grouped::new([2, 0, 2, 3, 0].into_iter(), 5);
        let groups: Vec<&[u32]> = (0..5).map(|group| grouped.of(group)).collect();
        assert_eq!(groups, [&[1, 4][..], &[], &[0, 2], &[3], &[]]);
        let (numbers, ends) = grouped.into_parts();
        assert_eq!(numbers, [1, 4, 0, 2, 3]);
        assert_eq!(ends, [2, 2, 4, 5, 5]);
        assert_eq!(Grouped::new(std::iter::empty(), 1).of(0), []);
    }
}
