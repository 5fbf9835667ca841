//! `docs/rules.md`, written from the shipped rules.

use std::fmt::Write as _;

use af_rules::{Class, FAMILIES, Rule, RuleSet, shipped};
use anyhow::{Result, anyhow};

use super::cell::{escaped, names};

/// The page, in `docs/`.
pub(super) const PAGE: &str = "rules.md";

const HEAD: &str = "\
<!-- Written by `cargo xtask docs` from data/rules; do not edit. -->
# The shipped rules

Every rule is a Sigma document in [data/rules](../data/rules/README.md), with what it means, what sets it off without an attack, what it
misses, why it has its level, and events that must and must not fire it: `attack-factor rules show NAME`. What they make of the event types that
five published integrations look at: [integrations.md](integrations.md). How well they find attacks in a simulated organization:
[benches/detection](../benches/detection/README.md). To disable one, change its level or keep people and addresses out of it:
[operate.md](operate.md). To try one on your own events first: `attack-factor rules backtest NAME --store risk/`.
";

/// The shipped rules, loaded.
pub(super) fn load() -> Result<RuleSet> {
    RuleSet::load(shipped().into_iter()).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow!("the shipped rules do not load:\n{}", lines.join("\n"))
    })
}

/// The page's text.
pub(super) fn text() -> Result<String> {
    let rules = load()?;
    let of_class = |class: Class| {
        let rules = rules.rules().iter();
        rules.filter(move |rule| rule.class == class)
    };
    let mut text = HEAD.to_owned();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n{} rules find attacks, {} of them in windows of events; {} say what is context or behavior, and {} only feed windows.\n",
        of_class(Class::Attack).count(),
        of_class(Class::Attack)
            .filter(|rule| rule.window().is_some())
            .count(),
        of_class(Class::Context).count() + of_class(Class::Behavior).count(),
        of_class(Class::Base).count(),
    );
    for family in FAMILIES {
        let _ = write!(
            text,
            "\n## {family}\n\n| rule | what | level | looks at | ATT&CK |\n|---|---|---|---|---|\n"
        );
        for rule in of_class(Class::Attack).filter(|rule| rule.family == family) {
            let level = match rule.level_from {
                Some(_) => format!("of the event, else {}", rule.level),
                None => rule.level.to_string(),
            };
            let _ = writeln!(
                text,
                "| `{}` | {} | {level} | {} | {} |",
                rule.name,
                escaped(&rule.title),
                looks_at(rule),
                rule.techniques.join(", "),
            );
        }
    }
    for (class, title) in [
        (Class::Context, "Context: counted, not scored"),
        (
            Class::Behavior,
            "Behavior: never an input of the attack factor",
        ),
        (Class::Base, "Base: what windows look at"),
    ] {
        let _ = write!(
            text,
            "\n## {title}\n\n| rule | what | event types |\n|---|---|---|\n"
        );
        for rule in of_class(class) {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} |",
                rule.name,
                escaped(&rule.title),
                looks_at(rule),
            );
        }
    }
    Ok(text)
}

fn looks_at(rule: &Rule) -> String {
    match rule.window() {
        Some(window) => format!(
            "{} of {}",
            escaped(&window),
            names(rule.refers_to().iter().map(String::as_str))
        ),
        None if rule.event_types.is_empty() => "any event type".to_owned(),
        None => names(rule.event_types.iter().map(String::as_str)),
    }
}
