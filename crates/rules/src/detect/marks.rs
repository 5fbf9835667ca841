//! A cheap question that most rows fail: whether an id may be one of a few.

/// How many marks there are: sixteen bits.
const MARKS: usize = 1 << 16;

/// The marks of some ids. Another id may have the mark of one of them; one of them always has its own.
pub(crate) struct Marks(Vec<bool>);

impl Marks {
    pub(crate) fn of<'i>(ids: impl Iterator<Item = &'i str>) -> Self {
        let mut marks = vec![false; MARKS];
        for id in ids {
            marks[mark(id)] = true;
        }
        Self(marks)
    }

    /// False only for an id that is none of them.
    pub(crate) fn may_have(&self, id: &str) -> bool {
        self.0[mark(id)]
    }
}

/// The mark of an id: of its last characters, which are the most random ones.
fn mark(id: &str) -> usize {
    let last = id.as_bytes().last_chunk().copied().unwrap_or_default();
    (u32::from_le_bytes(last).wrapping_mul(0x9e37_79b1) >> 16) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_never_taken_for_another_one_and_seldom_the_other_way_round() {
        let ids = |range: std::ops::Range<u32>| range.map(|n| format!("id-{n:08}"));
        let some: Vec<String> = ids(0..100).chain(["ab".to_owned()]).collect();
        let marks = Marks::of(some.iter().map(String::as_str));
        assert!(some.iter().all(|id| marks.may_have(id)));
        let mistaken = ids(1_000..11_000).filter(|id| marks.may_have(id)).count();
        assert!(mistaken < 1_000, "{mistaken}");
    }
}
