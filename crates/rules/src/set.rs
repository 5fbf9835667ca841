//! A set of rules: loading, looking up, adjusting, hashing.

use std::collections::BTreeMap;

use af_model::accounting::ClassAccount;
use af_model::manifest::RuleChanges;
use af_model::{HexHash, Level};
use arrow::array::RecordBatch;
use serde_json::Value;

use crate::classify::{Classified, classify};
use crate::error::Error;
use crate::load::{load_file, order_free};
use crate::problem::{Problem, Severity};
use crate::rule::{Class, Rule, RuleFile};

/// Rises when the meaning of a rule changes without a change of its text.
const SEMANTICS: &str = "af-rules 1";

/// Rules that were read, checked and compiled, by name.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    changes: RuleChanges,
}

impl RuleSet {
    /// Reads and compiles rules. One file is one rule; its name is the file's stem. Names and ids
    /// are unique in a set, so a user's own rules stand beside the shipped ones and never in their
    /// place.
    ///
    /// # Errors
    /// Everything that makes a rule unusable, for all files at once, sorted by path and line. What
    /// is merely missing or doubtful is the business of [`RuleSet::check`].
    pub fn load(files: impl Iterator<Item = RuleFile>) -> Result<Self, Vec<Problem>> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut problems: Vec<Problem> = Vec::new();
        for file in files {
            match load_file(&file) {
                Ok(rule) => rules.push(rule),
                Err(found) => problems.extend(found),
            }
        }
        rules.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
        problems.extend(duplicates(&rules));
        if problems.is_empty() {
            Ok(Self {
                rules,
                changes: RuleChanges::default(),
            })
        } else {
            problems.sort();
            Err(problems)
        }
    }

    /// The rules by name.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of that name or id.
    pub fn get(&self, name_or_id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.is_called(name_or_id))
    }

    /// What was changed about the rules since they were loaded, by name.
    pub fn changes(&self) -> &RuleChanges {
        &self.changes
    }

    /// Takes a rule out of the set, by name or id; false when there is none.
    pub fn disable(&mut self, name_or_id: &str) -> bool {
        let Some(place) = self
            .rules
            .iter()
            .position(|rule| rule.is_called(name_or_id))
        else {
            return false;
        };
        let rule = self.rules.remove(place);
        // A level no longer matters.
        self.changes.levels.remove(&rule.name);
        self.changes.disabled.push(rule.name);
        self.changes.disabled.sort_unstable();
        true
    }

    /// Gives a rule a level of the user's choice, by name or id; the event's own level is no longer
    /// asked. False when there is no such rule.
    pub fn set_level(&mut self, name_or_id: &str, level: Level) -> bool {
        let mut found = false;
        for rule in &mut self.rules {
            if rule.is_called(name_or_id) {
                (rule.level, rule.level_field, rule.level_from) = (level, None, None);
                self.changes.levels.insert(rule.name.clone(), level);
                found = true;
            }
        }
        found
    }

    /// A hash of everything that affects results: ids, versions, classes, levels, selections, …,
    /// not titles, prose, samples, order of files or order of keys.
    pub fn hash(&self) -> HexHash {
        let mut parts: Vec<String> = self.rules.iter().map(Rule::canonical_text).collect();
        parts.sort_unstable();
        HexHash::of_parts(
            [SEMANTICS]
                .into_iter()
                .chain(parts.iter().map(String::as_str)),
        )
    }

    /// Gives every event one class and every attack one signal per person and component.
    ///
    /// `events` is `identity_events` in any schema its contract can read, best with dictionaries;
    /// `known_type` says whether the source's catalogue has an event type. A batch should hold whole
    /// days of a tenant: an event without a session takes the session of its transaction from
    /// another event of the same batch.
    ///
    /// The rules run in parallel on rayon's current pool; the result depends neither on the number
    /// of threads nor on the order of the rules.
    ///
    /// # Errors
    /// [`crate::ErrorKind::BrokenTable`] when the batch breaks the contract of `identity_events`.
    pub fn classify(
        &self,
        events: &RecordBatch,
        known_type: &dyn Fn(&str) -> bool,
    ) -> Result<Classified, Error> {
        let found = classify(&self.rules, events, known_type)?;
        debug_assert!(found.accounts.values().all(ClassAccount::closes));
        Ok(found)
    }
}

impl Rule {
    fn is_called(&self, name_or_id: &str) -> bool {
        self.name == name_or_id || self.id == name_or_id
    }

    fn canonical_text(&self) -> String {
        let mut fields = BTreeMap::from([
            ("id", self.id.clone()),
            ("version", self.version.clone().unwrap_or_default()),
            ("class", self.class.to_string()),
            ("detection", self.canonical.clone()),
        ]);
        if self.class == Class::Attack {
            let incident: Vec<&str> = self.incident.iter().map(|key| key.as_str()).collect();
            fields.extend([
                ("component", self.component.clone()),
                ("family", self.family.clone()),
                ("subject", self.subject.to_string()),
                ("level", self.level.to_string()),
                ("level_from", self.level_from.unwrap_or_default().to_owned()),
                ("incident", incident.join(" ")),
                ("precedence", self.precedence.to_string()),
                ("techniques", self.techniques.join(" ")),
            ]);
        }
        let fields: Value = fields
            .into_iter()
            .map(|(key, text)| (key, Value::from(text)))
            .collect();
        order_free(&fields)
    }
}

fn duplicates(rules: &[Rule]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: BTreeMap<&str, &Rule> = BTreeMap::new();
    for rule in rules {
        for key in [rule.name.as_str(), rule.id.as_str()] {
            if let Some(other) = seen.insert(key, rule) {
                problems.push(Problem {
                    path: rule.path.clone(),
                    line: None,
                    severity: Severity::Error,
                    message: format!("{key} is already the name or id of {}", other.path),
                    hint: None,
                });
            }
        }
    }
    problems
}
