//! Numbers for what is said again and again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use af_count::CountedBlock;
use af_model::{Level, UtcDay};

use super::Names;

/// What blocks have in common. Names are numbers of texts, rules of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BlockKind {
    pub(super) component: u32,
    pub(super) family: u32,
    pub(super) level: Level,
    pub(super) day: UtcDay,
    pub(super) rules: u32,
}

/// Where a shared text or list lies, and its length.
type Place = (usize, usize);

fn place_of<T: ?Sized>(shared: &Arc<T>, length: usize) -> Place {
    (Arc::as_ptr(shared).cast::<u8>() as usize, length)
}

/// Texts, lists and kinds by number, in the order in which they are first needed.
#[derive(Default)]
pub(super) struct Numbers {
    names: Names,
    of_text: BTreeMap<String, u32>,
    of_list: BTreeMap<Vec<u32>, u32>,
    kinds: Vec<BlockKind>,
    of_kind: HashMap<BlockKind, u32>,
    /// By where their names lie: counts share them, so that hardly one is compared. Only of counts that
    /// are being added: what comes later may lie in the same place.
    of_places: HashMap<(Place, Place, Place, Level, UtcDay), u32>,
    of_shared: HashMap<Place, u32>,
}

impl Numbers {
    /// The counts that were added are gone.
    pub(super) fn forget_places(&mut self) {
        self.of_places.clear();
        self.of_shared.clear();
    }

    pub(super) fn text(&mut self, text: &str) -> u32 {
        if let Some(&known) = self.of_text.get(text) {
            return known;
        }
        let number = narrow(self.names.texts.len());
        self.names.texts.push(text.to_owned());
        self.of_text.insert(text.to_owned(), number);
        number
    }

    /// As [`Numbers::text`], for a text of the counts that are being added.
    pub(super) fn shared(&mut self, text: &Arc<str>) -> u32 {
        let place = place_of(text, text.len());
        if let Some(&known) = self.of_shared.get(&place) {
            return known;
        }
        let number = self.text(text);
        self.of_shared.insert(place, number);
        number
    }

    pub(super) fn list<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> u32 {
        let list: Vec<u32> = texts.into_iter().map(|text| self.text(text)).collect();
        if let Some(&known) = self.of_list.get(&list) {
            return known;
        }
        let number = narrow(self.names.lists.len());
        self.names.lists.push(list.clone());
        self.of_list.insert(list, number);
        number
    }

    /// The number of a block's kind.
    pub(super) fn kind(&mut self, block: &CountedBlock) -> u32 {
        let (component, family, rules) = (&block.component, &block.family, &block.rule_ids);
        let place = (
            place_of(component, component.len()),
            place_of(family, family.len()),
            place_of(rules, rules.len()),
            block.level,
            block.day,
        );
        if let Some(&known) = self.of_places.get(&place) {
            return known;
        }
        let kind = BlockKind {
            component: self.text(component),
            family: self.text(family),
            level: block.level,
            day: block.day,
            rules: self.list(rules.iter().map(|rule| &**rule)),
        };
        let next = narrow(self.kinds.len());
        let number = *self.of_kind.entry(kind).or_insert(next);
        if number == next {
            self.kinds.push(kind);
        }
        self.of_places.insert(place, number);
        number
    }

    /// What they mean.
    pub(super) fn meaning(self) -> (Names, Vec<BlockKind>) {
        (self.names, self.kinds)
    }
}

pub(super) fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2^32 names fit into memory")
}
