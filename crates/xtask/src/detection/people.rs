//! Where people stand at the cuts, attacked or not.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use af_model::UtcMillis;
use af_okta_sim::organization::Organization;

use super::pipeline::Lived;

/// Score levels, the lowest first.
pub(super) const LEVELS: [&str; 6] = ["none", "very_low", "low", "medium", "high", "very_high"];

/// The place of `high`.
const HIGH: usize = 4;

/// The place of `very_low`.
const VERY_LOW: usize = 1;

/// The figures about people.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// People who were attacked at least once, by the highest level of any cut.
    pub(super) attacked: [u64; 6],
    /// People who never were, by the same.
    pub(super) quiet: [u64; 6],
    /// People at or above `high` at some cut.
    pub(super) high: u64,
    /// Of those, the ones who had been attacked before the first such cut.
    pub(super) high_attacked: u64,
    /// Rules behind people who never were attacked and stood above `very_low`: name, people.
    pub(super) disturbed_by: Vec<(String, u64)>,
    /// Rules behind people at or above `high` who had not been attacked: name, people.
    pub(super) wrongly_high_by: Vec<(String, u64)>,
}

impl Standing {
    pub(super) fn quiet_people(&self) -> u64 {
        self.quiet.iter().sum()
    }

    /// People never attacked who stayed `none` or `very_low`.
    pub(super) fn left_in_peace(&self) -> u64 {
        self.quiet[..=VERY_LOW].iter().sum()
    }
}

/// Follows every person through the cuts.
pub(super) fn standing(lived: &Lived, organization: &Organization) -> Standing {
    let mut first_attack: HashMap<&str, UtcMillis> = HashMap::new();
    for story in &organization.truth().stories {
        for victim in &story.victims {
            let first = first_attack.entry(&victim.uid).or_insert(story.start);
            *first = story.start.min(*first);
        }
    }
    let mut standing = Standing::default();
    let (mut disturbed, mut wrongly_high) = (BTreeSet::new(), BTreeSet::new());
    for person in organization.humans() {
        let mut highest = None;
        let mut first_high: Option<UtcMillis> = None;
        for cut in &lived.cuts {
            let Some(level) = cut.levels.get(person) else {
                continue; // not yet there
            };
            let place = LEVELS.iter().position(|known| known == level);
            let place = place.expect("the model's levels are these");
            highest = highest.max(Some(place));
            if place >= HIGH {
                first_high.get_or_insert(cut.as_of);
            }
        }
        let Some(highest) = highest else {
            continue; // never in a directory
        };
        let attacked = first_attack.get(person);
        match attacked {
            Some(_) => standing.attacked[highest] += 1,
            None => standing.quiet[highest] += 1,
        }
        if attacked.is_none() && highest > VERY_LOW {
            disturbed.insert(person);
        }
        if let Some(cut) = first_high {
            standing.high += 1;
            if attacked.is_some_and(|first| *first <= cut) {
                standing.high_attacked += 1;
            } else {
                wrongly_high.insert(person);
            }
        }
    }
    standing.disturbed_by = rules_on(lived, &disturbed);
    standing.wrongly_high_by = rules_on(lived, &wrongly_high);
    standing
}

/// Which rules hit these people: name and number of people, the most first.
fn rules_on(lived: &Lived, people: &BTreeSet<&str>) -> Vec<(String, u64)> {
    let mut hit: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for found in &lived.found {
        if let Some(person) = found
            .person
            .as_deref()
            .filter(|person| people.contains(person))
        {
            hit.entry(&found.rule).or_default().insert(person);
        }
    }
    let mut rules: Vec<(String, u64)> = hit
        .into_iter()
        .map(|(rule, people)| (rule.to_owned(), people.len() as u64))
        .collect();
    rules.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    rules
}
