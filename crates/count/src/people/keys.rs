//! The keys of one tenant's people: texts in one piece, found by a hash of four bytes beside their
//! place, so that a directory of a million people costs about 150 megabytes.

use std::hash::BuildHasher;
use std::sync::OnceLock;

use af_model::{HashKey, HexHash};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::holder::{Holding, Kinds};
use crate::interner::position;
use crate::texts::TextList;

/// The keys of one tenant.
pub(crate) struct TenantKeys {
    /// Positions of people by their ids, which the index holds.
    by_uid: Places,
    /// Logins, e-mails and aliases.
    texts: TextList,
    by_text: Places,
    /// Who holds each of the texts.
    slots: Vec<Slot>,
    /// The same keys hashed, once somebody asks: most signals name nobody by hash.
    by_hash: OnceLock<HashMap<HexHash, u32>>,
    /// Of keys that are held by several people or for a time.
    shared: Vec<Holding>,
    /// The provider's own name, hashed.
    pub(super) provider: HexHash,
}

/// The holders of one key.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    /// One person without bounds, as nearly every key is held.
    Sole(u32, Kinds),
    /// Some of the tenant's shared holdings, sorted.
    Shared(u32, u32),
}

/// Who holds a key.
pub(super) enum Holders<'k> {
    /// This person, at any time.
    Sole(u32, Kinds),
    /// All of these, sorted.
    Shared(&'k [Holding]),
}

impl TenantKeys {
    /// The keys of so many people who stand at `first` and after it in `uids`. `holdings` come in any order.
    pub(super) fn new(
        tenant_uid: &str,
        (uids, first, people): (&TextList, u32, u32),
        mut holdings: Vec<(&str, Holding)>,
        key: &HashKey,
        hasher: &DefaultHashBuilder,
    ) -> Self {
        holdings.sort_unstable();
        holdings.dedup();
        let of_key = |left: &(&str, Holding), right: &(&str, Holding)| left.0 == right.0;
        let keys = holdings.chunk_by(of_key).count();
        let mut texts = TextList::default();
        let mut slots = Vec::with_capacity(keys);
        let mut shared = Vec::new();
        for of_key in holdings.chunk_by(of_key) {
            let (text, one) = of_key[0];
            texts.push(text);
            let is_sole = |(_, holding): &(&str, Holding)| {
                holding.person == one.person && !holding.is_bounded()
            };
            if of_key.iter().all(is_sole) {
                let kinds = of_key.iter().map(|(_, holding)| holding.kind);
                slots.push(Slot::Sole(one.person, kinds.collect()));
            } else {
                let start = position(shared.len());
                shared.extend(of_key.iter().map(|(_, holding)| *holding));
                slots.push(Slot::Shared(start, position(shared.len())));
            }
        }
        drop(holdings);
        texts.shrink();
        let by_text = Places::of(0..position(slots.len()), |place| texts.get(place), hasher);
        Self {
            by_uid: Places::of(first..first + people, |place| uids.get(place), hasher),
            by_text,
            texts,
            slots,
            by_hash: OnceLock::new(),
            shared,
            provider: key.identifier(tenant_uid, super::decide::PROVIDER),
        }
    }

    /// The position of a person by id.
    #[inline]
    pub(super) fn uid(
        &self,
        uids: &TextList,
        uid: &str,
        hasher: &DefaultHashBuilder,
    ) -> Option<u32> {
        let hash = TextHash::of(uid, hasher);
        self.by_uid.find(hash, |place| uids.get(place) == uid)
    }

    /// Who holds a login, e-mail or alias.
    #[inline]
    pub(super) fn text(&self, text: &str, hasher: &DefaultHashBuilder) -> Option<Holders<'_>> {
        let hash = TextHash::of(text, hasher);
        let is_text = |place| self.texts.get(place) == text;
        let place = self.by_text.find(hash, is_text)?;
        Some(self.holders(place))
    }

    /// Where a name of that hash is, if it is anywhere: of a person's id in the index, of another key here.
    #[inline]
    pub(super) fn likely(&self, is_uid: bool, hash: TextHash) -> Option<u32> {
        let places = if is_uid { &self.by_uid } else { &self.by_text };
        places.find(hash, |_| true)
    }

    /// A login, e-mail or alias.
    #[inline]
    pub(super) fn text_at(&self, place: u32) -> &str {
        self.texts.get(place)
    }

    /// Who holds a key by its hash.
    pub(super) fn hashed(
        &self,
        tenant_uid: &str,
        hash: &HexHash,
        key: &HashKey,
    ) -> Option<Holders<'_>> {
        let by_hash = self.by_hash.get_or_init(|| {
            let texts = (0_u32..).zip(self.texts.iter());
            texts
                .map(|(place, text)| (key.identifier(tenant_uid, text), place))
                .collect()
        });
        by_hash.get(hash).map(|&place| self.holders(place))
    }

    /// Every position of a person, in no order.
    pub(super) fn people(&self) -> impl Iterator<Item = u32> {
        self.by_uid.0.iter().map(|entry| entry.place)
    }

    /// Every login, e-mail and alias and who holds it.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, Holders<'_>)> {
        let texts = (0_u32..).zip(self.texts.iter());
        texts.map(|(place, text)| (text, self.holders(place)))
    }

    /// Who holds the login, e-mail or alias at a place.
    #[inline]
    pub(super) fn holders(&self, place: u32) -> Holders<'_> {
        match self.slots[place as usize] {
            Slot::Sole(person, kinds) => Holders::Sole(person, kinds),
            Slot::Shared(start, end) => Holders::Shared(&self.shared[start as usize..end as usize]),
        }
    }
}

/// Places of texts that somebody else holds, found by the texts.
struct Places(HashTable<Place>);

/// A place, and a part of its text's hash: texts of another hash are not looked at.
struct Place {
    tag: u32,
    place: u32,
}

impl Places {
    fn of<'t>(
        places: std::ops::Range<u32>,
        text: impl Fn(u32) -> &'t str,
        hasher: &DefaultHashBuilder,
    ) -> Self {
        let mut table = HashTable::with_capacity(places.len());
        for place in places {
            let TextHash { whole, tag } = TextHash::of(text(place), hasher);
            table.insert_unique(whole, Place { tag, place }, |entry| {
                hasher.hash_one(text(entry.place))
            });
        }
        Self(table)
    }

    /// The place whose text has the hash and is the one.
    #[inline]
    fn find(&self, hash: TextHash, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let found = self.0.find(hash.whole, |entry| {
            entry.tag == hash.tag && is_it(entry.place)
        });
        found.map(|entry| entry.place)
    }
}

/// The hash of a text.
#[derive(Clone, Copy)]
pub(super) struct TextHash {
    whole: u64,
    tag: u32,
}

impl TextHash {
    #[inline]
    pub(super) fn of(text: &str, hasher: &DefaultHashBuilder) -> Self {
        let whole = hasher.hash_one(text);
        Self {
            whole,
            tag: tag(whole),
        }
    }
}

/// Bits that the table itself does not compare.
fn tag(hash: u64) -> u32 {
    let bytes = hash.to_le_bytes();
    u32::from_le_bytes([bytes[2], bytes[3], bytes[4], bytes[5]])
}
