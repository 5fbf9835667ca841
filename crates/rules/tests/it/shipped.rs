//! The shipped rules as a set: complete, documented, and no rule in the way of another.

use std::collections::BTreeSet;

use af_model::tables::identity_events::Row;
use af_rules::{Class, EventTypeFlags, FAMILIES, RuleSet, Sample, Severity, fields, shipped};
use rsigma_eval::{Event, JsonEvent};
use serde_json::Value;

use crate::cases::{cases, risk};
use crate::support::{event, found, signals};

fn all() -> RuleSet {
    RuleSet::load(shipped().into_iter()).expect("the shipped rules load")
}

#[test]
fn the_shipped_rules_lack_nothing() {
    let problems = all().check(&|_| Some(EventTypeFlags::default()));
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{shown:#?}");
}

#[test]
fn every_event_type_is_asked_from_the_catalogue() {
    let problems = all().check(&|_| None);
    assert!(
        problems
            .iter()
            .all(|problem| problem.severity == Severity::Error)
    );
    let asked: BTreeSet<&str> = problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert!(asked.contains("the catalogue has no event type user.risk.detect"));
    assert!(
        problems.iter().all(|problem| problem.line.is_some()),
        "{problems:#?}"
    );
}

#[test]
fn every_family_has_a_rule_and_names_say_their_class() {
    let rules = all();
    let families: BTreeSet<&str> = rules
        .rules()
        .iter()
        .filter(|rule| rule.class == Class::Attack)
        .map(|rule| rule.family.as_str())
        .collect();
    assert_eq!(families, BTreeSet::from(FAMILIES));
    for rule in rules.rules() {
        assert!(rule.name.starts_with("okta_"), "{}", rule.name);
        let says_context = rule.name.starts_with("okta_context_");
        let says_base = rule.name.starts_with("okta_base_");
        assert_eq!(says_base, rule.class == Class::Base, "{}", rule.name);
        let says_behavior = rule.name.starts_with("okta_behavior_");
        assert_eq!(says_context, rule.class == Class::Context, "{}", rule.name);
        assert_eq!(
            says_behavior,
            rule.class == Class::Behavior,
            "{}",
            rule.name
        );
    }
}

#[test]
fn samples_are_events_of_the_source_with_the_fields_their_rule_names() {
    let rules = all();
    let mut uuids = BTreeSet::new();
    for rule in rules.rules() {
        if !rule.path.ends_with(&format!("/{}.yml", rule.name)) {
            // A base rule in the file of its correlation, whose samples are those of the file.
            continue;
        }
        let parsed = |sample: &Sample| -> Vec<Value> {
            let texts = sample.events.iter();
            texts
                .map(|event| serde_json::from_str(event).unwrap())
                .collect()
        };
        let events: Vec<Value> = rule.samples.iter().flat_map(parsed).collect();
        for event in &events {
            for key in [
                "uuid",
                "published",
                "eventType",
                "actor",
                "outcome",
                "transaction",
            ] {
                assert!(
                    event.get(key).is_some(),
                    "{}: a sample has no {key}",
                    rule.name
                );
            }
            let uuid = event["uuid"].as_str().unwrap().to_owned();
            // A window's samples are looked at one by one: only inside each must ids differ.
            let is_new = rule.window().is_some() || uuids.insert(uuid);
            assert!(is_new, "{}: a sample's uuid repeats", rule.name);
        }
        for sample in &rule.samples {
            let own: BTreeSet<String> = parsed(sample)
                .iter()
                .map(|event| event["uuid"].to_string())
                .collect();
            assert_eq!(
                own.len(),
                sample.events.len(),
                "{}: a uuid repeats in a sample",
                rule.name
            );
        }
        let firing: Vec<&Value> = events
            .iter()
            .zip(&rule.samples)
            .filter(|(_, sample)| sample.fires)
            .map(|(event, _)| event)
            .collect();
        let file = shipped()
            .into_iter()
            .find(|file| file.path == rule.path)
            .unwrap();
        // What the source itself writes must be there; derived fields are the normalizer's.
        for line in file.text.lines() {
            let key = line.trim().split([':', '|']).next().unwrap_or_default();
            if key.starts_with("debugContext.debugData.") || fields().any(|f| f.path == key) {
                if key.starts_with("derived.") {
                    continue;
                }
                let there = events.iter().any(|event| {
                    let event = JsonEvent::borrow(event);
                    event.get_field(key).is_some_and(|value| !value.is_null())
                });
                assert!(there, "{}: no sample has {key}", rule.name);
            }
        }
        let is_named = |event: &&Value| {
            let kind = event["eventType"].as_str().unwrap();
            rule.event_types.iter().any(|named| named == kind)
        };
        // Only the rule on any high risk fires on types that it does not name; windows name none.
        if rule.name != "okta_high_risk_action" && rule.window().is_none() {
            assert!(firing.iter().all(is_named), "{}", rule.name);
        }
    }
}

#[test]
fn the_readme_lists_every_field_and_every_key_of_the_block() {
    let readme = include_str!("../../../../data/rules/README.md");
    for field in fields() {
        let row = format!(
            "| `{}` | {} | `{}` |",
            field.path,
            field.kind(),
            field.column
        );
        assert!(readme.contains(&row), "README lacks: {row}");
    }
    for key in [
        "class",
        "component",
        "family",
        "subject",
        "level_from",
        "incident",
        "precedence",
        "level_reason",
        "misses",
        "version",
    ] {
        assert!(
            readme.contains(&format!("| `{key}` |")),
            "README lacks {key}"
        );
    }
}

#[test]
fn no_rule_stands_in_the_way_of_another() {
    let rules = all();
    for (row, expected) in cases() {
        let found = found(&rules, std::slice::from_ref(&row));
        let account = found.accounts["acme"];
        assert!(account.closes());
        let class = account
            .parts()
            .into_iter()
            .find(|(_, count)| *count == 1)
            .unwrap()
            .0;
        let mut got: Vec<String> = signals(&found)
            .iter()
            .map(|signal| {
                let rule = rules.get(&signal.rule_id).unwrap();
                let subject = signal.subject_ref.as_deref().unwrap_or("-");
                format!("{} {} {} {subject}", rule.name, signal.level, signal.family)
            })
            .collect();
        if class != "attack" {
            assert!(got.is_empty(), "{class} {got:?}");
            got.push(class.to_owned());
        }
        assert_eq!(got, [expected], "{} {row:?}", row.metadata_event_code);
    }
}

#[test]
fn one_sign_in_of_high_risk_is_one_incident() {
    let rules = all();
    let steps = [
        ("policy.evaluate_sign_on", "CHALLENGE", None),
        ("system.push.send_factor_verify_push", "SUCCESS", None),
        ("user.authentication.auth_via_mfa", "SUCCESS", None),
        ("user.session.start", "SUCCESS", Some("s1")),
        ("user.authentication.sso", "SUCCESS", Some("s1")),
    ];
    let rows: Vec<Row<'static>> = steps
        .iter()
        .enumerate()
        .map(|(number, (kind, result, session))| {
            let mut row = event(&format!("e{number}"), kind);
            row.status_code = Some((*result).into());
            row.session_uid = session.map(Into::into);
            row.metadata_correlation_uid = Some("t1".into());
            risk(&mut row, 0, 3, None);
            row
        })
        .collect();
    let found = found(&rules, &rows);
    let signals = signals(&found);
    assert_eq!(signals.len(), 5);
    let incidents: BTreeSet<_> = signals
        .iter()
        .map(|signal| {
            (
                signal.family.to_string(),
                signal.incident_uid.clone().unwrap().into_owned(),
            )
        })
        .collect();
    let only = ("credential_attack".to_owned(), "session:s1".to_owned());
    assert_eq!(incidents, BTreeSet::from([only]));
}
