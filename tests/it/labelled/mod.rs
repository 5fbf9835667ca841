//! What others call an attack and what is found here: two published sets of labelled Okta events. Every
//! label is checked; where we differ, the reason stands in `tables.rs`, and a difference that is gone has
//! to be taken out. `docs/labelled-scenarios.md` shows the same tables.

mod events;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::support::{program, third_party_samples};
use events::{Found, Pair, detect, pairs, scenarios, take_in};
use tables::Ours::{self, Attack, NoAttack};
use tables::{DIFFERENT, RULES, SCENARIOS};

#[test]
fn scenarios_of_jacobdcook_are_found_or_the_reason_is_known() {
    let Some(root) = third_party_samples() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let published = scenarios(&root);
    for (name, _, events) in &published {
        take_in(folder.path(), name, events);
    }
    let (mut found, _) = detect(folder.path());
    let labels: Vec<(&str, bool)> = SCENARIOS.iter().map(|one| (one.name, one.alert)).collect();
    let published: Vec<(&str, bool)> = published
        .iter()
        .map(|(name, alert, _)| (name.as_str(), *alert))
        .collect();
    assert_eq!(published, labels);
    let mut wrong = Vec::new();
    for one in SCENARIOS {
        let found = found.remove(one.name).unwrap_or_default();
        let expected: BTreeSet<String> = one.found.iter().map(|&name| name.to_owned()).collect();
        if found != expected {
            wrong.push(format!("{}: {found:?}, expected {expected:?}", one.name));
        }
        if (found.is_empty() == one.alert) == one.reason.is_empty() {
            let word = if one.reason.is_empty() {
                "differs without a reason"
            } else {
                "agrees, so it needs no reason"
            };
            wrong.push(format!("{} {word}", one.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pairs_of_panther_agree_or_the_reason_is_known() {
    let Some(root) = third_party_samples() else {
        return;
    };
    let pairs = pairs(&root);
    let theirs: BTreeSet<&str> = pairs.iter().map(|pair| pair.rule.as_str()).collect();
    let known: BTreeMap<&str, &Ours> = RULES.iter().map(|(name, ours)| (*name, ours)).collect();
    assert_eq!(theirs, known.keys().copied().collect::<BTreeSet<_>>());
    let (attacks, others): (Vec<&Pair>, Vec<&Pair>) = pairs
        .iter()
        .partition(|pair| matches!(known[pair.rule.as_str()], Attack(_)));
    differ_as_listed(&attacks, &known);
    are_no_attacks(&others, &known);
}

fn differ_as_listed(pairs: &[&Pair], known: &BTreeMap<&str, &Ours>) {
    let folder = tempfile::tempdir().unwrap();
    for pair in pairs {
        take_in(folder.path(), &pair.tenant(), &pair.events);
    }
    let (found, _) = detect(folder.path());
    let mut listed: BTreeSet<(&str, &str, usize)> = BTreeSet::new();
    for (rule, file, lines, _) in DIFFERENT {
        listed.extend(lines.iter().map(|line| (*rule, *file, *line)));
    }
    let mut wrong = Vec::new();
    for pair in pairs {
        let fired = fires(pair, &found, known[pair.rule.as_str()]);
        let differs = fired != pair.expected;
        if listed.remove(&(pair.rule.as_str(), pair.file, pair.line)) != differs {
            wrong.push(format!(
                "{} {}, {:?}: theirs {}, ours {fired} ({:?}), {}",
                pair.rule,
                pair.tenant(),
                pair.test,
                pair.expected,
                found.get(&pair.tenant()),
                if differs {
                    "not in the list"
                } else {
                    "listed as different"
                },
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(listed.is_empty(), "no such pair: {listed:?}");
}

fn fires(pair: &Pair, found: &Found, ours: &Ours) -> bool {
    let Attack(names) = ours else {
        unreachable!("only pairs of attack rules are asked");
    };
    found
        .get(&pair.tenant())
        .is_some_and(|found| names.iter().any(|name| found.contains(*name)))
}

/// What is no attack here on purpose is recognized as what it is, and nothing fires on it.
fn are_no_attacks(pairs: &[&Pair], known: &BTreeMap<&str, &Ours>) {
    let mut by_class: BTreeMap<&str, Vec<&Pair>> = BTreeMap::new();
    for pair in pairs.iter().filter(|pair| pair.expected) {
        let NoAttack(name, _) = known[pair.rule.as_str()] else {
            unreachable!("pairs of attack rules are not asked");
        };
        let class = name.split('_').nth(1).unwrap();
        by_class.entry(class).or_default().push(*pair);
    }
    let classes: Vec<&str> = by_class.keys().copied().collect();
    assert_eq!(classes, ["behavior", "context"]);
    for (class, pairs) in by_class {
        let folder = tempfile::tempdir().unwrap();
        for pair in &pairs {
            take_in(folder.path(), &pair.tenant(), &pair.events);
        }
        let (found, account) = detect(folder.path());
        assert_eq!(found, Found::new());
        let events: usize = pairs.iter().map(|pair| pair.events.len()).sum();
        assert_eq!(account[class], events, "{class}: {account}");
    }
}

#[test]
fn rules_named_in_the_tables_are_rules_of_that_class() {
    let list = program(["rules", "list", "--format", "json"]).succeed();
    let list: Vec<serde_json::Value> = serde_json::from_str(&list.stdout).unwrap();
    let classes: BTreeMap<&str, &str> = list
        .iter()
        .map(|rule| {
            (
                rule["name"].as_str().unwrap(),
                rule["class"].as_str().unwrap(),
            )
        })
        .collect();
    for scenario in SCENARIOS {
        for name in scenario.found {
            assert_eq!(classes.get(name), Some(&"attack"), "{name}");
        }
    }
    for (theirs, ours) in RULES {
        match ours {
            Attack(names) => {
                for name in *names {
                    assert_eq!(classes.get(name), Some(&"attack"), "{theirs}: {name}");
                }
            }
            NoAttack(name, _) => {
                let class = name.split('_').nth(1);
                assert_eq!(classes.get(name).copied(), class, "{theirs}: {name}");
            }
        }
    }
    // Rules that a reason names.
    let scenarios = SCENARIOS.iter().map(|one| one.reason);
    let rules = RULES.iter().filter_map(|(_, ours)| match ours {
        NoAttack(_, reason) => Some(*reason),
        Attack(_) => None,
    });
    let different = DIFFERENT.iter().map(|(.., reason)| *reason);
    for reason in scenarios.chain(rules).chain(different) {
        for name in reason.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        {
            if name.starts_with("okta_") {
                assert!(classes.contains_key(name), "{reason}: no rule {name}");
            }
        }
    }
}

fn code(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// A reason as it stands in the page: names of rules as code.
fn prose(reason: &str) -> String {
    reason
        .split(' ')
        .map(|word| {
            let name = word.trim_end_matches([',', ';', '.']);
            if name.starts_with("okta_") {
                word.replacen(name, &format!("`{name}`"), 1)
            } else {
                word.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_page_shows_the_tables() {
    let mut table = Vec::new();
    for one in SCENARIOS {
        let theirs = if one.alert { "alert" } else { "none" };
        let ours = if one.found.is_empty() {
            "none".to_owned()
        } else {
            code(one.found)
        };
        let reason = prose(one.reason);
        table.push(format!("| {} | {theirs} | {ours} | {reason} |", one.name));
    }
    for (theirs, ours) in RULES {
        table.push(match ours {
            Attack(names) => format!("| {theirs} | {} | |", code(names)),
            NoAttack(name, reason) => {
                format!("| {theirs} | no attack: `{name}` | {} |", prose(reason))
            }
        });
    }
    for (rule, file, lines, reason) in DIFFERENT {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let reason = prose(reason);
        table.push(format!(
            "| {rule} | {file} {} | {reason} |",
            lines.join(", ")
        ));
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/labelled-scenarios.md");
    let page = std::fs::read_to_string(page).unwrap();
    let shown: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| their"))
        .map(str::trim_end)
        .collect();
    let table: Vec<String> = table
        .iter()
        .map(|line| line.replace("|  |", "| |"))
        .collect();
    assert_eq!(shown, table, "the page should show\n{}", table.join("\n"));
}
