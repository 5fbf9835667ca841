//! The keys of one tenant's people: texts in one piece, found by a hash of four bytes beside their
//! place, so that a directory of a million people costs about 100 megabytes.

use std::sync::OnceLock;

use af_model::{HashKey, HexHash};
use hashbrown::{DefaultHashBuilder, HashMap};

use super::grouped::range;
use super::holder::{Holding, Kinds};
use super::places::{Places, TextHash};
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
    /// Of keys that are held by several people or for a time; those of one key side by side, sorted.
    shared: Vec<Holding>,
    /// Where those of each end.
    shared_ends: Vec<u32>,
    /// The provider's own name, hashed.
    pub(super) provider: HexHash,
}

/// The holders of one key.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    /// One person without bounds, as nearly every key is held.
    Sole(u32, Kinds),
    /// So the tenant's shared holdings of this number say.
    Shared(u32),
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
        let (mut shared, mut shared_ends) = (Vec::new(), Vec::new());
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
                slots.push(Slot::Shared(position(shared_ends.len())));
                shared.extend(of_key.iter().map(|(_, holding)| *holding));
                shared_ends.push(position(shared.len()));
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
            shared_ends,
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
        self.by_uid.all()
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
            Slot::Shared(number) => {
                Holders::Shared(&self.shared[range(&self.shared_ends, number as usize)])
            }
        }
    }
}
