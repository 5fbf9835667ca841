//! Many texts in one piece of memory: each costs its bytes and four more, or eight where there are more than four
//! GiB of them.

use std::ops::Range;

use crate::interner::position;

/// Texts one after the other, told by their places.
#[derive(Clone, Debug, Default)]
pub struct TextList {
    texts: String,
    ends: Ends,
}

/// Where each text ends.
#[derive(Clone, Debug)]
enum Ends {
    Near(Vec<u32>),
    Far(Vec<usize>),
}

impl Default for Ends {
    fn default() -> Self {
        Self::Near(Vec::new())
    }
}

impl Ends {
    fn push(&mut self, end: usize) {
        match (self, u32::try_from(end)) {
            (Self::Near(ends), Ok(end)) => ends.push(end),
            (Self::Far(ends), _) => ends.push(end),
            (near, Err(_)) => {
                let all = 0..near.len();
                let ends = all.map(|place| near.get(place)).chain([end]);
                *near = Self::Far(ends.collect());
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Near(ends) => ends.len(),
            Self::Far(ends) => ends.len(),
        }
    }

    #[inline]
    fn get(&self, place: usize) -> usize {
        match self {
            Self::Near(ends) => ends[place] as usize,
            Self::Far(ends) => ends[place],
        }
    }

    fn shrink(&mut self) {
        match self {
            Self::Near(ends) => ends.shrink_to_fit(),
            Self::Far(ends) => ends.shrink_to_fit(),
        }
    }
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
        self.ends.len() == 0
    }

    /// The text at a place.
    ///
    /// # Panics
    /// When there is no such place.
    #[inline]
    pub fn get(&self, place: u32) -> &str {
        let place = place as usize;
        let start = place
            .checked_sub(1)
            .map_or(0, |before| self.ends.get(before));
        &self.texts[start..self.ends.get(place)]
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..position(self.ends.len())).map(|place| self.get(place))
    }

    /// Gives back what was reserved and not used.
    pub(crate) fn shrink(&mut self) {
        self.texts.shrink_to_fit();
        self.ends.shrink();
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

    #[test]
    fn ends_that_four_bytes_do_not_hold_take_eight() {
        let most = u32::MAX as usize;
        let mut ends = Ends::default();
        for end in [0, 7, most] {
            ends.push(end);
        }
        assert!(matches!(ends, Ends::Near(_)));
        for end in [most + 1, most + 9] {
            ends.push(end);
        }
        assert!(matches!(ends, Ends::Far(_)));
        let all: Vec<usize> = (0..ends.len()).map(|place| ends.get(place)).collect();
        assert_eq!(all, [0, 7, most, most + 1, most + 9]);
    }
}
