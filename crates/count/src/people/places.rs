//! Places of texts that somebody else holds, found by their hashes.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::DefaultHashBuilder;

use super::grouped::{Grouped, range};

/// Places that share a bucket, about: half a line of the processor's cache.
const BUCKET: usize = 4;

/// Places in buckets that lie side by side: nothing is kept free, as a table that may grow would, and a look-up still
/// waits for memory twice.
pub(super) struct Places {
    entries: Vec<Entry>,
    /// Where each bucket ends.
    ends: Vec<u32>,
}

/// A place, and the part of its text's hash that its bucket does not tell: texts of another hash are not looked at.
struct Entry {
    tag: u32,
    place: u32,
}

impl Places {
    /// Some places and the texts at them.
    ///
    /// # Panics
    /// With 2^32 places.
    pub(super) fn of<'t>(
        places: Range<u32>,
        text: impl Fn(u32) -> &'t str,
        hasher: &DefaultHashBuilder,
    ) -> Self {
        let buckets = places.len().div_ceil(BUCKET);
        let first = places.start;
        let hashes: Vec<TextHash> = places
            .map(|place| TextHash::of(text(place), hasher))
            .collect();
        let bucket_of = hashes.iter().map(|hash| hash.bucket(buckets));
        let (numbers, ends) = Grouped::new(bucket_of, buckets).into_parts();
        let entry = |&number: &u32| Entry {
            tag: hashes[number as usize].tag(),
            place: first + number,
        };
        Self {
            entries: numbers.iter().map(entry).collect(),
            ends,
        }
    }

    /// The place whose text has the hash and is the one.
    #[inline]
    pub(super) fn find(&self, hash: TextHash, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.ends.is_empty() {
            return None;
        }
        let bucket = range(&self.ends, hash.bucket(self.ends.len()) as usize);
        let found = self.entries[bucket]
            .iter()
            .find(|entry| entry.tag == hash.tag() && is_it(entry.place));
        found.map(|entry| entry.place)
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().map(|entry| entry.place)
    }
}

/// The hash of a text.
#[derive(Clone, Copy)]
pub(super) struct TextHash(u64);

impl TextHash {
    #[inline]
    pub(super) fn of(text: &str, hasher: &DefaultHashBuilder) -> Self {
        Self(hasher.hash_one(text))
    }

    /// One of so many buckets, told by the upper half.
    #[inline]
    fn bucket(self, buckets: usize) -> u32 {
        let bucket = ((self.0 >> 32) * buckets as u64) >> 32;
        u32::try_from(bucket).expect("a share of less than 2^32")
    }

    /// The lower half.
    #[inline]
    fn tag(self) -> u32 {
        let [a, b, c, d, ..] = self.0.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_at_its_place_and_no_other() {
        let hasher = DefaultHashBuilder::default();
        let texts: Vec<String> = (0..1000).map(|number| format!("text {number}")).collect();
        for end in [100, 101, 105, 1000] {
            let text = |place: u32| texts[place as usize].as_str();
            let places = Places::of(100..end, text, &hasher);
            let find = |wanted: &str| {
                let hash = TextHash::of(wanted, &hasher);
                places.find(hash, |place| text(place) == wanted)
            };
            for place in 0..1000 {
                let expected = (100..end).contains(&place).then_some(place);
                assert_eq!(find(text(place)), expected);
            }
            let mut all: Vec<u32> = places.all().collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(100..end));
        }
    }
}
