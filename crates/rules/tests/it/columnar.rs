//! The columns say what rsigma says about the same event as JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use af_model::UtcMillis;
use af_model::cell::Target;
use af_model::tables::identity_events::Row;
use af_rules::{RuleFile, RuleSet, render};
use arrow::array::{Array, AsArray, RecordBatch};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use rsigma_eval::{JsonEvent, compile_rule, evaluate_rule};
use rsigma_parser::parse_sigma_yaml;

use crate::support::{attack_rule, details, event, events, found, rule, set, signals};

/// Field, modifiers and value as they stand in a rule; one mapping takes each key once.
const ITEMS: &[&str] = &[
    "eventType: user.session.start",
    "eventType: [USER.SESSION.START, user.account.lock]",
    "eventType|cased: USER.SESSION.START",
    "eventType: user.*",
    "eventType|startswith: user.s",
    "eventType|neq: user.session.start",
    "outcome.result: success",
    "outcome.result: null",
    "outcome.result|exists: true",
    "outcome.result|exists: false",
    "outcome.reason|contains: declined",
    "outcome.reason|contains|all: [fast, PHISH]",
    "outcome.reason|endswith: attempt",
    "outcome.reason|re: '^Fast.*'",
    "outcome.reason|re|i: '^fast.*'",
    "outcome.reason: '*phish?ng*'",
    "outcome.reason: ''",
    "securityContext.isProxy: true",
    "securityContext.isProxy: 'false'",
    "securityContext.asNumber: 64500",
    "securityContext.asNumber|gt: 64500",
    "securityContext.asNumber|contains: '645'",
    "client.geographicalContext.geolocation.lat|lt: 46.5",
    "client.ipAddress|cidr: 198.51.100.0/24",
    "request.ipChain.ip|cidr: 203.0.113.0/24",
    "request.ipChain.ip: 203.0.113.9",
    "derived.risk_level: HIGH",
    "derived.risk_level: [low, medium]",
    "derived.risk_level|neq: low",
    "derived.risk_level: null",
    "derived.risk_reasons|contains: device",
    "derived.risk_reasons|neq: Anomalous Device",
    "derived.risk_reasons|exists: true",
    "derived.threat_detections: password spray",
    "derived.threat_suspected: true",
    "target.type: User",
    "target.id: [u1, u2]",
    "target.id|neq: u1",
    "target.displayName: null",
    "debugContext.debugData.factor: okta_verify_push",
    "debugContext.debugData.factor|exists: false",
    "debugContext.debugData.factor: null",
    "debugContext.debugData.risk|contains: level=HIGH",
    "debugContext.debugData.count|gte: 5",
    "published|hour: 7",
    "actor.id|fieldref: target.id",
    "target[any]: {type: User, id: u1}",
    "target[all]: {type: User}",
    "target[none]: {type: AppInstance, displayName|contains: pay}",
    "derived.risk_reasons[all]|contains: anomalous",
];

const CONDITIONS: &[&str] = &[
    "s_a",
    "not s_a",
    "s_a and s_b",
    "s_a or s_b",
    "s_a and not s_b",
    "not (s_a or s_b) and s_c",
    "1 of s_*",
    "all of them",
    "2 of s_*",
    "not 1 of s_*",
    "s_a or (s_b and not s_c)",
    "[s_a and s_b, s_c]",
];

fn mapping(items: &[&str], indent: &str) -> String {
    let by_key: BTreeMap<&str, &str> = items
        .iter()
        .map(|item| (item.split_once(": ").expect("an item has a key").0, *item))
        .collect();
    by_key
        .values()
        .flat_map(|item| [indent, *item, "\n"])
        .collect()
}

fn selection(name: &'static str) -> impl Strategy<Value = String> {
    let items = || subsequence(ITEMS, 1..=3);
    prop_oneof![
        4 => items().prop_map(move |items| format!("  {name}:\n{}", mapping(&items, "    "))),
        1 => (items(), items()).prop_map(move |(one, two)| {
            let entry = |items: &[&str]| {
                let text = mapping(items, "      ");
                format!("    - {}", text.trim_start())
            };
            format!("  {name}:\n{}{}", entry(&one), entry(&two))
        }),
    ]
}

fn detection() -> impl Strategy<Value = String> {
    (
        selection("s_a"),
        selection("s_b"),
        selection("s_c"),
        select(CONDITIONS),
    )
        .prop_map(|(a, b, c, condition)| format!("{a}{b}{c}  condition: {condition}"))
}

fn text(values: &'static [&'static str]) -> impl Strategy<Value = Option<Cow<'static, str>>> {
    proptest::option::weighted(0.8, select(values).prop_map(Cow::Borrowed))
}

fn target() -> impl Strategy<Value = Target<'static>> {
    (
        text(&["u1", "u2"]),
        text(&["User", "AppInstance", "user"]),
        text(&["Payroll", "Ana"]),
    )
        .prop_map(|(uid, kind, display_name)| Target {
            uid,
            kind,
            name: None,
            display_name,
        })
}

fn row() -> impl Strategy<Value = Row<'static>> {
    let texts = (
        select(
            &[
                "user.session.start",
                "USER.SESSION.START",
                "user.account.lock",
                "policy.x",
            ][..],
        ),
        text(&["SUCCESS", "FAILURE"]),
        text(&["FastPass declined phishing attempt", "fast phish", ""]),
        text(&["u1", "u2", "u3"]),
        text(&["198.51.100.7", "2001:db8::1", "nonsense"]),
    );
    let figures = (
        proptest::option::of(any::<bool>()),
        proptest::option::of(select(&[64500_i64, 64501, -1][..])),
        proptest::option::of(select(&[46.0_f64, 46.5, 47.25, f64::NAN][..])),
        proptest::option::of(0_i64..5),
        proptest::option::of(any::<bool>()),
        select(&[0_i64, 25_200_000, 1_795_000_000_000][..]),
    );
    let reasons = select(&["Anomalous Device", "Anomalous Location", "device", ""][..]);
    let lists = (
        proptest::option::of(prop::collection::vec(reasons.prop_map(Cow::Borrowed), 0..3)),
        proptest::option::of(prop::collection::vec(target(), 0..3)),
        proptest::option::of(prop::collection::vec(
            select(&["203.0.113.9", "198.51.100.7"][..]).prop_map(Cow::Borrowed),
            0..3,
        )),
        proptest::option::of(subsequence(
            &[
                ("count", "7"),
                ("factor", "OKTA_VERIFY_PUSH"),
                ("factor", "SIGNED_NONCE"),
                ("risk", "{level=HIGH}"),
            ][..],
            0..4,
        )),
        any::<bool>(),
    );
    (texts, figures, lists).prop_map(
        |(
            (kind, result, reason, actor, address),
            (proxy, number, lat, level, suspected, time),
            (reasons, targets, chain, debug, spray),
        )| {
            let mut row = event("e1", kind);
            row.status_code = result;
            row.status_detail = reason;
            row.actor_user_uid = actor;
            row.src_endpoint_ip = address;
            row.okta_is_proxy = proxy;
            row.src_endpoint_autonomous_system_number = number;
            row.src_endpoint_location_lat = lat;
            row.risk_level_id = level;
            row.threat_suspected = suspected;
            row.time = UtcMillis(time);
            row.risk_reasons = reasons;
            row.targets = targets;
            row.src_endpoint_ip_chain = chain;
            row.debug_data = debug.map(|pairs| details(&pairs));
            row.threat_detections = spray.then(|| vec![("Password Spray".into(), "HIGH".into())]);
            row
        },
    )
}

fn file(detection: &str) -> RuleFile {
    let mut file = attack_rule("r", 1, detection, "  family: other\n");
    file.text = format!("sigma-version: 3\n{}", file.text);
    file
}

fn by_columns(rules: &RuleSet, rows: &[Row<'_>]) -> Vec<bool> {
    let found = found(rules, rows);
    let fired: Vec<String> = signals(&found)
        .iter()
        .map(|signal| {
            signal
                .event_uids
                .as_ref()
                .expect("a signal names its events")[0]
                .to_string()
        })
        .collect();
    rows.iter()
        .map(|row| fired.iter().any(|uid| **uid == *row.metadata_uid))
        .collect()
}

fn by_rsigma(text: &str, rows: &[Row<'_>]) -> Vec<bool> {
    let parsed = parse_sigma_yaml(text).expect("the text is YAML");
    let compiled = compile_rule(&parsed.rules[0]).expect("the rule compiles");
    let batch = events(rows);
    (0..rows.len())
        .map(|row| {
            let event = render(&batch, row).expect("the row is there");
            evaluate_rule(&compiled, &JsonEvent::borrow(&event)).is_some()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn columns_and_json_agree(detection in detection(), mut rows in prop::collection::vec(row(), 1..12)) {
        for (number, row) in rows.iter_mut().enumerate() {
            row.metadata_uid = Cow::Owned(format!("e{number}"));
        }
        let file = file(&detection);
        let rules = RuleSet::load([file.clone()].into_iter()).expect("the generated rule loads");
        prop_assert_eq!(by_columns(&rules, &rows), by_rsigma(&file.text, &rows), "{}", file.text);
        let whole = events(&rows);
        let read = narrowed(&rules, &whole);
        let classified = |batch| rules.classify(batch, &|_| true).expect("a table");
        prop_assert_eq!(classified(&read).signals, classified(&whole).signals, "{}", file.text);
    }
}

/// Nothing but what the rules say they read.
fn narrowed(rules: &RuleSet, events: &RecordBatch) -> RecordBatch {
    let reads = rules.reads();
    let columns = reads.columns();
    let places: Vec<usize> = columns
        .iter()
        .map(|name| {
            events
                .schema_ref()
                .index_of(name)
                .expect("a column of the table")
        })
        .collect();
    reads.narrowed(events.project(&places).expect("the places are there"))
}

#[test]
fn rules_read_no_more_than_they_ask_for() {
    let asks = |detection: &str| set([file(detection)]).reads();
    let plain = asks("  s:\n    outcome.result: DENY\n  condition: s");
    assert!(plain.columns().contains(&"status_code"));
    assert!(!plain.columns().contains(&"debug_data"));
    let target = asks("  s:\n    target[any]: {type: User, id: u1}\n  condition: s");
    assert!(target.columns().contains(&"targets"));
    assert!(!target.columns().contains(&"message"));
    let detail = set([file(
        "  s:\n    debugContext.debugData.factor: A\n  condition: s",
    )]);
    let mut row = event("e1", "user.session.start");
    row.debug_data = Some(details(&[("url", "/"), ("factor", "A"), ("factor", "B")]));
    let narrow = narrowed(&detail, &events(&[row, event("e2", "user.session.start")]));
    let map = narrow
        .column_by_name("debug_data")
        .expect("asked for")
        .as_map();
    assert_eq!((map.value(0).len(), map.is_null(1)), (2, true));
}

proptest! {
    // Few cases of many rows: sets of rows are kept and looked up in other ways when they are large.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn columns_and_json_agree_on_large_batches(
        detections in prop::collection::vec(detection(), 2..5),
        shapes in prop::collection::vec(row(), 12),
        shares in prop::collection::vec((0..12_usize, 1..60_usize), 12..18),
    ) {
        let mut rows: Vec<Row<'_>> = shares
            .iter()
            .flat_map(|&(shape, times)| std::iter::repeat_n(&shapes[shape], times))
            .cloned()
            .collect();
        for (number, row) in rows.iter_mut().enumerate() {
            row.metadata_uid = Cow::Owned(format!("e{number}"));
        }
        // Rules of one set share what they ask; each answers as if it were alone. Every rule has its
        // own component, else only one of them would speak for an event.
        let files: Vec<RuleFile> = detections
            .iter()
            .enumerate()
            .map(|(number, detection)| numbered(number, detection))
            .collect();
        let rules = RuleSet::load(files.iter().cloned()).expect("the generated rules load");
        let found = found(&rules, &rows);
        for (file, component) in files.iter().zip(COMPONENTS) {
            let fired: BTreeSet<String> = signals(&found)
                .iter()
                .filter(|signal| signal.component == component)
                .map(|signal| signal.event_uids.as_ref().unwrap()[0].to_string())
                .collect();
            let columns: Vec<bool> = rows.iter().map(|row| fired.contains(&*row.metadata_uid)).collect();
            prop_assert_eq!(columns, by_rsigma(&file.text, &rows), "{}", file.text);
        }
    }
}

const COMPONENTS: [&str; 4] = ["one", "two", "three", "four"];

fn numbered(number: usize, detection: &str) -> RuleFile {
    let block = format!(
        "  class: attack\n  component: {}\n  family: other\n",
        COMPONENTS[number]
    );
    let name = format!("r{number}");
    let mut file = rule(
        &name,
        u8::try_from(number + 1).expect("a few rules"),
        detection,
        &block,
    );
    file.text = format!("sigma-version: 3\n{}", file.text);
    file
}

#[test]
fn every_item_of_the_generator_matches_some_event_and_leaves_some_out() {
    // Else the property above would compare silence with silence.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut rows: Vec<Row<'static>> = (0..400)
        .map(|_| row().new_tree(&mut runner).unwrap().current())
        .collect();
    for (number, row) in rows.iter_mut().enumerate() {
        row.metadata_uid = Cow::Owned(format!("e{number}"));
    }
    for item in ITEMS {
        let rules = set([file(&format!("  s:\n    {item}\n  condition: s"))]);
        let fired = by_columns(&rules, &rows)
            .into_iter()
            .filter(|fired| *fired)
            .count();
        assert!(
            0 < fired && fired < rows.len(),
            "{item} fires {fired} times"
        );
    }
}

#[test]
fn a_rendered_row_has_the_sources_paths_and_no_absent_fields() {
    let mut row = event("e1", "user.session.start");
    row.risk_level_id = Some(3);
    row.targets = Some(vec![crate::support::person("u1")]);
    row.src_endpoint_ip_chain = Some(vec!["203.0.113.9".into()]);
    row.debug_data = Some(details(&[("factor", "A"), ("factor", "B")]));
    let rendered = render(&events(&[row]), 0).unwrap();
    assert_eq!(rendered["eventType"], "user.session.start");
    assert_eq!(rendered["derived"]["risk_level"], "high");
    assert_eq!(rendered["target"][0]["type"], "User");
    assert_eq!(rendered["target"][0].as_object().unwrap().len(), 2);
    assert_eq!(rendered["request"]["ipChain"][0]["ip"], "203.0.113.9");
    assert_eq!(rendered["debugContext"]["debugData"]["factor"], "A");
    assert!(rendered.get("displayMessage").is_none());
    let batch = events(&[event("e1", "user.session.start")]);
    assert_eq!(
        render(&batch, 1).unwrap_err().to_string(),
        "row 1 of a batch of 1"
    );
}
