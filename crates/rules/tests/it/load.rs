//! What loading and checking say about rules that are wrong, and what the hash covers.

use af_model::Level;
use af_rules::{EventTypeFlags, Problem, RuleFile, RuleSet, Severity};
use proptest::prelude::*;

use crate::support::{attack_rule, event, found, of_type, rule, set, signals};

const FAMILY: &str = "  family: other\n";

fn problems(files: impl IntoIterator<Item = RuleFile>) -> Vec<Problem> {
    RuleSet::load(files.into_iter()).expect_err("the rules are wrong")
}

fn one(file: RuleFile) -> Problem {
    let mut found = problems([file]);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

fn detecting(detection: &str) -> RuleFile {
    attack_rule("r", 1, detection, FAMILY)
}

#[test]
fn an_unknown_field_is_an_error_with_line_and_candidates() {
    let problem = one(detecting("  s:\n    outcome.reslt: x\n  condition: s"));
    assert_eq!(
        problem.to_string(),
        "rules/r.yml:8: error: unknown field outcome.reslt"
    );
    assert!(problem.hint.unwrap().contains("outcome.result"));
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    for (detection, wrong) in [
        ("  s: [plain keyword]\n  condition: s", "keyword"),
        ("  s: {eventType: [null, x]}\n  condition: s", "null"),
        ("  s: {eventType|expand: '%x%'}\n  condition: s", "expand"),
        ("  s: {eventType: []}\n  condition: s", "no value"),
        (
            "  s: {actor.id|fieldref: target.uid}\n  condition: s",
            "unknown field target.uid",
        ),
        ("  s: {eventType: x}\n  condition: t", "names t"),
        ("  s: {eventType: x}\n  condition: 1 of t_*", "called t_*"),
        (
            "  s: {eventType: x}\n  timeframe: 5m\n  condition: s",
            "timeframe",
        ),
        (
            "  s: {eventType|re|contains: x}\n  condition: s",
            "conflicting",
        ),
        ("  s: {eventType|re: '('}\n  condition: s", "regex"),
        (
            "  s: {'target[0].type': User}\n  condition: s",
            "unknown field target[0].type",
        ),
        (
            "  s: {debugContext.debugData.a.b: x}\n  condition: s",
            "unknown field",
        ),
    ] {
        let message = one(detecting(detection)).message.to_lowercase();
        assert!(message.contains(wrong), "{detection}: {message}");
    }
}

#[test]
fn list_blocks_name_parts_of_their_members() {
    let block = |detection: &str| {
        let mut file = detecting(detection);
        file.text = format!("sigma-version: 3\n{}", file.text);
        file
    };
    set([block(
        "  s:\n    target[any]: {type: User, alternateId|contains: x}\n  condition: s",
    )]);
    let wrong = one(block("  s:\n    target[any]: {kind: User}\n  condition: s"));
    assert_eq!(wrong.message, "a member of the list has no kind");
    let wrong = one(block(
        "  s:\n    eventType[any]: {type: User}\n  condition: s",
    ));
    assert_eq!(wrong.message, "eventType is no list");
}

#[test]
fn misspelt_and_missing_keys_are_errors() {
    let with = |from: &str, to: &str| {
        let mut file = detecting(&of_type("x"));
        file.text = file.text.replacen(from, to, 1);
        one(file).message
    };
    assert_eq!(with("date:", "dat:"), "Sigma has no key dat");
    assert_eq!(
        with("  family:", "  fammily: x\n  family:"),
        "attack_factor has no key fammily"
    );
    assert!(with("id: 00000000", "id: x").contains("UUID"));
    assert!(with("level: medium", "level: informational").contains("attack rule's level"));
    assert!(with("product: okta", "product: windows").contains("logsource"));
    assert!(with("t1110.003", "t11").contains("ATT&CK"));
    assert!(with("title: r", "titel: r").contains("title"));
}

#[test]
fn broken_yaml_names_its_line() {
    let problem = one(RuleFile {
        path: "r.yml".to_owned(),
        text: "title: x\ndetection: [\n".to_owned(),
        samples: None,
    });
    assert!(problem.line.is_some(), "{problem:?}");
}

#[test]
fn several_rules_in_a_file_are_refused() {
    let mut two = detecting(&of_type("x"));
    two.text = format!("{}---\n{}", two.text, two.text);
    let problem = one(two);
    assert!(problem.message.contains("2 rules and 0 correlations"));
    assert!(problem.hint.unwrap().contains("one file is one rule"));
}

#[test]
fn names_and_ids_are_unique_in_a_set() {
    let file = |name: &str, number| attack_rule(name, number, &of_type("x"), FAMILY);
    let found = problems([file("a", 1), file("b", 1)]);
    assert!(found[0].message.contains("already"), "{found:?}");
    assert_eq!(problems([file("a", 1), file("a", 2)]).len(), 1);
}

#[test]
fn samples_that_cannot_be_read_are_errors_that_do_not_quote_them() {
    let mut file = detecting(&of_type("x"));
    file.samples =
        Some("{\"fires\": true, \"why\": \"w\", \"event\": {}}\n\n{\"secret\": 1}\n".to_owned());
    let problem = one(file);
    assert_eq!(
        (problem.path.as_str(), problem.line),
        ("rules/r.samples.jsonl", Some(3))
    );
    assert!(!format!("{problem:?}").contains("secret"));
}

fn catalogue(event_type: &str) -> Option<EventTypeFlags> {
    match event_type {
        "user.session.start" => Some(EventTypeFlags::default()),
        "security.internal.x" => Some(EventTypeFlags {
            internal: true,
            beta: false,
        }),
        "user.beta" => Some(EventTypeFlags {
            internal: false,
            beta: true,
        }),
        _ => None,
    }
}

fn errors(rules: &RuleSet) -> Vec<String> {
    let mut errors: Vec<String> = rules
        .check(&catalogue)
        .into_iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| problem.message)
        .collect();
    errors.sort();
    errors
}

#[test]
fn event_types_are_held_against_the_catalogue_even_behind_not() {
    let samples =
        "{\"fires\":true,\"why\":\"\",\"event\":{}}\n{\"fires\":false,\"why\":\"\",\"event\":{}}";
    let mut file = detecting(
        "  s: {eventType: [user.session.start, security.internal.x, 'user.*']}\n  \
         t: {eventType: user.session.strat}\n  condition: s and not t",
    );
    file.samples = Some(samples.to_owned());
    assert_eq!(
        errors(&set([file])),
        [
            "security.internal.x is internal: customers never see it",
            "the catalogue has no event type user.session.strat"
        ]
    );
}

#[test]
fn a_rule_needs_a_sample_of_each_kind() {
    let mut file = detecting(&of_type("user.session.start"));
    assert_eq!(errors(&set([file.clone()])), ["the rule has no samples"]);
    file.samples = Some("{\"fires\":true,\"why\":\"\",\"event\":{}}".to_owned());
    assert_eq!(
        errors(&set([file])),
        ["no sample shows what must not fire the rule"]
    );
}

#[test]
fn one_detection_name_in_two_families_is_an_error() {
    let on_name = |name: &str, number, family: &str, condition: &str| {
        let detection = format!(
            "  s: {{eventType: user.session.start}}\n  n: {{derived.risk_detection_name|contains: Brute Force}}\n  condition: {condition}"
        );
        attack_rule(name, number, &detection, &format!("  family: {family}\n"))
    };
    let two = |family: &str, condition: &str| {
        let rules = set([
            on_name("a", 1, "other", "s and n"),
            on_name("b", 2, family, condition),
        ]);
        errors(&rules)
            .into_iter()
            .filter(|error| error.contains("brute force"))
            .count()
    };
    assert_eq!(two("asserted", "s and n"), 1);
    assert_eq!(two("other", "s and n"), 0);
    // Excluding the name is not selecting by it.
    assert_eq!(two("asserted", "s and not n"), 0);
}

#[test]
fn a_component_that_resembles_a_commoner_one_is_doubted() {
    let rule = |number, component: &str| {
        let mut file = attack_rule(&format!("r{number}"), number, &of_type("x"), FAMILY);
        let text = file.text.replace("component: identity", component);
        file.text = text;
        file
    };
    let doubts = |component: &str| -> Vec<(String, Option<String>)> {
        let rules = set([
            rule(1, "component: identity"),
            rule(2, "component: identity"),
            rule(3, component),
        ]);
        let problems = rules.check(&catalogue).into_iter();
        problems
            .filter(|problem| problem.message.contains("another component"))
            .map(|problem| (problem.path, problem.hint))
            .collect()
    };
    let hint = "did you mean identity?".to_owned();
    assert_eq!(
        doubts("component: identiy"),
        [("rules/r3.yml".to_owned(), Some(hint))]
    );
    assert_eq!(doubts("component: email"), []);
    assert_eq!(doubts("component: identity"), []);
}

#[test]
fn the_hash_covers_what_affects_results_and_nothing_else() {
    let detection = "  a: {eventType: [x, y], outcome.result: z}\n  b: {actor.type: User}\n  condition: a and not b";
    let file = attack_rule("r", 1, detection, FAMILY);
    let other = attack_rule("other", 2, &of_type("x"), FAMILY);
    let hash = |file: &RuleFile| set([file.clone(), other.clone()]).hash();
    let base = hash(&file);
    let changed = |from: &str, to: &str| {
        assert!(file.text.contains(from), "{from}");
        RuleFile {
            text: file.text.replacen(from, to, 1),
            ..file.clone()
        }
    };
    assert_eq!(set([other.clone(), file.clone()]).hash(), base);
    for (from, to) in [
        ("title: r", "title: another"),
        ("[x, y]", "[y, x]"),
        (
            "{eventType: [x, y], outcome.result: z}",
            "{outcome.result: z, eventType: [x, y]}",
        ),
        ("title:", "description: prose\ntitle:"),
    ] {
        assert_eq!(hash(&changed(from, to)), base, "{to}");
    }
    for (from, to) in [
        ("level: medium", "level: high"),
        ("outcome.result: z", "outcome.result: q"),
        ("outcome.result: z", "outcome.result|contains: z"),
        ("a and not b", "a or b"),
        ("family: other", "family: partner"),
        ("family: other", "family: other\n  precedence: 3"),
        ("family: other", "family: other\n  incident: [event]"),
        ("family: other", "family: other\n  subject: operator"),
        (
            "family: other",
            "family: other\n  level_from: derived.risk_level",
        ),
        ("2026-11-22", "2026-11-23"),
        ("t1110.003", "t1110"),
    ] {
        assert_ne!(hash(&changed(from, to)), base, "{to}");
    }
}

#[test]
fn a_rule_can_be_disabled_and_relevelled_without_editing_it() {
    let kind = "user.session.start";
    let files = || {
        [
            attack_rule(
                "a",
                1,
                &of_type(kind),
                "  family: other\n  level_from: derived.risk_level\n",
            ),
            rule("c", 2, &of_type(kind), "  class: context"),
        ]
    };
    let mut rules = set(files());
    let before = rules.hash();
    assert!(rules.disable("c") && !rules.disable("c"));
    assert_eq!(rules.rules().len(), 1);
    assert!(rules.set_level("00000000-0000-4000-8000-000000000001", Level::Critical));
    assert!(!rules.set_level("nobody", Level::Low));
    assert_ne!(rules.hash(), before);
    let mut row = event("e1", kind);
    row.risk_level_id = Some(1);
    let found = found(&rules, &[row]);
    assert_eq!(signals(&found)[0].level, "critical");
    assert_eq!(rules.get("a").unwrap().level, Level::Critical);
}

proptest! {
    #[test]
    fn any_text_is_a_rule_or_a_problem(text in "\\PC{0,200}") {
        let file = RuleFile { path: "r.yml".to_owned(), text, samples: None };
        prop_assert!(RuleSet::load([file].into_iter()).is_err());
    }

    #[test]
    fn a_rule_with_any_line_broken_never_panics(
        line in 0_usize..14,
        text in "[ \\t\\-\\[\\]{}:|'\"*&!a-z0-9.]{0,40}",
        samples in proptest::option::of("\\PC{0,60}"),
    ) {
        let mut file = detecting(&of_type("x"));
        let mut lines: Vec<&str> = file.text.lines().collect();
        let place = line.min(lines.len());
        lines.insert(place, &text);
        file.text = lines.join("\n");
        file.samples = samples;
        let _ = RuleSet::load([file].into_iter());
    }
}
