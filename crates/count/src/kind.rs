//! What kind of attack a signal tells of and who says so: everything about it that repeats, but the
//! tenant.

use std::sync::Arc;

use af_model::Level;
use af_model::name::check_term;
use hashbrown::HashMap;

use crate::columns::KIND_TEXTS;
use crate::interner::{NONE, Names, Symbol, position};

/// Places in a kind's texts.
pub(crate) mod place {
    pub(crate) const COMPONENT: usize = 0;
    pub(crate) const FAMILY: usize = 1;
    pub(crate) const LEVEL: usize = 2;
    pub(crate) const RULE_ID: usize = 3;
    pub(crate) const SOURCE: usize = 4;
    pub(crate) const INTEGRATION: usize = 5;
}

/// The level of a kind, if it keeps the contract.
pub(crate) fn judge(texts: &[Option<&str>; KIND_TEXTS]) -> Option<Level> {
    let is_term =
        |place: usize, kind| texts[place].is_some_and(|name| check_term(name, kind).is_ok());
    let complete = is_term(place::COMPONENT, "component")
        && is_term(place::FAMILY, "family")
        && texts[place::RULE_ID].is_some()
        && texts[place::SOURCE].is_some();
    texts[place::LEVEL]
        .filter(|_| complete)
        .and_then(|level| level.parse().ok())
}

/// One kind of the whole input; it keeps the contract.
pub(crate) struct Kind {
    pub(crate) texts: [Symbol; KIND_TEXTS],
    pub(crate) level: Level,
    /// Of component and family together.
    pub(crate) series: u32,
    /// Of component and integration together.
    pub(crate) feed: u32,
    /// The rule alone, as blocks of one rule name it.
    pub(crate) rule_ids: Arc<[Arc<str>]>,
}

/// All kinds of the input that keep the contract, by their ids.
#[derive(Default)]
pub(crate) struct Kinds {
    all: Vec<Kind>,
    /// Component and family.
    series: Vec<(Arc<str>, Arc<str>)>,
    /// Component and integration, or source where no integration is named.
    feeds: Vec<(Arc<str>, Arc<str>)>,
}

/// Finds the ids of kinds, and gives new ones.
#[derive(Default)]
pub(crate) struct KindIds {
    pub(crate) kinds: Kinds,
    ids: HashMap<[Symbol; KIND_TEXTS], u32>,
    series_ids: HashMap<(Symbol, Symbol), u32>,
    feed_ids: HashMap<(Symbol, Symbol), u32>,
}

impl KindIds {
    /// The id of a kind by its texts.
    pub(crate) fn intern(
        &mut self,
        texts: [Option<&str>; KIND_TEXTS],
        level: Level,
        names: &mut Names,
    ) -> u32 {
        let key = texts.map(|text| text.map_or(NONE, |text| names.intern(text)));
        if let Some(&known) = self.ids.get(&key) {
            return known;
        }
        let name = |place: usize| {
            let name = names.get(key[place]);
            Arc::clone(name.expect("a kind that keeps the contract names everything required"))
        };
        let series = *self
            .series_ids
            .entry((key[place::COMPONENT], key[place::FAMILY]))
            .or_insert_with(|| {
                let series = &mut self.kinds.series;
                series.push((name(place::COMPONENT), name(place::FAMILY)));
                position(series.len() - 1)
            });
        let is_named = texts[place::INTEGRATION].is_some_and(|name| !name.trim().is_empty());
        let heard_from = if is_named {
            place::INTEGRATION
        } else {
            place::SOURCE
        };
        let feed = *self
            .feed_ids
            .entry((key[place::COMPONENT], key[heard_from]))
            .or_insert_with(|| {
                let feeds = &mut self.kinds.feeds;
                feeds.push((name(place::COMPONENT), name(heard_from)));
                position(feeds.len() - 1)
            });
        let all = &mut self.kinds.all;
        all.push(Kind {
            texts: key,
            level,
            series,
            feed,
            rule_ids: Arc::new([name(place::RULE_ID)]),
        });
        let id = position(all.len() - 1);
        self.ids.insert(key, id);
        id
    }
}

impl Kinds {
    pub(crate) fn get(&self, id: u32) -> &Kind {
        &self.all[id as usize]
    }

    /// The same kinds with names of their own: blocks count who shares a name, and two threads that count in
    /// one place wait for each other.
    pub(crate) fn apart(&self) -> Self {
        let own = |name: &Arc<str>| Arc::<str>::from(&**name);
        let both = |(one, other): &(Arc<str>, Arc<str>)| (own(one), own(other));
        let kind = |kind: &Kind| Kind {
            rule_ids: kind.rule_ids.iter().map(own).collect(),
            ..*kind
        };
        Self {
            all: self.all.iter().map(kind).collect(),
            series: self.series.iter().map(both).collect(),
            feeds: self.feeds.iter().map(both).collect(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Component and integration.
    pub(crate) fn feed(&self, id: u32) -> &(Arc<str>, Arc<str>) {
        &self.feeds[id as usize]
    }

    /// How many feeds there are.
    pub(crate) fn feeds(&self) -> usize {
        self.feeds.len()
    }

    /// Component and family.
    pub(crate) fn series(&self, id: u32) -> &(Arc<str>, Arc<str>) {
        &self.series[id as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_breach_of_the_contract_is_seen() {
        let sound = ["email", "phishing", "HIGH", "r1", "gateway", "eu"].map(Some);
        assert_eq!(judge(&sound), Some(Level::High));
        let with = |place: usize, text: Option<&'static str>| {
            let mut texts = sound;
            texts[place] = text;
            judge(&texts)
        };
        assert_eq!(with(place::INTEGRATION, None), Some(Level::High));
        for (place, text) in [
            (place::COMPONENT, Some("E-mail")),
            (place::FAMILY, Some("")),
            (place::LEVEL, Some("severe")),
            (place::LEVEL, None),
            (place::RULE_ID, None),
            (place::SOURCE, None),
        ] {
            assert_eq!(with(place, text), None);
        }
    }

    #[test]
    fn kinds_of_one_component_and_family_share_a_series() {
        let (mut ids, mut names) = (KindIds::default(), Names::default());
        let kind = |family, level, rule| {
            [
                Some("email"),
                Some(family),
                Some(level),
                Some(rule),
                Some("s"),
                None,
            ]
        };
        let a = ids.intern(kind("phishing", "low", "r1"), Level::Low, &mut names);
        let b = ids.intern(kind("phishing", "low", "r2"), Level::Low, &mut names);
        let c = ids.intern(kind("malware", "low", "r1"), Level::Low, &mut names);
        assert_eq!(
            ids.intern(kind("phishing", "low", "r1"), Level::Low, &mut names),
            a
        );
        assert_eq!(ids.kinds.get(a).series, ids.kinds.get(b).series);
        assert_ne!(ids.kinds.get(a).series, ids.kinds.get(c).series);
    }
}
