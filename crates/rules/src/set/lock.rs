//! The lock file: one line for every rule, so that a change of a rule shows where nobody looks for
//! one.

use std::collections::BTreeMap;
use std::fmt;

use af_model::HexHash;

use crate::set::rules::RuleSet;

/// What stands above the lines.
const HEADER: &str = "# One line for every rule: name, id, version, hash of what affects results. Written by\n\
                      # `attack-factor rules lock`; `rules lock --check` says what changed since.\n";

/// The rules of a set as their lock file says.
///
/// ```
/// use af_rules::{LockChange, RuleLock, RuleSet, shipped};
///
/// let mut rules = RuleSet::load(shipped().into_iter()).unwrap();
/// let before = RuleLock::of(&rules);
/// assert_eq!(RuleLock::parse(&before.to_string()), Ok(before.clone()));
/// rules.disable("okta_account_locked");
/// let changes = before.changes_to(&RuleLock::of(&rules));
/// assert_eq!(changes.len(), 1);
/// assert!(matches!(&changes[0], LockChange::Removed { name, .. } if name == "okta_account_locked"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleLock {
    entries: BTreeMap<String, LockEntry>,
}

/// One rule of a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockEntry {
    /// The rule's id.
    pub id: String,
    /// Its version; `-` without one.
    pub version: String,
    /// Hash of everything about it that affects results.
    pub hash: String,
}

/// What differs between two lock files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockChange {
    /// The rule is new.
    Added {
        /// Its name.
        name: String,
        /// What it is now.
        now: LockEntry,
    },
    /// The rule is gone.
    Removed {
        /// Its name.
        name: String,
        /// What it was.
        was: LockEntry,
    },
    /// Something about the rule is not as it was.
    Changed {
        /// Its name.
        name: String,
        /// What it was.
        was: LockEntry,
        /// What it is now.
        now: LockEntry,
    },
}

/// A line that is none of a lock file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the lock file is not `name id version hash`, or names a rule again")]
pub struct LockError {
    /// Counted from 1.
    pub line: usize,
}

impl RuleLock {
    /// The lock of a set.
    pub fn of(rules: &RuleSet) -> Self {
        let entries = rules.rules().iter().map(|rule| {
            let entry = LockEntry {
                id: rule.id.clone(),
                version: rule.version.as_deref().map_or("-".to_owned(), one_word),
                hash: HexHash::of_parts([rule.canonical_text().as_str()]).to_string(),
            };
            (one_word(&rule.name), entry)
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// Reads a lock file; empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// A line that is no entry, or a second one of the same rule.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let mut entries = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let broken = LockError { line: at + 1 };
            let words: Vec<&str> = line.split_whitespace().collect();
            let &[name, id, version, hash] = words.as_slice() else {
                return Err(broken);
            };
            let entry = LockEntry {
                id: id.to_owned(),
                version: version.to_owned(),
                hash: hash.to_owned(),
            };
            if entries.insert(name.to_owned(), entry).is_some() {
                return Err(broken);
            }
        }
        Ok(Self { entries })
    }

    /// The rules by name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &LockEntry)> {
        self.entries
            .iter()
            .map(|(name, entry)| (name.as_str(), entry))
    }

    /// What is different in `now`, by name.
    pub fn changes_to(&self, now: &Self) -> Vec<LockChange> {
        let mut changes = BTreeMap::new();
        for (name, was) in &self.entries {
            let (name, was) = (name.clone(), was.clone());
            let change = match now.entries.get(&name) {
                Some(now) if *now == was => continue,
                Some(now) => LockChange::Changed {
                    name: name.clone(),
                    was,
                    now: now.clone(),
                },
                None => LockChange::Removed {
                    name: name.clone(),
                    was,
                },
            };
            changes.insert(name, change);
        }
        for (name, now) in &now.entries {
            if !self.entries.contains_key(name) {
                let (name, now) = (name.clone(), now.clone());
                changes.insert(name.clone(), LockChange::Added { name, now });
            }
        }
        changes.into_values().collect()
    }
}

/// Names of files and versions may hold anything; a line is four words.
fn one_word(text: &str) -> String {
    let word: String = text
        .chars()
        .map(|c| {
            if c.is_whitespace() || c.is_control() {
                '_'
            } else {
                c
            }
        })
        .collect();
    if word.is_empty() {
        "-".to_owned()
    } else {
        word
    }
}

impl fmt::Display for RuleLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for (name, entry) in &self.entries {
            writeln!(f, "{name} {} {} {}", entry.id, entry.version, entry.hash)?;
        }
        Ok(())
    }
}
