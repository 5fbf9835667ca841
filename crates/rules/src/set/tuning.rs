//! What a configuration says about an organization's own world: its networks, and whom and what
//! rules leave alone.
//!
//! Own networks are read by rules (`derived.is_own_network`); exclusions take events away from
//! attack rules. Both change what is found, so both are part of [`RuleSet::hash`], and a snapshot's
//! manifest lists them; of people it tells only how many, never who.
//!
//! [`RuleSet::hash`]: crate::RuleSet::hash

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use af_model::key::normalize_key;
use af_model::manifest::{RuleChanges, RuleExclusion};
use serde_json::json;

use crate::columns::own_network::OwnNetworks;
use crate::detect::excluded::Excluded;
use crate::problem::nearest_hint;
use crate::rule::{Class, Rule};
use crate::set::network::Network;

/// What is excluded where no rule is named.
const ALL: &str = "all";

/// Own networks and exclusions.
///
/// ```
/// use af_rules::{Exclusion, RuleSet, Tuning, shipped};
///
/// let mut rules = RuleSet::load(shipped().into_iter()).unwrap();
/// let mut tuning = Tuning::default();
/// tuning.own_networks.insert("acme".to_owned(), vec!["192.0.2.0/24".parse().unwrap()]);
/// tuning.exclusions.push(Exclusion {
///     rule: Some("okta_acount_locked".to_owned()),
///     people: vec!["kiosk@example.com".to_owned()],
///     ..Exclusion::default()
/// });
/// let problem = rules.set_tuning(tuning.clone()).unwrap_err();
/// assert!(problem.hint().starts_with("did you mean okta_account_locked"));
/// tuning.exclusions[0].rule = Some("okta_account_locked".to_owned());
/// let before = rules.hash();
/// rules.set_tuning(tuning).unwrap();
/// assert_ne!(rules.hash(), before);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// By tenant, the networks that are the organization's own.
    pub own_networks: BTreeMap<String, Vec<Network>>,
    /// What rules leave alone; several for one rule add up.
    pub exclusions: Vec<Exclusion>,
}

/// Events that a rule leaves alone: those from an address, and those about a person or done by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exclusion {
    /// The rule, by name or id; `None` = every attack rule and every base rule.
    pub rule: Option<String>,
    /// People: user ids as the source writes them, logins or e-mail addresses in any case.
    pub people: Vec<String>,
    /// Client addresses.
    pub addresses: Vec<Network>,
}

/// A tuning that does not fit the rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct TuningError {
    rule: String,
    detail: String,
    hint: String,
}

impl TuningError {
    /// The rule as it was written.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// A tuning that fits its rules, ready to be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tuned {
    own_networks: OwnNetworks,
    excluded: Arc<Excluded>,
}

impl Tuned {
    pub(crate) fn new(mut tuning: Tuning, rules: &[Rule]) -> Result<Self, TuningError> {
        for networks in tuning.own_networks.values_mut() {
            networks.sort_unstable();
            networks.dedup();
        }
        tuning
            .own_networks
            .retain(|_, networks| !networks.is_empty());
        let mut excluded = Excluded::default();
        for exclusion in tuning.exclusions {
            let rule = exclusion
                .rule
                .as_deref()
                .map(|name| fitting(name, rules))
                .transpose()?;
            excluded.add(rule.map(|rule| rule.name.as_str()), &exclusion);
        }
        Ok(Self {
            own_networks: OwnNetworks::of_tenants(tuning.own_networks),
            excluded: Arc::new(excluded),
        })
    }

    /// Nothing but own networks of whatever tenant: what a sample of a rule says.
    pub(crate) fn of_sample(networks: &[Network]) -> Self {
        Self {
            own_networks: OwnNetworks::of_anybody(networks.to_vec()),
            excluded: Arc::default(),
        }
    }

    /// The networks for a batch of events.
    pub(crate) fn own_networks(&self) -> OwnNetworks {
        self.own_networks.clone()
    }

    /// What rules leave alone.
    pub(crate) fn excluded(&self) -> &Excluded {
        &self.excluded
    }

    /// Forgets what rules leave alone that are no longer there.
    pub(crate) fn keep_rules(&mut self, rules: &[Rule]) {
        if !self.excluded.is_empty() {
            let names: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
            Arc::make_mut(&mut self.excluded).keep(&names);
        }
    }

    /// Everything that changes results, in one text that does not depend on how it was written;
    /// none when nothing is tuned.
    pub(crate) fn canonical_text(&self) -> Option<String> {
        if self.own_networks.by_tenant().len() == 0 && self.excluded.is_empty() {
            return None;
        }
        let networks: BTreeMap<&str, Vec<String>> = self
            .own_networks
            .by_tenant()
            .map(|(tenant, networks)| (tenant, texts(networks)))
            .collect();
        let excluded: Vec<_> = self
            .excluded
            .parts()
            .map(|(rule, part)| {
                let addresses: Vec<String> =
                    part.addresses.iter().map(Network::to_string).collect();
                json!([rule, part.people, addresses])
            })
            .collect();
        Some(json!({"own_networks": networks, "excluded": excluded}).to_string())
    }

    /// Notes in the list of changes what a snapshot may tell.
    pub(crate) fn note(&self, changes: &mut RuleChanges) {
        changes.own_networks = self
            .own_networks
            .by_tenant()
            .map(|(tenant, networks)| (tenant.to_owned(), texts(networks)))
            .collect();
        changes.excluded = self
            .excluded
            .parts()
            .map(|(rule, part)| {
                let exclusion = RuleExclusion {
                    people: part.people.len() as u64,
                    addresses: part.addresses.iter().map(Network::to_string).collect(),
                };
                (rule.unwrap_or(ALL).to_owned(), exclusion)
            })
            .collect();
    }
}

fn texts(networks: &[Network]) -> Vec<String> {
    networks.iter().map(Network::to_string).collect()
}

fn fitting<'r>(name: &str, rules: &'r [Rule]) -> Result<&'r Rule, TuningError> {
    let problem = |detail: &str, hint: String| TuningError {
        rule: name.to_owned(),
        detail: detail.to_owned(),
        hint,
    };
    let Some(rule) = rules
        .iter()
        .find(|rule| rule.name == name || rule.id == name)
    else {
        let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        let hint = nearest_hint(name, &names)
            .unwrap_or_else(|| "attack-factor rules list names them all".to_owned());
        return Err(problem("there is no such rule", hint));
    };
    if matches!(rule.class, Class::Context | Class::Behavior) {
        let hint = format!(
            "{} is of class {}; what finds an attack can leave somebody alone",
            rule.name, rule.class
        );
        return Err(problem("the rule finds no attacks", hint));
    }
    Ok(rule)
}

/// The people and addresses that one rule, or all, leave alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// As written but trimmed: user ids compare byte for byte.
    pub(crate) people: BTreeSet<String>,
    /// The same as keys.
    pub(crate) keys: BTreeSet<String>,
    pub(crate) addresses: BTreeSet<Network>,
}

impl Part {
    pub(crate) fn add(&mut self, exclusion: &Exclusion) {
        for person in &exclusion.people {
            let person = person.trim();
            if !person.is_empty() {
                self.people.insert(person.to_owned());
                self.keys.insert(normalize_key(person).into_owned());
            }
        }
        self.addresses.extend(&exclusion.addresses);
    }
}
