//! How samples are run: alone for firing, with all rules for the class.

use af_rules::{Class, RuleFile, SampleResult};
use arrow::array::RecordBatch;

use crate::support::{attack_rule, event, events, of_type, rule, set};

const FIRES: &str = r#"{"fires":true,"why":"it is one","event":{"eventType":"a.b"}}"#;
const NOT: &str = r#"{"fires":false,"why":"it is none","event":{"eventType":"c.d"}}"#;

/// Stands for a normalizer: the event type is all these rules look at.
fn normalize(raw: &[u8]) -> Result<RecordBatch, String> {
    let value: serde_json::Value =
        serde_json::from_slice(raw).map_err(|error| error.to_string())?;
    let rows = match value["eventType"].as_str() {
        Some("two rows") => vec![event("e1", "x"), event("e2", "x")],
        Some(event_type) => vec![event("e1", event_type)],
        None => return Err("no event type".to_owned()),
    };
    Ok(events(&rows))
}

fn with_samples(mut file: RuleFile, lines: &[&str]) -> RuleFile {
    file.samples = Some(lines.join("\n"));
    file
}

fn attack(lines: &[&str]) -> RuleFile {
    with_samples(
        attack_rule("r", 1, &of_type("a.b"), "  family: other\n"),
        lines,
    )
}

fn run(files: Vec<RuleFile>) -> Vec<SampleResult> {
    set(files).run_samples(&normalize)
}

#[test]
fn samples_that_show_what_they_must_pass() {
    let results = run(vec![attack(&[FIRES, NOT])]);
    assert!(results.iter().all(SampleResult::passed), "{results:#?}");
    assert_eq!(
        (results[0].fired, results[0].class),
        (Some(true), Some(Class::Attack))
    );
    assert_eq!((results[1].fired, results[1].class), (Some(false), None));
    assert_eq!(
        (results[1].number, results[1].line, results[1].why.as_str()),
        (2, 2, "it is none")
    );
}

#[test]
fn samples_that_fire_against_their_word_fail() {
    let swapped = [FIRES.replace("true", "false"), NOT.replace("false", "true")];
    let results = run(vec![attack(&[&swapped[0], &swapped[1]])]);
    let problems: Vec<_> = results.iter().map(|r| r.problem.clone().unwrap()).collect();
    assert_eq!(
        problems,
        [
            "fires, though the sample says otherwise",
            "does not fire, though the sample says otherwise"
        ]
    );
}

#[test]
fn an_attack_that_a_context_rule_silences_fails_its_sample() {
    let silencer = rule("c", 2, &of_type("a.b"), "  class: context");
    let results = run(vec![attack(&[FIRES]), silencer]);
    assert_eq!(
        results[0].problem.as_deref(),
        Some("fires, but with all rules the event is context")
    );
}

#[test]
fn an_event_that_cannot_be_normalized_fails_its_sample() {
    let results = run(vec![attack(&[
        r#"{"fires":true,"why":"w","event":{}}"#,
        r#"{"fires":true,"why":"w","event":{"eventType":"two rows"}}"#,
    ])]);
    let problems: Vec<_> = results.iter().map(|r| r.problem.clone().unwrap()).collect();
    assert_eq!(
        problems,
        ["event 1: no event type", "event 1 became 2 events, not one"]
    );
    assert_eq!(results[0].fired, None);
}

#[test]
fn rules_that_fire_on_the_same_samples_are_named() {
    let lines = [FIRES, NOT];
    let twin = rule(
        "twin",
        2,
        &of_type("a.b"),
        "  class: attack\n  component: identity\n  family: other\n",
    );
    let other = rule(
        "other",
        3,
        &of_type("c.d"),
        "  class: attack\n  component: identity\n  family: other\n",
    );
    let found = set([attack(&lines), twin, other])
        .check_twins(&normalize)
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "the rule fires on the same samples as r");
}
