//! Everything about a signal that repeats in many signals: tenant, kind, level, rule, source.

use af_model::Level;
use af_model::accounting::SignalAccount;
use af_model::name::{check_tenant, check_term};
use hashbrown::HashMap;

use crate::columns::CLASS_TEXTS;
use crate::counter::INVALID_TENANT;
use crate::interner::{Names, Symbol};

/// The symbols of the class columns and, last, of the list of techniques.
pub(crate) type ClassKey = [Symbol; CLASS_TEXTS + 1];

/// Places in a [`ClassKey`].
pub(crate) mod place {
    pub(crate) const TENANT: usize = 0;
    pub(crate) const COMPONENT: usize = 1;
    pub(crate) const FAMILY: usize = 2;
    pub(crate) const LEVEL: usize = 3;
    pub(crate) const RULE_ID: usize = 4;
    pub(crate) const SOURCE: usize = 6;
    pub(crate) const INTEGRATION: usize = 7;
}

/// What the contract says about a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The level, if the whole class keeps the contract.
    pub(crate) level: Option<Level>,
    /// Whether the tenant may be named.
    pub(crate) tenant_is_valid: bool,
}

/// Checks tenant, component, family and level; a missing text breaks the contract.
pub(crate) fn judge<'t>(key: &ClassKey, text: impl Fn(Symbol) -> Option<&'t str>) -> Verdict {
    let at = |place: usize| text(key[place]);
    let tenant_is_valid = at(place::TENANT).is_some_and(|name| check_tenant(name).is_ok());
    let is_term = |place: usize, kind| at(place).is_some_and(|name| check_term(name, kind).is_ok());
    let complete = tenant_is_valid
        && is_term(place::COMPONENT, "component")
        && is_term(place::FAMILY, "family")
        && at(place::RULE_ID).is_some()
        && at(place::SOURCE).is_some();
    Verdict {
        level: at(place::LEVEL)
            .filter(|_| complete)
            .and_then(|level| level.parse().ok()),
        tenant_is_valid,
    }
}

/// One class of the whole input and where its signals went.
pub(crate) struct Class {
    pub(crate) key: ClassKey,
    pub(crate) verdict: Verdict,
    pub(crate) account: SignalAccount,
    /// Duplicates whose content differs from the row that was kept.
    pub(crate) conflicts: u64,
    /// First and last time in milliseconds over signals up to the cut that were neither duplicates
    /// nor quarantined.
    pub(crate) heard: Option<(i64, i64)>,
}

impl Class {
    /// The level; only classes that keep the contract have rows.
    pub(crate) fn level(&self) -> Level {
        self.verdict
            .level
            .expect("rows of a class without a level are quarantined")
    }

    /// The tenant under whose name the class is counted.
    pub(crate) fn tenant<'n>(&self, names: &'n Names) -> &'n str {
        names
            .get(self.key[place::TENANT])
            .filter(|_| self.verdict.tenant_is_valid)
            .map_or(INVALID_TENANT, |name| name)
    }

    /// Widens the heard span.
    pub(crate) fn hear(&mut self, span: (i64, i64)) {
        self.heard = Some(match self.heard {
            None => span,
            Some((first, last)) => (first.min(span.0), last.max(span.1)),
        });
    }
}

/// All classes of the input.
#[derive(Default)]
pub(crate) struct Classes {
    ids: HashMap<ClassKey, u32>,
    all: Vec<Class>,
}

impl Classes {
    /// The id of a class by its key of input-wide symbols.
    pub(crate) fn intern(&mut self, key: ClassKey, names: &Names) -> u32 {
        let Self { ids, all } = self;
        *ids.entry(key).or_insert_with(|| {
            all.push(Class {
                key,
                verdict: judge(&key, |symbol| names.get(symbol).map(|name| &**name)),
                account: SignalAccount::default(),
                conflicts: 0,
                heard: None,
            });
            u32::try_from(all.len() - 1).expect("fewer than 2^32 classes fit into memory")
        })
    }

    pub(crate) fn get(&self, id: u32) -> &Class {
        &self.all[id as usize]
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> &mut Class {
        &mut self.all[id as usize]
    }

    pub(crate) fn all(&self) -> &[Class] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interner::NONE;

    fn verdict(texts: [Option<&str>; CLASS_TEXTS]) -> Verdict {
        let key: ClassKey = std::array::from_fn(|place| match texts.get(place) {
            Some(Some(_)) => Symbol::try_from(place).unwrap(),
            _ => NONE,
        });
        judge(&key, |symbol| texts.get(symbol as usize).copied().flatten())
    }

    #[test]
    fn every_breach_of_the_contract_is_seen() {
        let sound = [
            "acme", "email", "phishing", "HIGH", "r1", "1", "gateway", "eu",
        ]
        .map(Some);
        let high = Verdict {
            level: Some(Level::High),
            tenant_is_valid: true,
        };
        assert_eq!(verdict(sound), high);
        let with = |place: usize, text: Option<&'static str>| {
            let mut texts = sound;
            texts[place] = text;
            verdict(texts)
        };
        assert_eq!(with(place::INTEGRATION, None), high);
        assert_eq!(with(5, None), high);
        for (place, text) in [
            (place::COMPONENT, Some("E-mail")),
            (place::FAMILY, Some("")),
            (place::LEVEL, Some("severe")),
            (place::LEVEL, None),
            (place::RULE_ID, None),
            (place::SOURCE, None),
        ] {
            let verdict = with(place, text);
            assert_eq!((verdict.level, verdict.tenant_is_valid), (None, true));
        }
        let verdict = with(place::TENANT, Some("../etc"));
        assert_eq!((verdict.level, verdict.tenant_is_valid), (None, false));
    }
}
