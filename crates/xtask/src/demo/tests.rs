//! The demo keeps its promises.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;

fn parsed() -> Vec<Value> {
    let files = files(&events()).unwrap();
    let lines = files[0].content.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// All texts of an event, at any depth.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

#[test]
fn the_committed_files_are_what_is_written() {
    files::check(Path::new(FOLDER), &files(&events()).unwrap()).unwrap();
}

#[test]
fn twice_written_is_the_same() {
    let contents = || files(&events()).unwrap().map(|file| file.content);
    assert_eq!(contents(), contents());
}

#[test]
fn it_is_a_log_of_thirty_days_in_order() {
    let events = events();
    assert!(
        (4000..=6000).contains(&events.len()),
        "{} events",
        events.len()
    );
    assert!(events.is_sorted_by_key(|event| event.published));
    let days: BTreeSet<i32> = events.iter().map(|event| event.published.day().0).collect();
    assert_eq!(days.len(), 30);
    assert_eq!(
        days.first()
            .map(|day| af_model::UtcDay(*day).to_string())
            .unwrap(),
        "2026-10-22"
    );
    assert_eq!(
        days.last()
            .map(|day| af_model::UtcDay(*day).to_string())
            .unwrap(),
        "2026-11-20"
    );
    let uuids: BTreeSet<&str> = events.iter().map(|event| event.uuid.as_str()).collect();
    assert_eq!(uuids.len(), events.len());
    assert_eq!(parsed().len(), events.len() + REPEATED_PAGE.len());
}

#[test]
fn every_type_of_the_list_is_used_or_the_list_is_too_long() {
    let used: BTreeSet<&str> = events().iter().map(|event| event.event_type).collect();
    let listed: BTreeSet<&str> = kinds::KINDS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(used, listed);
}

#[test]
fn nothing_in_it_exists() {
    let documentation = |ip: &str| {
        ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:", "10."]
            .iter()
            .any(|range| ip.starts_with(range))
    };
    for event in parsed() {
        for hop in event["request"]["ipChain"].as_array().unwrap() {
            assert!(documentation(hop["ip"].as_str().unwrap()), "{hop}");
        }
        let mut found = Vec::new();
        texts(&event, &mut found);
        for text in found {
            let lower = text.to_lowercase();
            for (_, domain) in lower
                .match_indices('@')
                .map(|(at, _)| lower.split_at(at + 1))
            {
                let allowed = ["example.com", "example.org", "okta.com"];
                assert!(
                    allowed.iter().any(|name| domain.starts_with(name)),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn an_incident_of_threat_protection_is_one_trace_with_its_consequences() {
    let mut traces: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let events = events();
    for event in &events {
        let value = serde_json::to_value(event).unwrap();
        if let Some(trace) = value["debugContext"]["debugData"]["traceId"].as_str() {
            let kind = event.event_type.to_owned();
            traces.entry(trace.to_owned()).or_default().push(kind);
        }
    }
    let chain = [
        "user.risk.detect",
        "policy.entity_risk.evaluate",
        "policy.entity_risk.action",
        "user.session.end",
        "user.authentication.universal_logout",
    ];
    assert_eq!(traces.len(), 8);
    for kinds in traces.values() {
        assert!(kinds.len() == 3 || kinds.len() == 5, "{kinds:?}");
        assert_eq!(kinds[..], chain[..kinds.len()]);
    }
}

#[test]
fn high_risk_is_said_in_every_encoding() {
    let lines = files(&events()).unwrap()[0].content.clone();
    for encoding in [
        r#""risk":{"level":"HIGH""#,
        r#""risk":"{reasons=Anomalous Location, Anomalous Device, level=HIGH}""#,
        r#""risk":"Risk{level=HIGH}""#,
        r#""riskChange":"{\"riskLevel\": \"HIGH\""#,
        r#""partnerRisk":"[{reasons=malware detected, malicious proxy, level=HIGH"#,
        r#"\"level\":\"HIGH\"}"#,
    ] {
        assert!(lines.contains(encoding), "{encoding}");
    }
}

#[test]
fn every_account_is_in_the_directory_and_the_typed_names_are_not() {
    let users = directory::csv(&cast::cast());
    let known: BTreeSet<&str> = users.lines().skip(1).map(|line| &line[..20]).collect();
    assert_eq!(known.len(), 63);
    let mut unknown = 0;
    for event in events() {
        let people = std::iter::once(&event.actor).chain(event.target.iter().flatten());
        for person in people.filter(|person| person.kind == "User") {
            if person.id == "unknown" {
                assert!(!users.contains(&format!(",{},", person.alternate_id)));
                unknown += 1;
            } else {
                assert!(
                    known.contains(person.id.as_str()),
                    "{}",
                    person.alternate_id
                );
            }
        }
    }
    assert!(unknown > 100);
}

#[test]
fn nobody_works_before_arriving_or_after_leaving() {
    let cast = cast::cast();
    let leaver = &cast[cast::role::LEAVER];
    let left = leaver.deactivated.unwrap();
    let mut before = 0;
    for event in events().iter().filter(|event| event.actor.id == leaver.uid) {
        let value = serde_json::to_value(event).unwrap();
        if event.published >= left {
            assert_ne!(value["outcome"]["result"], "SUCCESS", "{value}");
        } else {
            before += 1;
        }
    }
    assert!(before > 5);
    let newcomer = &cast[cast::role::NEWCOMER].uid;
    assert!(!parsed().iter().any(|event| {
        event["actor"]["id"] == **newcomer && event["outcome"]["result"] == "SUCCESS"
    }));
}

#[test]
fn the_configuration_is_toml_with_a_key_of_32_bytes() {
    let config: toml::Table = toml::from_str(CONFIG).unwrap();
    let key = config["hash_key"].as_str().unwrap();
    assert_eq!(key.len(), 64);
    assert!(key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    af_model::UtcMillis::parse_cut(config["as_of"].as_str().unwrap()).unwrap();
    af_model::UtcMillis::parse(config["ingested_at"].as_str().unwrap()).unwrap();
    af_model::name::check_tenant(config["tenant"].as_str().unwrap()).unwrap();
}
