//! What a correlation may say, and what is said about those that may not.

use af_rules::{RuleFile, RuleSet};

use crate::support::{of_type, rule};

const GOOD: &str = "title: c
id: 00000000-0000-4000-8000-0000000000cc
date: 2026-11-22
level: high
correlation:
  type: event_count
  rules: [refused]
  group-by: [derived.subject]
  timespan: 10m
  condition: {gte: 3}
attack_factor:
  class: attack
  component: identity
  family: mfa_attack
";

fn file(text: String) -> RuleFile {
    RuleFile {
        path: "rules/c.yml".to_owned(),
        text,
        samples: None,
    }
}

fn load(text: String) -> Result<RuleSet, Vec<String>> {
    let base = |name, number, class: &str| rule(name, number, &of_type("push.refused"), class);
    let files = [
        base("refused", 1, "  class: base"),
        base("passed", 2, "  class: base"),
        base("spoken", 3, "  class: context"),
        file(text),
    ];
    RuleSet::load(files.into_iter()).map_err(|problems| {
        let hint = |hint: Option<String>| hint.unwrap_or_default();
        problems
            .into_iter()
            .map(|problem| format!("{problem} {}", hint(problem.hint.clone())))
            .collect()
    })
}

#[test]
fn what_cannot_be_evaluated_is_refused_with_its_line() {
    for (from, to, expected) in [
        ("event_count", "value_sum", "value_sum are not evaluated"),
        ("event_count", "value_count", "needs condition.field"),
        (
            "[refused]",
            "[refussed]",
            "there is no rule refussed did you mean refused",
        ),
        ("[refused]", "[]", "refers to no rule"),
        ("[refused]", "[refused, refused]", "refers to refused twice"),
        (
            "[refused]",
            "[refused, 3]",
            "lists something that is no text",
        ),
        (
            "[refused]",
            "[spoken]",
            "would be silenced write `generate: true`",
        ),
        ("[refused]", "[c]", "would be silenced"),
        (
            "[derived.subject]",
            "[derived.subjekt]",
            "did you mean derived.subject",
        ),
        ("[derived.subject]", "[target.id]", "is a list"),
        ("timespan: 10m", "timespan: 8d", "longer than 7 days"),
        ("timespan: 10m", "timespan: 0m", "the timespan is nothing"),
        ("{gte: 3}", "{lte: 3}", "holds with nothing at all"),
        ("{gte: 3}", "{gte: 0}", "holds with nothing at all"),
        ("{gte: 3}", "{neq: 3}", "neq says nothing"),
        ("{gte: 3}", "{gte: 3, lt: 3}", "never holds"),
        ("{gte: 3}", "{gte: 3, ltt: 9}", "no key ltt did you mean lt"),
        (
            "{gte: 3}",
            "{gte: 3, field: derived.subject}",
            "only value_count",
        ),
        (
            "{gte: 3}",
            "refused",
            "Extended conditions are only supported",
        ),
        (
            "event_count",
            "event_cuont",
            "Unknown correlation type: event_cuont one of event_count, ",
        ),
        (
            "timespan: 10m",
            "timespan: 10 minutes",
            "Invalid timespan '10 minutes' a whole number and s, m, h or d",
        ),
        ("  timespan: 10m\n", "", "every correlation has a timespan"),
        ("{gte: 3}", "3", "e.g. `condition: {gte: 5}`"),
        (
            "group-by",
            "groupby",
            "no key groupby did you mean group-by",
        ),
        (
            "timespan: 10m",
            "timespan: 10m\n  window: tumbling",
            "no key window",
        ),
        (
            "class: attack",
            "class: context",
            "events have one class each",
        ),
        (
            "class: attack",
            "class: attack\n  level_from: derived.risk_level",
            "no level_from",
        ),
        (
            "level: high\n",
            "",
            "level is low, medium, high or critical",
        ),
    ] {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD, "{from}");
        let problems = load(text).expect_err(to);
        let found = problems.iter().any(|problem| problem.contains(expected));
        // rsigma words this one itself when it compiles; ours says it in its own words.
        let own_words = to == "refused" && problems.iter().any(|p| p.contains("only temporal"));
        assert!(found || own_words, "{to}: {problems:?}");
        assert!(
            problems
                .iter()
                .all(|problem| problem.starts_with("rules/c.yml")),
            "{problems:?}"
        );
    }
}

#[test]
fn conditions_of_temporal_correlations_are_checked() {
    let temporal = GOOD
        .replace("event_count", "temporal")
        .replace("[refused]", "[refused, passed]");
    for (condition, expected) in [
        ("{gte: 3}", "3 of 2 rules never match"),
        ("refused and gone", "names gone"),
        ("refused and not passed", "has a `not`"),
    ] {
        let text = temporal.replace("{gte: 3}", condition);
        let problems = load(text).expect_err(condition);
        assert!(
            problems.iter().any(|problem| problem.contains(expected)),
            "{problems:?}"
        );
    }
    let any = load(temporal.replace("{gte: 3}", "refused or passed")).unwrap();
    assert_eq!(
        any.get("c").unwrap().window().unwrap(),
        "a combination of 2 rules within 10m, per derived.subject"
    );
    let ordered = temporal.replace("type: temporal", "type: temporal_ordered");
    let problems = load(ordered).expect_err("a condition");
    assert!(
        problems[0].contains("takes all of its rules"),
        "{problems:?}"
    );
}

#[test]
fn a_window_that_can_never_fire_is_refused() {
    let counting = |field: &str| {
        GOOD.replace("event_count", "value_count")
            .replace("{gte: 3}", &format!("{{gte: 3, field: {field}}}"))
    };
    assert!(load(counting("client.ipAddress")).is_ok());
    let problems = load(counting("derived.subject")).expect_err("one value a group");
    assert!(problems[0].contains("it never fires"), "{problems:?}");
}

#[test]
fn an_alias_has_a_field_for_every_rule() {
    let aliased = |mapping: &str| {
        GOOD.replace("[refused]", "[refused, passed]").replace(
            "  group-by: [derived.subject]\n",
            &format!("  group-by: [who]\n  aliases:\n    who: {mapping}\n"),
        )
    };
    assert!(load(aliased("{refused: actor.id, passed: derived.subject}")).is_ok());
    for (mapping, expected) in [
        ("{refused: actor.id}", "has no field for passed"),
        ("{refused: actor.id, passed: target.id}", "is a list"),
        (
            "{refused: actor.id, passed: actor.id, other: actor.id}",
            "names other",
        ),
    ] {
        let problems = load(aliased(mapping)).expect_err(mapping);
        assert!(
            problems.iter().any(|problem| problem.contains(expected)),
            "{problems:?}"
        );
    }
}

#[test]
fn correlations_in_a_circle_and_chains_that_reach_too_far_are_refused() {
    let named = |name: &str, number: u8, refers: &str, timespan: &str| RuleFile {
        path: format!("rules/{name}.yml"),
        text: GOOD
            .replace("cc\n", &format!("{number:02x}\n"))
            .replace("[refused]", refers)
            .replace("class: attack", "class: base")
            .replace("10m", timespan),
        samples: None,
    };
    let refused = || rule("refused", 1, &of_type("push.refused"), "  class: base");
    let load = |files: Vec<RuleFile>| {
        RuleSet::load(files.into_iter()).map_err(|problems| problems[0].to_string())
    };
    let circle = vec![
        refused(),
        named("a", 0xa, "[b]", "1d"),
        named("b", 0xb, "[a]", "1d"),
    ];
    let message = load(circle).unwrap_err();
    assert!(
        message.ends_with("in a circle: a looks at b looks at a"),
        "{message}"
    );
    let chain = |timespan| {
        vec![
            refused(),
            named("a", 0xa, "[refused]", "4d"),
            named("b", 0xb, "[a]", timespan),
        ]
    };
    assert!(
        load(chain("4d"))
            .unwrap_err()
            .contains("come to more than 7 days")
    );
    assert_eq!(load(chain("3d")).unwrap().look_back_days(), 7);
}

#[test]
fn a_correlation_brings_its_base_rules_along() {
    let part = |name: &str| {
        format!(
            "title: part\n{name}id: 00000000-0000-4000-8000-0000000000bb\nlogsource: {{product: okta}}\n\
             detection:\n  s: {{eventType: push.refused}}\n  condition: s\n---\n"
        )
    };
    let own = GOOD.replace("[refused]", "[own]");
    let rules = load(part("name: own\n") + &own).unwrap();
    assert_eq!(rules.get("own").unwrap().class, af_rules::Class::Base);
    assert_eq!(rules.get("c").unwrap().refers_to(), ["own"]);
    assert!(load(part("") + &own).unwrap_err()[0].contains("has no name"));
    let two = part("name: own\n") + &own + "---\n" + &own;
    assert!(load(two).unwrap_err()[0].contains("1 rules and 2 correlations"));
    let spoken = part("name: own\n").replace("---\n", "attack_factor: {class: context}\n---\n");
    assert!(load(spoken + &own).unwrap_err()[0].contains("is of class base, not context"));
}
