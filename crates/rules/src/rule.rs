//! What a loaded rule is.

use af_model::Level;

use crate::columns::field::FieldEntry;
use crate::correlation::Correlation;
use crate::read::compile::Compiled;
use crate::read::sample::Sample;

/// The families of the component `identity` (architecture, "Words"). Another component may name
/// its own.
pub const FAMILIES: [&str; 11] = [
    "credential_attack",
    "credential_leak",
    "mfa_attack",
    "session_hijack",
    "phishing_aitm",
    "threat_infrastructure",
    "app_access",
    "user_reported",
    "asserted",
    "partner",
    "other",
];

/// A file of rules as somebody read it; this crate reads no files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleFile {
    /// Where it came from; its file stem is the name of its only rule, or of its correlation.
    pub path: String,
    /// The YAML.
    pub text: String,
    /// The text of `<stem>.samples.jsonl` beside it.
    pub samples: Option<String>,
}

macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $variant_doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $variant_doc])+ $variant,)+ }

        impl $name {
            /// The words that rule files use.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word that rule files use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub(crate) fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// What a matching event is taken for. A matching context rule silences the others on that
    /// event; then attack goes before behavior.
    Class {
        /// Somebody was attacked; gives a signal.
        Attack = "attack",
        /// Somebody did something; never an input of the attack factor.
        Behavior = "behavior",
        /// A consequence, a duplicate, a plain failure: counted, not scored.
        Context = "context",
        /// Says nothing about an event; what it matches feeds correlations.
        Base = "base",
    }
}

words! {
    /// Whom a signal names.
    Subject {
        /// The person the event is about, as the normalizer attributed it.
        Victim = "victim",
        /// The person who acted, whose account or session may be in an attacker's hands.
        Operator = "operator",
        /// Correlations only: every person that an event of the window is about.
        AllInGroup = "all_in_group",
    }
}

words! {
    /// What may name the incident of a signal.
    IncidentKey {
        /// The id shared by all events of one risk incident: `trace_uid`.
        Trace = "trace",
        /// The root session, else the session, else the session of the event's transaction.
        Session = "session",
        /// The source's transaction id.
        Transaction = "transaction",
        /// The event itself.
        Event = "event",
        /// Correlations only: the rule, the group and the UTC day.
        Group = "group",
    }
}

/// What a rule looks at.
#[derive(Debug)]
pub(crate) enum Logic {
    /// One event.
    Selection(Compiled),
    /// A window of events that other rules match.
    Correlation(Box<Correlation>),
}

/// A checked and compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// Sigma's id, a UUID: stands in `rule_id` of every signal.
    pub id: String,
    /// What people call it: the stem of the rule's file. Base rules that stand in the file of their
    /// correlation have the name they give themselves.
    pub name: String,
    /// Where the rule was read.
    pub path: String,
    /// One line about it.
    pub title: String,
    /// `attack_factor.version`, else Sigma's `modified`, else `date`.
    pub version: Option<String>,
    /// Sigma's maturity word: stable, test, experimental, ….
    pub status: Option<String>,
    /// What a matching event is taken for.
    pub class: Class,
    /// The part of the attack factor; empty for rules that are not of class attack.
    pub component: String,
    /// The kind of attack; empty for rules that are not of class attack.
    pub family: String,
    /// Whom the signal names.
    pub subject: Subject,
    /// The signal's level, unless `level_from` has one for the event. Meaningless for other classes.
    pub level: Level,
    /// The field that carries the event's own level.
    pub level_from: Option<&'static str>,
    /// Why this level.
    pub level_reason: Option<String>,
    /// What names the incident: the first that is set.
    pub incident: Vec<IncidentKey>,
    /// Among rules of equal level on one event the lowest wins.
    pub precedence: u32,
    /// ATT&CK technique ids such as `T1110.003`, sorted.
    pub techniques: Vec<String>,
    /// What a match means.
    pub description: Option<String>,
    /// What matches without being an attack.
    pub false_positives: Vec<String>,
    /// What the rule cannot see.
    pub misses: Vec<String>,
    /// Where it can be read up.
    pub references: Vec<String>,
    /// Event types the rule names as plain values, in file order.
    pub event_types: Vec<String>,
    /// Events that must fire the rule, and events that must not.
    pub samples: Vec<Sample>,
    /// Detection names (lower case) by which the rule selects; rules that share one share a family.
    pub(crate) detection_names: Vec<String>,
    pub(crate) level_field: Option<&'static FieldEntry>,
    pub(crate) logic: Logic,
    /// The detection in canonical text, for the hash of the set.
    pub(crate) canonical: String,
    pub(crate) text: String,
    pub(crate) has_samples_file: bool,
    /// Whether the rule stands before a correlation in that one's file, whose samples try it, too.
    pub(crate) is_part: bool,
}

impl Rule {
    /// What the rule looks for in one event; none for correlations.
    pub(crate) fn selection(&self) -> Option<&Compiled> {
        match &self.logic {
            Logic::Selection(compiled) => Some(compiled),
            Logic::Correlation(_) => None,
        }
    }

    /// The window that the rule looks at; none for rules about one event.
    pub(crate) fn correlation(&self) -> Option<&Correlation> {
        match &self.logic {
            Logic::Selection(_) => None,
            Logic::Correlation(correlation) => Some(correlation),
        }
    }

    /// The window in words, e.g. `5 events in 10m by derived.subject`; none for rules about one event.
    pub fn window(&self) -> Option<String> {
        self.correlation().map(ToString::to_string)
    }

    /// The names or ids of the rules that a correlation looks at, as written; empty for rules about
    /// one event.
    pub fn refers_to(&self) -> &[String] {
        self.correlation().map_or(&[], Correlation::references)
    }

    /// The rule as it stands in its file.
    pub fn text(&self) -> &str {
        &self.text
    }
}
