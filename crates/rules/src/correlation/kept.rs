//! What the numbers of a day stand for, of those that later days reach.
//!
//! A day's numbers mean something on that day only. What is kept of it has places of its own: of every
//! text that is reached one, and of every group the places of its tenant and its values.

use super::values::{NONE, Texts};
use crate::columns::rows::row_number;

/// What was kept of a day's keys. Families and lists stand in the order of the set's layout.
#[derive(Debug, Default)]
pub(crate) struct KeptKeys {
    pub(super) tenants: KeptTexts,
    pub(super) families: Vec<KeptTexts>,
    /// Of each list the groups one behind the other: the place of the tenant, then one of each family.
    pub(super) lists: Vec<Vec<u32>>,
}

/// Texts in one piece.
#[derive(Debug, Default)]
pub(super) struct KeptTexts {
    text: String,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl KeptTexts {
    pub(super) fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut kept = Self::default();
        for text in texts {
            kept.text.push_str(text);
            kept.ends.push(kept.text.len());
        }
        kept.text.shrink_to_fit();
        kept
    }

    /// The texts among those of another day: the number of each, a new one if it was not there.
    pub(super) fn numbers<'a>(&'a self, texts: &mut Texts<'a>) -> Vec<u32> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let kept = starts.zip(&self.ends);
        kept.map(|(start, &end)| texts.number(self.text[start..end].into()))
            .collect()
    }
}

/// Which numbers are kept, and their places among those.
#[derive(Default)]
pub(super) struct Places(Vec<u32>);

impl Places {
    /// Keeps a number.
    pub(super) fn keep(&mut self, number: u32) {
        let number = number as usize;
        if self.0.len() <= number {
            self.0.resize(number + 1, NONE);
        }
        self.0[number] = 0;
    }

    /// Gives the kept numbers their places, ascending, and lists them.
    pub(super) fn assign(&mut self) -> Vec<u32> {
        let mut kept = Vec::new();
        for (number, place) in self.0.iter_mut().enumerate() {
            if *place != NONE {
                *place = row_number(kept.len());
                kept.push(row_number(number));
            }
        }
        kept
    }

    /// The place of a number that was kept.
    pub(super) fn of(&self, number: u32) -> u32 {
        self.0[number as usize]
    }
}
