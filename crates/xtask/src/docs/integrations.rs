//! `docs/integrations.md`: what becomes of the event types that five published integrations look at.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use af_okta::catalogue;
use af_rules::{Class, Rule, RuleSet};
use anyhow::{Context, Result, bail};

use super::cell::{escaped, names};
use super::rules::load;

/// The page, in `docs/`.
pub(super) const PAGE: &str = "integrations.md";

/// The event types of the integrations.
const LIST: &str = include_str!("../../../../data/schemas/integration-event-types.csv");

const HEAD: &str = "\
<!-- Written by `cargo xtask docs` from data/schemas/integration-event-types.csv and data/rules; do not edit. -->
# The event types of five published integrations

What this engine makes of every event type that the Okta integrations of Authomize, JupiterOne, Mimecast Human Risk, Red Canary and Sophos Central
name. An event is *scored* when a rule finds an attack in it, alone or in a window of several; *context* is counted and not scored, for the reason
that its rule gives (`attack-factor rules show NAME`); *behavior* never enters the attack factor. One type can be each of these, by what its
event says.
";

/// The pattern of a line about any event type.
const ANY: &str = "*";

struct Line {
    integration: String,
    pattern: String,
    role: String,
    note: String,
}

/// The page's text.
pub(super) fn text() -> Result<String> {
    let rules = load()?;
    let mut by_integration: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for line in lines()? {
        by_integration
            .entry(line.integration.clone())
            .or_default()
            .push(line);
    }
    let mut text = HEAD.to_owned();
    for (integration, lines) in by_integration {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n## {integration}\n\n| event type | for | scored alone by | scored in windows by | context or behavior by | note |\n|---|---|---|---|---|---|\n"
        );
        for line in lines {
            let speakers = speakers(&rules, &line)?;
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} | {} | {} |",
                line.pattern,
                line.role,
                names(speakers.alone.iter().map(String::as_str)),
                names(speakers.in_windows.iter().map(String::as_str)),
                names(speakers.other.iter().map(String::as_str)),
                escaped(&line.note),
            );
        }
    }
    Ok(text)
}

fn lines() -> Result<Vec<Line>> {
    let mut reader = csv::Reader::from_reader(LIST.as_bytes());
    reader
        .records()
        .map(|record| {
            let record = record.context("read the list of event types")?;
            let cell = |place: usize| record.get(place).unwrap_or_default().to_owned();
            Ok(Line {
                integration: cell(0),
                pattern: cell(1),
                role: cell(2),
                note: cell(3),
            })
        })
        .collect()
}

/// The rules that speak about some event types.
#[derive(Default)]
struct Speakers {
    alone: BTreeSet<String>,
    in_windows: BTreeSet<String>,
    other: BTreeSet<String>,
}

impl Speakers {
    fn add(&mut self, rule: &Rule) {
        let spoken = match (rule.class, rule.window()) {
            (Class::Attack, None) => &mut self.alone,
            (Class::Attack, Some(_)) => &mut self.in_windows,
            (Class::Context | Class::Behavior, _) => &mut self.other,
            (Class::Base, _) => return,
        };
        spoken.insert(rule.name.clone());
    }

    fn are_none(&self) -> bool {
        self.alone.is_empty() && self.in_windows.is_empty() && self.other.is_empty()
    }
}

fn speakers(rules: &RuleSet, line: &Line) -> Result<Speakers> {
    let mut speakers = Speakers::default();
    if line.pattern == ANY {
        // Mimecast's fifth class: whatever has a risk level of HIGH.
        let of_risk = |rule: &&Rule| rule.text().contains("derived.risk_level: high");
        for rule in rules.rules().iter().filter(of_risk) {
            if rule.class == Class::Attack {
                speakers.add(rule);
            }
        }
        return Ok(speakers);
    }
    let types: Vec<&str> = catalogue::event_types()
        .filter(|(name, flags)| fits(&line.pattern, name) && !flags.internal)
        .map(|(name, _)| name)
        .collect();
    for event_type in &types {
        let about = rules.about(event_type);
        for rule in &about {
            speakers.add(rule);
        }
        if about.iter().all(|rule| rule.class == Class::Base) {
            bail!(
                "no rule says what {event_type} is, which {} looks at",
                line.integration
            );
        }
    }
    if speakers.are_none() && line.note.is_empty() {
        bail!(
            "{} is in no catalogue, and its note does not say so",
            line.pattern
        );
    }
    Ok(speakers)
}

/// Whether a name fits a pattern in which `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = name.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    let mut rest = rest;
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits(
            "system.sms.send_*_message",
            "system.sms.send_factor_verify_message"
        ));
        assert!(!fits(
            "system.sms.send_*_message",
            "system.sms.receive_status"
        ));
        assert!(fits("user.session.start", "user.session.start"));
        assert!(!fits("user.session.start", "user.session.started"));
        assert!(fits("zone.*", "zone.update"));
    }
}
