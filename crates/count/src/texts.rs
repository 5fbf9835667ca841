//! Many texts in one piece of memory: each costs its bytes and eight more.

use std::ops::Range;

use crate::interner::position;

/// Texts one after the other, told by their places.
#[derive(Clone, Debug, Default)]
pub struct TextList {
    texts: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl TextList {
    /// Appends a text and tells its place.
    ///
    /// # Panics
    /// With 2^32 texts.
    pub fn push(&mut self, text: &str) -> u32 {
        let place = position(self.ends.len());
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
        place
    }

    /// Appends texts and tells their places.
    ///
    /// # Panics
    /// With 2^32 texts.
    pub fn extend<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> Range<u32> {
        let first = position(self.ends.len());
        for text in texts {
            self.push(text);
        }
        first..position(self.ends.len())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at a place.
    ///
    /// # Panics
    /// When there is no such place.
    #[inline]
    pub fn get(&self, place: u32) -> &str {
        let place = place as usize;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.texts[start..self.ends[place]]
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..position(self.ends.len())).map(|place| self.get(place))
    }

    /// Gives back what was reserved and not used.
    pub(crate) fn shrink(&mut self) {
        self.texts.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_by_their_places() {
        let mut list = TextList::default();
        assert!(list.is_empty());
        assert_eq!(list.push("ana"), 0);
        assert_eq!(list.extend(["", "bob"]), 1..3);
        assert_eq!(list.iter().collect::<Vec<_>>(), ["ana", "", "bob"]);
        assert_eq!((list.len(), list.get(2)), (3, "bob"));
    }
}
