//! `data/rules/rules.lock` is the lock of the shipped rules; `cargo xtask rules --bless` renews it.

use std::path::Path;

use af_rules::{LockChange, RuleLock, RuleSet, shipped};

use crate::support::{attack_rule, of_type, set};

#[test]
fn is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/rules/rules.lock");
    let now = RuleLock::of(&RuleSet::load(shipped().into_iter()).unwrap());
    if std::env::var_os("ATTACK_FACTOR_BLESS").is_some() {
        std::fs::write(&path, now.to_string()).unwrap();
        return;
    }
    let before = RuleLock::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let changes = before.changes_to(&now);
    assert!(
        changes.is_empty(),
        "if this is meant: cargo xtask rules --bless\n{changes:#?}"
    );
}

#[test]
fn tells_what_was_added_removed_and_changed_in_the_order_of_names() {
    let file = |name: &str, number: u8, family: &str| {
        let block = format!("  family: {family}\n");
        attack_rule(name, number, &of_type("user.account.lock"), &block)
    };
    let before = RuleLock::of(&set([file("b", 1, "other"), file("c", 2, "other")]));
    let after = RuleLock::of(&set([file("a", 3, "other"), file("c", 2, "partner")]));
    let told: Vec<String> = before
        .changes_to(&after)
        .into_iter()
        .map(|change| match change {
            LockChange::Added { name, .. } => format!("added {name}"),
            LockChange::Removed { name, .. } => format!("removed {name}"),
            LockChange::Changed { name, was, now } => {
                assert_ne!(was.hash, now.hash);
                assert_eq!((was.id, was.version), (now.id, now.version));
                format!("changed {name}")
            }
        })
        .collect();
    assert_eq!(told, ["added a", "removed b", "changed c"]);
    assert_eq!(before.changes_to(&before), []);
}

#[test]
fn a_file_that_is_none_is_refused_with_the_line() {
    for (text, line) in [
        ("a b c\n", 1),
        ("# x\n\na b c d\na b c d\n", 4),
        ("a b c d e", 1),
    ] {
        assert_eq!(RuleLock::parse(text).unwrap_err().line, line);
    }
}
