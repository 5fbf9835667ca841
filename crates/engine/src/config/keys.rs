//! Everything that may stand in a configuration, in the order in which it is shown.

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A list of strings.
    Texts,
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

/// The tables of the file, in the order in which they are shown.
pub const SECTIONS: &[Section] = &[
    section("", "Paths are relative to the folder of this file."),
    section(
        "formula",
        "Parameters of the formula af-1; part of every snapshot's config_hash.",
    ),
    section("rules", "Your own rules, and what you change about ours."),
    section(
        "gates",
        "Limits that `run --strict` puts on every tenant; a tenant beyond one is left out.",
    ),
    several(
        "tenant",
        "One organization: its people are compared with each other.",
    ),
    several(
        "tenant.people",
        "Where its people come from; an import replaces the people of the same source.",
    ),
    several(
        "tenant.okta",
        "Where its Okta System Log is dropped: NDJSON, arrays, pages; plain, gzip or zstd.",
    ),
    section(
        "tenant.population",
        "Who is compared with whom beyond what the directory says.",
    ),
];

const fn section(path: &'static str, meaning: &'static str) -> Section {
    Section {
        path,
        repeats: false,
        meaning,
    }
}

const fn several(path: &'static str, meaning: &'static str) -> Section {
    Section {
        path,
        repeats: true,
        meaning,
    }
}

/// What a rule may leave alone.
pub(super) const EXCLUDE: &[&str] = &["people", "addresses"];

const WHOLE: Kind = Kind::Integer(i64::MIN, i64::MAX);
const PERMILLE: Kind = Kind::Integer(0, 1000);

/// All keys.
pub const KEYS: &[Key] = &[
    key(
        "store",
        Kind::Text,
        "",
        "Folder of the store; --store and ATTACK_FACTOR_STORE win over it.",
        Starter::Set("\"risk\""),
    ),
    defaulted(
        "threads",
        Kind::Integer(0, 65_535),
        "0",
        "Worker threads; 0 = all cores. Results do not depend on it.",
    ),
    defaulted(
        "buffer_mib",
        Kind::Integer(1, 1 << 20),
        "512",
        "Memory for events that wait to be written, in MiB; beyond it sorted runs go to disk.",
    ),
    defaulted("formula.points.low", WHOLE, "1", "Points of a low signal."),
    defaulted(
        "formula.points.medium",
        WHOLE,
        "3",
        "Points of a medium signal; each step at least 2.613 times the one below.",
    ),
    defaulted(
        "formula.points.high",
        WHOLE,
        "9",
        "Points of a high signal.",
    ),
    defaulted(
        "formula.points.critical",
        WHOLE,
        "27",
        "Points of a critical signal.",
    ),
    defaulted(
        "formula.lambda",
        WHOLE,
        "9",
        "Points of absolute scale: one fresh high signal.",
    ),
    defaulted(
        "formula.q",
        WHOLE,
        "3",
        "How many times the colleagues' average the relative scale asks for.",
    ),
    defaulted(
        "formula.kappa",
        WHOLE,
        "5",
        "Pseudo-colleagues without load; small organizations lean on the absolute scale.",
    ),
    defaulted(
        "formula.cap",
        WHOLE,
        "10",
        "A colleague counts up to so many times lambda, or the mean of the others.",
    ),
    key(
        "formula.weights",
        Kind::Integers,
        "{}",
        "Weight of a component in per mille; one not named weighs 1000.",
        Starter::Comment("{ email = 1000 }"),
    ),
    key(
        "rules.folders",
        Kind::Texts,
        "[]",
        "Folders of your own Sigma rules (*.yml), loaded beside the shipped ones.",
        Starter::Comment("[\"my-rules\"]"),
    ),
    key(
        "rules.disable",
        Kind::Texts,
        "[]",
        "Rules that are not used, by name or id.",
        Starter::Comment("[\"okta_context_plain_failure\"]"),
    ),
    key(
        "rules.levels",
        Kind::TextMap,
        "{}",
        "Another level for a rule, by name or id: low, medium, high or critical.",
        Starter::Comment("{ okta_high_risk_sign_in = \"medium\" }"),
    ),
    key(
        "rules.exclude",
        Kind::TextsMap(EXCLUDE),
        "{}",
        "Whom and which client addresses a rule leaves alone, by its name or id, or all for every attack rule.",
        Starter::Comment(
            "{ okta_push_refused = { people = [\"kiosk@acme.example\"], addresses = [\"192.0.2.10\"] } }",
        ),
    ),
    defaulted(
        "gates.quarantined_permille",
        PERMILLE,
        "10",
        "Refused events in the files read since the last snapshot, per mille.",
    ),
    defaulted(
        "gates.unmatched_permille",
        PERMILLE,
        "800",
        "Signals within the window that belong to nobody in the directory, per mille: sprays try many \
         invented names, a broken directory matches nobody.",
    ),
    defaulted(
        "gates.feed_age_hours",
        Kind::Integer(1, 1_000_000),
        "48",
        "Hours since the last event of a feed, measured against --known-at, else against now.",
    ),
    key(
        "gates.left_out_tenants",
        Kind::Integer(0, 1_000_000),
        "",
        "Tenants that may be left out before nothing is published at all; no limit when absent.",
        Starter::Comment("0"),
    ),
    key(
        "tenant.name",
        Kind::Text,
        "",
        "Its name in every table: [a-z0-9][a-z0-9._-]{0,62}.",
        Starter::Set("\"acme\""),
    ),
    key(
        "tenant.own_networks",
        Kind::Texts,
        "[]",
        "Its own networks, for rules that ask derived.is_own_network: offices, VPN exits, data centres.",
        Starter::Comment("[\"192.0.2.0/24\", \"2001:db8::/32\"]"),
    ),
    key(
        "tenant.people.source",
        Kind::Text,
        "\"directory\"",
        "Name of the source.",
        Starter::Set("\"hr\""),
    ),
    key(
        "tenant.people.files",
        Kind::Texts,
        "",
        "Files or patterns (*, ?, [a-z], **); CSV, NDJSON, JSON, Parquet or Okta users.",
        Starter::Set("[\"people.csv\"]"),
    ),
    key(
        "tenant.people.map",
        Kind::TextMap,
        "{}",
        "Our column = theirs, where the names leave a doubt.",
        Starter::Comment("{ email = \"work_mail\" }"),
    ),
    key(
        "tenant.okta.name",
        Kind::Text,
        "",
        "Name of the Okta org; needed when a tenant has several.",
        Starter::Set("\"prod\""),
    ),
    key(
        "tenant.okta.files",
        Kind::Texts,
        "",
        "Files or patterns; a file is read again when it changed.",
        Starter::Set("[\"drop/*.ndjson.gz\"]"),
    ),
    key(
        "tenant.population.service",
        Kind::Texts,
        "[]",
        "Patterns of logins or e-mails that make an account a service account.",
        Starter::Comment("[\"svc-*@acme.example\"]"),
    ),
];

const fn key(
    path: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
    starter: Starter,
) -> Key {
    Key {
        path,
        kind,
        default,
        meaning,
        starter,
    }
}

const fn defaulted(
    path: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
) -> Key {
    key(path, kind, default, meaning, Starter::Default)
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
                "tenant"
            ]
        );
        assert_eq!(
            children("formula.points"),
            ["low", "medium", "high", "critical"]
        );
        assert_eq!(
            children("tenant"),
            ["name", "own_networks", "people", "okta", "population"]
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
