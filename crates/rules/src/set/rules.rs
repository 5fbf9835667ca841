//! A set of rules: loading, looking up, adjusting, hashing.

use std::collections::BTreeMap;

use af_model::manifest::RuleChanges;
use af_model::{HexHash, Level};
use arrow::array::RecordBatch;
use serde_json::Value;

use crate::correlation::{Correlation, Plan, link};
use crate::detect::classify::Classified;
use crate::detect::walk::Walk;
use crate::error::Error;
use crate::problem::{Problem, Severity};
use crate::read::load::{load_file, order_free};
use crate::rule::{Class, Rule, RuleFile};
use crate::set::reads::Reads;
use crate::set::tuning::{Tuned, Tuning, TuningError};

/// Rises when the meaning of a rule changes without a change of its text.
const SEMANTICS: &str = "af-rules 2";

/// Rules that were read, checked and compiled, by name.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    changes: RuleChanges,
    tuned: Tuned,
}

impl RuleSet {
    /// Reads and compiles rules. One file is one rule, or one correlation with the base rules that only
    /// it looks at; its name is the file's stem. Names and ids are unique in a set, so a user's own rules stand beside the shipped ones and never in their
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
                Ok(found) => rules.extend(found),
                Err(found) => problems.extend(found),
            }
        }
        rules.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
        problems.extend(duplicates(&rules));
        if problems.is_empty() {
            problems.extend(link(&mut rules));
        }
        if problems.is_empty() {
            Ok(Self {
                rules,
                changes: RuleChanges::default(),
                tuned: Tuned::default(),
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

    /// Takes a rule out of the set, by name or id; false when there is none. A rule that a correlation
    /// refers to no longer speaks for itself, and feeds the correlation all the same.
    pub fn disable(&mut self, name_or_id: &str) -> bool {
        let Some(place) = self
            .rules
            .iter()
            .position(|rule| rule.is_called(name_or_id))
        else {
            return false;
        };
        let name = self.rules[place].name.clone();
        if self.rules[place].class != Class::Base {
            self.rules[place].class = Class::Base;
            // A level no longer matters.
            self.changes.levels.remove(&name);
            self.changes.disabled.push(name);
        }
        self.drop_unused();
        self.changes.disabled.sort_unstable();
        self.tuned.keep_rules(&self.rules);
        self.tuned.note(&mut self.changes);
        true
    }

    /// Drops disabled rules that nothing refers to, and then those that only they referred to.
    fn drop_unused(&mut self) {
        loop {
            let plan = Plan::of(&self.rules);
            let disabled = &self.changes.disabled;
            let mut place = 0;
            let before = self.rules.len();
            self.rules.retain(|rule| {
                let is_used = plan.is_referred_to[place];
                place += 1;
                is_used || !disabled.contains(&rule.name)
            });
            if self.rules.len() == before {
                return;
            }
        }
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

    /// Tells the rules the organizations' own networks and what to leave alone, in the place of
    /// what was told before.
    ///
    /// # Errors
    /// An exclusion names a rule that is not there, or one that finds no attacks; nothing is changed
    /// then.
    pub fn set_tuning(&mut self, tuning: Tuning) -> Result<(), TuningError> {
        self.tuned = Tuned::new(tuning, &self.rules)?;
        self.tuned.note(&mut self.changes);
        Ok(())
    }

    /// A hash of everything that affects results: ids, versions, classes, levels, selections, …,
    /// own networks and exclusions; not titles, prose, samples, order of files or order of keys.
    pub fn hash(&self) -> HexHash {
        let mut parts: Vec<String> = self.rules.iter().map(Rule::canonical_text).collect();
        parts.sort_unstable();
        parts.extend(self.tuned.canonical_text());
        HexHash::of_parts(
            [SEMANTICS]
                .into_iter()
                .chain(parts.iter().map(String::as_str)),
        )
    }

    /// Gives every event one class and every attack one signal per person and component.
    ///
    /// What correlations find among the events is among the signals; to look back on the days before,
    /// [`RuleSet::walk`] over them.
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
        self.walk().classify(events, known_type)
    }

    /// For every event of a batch, whether the window of a correlation may look at it, whatever the event
    /// is taken for by itself. Context and behavior that no window looks at change no signal.
    ///
    /// # Errors
    /// [`crate::ErrorKind::BrokenTable`] when the batch breaks the contract of `identity_events`.
    pub fn looked_at(&self, events: &RecordBatch) -> Result<Vec<bool>, Error> {
        self.walk().looked_at(events)
    }

    /// What the rules read of events: a batch of these columns is enough for them.
    pub fn reads(&self) -> Reads {
        Reads::of(&self.rules)
    }

    /// How many days before a day its findings can depend on; 0 without correlations.
    pub fn look_back_days(&self) -> u32 {
        Plan::of(&self.rules).look_back_days()
    }

    /// Goes over days in ascending order, so that correlations look back on those before.
    pub fn walk(&self) -> Walk<'_> {
        Walk::new(&self.rules, self.tuned.clone())
    }
}

impl Rule {
    fn is_called(&self, name_or_id: &str) -> bool {
        self.name == name_or_id || self.id == name_or_id
    }

    /// Everything about the rule that affects results, in any order of keys.
    pub(crate) fn canonical_text(&self) -> String {
        let mut fields = BTreeMap::from([
            ("id", self.id.clone()),
            ("version", self.version.clone().unwrap_or_default()),
            ("class", self.class.to_string()),
            (
                "detection",
                self.correlation()
                    .map_or_else(|| self.canonical.clone(), Correlation::canonical),
            ),
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
