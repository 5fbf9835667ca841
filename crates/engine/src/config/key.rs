//! What a key of the configuration is, and how keys are found in their table.

use super::keys::{KEYS, SECTIONS};

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A list of strings.
    Texts,
    /// True or false.
    Boolean,
    /// A string, or a date as TOML writes it.
    TextOrDate,
    /// A whole number from the first to the second bound.
    Integer(i64, i64),
    /// Names with whole numbers.
    Integers,
    /// Names with strings.
    TextMap,
    /// Names, each with a table of lists of strings under the names given here.
    TextsMap(&'static [&'static str]),
}

impl Kind {
    /// The kind in words, for messages and documents.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Texts => "a list of strings",
            Self::Boolean => "true or false",
            Self::TextOrDate => "a string or a date",
            Self::Integer(..) => "a whole number",
            Self::Integers => "names with whole numbers",
            Self::TextMap => "names with strings",
            Self::TextsMap(_) => "names with tables of lists",
        }
    }
}

/// One key: what it holds, what it means, and what holds without it.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its path, e.g. `formula.lambda`; inside a list of tables without a number.
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What holds when it is absent, as it would be written; empty when nothing does.
    pub default: &'static str,
    /// What it means, with its unit.
    pub meaning: &'static str,
    /// How the starter file shows it.
    pub starter: Starter,
}

/// How the starter file shows a key.
#[derive(Clone, Copy, Debug)]
pub enum Starter {
    /// With this value.
    Set(&'static str),
    /// As a comment with this value.
    Comment(&'static str),
    /// As a comment with its default.
    Default,
    /// With this value in a second table of its section, all of which is a comment.
    Other(&'static str),
    /// As [`Starter::Other`], for what stands instead of the key before.
    Instead(&'static str),
}

/// A table of keys.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its path; empty for the top of the file.
    pub path: &'static str,
    /// Whether there may be several, written `[[path]]`.
    pub repeats: bool,
    /// What it is for.
    pub meaning: &'static str,
}

impl Key {
    /// The key of a path, numbers of lists left out.
    pub(super) fn of(path: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.path == path)
    }

    /// The path of the section that the key stands in, and the rest: `formula`, `points.low`.
    pub(super) fn split(&self) -> (&'static str, &'static str) {
        let section = SECTIONS
            .iter()
            .map(|section| section.path)
            .filter(|path| !path.is_empty() && self.path.starts_with(&format!("{path}.")))
            .max_by_key(|path| path.len());
        match section {
            Some(section) => (section, &self.path[section.len() + 1..]),
            None => ("", self.path),
        }
    }
}

/// The names that may stand directly under a path, in order; empty under a leaf.
pub(super) fn children(path: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    let paths = KEYS
        .iter()
        .map(|key| key.path)
        .chain(SECTIONS.iter().map(|section| section.path));
    for known in paths {
        let rest = if path.is_empty() {
            Some(known)
        } else {
            known
                .strip_prefix(path)
                .and_then(|rest| rest.strip_prefix('.'))
        };
        let Some(name) = rest.and_then(|rest| rest.split('.').next()) else {
            continue;
        };
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Whether tables may repeat at a path.
pub(super) fn repeats(path: &str) -> bool {
    SECTIONS
        .iter()
        .any(|section| section.path == path && section.repeats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_under_a_path_come_in_the_order_of_the_table() {
        assert_eq!(
            children(""),
            [
                "store",
                "threads",
                "buffer_mib",
                "formula",
                "rules",
                "gates",
                "credential",
                "tenant"
            ]
        );
        assert_eq!(
            children("formula.points"),
            ["low", "medium", "high", "critical"]
        );
        assert_eq!(
            children("tenant"),
            [
                "name",
                "own_networks",
                "own_domains",
                "people",
                "okta",
                "population"
            ]
        );
        assert!(children("formula.lambda").is_empty());
    }

    #[test]
    fn a_key_knows_its_section() {
        let low = Key::of("formula.points.low").unwrap();
        assert_eq!(low.split(), ("formula", "points.low"));
        assert_eq!(Key::of("store").unwrap().split(), ("", "store"));
        let source = Key::of("tenant.people.source").unwrap();
        assert_eq!(source.split(), ("tenant.people", "source"));
    }
}
